"""A language model proposes, the gates decide; against a server that speaks the protocol."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from kb.errors import ProposerUnavailable
from quiz.generation.gates import failures
from quiz.generation.proposer import Proposer
from quiz.model import Type
from tests.unit.quiz.rules import basis_of, document_of

DOCUMENT = document_of()
GOOD = {
    "type": "single",
    "stem": "每个共享学习点设管理员三至五人，由管理委员会推选，每届任期（  ）。",
    "options": ["一年", "二年", "三年", "五年"],
    "answer": "二年",
}
WRONG_KEY = {**GOOD, "answer": "三年"}
INVENTED = {**GOOD, "stem": "每个共享学习点每周开放（　　）。"}
FALSE_ONE = {
    "type": "true_false",
    "stem": "每个共享学习点设管理员三至五人，由管理委员会推选，每届任期四年。",
    "answer": ["错误"],
}
SHAPELESS = {"type": "essay", "stem": 3}


class Model(BaseHTTPRequestHandler):
    """Answers as an endpoint does, with what the test put into `server.said`."""

    def do_POST(self) -> None:
        """Answer one request."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, self.headers.get("Authorization"), body))  # type: ignore[attr-defined]
        status, content = self.server.said(body)  # type: ignore[attr-defined]
        data = json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}).encode()
        self.send_response(status)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nothing is told."""


@pytest.fixture
def server() -> Iterator[Any]:
    """A model on loopback."""
    found = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    found.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=found.serve_forever, daemon=True)
    thread.start()
    yield found
    found.shutdown()
    found.server_close()


def proposer(server: Any) -> Proposer:
    return Proposer(url=f"http://127.0.0.1:{server.server_port}/v1", model="m", key="k", timeout_s=5)


def ordinals(label: str) -> frozenset[int]:
    return frozenset(c.ordinal for c in DOCUMENT.clauses if c.label == label)


def test_what_a_model_proposes_is_held_against_the_gates(server: Any) -> None:
    """A sound proposal passes with its place and citation; a wrong key and an invented sentence do not get through."""
    server.said = lambda body: (
        200,
        json.dumps({"questions": [GOOD, WRONG_KEY, INVENTED, FALSE_ONE, SHAPELESS]}),
    )
    with_model = proposer(server)
    found = list(with_model.propose(DOCUMENT, ordinals("第八条"), frozenset(Type), 10))
    with_model.close()
    basis = basis_of(DOCUMENT)
    passed = [q for q in found if not failures(q, basis)]
    assert [(q.type.value, q.answer) for q in passed] == [("single", ("二年",)), ("true_false", ("错误",))]
    for q in passed:
        assert q.citation is not None
        assert DOCUMENT.text[q.citation.start : q.citation.end] == q.citation.quote
        assert DOCUMENT.text[slice(*q.places[0])] == "二年"
    path, authorization, body = server.asked[0]
    assert (path, authorization, body["model"]) == ("/v1/chat/completions", "Bearer k", "m")
    assert "每届任期二年" in body["messages"][0]["content"]


def test_json_in_a_fence_is_read(server: Any) -> None:
    """Models like to wrap what they say."""
    server.said = lambda body: (200, f"```json\n{json.dumps({'questions': [GOOD]})}\n```")
    with_model = proposer(server)
    assert len(list(with_model.propose(DOCUMENT, ordinals("第八条"), frozenset({Type.SINGLE}), 3))) == 1
    with_model.close()


@pytest.mark.parametrize("said", [(500, "{}"), (200, "我不知道"), (200, '{"answers": []}')])
def test_a_model_that_fails_is_said_with_its_address(server: Any, said: tuple[int, str]) -> None:
    """An error, words instead of JSON, JSON of another shape: the message names the endpoint and what to do."""
    server.said = lambda body: said
    with_model = proposer(server)
    with pytest.raises(ProposerUnavailable) as error:
        list(with_model.propose(DOCUMENT, ordinals("第八条"), frozenset(Type), 3))
    with_model.close()
    assert str(server.server_port) in error.value.message
    assert "without it" in error.value.hint


def test_nothing_is_asked_for_types_that_a_model_does_not_make(server: Any) -> None:
    """Ordering and matching are made from the structure of the text alone."""
    with_model = proposer(server)
    assert list(with_model.propose(DOCUMENT, None, frozenset({Type.ORDERING, Type.MATCHING}), 3)) == []
    with_model.close()
    assert server.asked == []
