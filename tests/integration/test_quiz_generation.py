"""Questions made over a real home: on the command line, from each kind of material, under a scope."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.services import Services
from kb.errors import InvalidRequest, NotFound, ProposerUnavailable
from kb.model import PUBLIC
from quiz.generation.generator import Material
from quiz.model import FALSE, TRUE, Type, question_json, question_of
from tests.conftest import Opener
from tests.unit.quiz.rules import RULE

SCOPE = frozenset({PUBLIC})
OTHER = (
    RULE.replace("云屏市", "竹海市")
    .replace("第十二条 学习点", "第十二条 每届任期五年的学习点")
    .replace("每届任期二年", "每届任期八年")
)


@pytest.fixture
def world(open_services: Opener, tmp_path: Path) -> tuple[Services, str]:
    """A home with the invented rule, and the rule's id."""
    services = open_services()
    (tmp_path / "rule.md").write_text(RULE, encoding="utf-8")
    report = services.ingest([tmp_path / "rule.md"])
    return services, report.document_ids[0]


def test_every_question_is_grounded_in_its_clause(world: tuple[Services, str]) -> None:
    """What is quoted stands in the document, and so does every place that is asked for."""
    services, document_id = world
    text = services.document(document_id, SCOPE).text
    made = services.quiz.generator.generate(Material(document_id), SCOPE, n=200)
    assert {q.type for q in made.questions} >= {
        Type.SINGLE,
        Type.BLANK,
        Type.TRUE_FALSE,
        Type.SHORT,
        Type.ORDERING,
    }
    for q in made.questions:
        assert q.citation is not None
        assert text[q.citation.start : q.citation.end] == q.citation.quote
        assert all(q.citation.start <= s < e <= q.citation.end for s, e in q.places)
        assert question_of(json.loads(json.dumps(question_json(q)))).question_id == q.question_id


def test_the_same_seed_gives_the_same_questions(world: tuple[Services, str]) -> None:
    """Another seed gives others; no question comes twice."""
    services, document_id = world
    generate = services.quiz.generator.generate
    one, again, other = (
        [q.question_id for q in generate(Material(document_id), SCOPE, n=15, seed=s).questions]
        for s in (1, 1, 2)
    )
    assert one == again
    assert one != other
    assert len(set(one)) == len(one)


def test_every_sentence_is_asked_about_before_any_is_twice(world: tuple[Services, str]) -> None:
    """A short list of questions covers the rule instead of its first article."""
    services, document_id = world
    made = services.quiz.generator.generate(Material(document_id), SCOPE, n=3, types=frozenset({Type.BLANK}))
    quotes = [q.citation.quote for q in made.questions if q.citation]
    assert len(set(quotes)) == len(quotes) == 3


def test_as_many_statements_are_true_as_false(world: tuple[Services, str]) -> None:
    """A true or false question that is guessed is right every other time."""
    services, document_id = world
    made = services.quiz.generator.generate(
        Material(document_id), SCOPE, n=60, types=frozenset({Type.TRUE_FALSE})
    )
    keys = [q.answer[0] for q in made.questions]
    assert keys
    assert abs(keys.count(TRUE) - keys.count(FALSE)) <= 1


def test_only_clauses_that_are_named_are_asked_about(world: tuple[Services, str]) -> None:
    """Anchors narrow a document; an anchor that is not there is told."""
    services, document_id = world
    made = services.quiz.generator.generate(Material(document_id, ("art-9",)), SCOPE, n=20)
    assert {q.citation.anchor for q in made.questions if q.citation} == {"art-9"}
    with pytest.raises(InvalidRequest, match="art-99"):
        services.quiz.generator.generate(Material(document_id, ("art-99",)), SCOPE)


def test_a_phrase_and_a_query_find_their_clauses(world: tuple[Services, str]) -> None:
    """A set phrase is asked about word for word; a query is answered from what is found for it."""
    services, _ = world
    phrase = services.quiz.generator.generate(Material(phrase="自愿、公开、节俭、便利"), SCOPE, n=5)
    assert phrase.questions
    assert all(q.citation and "自愿、公开" in q.citation.quote for q in phrase.questions)
    query = services.quiz.generator.generate(Material(query="管理员任期"), SCOPE, n=3)
    assert query.questions


