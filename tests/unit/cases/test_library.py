"""Documents of kind case become cases: by themselves, as next versions, for those who see them; and lines of descent."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cases.markdown import write_markdown
from cases.model import Body, Field, Level, State
from cases.tables import cases
from ingest.metadata import Sidecar
from kb.errors import NotFound
from kb.model import Kind, Source
from tests.fakes import make_document, put
from tests.unit.cases.publishing_stage import EVERYONE, Press, copied, founded, open_press, titled, wanted

FIRST, LATER = date(2026, 2, 1), date(2026, 2, 20)
LAMPS = titled("楼道灯坏了没人报修", problem="楼道灯坏了三个月，住户以为物业知道。", industry="K")
LAMPS_AGAIN = {**LAMPS, Field.OUTCOME: "换成声控灯以后两个月没有再坏。"}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Branches and people, to be copied."""
    return founded(tmp_path_factory.mktemp("press") / "home")


@pytest.fixture
def press(template: Path, tmp_path: Path) -> Iterator[Press]:
    """The same for one test."""
    found = copied(template, tmp_path / "home")
    yield found
    found.services.close()


def case_id_of(press: Press, document_id: str, login: str = "member") -> str | None:
    """The case that the person sees under the document."""
    return press.services.cases.library.of_document(press.by(login).scope, document_id)


def n_cases(press: Press) -> int:
    """How many cases there are, whoever sees them."""
    with press.services.access.office.reading() as connection:
        return connection.execute(select(func.count()).select_from(cases)).scalar_one()


# -- files -------------------------------------------------------------------------------------


def test_a_case_that_comes_as_a_file_is_a_case_by_itself(press: Press) -> None:
    """Handed in for branch and partners it stands in their list, with form, facts and day; nobody did anything else."""
    document_id = press.file(LAMPS, "partners", on=FIRST)
    for login in EVERYONE:
        assert len(press.found(login)) == (login in ("member", "trainer", "liaison", "reviewer", "partner"))
    case_id = case_id_of(press, document_id)
    assert case_id
    case = press.services.cases.library.case(press.by("partner").scope, case_id)
    assert case.body[Field.PROBLEM] == LAMPS[Field.PROBLEM]
    assert (case.title, case.branch_id, case.published_at.date()) == (LAMPS[Field.TITLE], "jia", FIRST)
    card = press.services.cases.library.cards(press.by("member").scope, [case_id])[case_id]
    assert (card.industry, card.issuer, card.document_id) == ("K", "jia", document_id)
    with pytest.raises(NotFound):
        press.services.cases.library.case(press.by("outsider").scope, case_id)
    assert case_id_of(press, document_id, "outsider") is None


def test_what_is_no_case_is_none(press: Press) -> None:
    """A law in the library makes no case, whatever its text is about."""
    put(press.services.catalog, make_document("法", ("问题：没有。", "做法：没有。"), kind=Kind.LAW))
    assert press.found("member") == []
    assert n_cases(press) == 0


def test_a_case_of_the_common_library_is_everybodys_and_nobody_writes_it(press: Press) -> None:
    """It has no branch; guests find it, and no branch's people have its form."""
    document = make_document("旁支", ("问题一段。",), kind=Kind.CASE, title="旁支案例")
    put(press.services.catalog, document)
    (case_id,) = press.found("")
    assert press.services.cases.library.case(press.by("").scope, case_id).branch_id is None
    for login in ("liaison", "partner"):
        with pytest.raises(NotFound):
            press.services.cases.drafts.form(press.by(login), case_id)
        with pytest.raises(NotFound):
            press.services.cases.publishing.withdraw(press.by(login), case_id)


@pytest.mark.parametrize("looked_between", [True, False])
def test_a_later_file_of_the_same_work_is_the_next_version_of_the_same_case(
    press: Press, looked_between: bool
) -> None:
    """The case keeps its id and stands for the newer text, whether or not anybody looked before it came."""
    first = press.file(LAMPS, "own", on=FIRST)
    if looked_between:
        assert len(press.found("member")) == 1
    second = press.file(LAMPS_AGAIN, "own", on=LATER)
    (case_id,) = press.found("member")
    assert n_cases(press) == 1
    case = press.services.cases.library.case(press.by("member").scope, case_id)
    assert (case.document_id, case.body[Field.OUTCOME]) == (second, LAMPS_AGAIN[Field.OUTCOME])
    assert press.searched("member", "楼道灯") == {second}
    assert press.searched("member", "楼道灯", as_of=LATER) == {second}
    assert first in press.searched("member", "楼道灯", as_of=FIRST)


def test_an_older_file_that_comes_later_does_not_take_the_place(press: Press) -> None:
    """A version of last year that is handed in today belongs to the case, which stands for the newer one."""
    second = press.file(LAMPS_AGAIN, "own", on=LATER)
    (case_id,) = press.found("member")
    first = press.file(LAMPS, "own", on=FIRST)
    assert press.found("member") == [case_id]
    assert press.services.cases.library.case(press.by("member").scope, case_id).document_id == second
    press.services.holdings.withdraw(press.by("liaison"), second)
    assert press.found("member") == press.found("liaison") == []
    assert first not in press.documents()


