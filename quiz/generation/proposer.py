"""Candidates from a language model behind an OpenAI-compatible `/v1/chat/completions` endpoint.

Never needed. What it proposes is a guess like any other: a candidate that is not verbatim in the
clause, or fails any other gate, is dropped and counted. Nothing is asked unless the installation
names an endpoint and the trainer asks for it; the text of clauses goes to that address then.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import httpx

from kb.errors import ProposerUnavailable
from kb.model import Clause, Document
from quiz.citing import citation_of
from quiz.generation.making import difficulty, explained, source_words, topics_of
from quiz.generation.statements import body_clauses, statements
from quiz.model import BLANK, FALSE, TRUE, Question, Slot, Type
from quiz.quantities import amount_of, amounts

PROPOSED = (Type.SINGLE, Type.MULTIPLE, Type.TRUE_FALSE, Type.BLANK)
"""Types that are asked of a model."""
_SHOWN_CHARS = 200
_LONGEST_CLAUSE = 1500
_ASK = """根据下面这一条规定命制考试题，只输出 JSON：{{"questions":[{{"type":"single|multiple|true_false|blank","stem":"","options":[],"answer":[]}}]}}。
要求：题干用（　　）留空，其余文字与原文一字不差；答案必须是原文中的文字；single 四个选项，multiple 的答案不止一个；
true_false 的 stem 照抄原文或只改动一处，answer 为“正确”或“错误”；不用“该”“上述”“本条”“前款”。最多 {n} 题，题型：{types}。
《{title}》{label}：
{text}"""


class Proposer:
    """Asks a model for candidates, clause by clause.

    Args:
        url: base address, `/v1` included.
        model: name of the model as the endpoint knows it.
        key: sent as a bearer token where not empty.
        timeout_s: longest wait for one clause.
    """

    def __init__(self, *, url: str, model: str, key: str = "", timeout_s: float = 120.0) -> None:
        self._address = url.rstrip("/") + "/chat/completions"
        self._model = model
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(timeout=timeout_s, headers=headers, trust_env=False)

    def propose(
        self, document: Document, ordinals: frozenset[int] | None, types: frozenset[Type], n: int
    ) -> Iterator[Question]:
        """Candidates for the clauses with these ordinals, all of them for None, until the caller has enough.

        Raises:
            ProposerUnavailable: the endpoint fails, or gives no JSON.
        """
        wanted = [t for t in PROPOSED if t in types]
        for clause in body_clauses(document) if wanted else ():
            text = document.text[clause.start : clause.end]
            if (ordinals is None or clause.ordinal in ordinals) and len(text) <= _LONGEST_CLAUSE:
                for body in self._ask(document, clause, text, wanted, min(n, 5)):
                    if question := candidate(document, clause, body):
                        yield question

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def _ask(
        self, document: Document, clause: Clause, text: str, types: Sequence[Type], n: int
    ) -> list[dict[str, Any]]:
        said = _ASK.format(
            n=n, types="、".join(types), title=document.meta.title, label=clause.label, text=text
        )
        body = {
            "model": self._model,
            "messages": [{"role": "user", "content": said}],
            "temperature": 0,
            "response_format": {"type": "json_object"},
        }
        try:
            answer = self._client.post(self._address, json=body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unavailable(clause, repr(error)) from error
        if answer.status_code != httpx.codes.OK:
            raise self._unavailable(clause, f"status {answer.status_code}: {answer.text[:_SHOWN_CHARS]}")
        try:
            content = answer.json()["choices"][0]["message"]["content"]
            found = json.loads(re.sub(r"^```(?:json)?|```$", "", content.strip(), flags=re.MULTILINE))
            return [q for q in found["questions"] if isinstance(q, dict)]
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise self._unavailable(clause, f"{error!r} in {answer.text[:_SHOWN_CHARS]}") from error

    def _unavailable(self, clause: Clause, seen: str) -> ProposerUnavailable:
        return ProposerUnavailable(
            f"Cannot have questions on {clause.label or 'a clause'} proposed by {self._model} at {self._address}: {seen}.",
            "Check that the endpoint runs and serves this model, or make questions without it.",
        )


def candidate(document: Document, clause: Clause, body: dict[str, Any]) -> Question | None:
    """A question of what a model said, cited from where its words stand; None if they stand nowhere in the clause."""
    try:
        type_, stem = Type(body["type"]), str(body["stem"]).strip()
        answer = body["answer"]
        keys = (answer,) if isinstance(answer, str) else tuple(map(str, answer))
        options = tuple(map(str, body.get("options") or ()))
    except (KeyError, TypeError, ValueError):
        return None
    if type_ not in PROPOSED or not keys:
        return None
    stem = re.sub(r"（[\s　]*）|\([\s　]*\)|_{2,}|＿{2,}", BLANK, stem)
    stem = re.sub(r"^(?:根据|按照)《[^》]*》(?:的?规定)?[，,]", "", stem)
    start, end, places = _located(document, clause, type_, stem, keys)
    if not places:
        return None
    slot = Slot.LIST if type_ is Type.MULTIPLE else Slot.NUMBER if amount_of(keys[0]) else Slot.OTHER
    citation = citation_of(document, clause, start, end)
    return Question(
        type_,
        source_words(document) + stem,
        (TRUE, FALSE) if type_ is Type.TRUE_FALSE else options,
        keys,
        explained(citation),
        citation,
        difficulty(type_, slot, options, keys),
        slot=slot,
        places=places,
        topics=topics_of(citation),
    )


def _located(
    document: Document, clause: Clause, type_: Type, stem: str, keys: tuple[str, ...]
) -> tuple[int, int, tuple[tuple[int, int], ...]]:
    """The sentence of the clause that the stem is, and where its keys stand; no places if it is none."""
    for statement in statements(document, clause):
        start, end, said = statement.start, statement.end, statement.text
        if type_ is Type.TRUE_FALSE:
            if (span := _changed(said, stem)) is not None:
                return start, end, ((start + span[0], start + span[1]),)
            continue
        parts = stem.rstrip("。").split(BLANK)
        pattern = "(.+?)".join(map(re.escape, parts)) + ("$" if parts[-1] == "" else "")
        if len(parts) > 1 and (found := re.search(pattern, said.rstrip("。；"))):
            return start, end, tuple((start + s, start + e) for s, e in found.regs[1:])
    return clause.start, clause.start, ()


def _changed(said: str, stem: str) -> tuple[int, int] | None:
    """The one run of the sentence that the stem says otherwise; of a true stem, its first characters."""
    said, stem = said.rstrip("。；"), stem.rstrip("。；")
    at = said.find(stem)
    if at >= 0:
        return at, at + len(stem)
    head = next((i for i, (a, b) in enumerate(zip(said, stem, strict=False)) if a != b), 0)
    tail = next((i for i, (a, b) in enumerate(zip(said[::-1], stem[::-1], strict=False)) if a != b), 0)
    if head + tail < 0.6 * len(stem) or head + tail > min(len(said), len(stem)):
        return None
    end = len(said) - tail
    whole = next((a for a in amounts(said) if a.start <= head and end <= a.end), None)
    return (whole.start, whole.end) if whole else (head, end)