def test_what_stands_in_another_rule_is_no_wrong_answer(world: tuple[Services, str], tmp_path: Path) -> None:
    """Once another rule that the asker sees says 每届任期八年, 八年 is offered no more; for who does not see it, it is."""
    services, document_id = world
    (tmp_path / "other.md").write_text(OTHER, encoding="utf-8")

    def offered() -> set[str]:
        made = [
            q
            for seed in range(4)
            for q in services.quiz.generator.generate(
                Material(document_id, ("art-8",)), SCOPE, n=20, seed=seed, types=frozenset({Type.SINGLE})
            ).questions
        ]
        return {o for q in made if q.answer == ("二年",) for o in q.options}

    assert "八年" in offered()
    services.ingest([tmp_path / "other.md"])
    assert "八年" not in offered()


def test_what_one_may_not_see_gives_no_questions(world: tuple[Services, str]) -> None:
    """A document outside the scope answers as one that is not there."""
    services, document_id = world
    with pytest.raises(NotFound):
        services.quiz.generator.generate(Material(document_id), frozenset({"branch:elsewhere"}))
    with pytest.raises(NotFound):
        services.quiz.generator.generate(Material("0" * 16), SCOPE)


def test_a_document_with_nothing_to_ask_gives_none(open_services: Opener, tmp_path: Path) -> None:
    """A list of names is no material for questions: that is said, not forced."""
    services = open_services()
    (tmp_path / "names.txt").write_text("参会名单\n\n张三\n李四\n王五\n", encoding="utf-8")
    document_id = services.ingest([tmp_path / "names.txt"]).document_ids[0]
    assert services.quiz.generator.generate(Material(document_id), SCOPE).questions == ()


def test_a_rule_that_is_not_in_force_yet_gives_none(open_services: Opener, tmp_path: Path) -> None:
    """Questions are about what holds today; the gate is counted."""
    services = open_services()
    (tmp_path / "rule.md").write_text(RULE.replace("2024年", "2099年"), encoding="utf-8")
    document_id = services.ingest([tmp_path / "rule.md"]).document_ids[0]
    made = services.quiz.generator.generate(Material(document_id), SCOPE)
    assert made.questions == ()
    assert made.rejected["2"] > 0


def test_a_model_is_never_needed_and_told_where_there_is_none(world: tuple[Services, str]) -> None:
    """Asking for proposals without an endpoint says which setting is missing."""
    services, document_id = world
    with pytest.raises(ProposerUnavailable, match="no language model"):
        services.quiz.generator.generate(Material(document_id), SCOPE, proposed=True)


def test_the_command_gives_what_the_contract_says(tmp_path: Path) -> None:
    """`gongxue quiz generate --json` has questions with their citations, and what the gates stopped."""
    (tmp_path / "rule.md").write_text(RULE, encoding="utf-8")
    home = str(tmp_path / "home")
    command = CliRunner()
    assert command.invoke(app, ["ingest", str(tmp_path / "rule.md"), "--home", home]).exit_code == 0
    found = command.invoke(app, ["search", "任期", "--home", home, "--json"])
    document_id = json.loads(found.output)["hits"][0]["document_id"]
    asked = ["quiz", "generate", "--document", document_id, "--home", home]
    run = command.invoke(app, [*asked, "--types", "single,blank", "-n", "6", "--json"])
    assert run.exit_code == 0, run.output
    said = json.loads(run.output)
    assert set(said) == {"questions", "rejected"}
    assert 0 < len(said["questions"]) <= 6
    for q in said["questions"]:
        assert {"type", "stem", "options", "answer", "explanation", "citation", "difficulty"} <= set(q)
        assert {"document_id", "title", "path", "quote", "start", "end"} <= set(q["citation"])
        assert q["type"] in ("single", "blank")
        assert q["type"] == "blank" or q["answer"] in q["options"]
    shown = command.invoke(app, ["quiz", "generate", "--query", "任期", "-n", "2", "--home", home])
    assert shown.exit_code == 0
    assert "答案" in shown.output
    assert command.invoke(app, [*asked, "--types", "riddle"]).exit_code == 2