def test_another_branchs_file_of_the_same_name_is_a_case_of_its_own(press: Press) -> None:
    """Two branches that hand in the same title have two cases, each by its own keeper."""
    mine = press.file(LAMPS, "partners", on=FIRST)
    theirs = press.file(
        {**LAMPS, Field.OUTCOME: "乙也办成了。"}, "partners", on=LATER, by="partner", branch="yi"
    )
    assert set(press.found("partner")) == {case_id_of(press, mine), case_id_of(press, theirs)}
    assert n_cases(press) == 2


def test_a_file_of_the_common_library_is_a_case_of_its_own(press: Press) -> None:
    """The same work in the common library ends what a branch had, and leaves the branch's case the branch's."""
    mine = press.file(LAMPS, "own", on=FIRST)
    (case_id,) = press.found("member")
    text = write_markdown(LAMPS_AGAIN, case_id="0" * 16, revision=1, branch="jia", on=LATER)
    sidecar = Sidecar(kind=Kind.CASE, issuer="jia", issued_on=LATER)
    press.services.ingest_source(Source("灯.md", "text/markdown", text.encode()), sidecar)
    (open_id,) = press.found("")
    assert set(press.found("member")) == {case_id, open_id} and case_id != open_id
    assert press.services.cases.library.case(press.by("member").scope, case_id).document_id == mine


def test_a_hidden_newer_version_does_not_hide_the_older_one_for_others(press: Press) -> None:
    """Who may not see the newer file finds the older one as before, in the one search and among the cases."""
    first = press.file(LAMPS, "partners", on=FIRST)
    (case_id,) = press.found("partner")
    second = press.file(LAMPS_AGAIN, "own", on=LATER)
    assert press.found("partner") == press.found("partner", "楼道灯坏了") == [case_id]
    assert press.searched("partner", "楼道灯") == {first}
    assert press.services.cases.library.case(press.by("partner").scope, case_id).document_id == first
    assert press.searched("member", "楼道灯") == {first, second}


def test_a_copy_is_no_case_of_its_own(press: Press) -> None:
    """A partner's copy adds nothing to any list, count or branch; the copied case stays one."""
    document_id = press.file(LAMPS, "everyone", on=FIRST)
    copy_id = press.services.holdings.copy(press.by("partner"), document_id, "yi")
    for login in ("partner", "member"):
        assert press.found(login) == press.found(login, "楼道灯") == [case_id_of(press, document_id)]
    assert case_id_of(press, copy_id, "partner") is None
    assert press.services.cases.library.of_branch(press.by("partner").scope, "yi") == []
    assert n_cases(press) == 1


def test_a_file_published_from_its_form_is_followed_by_that_version(press: Press) -> None:
    """Worked on and published, a case that came as a file has one version in force, and its file is no wider than that."""
    first = press.file(LAMPS, "everyone", on=FIRST)
    (case_id,) = press.found("member")
    write(press, case_id, LAMPS_AGAIN)
    assert press.found("") == [case_id]
    second = press.publish(case_id, "partners")
    assert press.searched("partner", "楼道灯") == press.searched("member", "楼道灯") == {second}
    assert press.searched("member", "楼道灯", as_of=FIRST) == {first}
    assert press.found("partner") == [case_id]
    assert press.found("") == []
    assert press.readers(first) < press.readers(second)
    assert n_cases(press) == 1


def test_a_file_of_a_later_day_than_its_publication_is_no_wider_than_that(press: Press) -> None:
    """What is published from the form is the newest of a case, whatever day its file tells."""
    first = press.file(LAMPS, "everyone", on=date(2026, 12, 31))
    (case_id,) = press.found("member")
    write(press, case_id, LAMPS_AGAIN)
    second = press.publish(case_id, "own")
    assert press.readers(first) == press.readers(second)
    assert press.found("") == []
    press.services.cases.publishing.set_audience(press.by("liaison"), case_id, wanted("partners"))
    assert "partner" in press.readers(second) and "partner" not in press.readers(first)


def write(press: Press, case_id: str, body: Body) -> None:
    """Fill in the form of a case, and take it through review."""
    drafts, by = press.services.cases.drafts, press.by("trainer")
    for field, text in body.items():
        drafts.save(by, case_id, field, text, base=drafts.form(by, case_id).revision)
    press.review(case_id)


def test_a_withdrawn_file_that_is_handed_in_again_is_the_case_that_it_was(press: Press) -> None:
    """Taken out and put back on purpose, a file is found under the id under which it was known."""
    document_id = press.file(LAMPS, "own", on=FIRST)
    (case_id,) = press.found("member")
    source = press.services.original(document_id, press.by("liaison").scope)
    press.services.cases.publishing.withdraw(press.by("liaison"), case_id)
    assert press.found("member") == []
    keeping = press.services.holdings.keeping(press.by("liaison"), "jia", wanted("own"), again=True)
    press.services.pipeline.ingest(source, sidecar=Sidecar(kind=Kind.CASE, issued_on=FIRST), keeping=keeping)
    press.services.index.follow(block=True)
    assert press.found("member") == press.found("member", "楼道灯") == [case_id]


def test_what_the_operator_takes_out_leaves_the_version_before_it(press: Press) -> None:
    """One document taken out at the machine: the case stands for the version that is left, and its form is a draft."""
    case_id = press.approved()
    first = press.publish(case_id, "own")
    press.change(case_id, "后来降到十二分钟。")
    second = press.publish(case_id, "own")
    press.services.remove([second])
    assert press.found("member") == [case_id]
    assert press.searched("member", "候诊区站满了人") == {first}
    assert press.services.cases.library.case(press.by("member").scope, case_id).document_id == first
    assert press.services.cases.drafts.form(press.by("trainer"), case_id).state is State.DRAFT
    press.services.remove([first])
    assert press.found("member") == press.found("liaison") == []
    press.review(case_id)
    assert press.readers(press.publish(case_id, "everyone")) == {*EVERYONE}


def test_two_processes_make_one_case_of_a_file(press: Press) -> None:
    """Whichever looks first, both have the same case under the same id, once."""
    other = open_press(press.services.settings.home, press.clock)
    try:
        document_id = press.file(LAMPS, "own", on=FIRST)
        assert other.found("member") == press.found("member") == [case_id_of(press, document_id)]
        second = press.file(LAMPS_AGAIN, "own", on=LATER)
        (case_id,) = other.found("member")
        assert press.services.cases.library.case(press.by("member").scope, case_id).document_id == second
        assert n_cases(press) == 1
    finally:
        other.services.close()


# -- cards and lines of descent -------------------------------------------------------------------


def test_cards_and_lists_hold_what_is_seen_and_nothing_else(press: Press) -> None:
    """Of any ids, the cards are of those that the scope sees; a branch's list is newest first."""
    own = press.published("own", body=titled("甲自己的", level="eased", people="30", cost="500"))
    wide = press.published("partners", body=titled("给伙伴的"))
    library = press.services.cases.library
    ids = [own, wide, "0" * 16]
    assert set(library.cards(press.by("member").scope, ids)) == {own, wide}
    assert set(library.cards(press.by("partner").scope, ids)) == {wide}
    assert library.cards(press.by("outsider").scope, ids) == {}
    assert [c.case_id for c in library.of_branch(press.by("member").scope, "jia")] == [wide, own]
    assert [c.case_id for c in library.of_branch(press.by("partner").scope, "jia")] == [wide]
    card = library.cards(press.by("member").scope, [own])[own]
    assert (card.level, card.people, card.cost, card.branch_id) == (Level.EASED, 30, 500, "jia")


def test_more_cards_than_one_statement_takes(press: Press) -> None:
    """A thousand ids that are none, and the one that is, give that one."""
    case_id = press.published("own")
    ids = [f"{n:016x}" for n in range(1200)]
    assert set(press.services.cases.library.cards(press.by("member").scope, [*ids, case_id])) == {case_id}


def test_the_line_of_descent_ends_where_it_is_hidden(press: Press) -> None:
    """Above, it stops at the first case that is not seen; below, what is not seen is left out; nothing tells of either."""
    library = press.services.cases.library
    root = press.published("everyone", body=titled("源头"))
    middle = press.approved(titled("第二手"), derived_from=root)
    press.publish(middle, "own")
    leaf = press.approved(titled("第三手"), derived_from=middle)
    press.publish(leaf, "partners")

    def line(login: str, case_id: str) -> tuple[list[str], list[str]]:
        found = library.descent(press.by(login).scope, case_id)
        return [c.case_id for c in found.above], [c.case_id for c in found.below]

    assert line("member", leaf) == ([middle, root], [])
    assert line("member", root) == ([], [middle, leaf])
    assert line("partner", leaf) == ([], [])
    assert line("partner", root) == ([], [leaf])
    assert line("", root) == ([], [])
    for login in ("partner", ""):
        with pytest.raises(NotFound):
            library.descent(press.by(login).scope, middle)
    press.services.cases.publishing.withdraw(press.by("liaison"), middle)
    assert line("member", leaf) == ([], [])


def test_an_excerpt_ends_where_a_sentence_ends(press: Press) -> None:
    """A card tells the beginning of a long problem up to a sentence's end, and one without any is cut with a mark."""
    long = (
        "上午八点到九点，候诊区站满了人，"
        + "后面的人看不到屏幕，" * 5
        + "有人坐到楼梯上。"
        + "还有很多别的。" * 10
    )
    told = press.published("own", body=titled("长的", problem=long))
    endless = press.published("own", body=titled("没有句号的", problem="等" * 300))
    cards = press.services.cases.library.cards(press.by("member").scope, [told, endless])
    assert cards[told].problem.endswith("。") and long.startswith(cards[told].problem)
    assert len(cards[told].problem) <= 120
    assert cards[endless].problem == "等" * 119 + "…"
