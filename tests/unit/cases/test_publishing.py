"""Cases published on a home with its index: who finds them, what becomes of older versions, and how they go."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from access.sharing import Wanted
from cases.markdown import write_markdown
from cases.model import Body, Case, CaseFilters, Field, State
from ingest.read import read_document
from kb.errors import Conflict, InvalidRequest, NotFound, Refused, SignInRequired
from kb.model import Source, Validity
from store.shares import shares_of
from tests.unit.cases.drafts_stage import BODY
from tests.unit.cases.publishing_stage import EVERYONE, Press, copied, founded, titled, wanted

OWN = {"member", "trainer", "liaison", "reviewer"}
WORDS = "候诊区站满了人"
"""Words of the problem of `BODY`."""


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


def case_of(press: Press, case_id: str, login: str = "member") -> Case:
    """The published case as the person sees it."""
    return press.services.cases.library.case(press.by(login).scope, case_id)


# -- publishing ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("audiences", "readers"),
    [
        (["own"], OWN),
        (["partners"], {*OWN, "partner"}),
        (["branch:yi"], {*OWN, "partner"}),
        (["everyone"], {*EVERYONE}),
    ],
)
def test_published_is_found_at_once_by_its_audience_and_nobody_else(
    press: Press, audiences: list[str], readers: set[str]
) -> None:
    """The one search, the search by problem, the list and the page give it to its audience, and to others none of it."""
    case_id = press.approved()
    document_id = press.publish(case_id, *audiences)
    for login in EVERYONE:
        seen = login in readers
        assert press.searched(login, WORDS) == ({document_id} if seen else set()), login
        assert press.found(login, "挂号以后要等很久") == press.found(login) == ([case_id] if seen else []), (
            login
        )
        assert bool(press.services.catalog.visible([document_id], press.by(login).scope)) == seen
        if not seen:
            with pytest.raises(NotFound):
                case_of(press, case_id, login)
    case = case_of(press, case_id)
    assert (case.title, case.body, case.branch_id) == (BODY[Field.TITLE], BODY, "jia")
    card = press.services.catalog.card(document_id, press.by("member").scope, press.clock.today())
    assert (card.title, card.issuer, card.kind.value) == (BODY[Field.TITLE], "jia组织", "case")


def test_only_what_is_approved_is_published(press: Press) -> None:
    """A draft, one under review, one changed after its review and one published already are refused."""
    drafts = press.services.cases.drafts
    case_id = drafts.begin(press.by("trainer"), "jia", body=BODY)

    def refused() -> None:
        with pytest.raises(Conflict, match="not approved"):
            press.publish(case_id, "own")

    refused()
    drafts.submit(press.by("trainer"), case_id)
    refused()
    drafts.approve(press.by("reviewer"), case_id)
    drafts.save(press.by("liaison"), case_id, Field.OUTCOME, "改了。", base=9)
    refused()
    assert press.documents() == []
    press.review(case_id)
    press.publish(case_id, "own")
    refused()


def test_who_may_not_share_so_widely_does_not_publish(press: Press) -> None:
    """A trainer publishes within the branch; beyond it takes a liaison. Others have no such case, nobody gets none."""
    case_id = press.approved()
    publishing = press.services.cases.publishing
    for audiences in (["partners"], ["everyone"], ["own", "branch:yi"]):
        for ask in (publishing.publish, publishing.preview):
            with pytest.raises(Refused):
                ask(press.by("trainer"), case_id, wanted(*audiences))
    for login in ("member", "partner", "outsider"):
        with pytest.raises(NotFound):
            press.publish(case_id, "own", by=login)
        with pytest.raises(NotFound):
            publishing.preview(press.by(login), case_id, wanted("own"))
    with pytest.raises(SignInRequired):
        press.publish(case_id, "own", by="")
    with pytest.raises(InvalidRequest):
        press.publish(case_id)
    with pytest.raises(InvalidRequest):
        press.publish(case_id, "branch:bing")
    assert press.documents() == []
    assert press.readers(press.publish(case_id, "own", by="trainer")) == OWN


def test_preview_tells_who_would_see_it_and_publishes_nothing(press: Press) -> None:
    """Branches and everyone are named as publishing makes them; the case stays as it was."""
    case_id = press.approved()
    publishing, by = press.services.cases.publishing, press.by("liaison")
    assert set(publishing.preview(by, case_id, wanted("partners")).branch_ids) == {"jia", "yi"}
    assert publishing.preview(by, case_id, wanted("everyone")).everyone
    assert publishing.audience(by, case_id) is None
    assert press.documents() == []
    press.publish(case_id, "own")
    told = publishing.audience(by, case_id)
    assert told and [s.audience for s in told.shares] == ["branch:jia"]


def test_two_cases_of_the_same_words_are_two_documents(press: Press) -> None:
    """Whoever copies a form word for word has a case of their own, which goes without the other."""
    one, other = press.published("own"), press.published("own")
    assert set(press.found("member")) == {one, other}
    assert len(press.searched("member", WORDS)) == 2
    press.services.cases.publishing.withdraw(press.by("liaison"), one)
    assert press.found("member") == [other]


@pytest.mark.parametrize("at", ["put_version", "narrow", "audit"])
def test_an_error_in_the_middle_of_publishing_leaves_nothing(
    press: Press, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """The document, its version, the state and the trail come together or not at all; then it can be done again."""
    case_id = press.published("everyone")
    first = case_of(press, case_id).document_id
    press.change(case_id, "只降到四十分钟。")
    before = (press.documents(), press.services.catalog.seq(), list(press.services.access.audit.all()))

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        if at == "put_version":
            patch.setattr("cases.publishing.put_version", broken)
        elif at == "narrow":
            patch.setattr(press.services.access.sharing, "narrow", broken)
        else:
            patch.setattr(type(press.services.access.audit), "write", broken)
        with pytest.raises(RuntimeError, match="power cut"):
            press.publish(case_id, "own")
    assert (
        press.documents(),
        press.services.catalog.seq(),
        list(press.services.access.audit.all()),
    ) == before
    assert press.readers(first) == {*EVERYONE}
    assert press.searched("member", "降到四十分钟") == {first}
    assert press.services.cases.drafts.form(press.by("liaison"), case_id).state is State.APPROVED
    second = press.publish(case_id, "own")
    assert case_of(press, case_id).document_id == second != first


def test_a_reshare_of_the_partnership_reads_no_more_when_it_ended_yesterday(press: Press) -> None:
    """On its last day the partner finds the case, on the day after it nothing of it, by search, list or id."""
    case_id = press.published("partners")
    press.clock.pass_(days=30)
    assert press.found("partner") == [case_id]
    assert press.searched("partner", WORDS)
    press.clock.pass_(days=1)
    assert press.found("partner") == press.found("partner", WORDS) == []
    assert press.searched("partner", WORDS) == set()
    with pytest.raises(NotFound):
        case_of(press, case_id, "partner")
    assert press.found("member") == [case_id]


def test_a_group_that_is_emptied_takes_the_case_from_its_members(press: Press) -> None:
    """Shared with a group, the case goes from each member in the moment that they are put out of it."""
    groups, by = press.services.access.groups, press.by("liaison")
    group_id = groups.make(by, "jia", "互助组").group_id
    groups.put(by, group_id, "branch:yi")
    case_id = press.published(f"group:{group_id}")
    assert press.found("partner", WORDS) == [case_id]
    groups.drop(by, group_id, "branch:yi")
    assert press.found("partner", WORDS) == press.found("partner") == []
    assert press.searched("partner", WORDS) == set()
    assert press.found("member") == [case_id]


# -- versions --------------------------------------------------------------------------------


def test_published_again_is_a_new_version_and_the_older_stays_for_its_day(press: Press) -> None:
    """Search gives the newest; as of an earlier day it gives what stood then; the case has one id throughout."""
    case_id = press.approved()
    first = press.publish(case_id, "partners")
    begun = press.clock.today()
    press.clock.pass_(days=5)
    press.change(case_id, "后来又降到十二分钟，靠的是短信提醒。")
    assert case_of(press, case_id, "partner").document_id == first
    second = press.publish(case_id, "partners")
    for login in ("member", "partner"):
        assert press.searched(login, WORDS) == {second}
        assert press.searched(login, WORDS, as_of=begun) == {first}
        assert press.found(login) == press.found(login, "短信提醒") == [case_id]
        case = case_of(press, case_id, login)
        assert (case.document_id, case.body[Field.OUTCOME]) == (
            second,
            "后来又降到十二分钟，靠的是短信提醒。",
        )
        cards = press.services.versions(second, press.by(login).scope)
        assert [c.document_id for c in cards] == [second, first]
    assert press.searched("outsider", WORDS, as_of=begun) == set()


def test_on_the_same_day_the_later_publication_is_the_newest(press: Press) -> None:
    """Several versions in one day come in the order in which they were published."""
    case_id = press.approved()
    ids: list[str] = []
    for text in ("一分钟。", "两分钟。", "三分钟。"):
        if ids:
            press.change(case_id, text)
        ids.append(press.publish(case_id, "own"))
    assert press.searched("member", WORDS) == {ids[-1]}
    assert case_of(press, case_id).document_id == ids[-1]


def test_what_a_case_says_of_days_does_not_decide_which_version_is_newest(press: Press) -> None:
    """A text that speaks of rules, their days and their end is still superseded by what is published after it."""
    case_id = press.approved(
        titled(
            "值班制度改了", practice="新制度自2031年1月1日起施行，《值班办法》同时废止。\n2031年1月1日起施行"
        )
    )
    press.publish(case_id, "own")
    press.change(case_id, "写完整了。")
    press.change(case_id, "换成口头提醒。", Field.PRACTICE)
    second = press.publish(case_id, "own")
    assert press.searched("member", WORDS) == {second}
    card = press.services.catalog.card(second, press.by("member").scope, press.clock.today())
    assert card.validity is Validity.IN_FORCE


def test_older_versions_are_never_seen_more_widely_than_the_newest_or_than_they_were(press: Press) -> None:
    """Narrowing takes the older ones along; widening afterwards opens the newest alone."""
    case_id = press.approved()
    first = press.publish(case_id, "partners")
    press.clock.pass_(days=1)
    press.change(case_id, "数字核过了。")
    second = press.publish(case_id, "own")
    assert press.readers(first) == press.readers(second) == OWN
    assert press.searched("partner", WORDS, as_of=date(2026, 3, 2)) == set()
    press.services.cases.publishing.set_audience(press.by("liaison"), case_id, wanted("everyone"))
    assert press.readers(second) == {*EVERYONE}
    assert press.readers(first) == OWN
    press.clock.pass_(days=1)
    press.change(case_id, "再写一遍。")
    third = press.publish(case_id, "partners")
    assert press.readers(third) == press.readers(second) | {"partner"} == {*OWN, "partner"}
    assert press.readers(first) == OWN


def test_an_audience_chosen_anew_holds_although_nothing_was_written(press: Press) -> None:
    """A case whose files alone changed is published to whom it is published now, and to nobody else."""
    attachments, by = press.services.cases.attachments, press.by("trainer")
    case_id = press.published("everyone", body=BODY)
    note = attachments.add(by, case_id, Source("名单.txt", "text/plain", "甲、乙".encode()))
    press.review(case_id)
    document_id = press.publish(case_id, "own")
    assert press.readers(document_id) == OWN
    assert press.found("") == []
    assert [a.attachment_id for a in case_of(press, case_id).attachments] == [note.attachment_id]
    attachments.remove(by, case_id, note.attachment_id)
    press.review(case_id)
    assert press.readers(press.publish(case_id, "partners")) == {*OWN, "partner"}
    assert case_of(press, case_id, "partner").attachments == ()


def test_copies_go_with_the_version_that_they_are_of(press: Press) -> None:
    """A partner's copy of an older version is nobody's once the newest is for the own branch, nor are reshares of it."""
    case_id = press.approved()
    first = press.publish(case_id, "partners+")
    partner = press.by("partner")
    copy_id = press.services.holdings.copy(partner, first, "yi")
    press.services.access.sharing.reshare(partner, first, "yi", wanted("own"))
    assert "partner" in press.readers(copy_id)
    assert press.found("partner") == [case_id]
    press.change(case_id, "不再给别人看。")
    second = press.publish(case_id, "own")
    assert press.readers(copy_id) == set()
    assert press.readers(first) == press.readers(second) == OWN
    assert press.searched("partner", WORDS) == set()
    assert press.found("partner") == []


def test_an_older_version_is_passed_on_no_more(press: Press) -> None:
    """Once there is a newer one, only that one may be passed on."""
    case_id = press.approved()
    first = press.publish(case_id, "partners+")
    press.change(case_id, "补了数字。")
    second = press.publish(case_id, "partners+")
    with press.services.access.office.reading() as connection:
        may = {d: any(s.may_reshare for s in shares_of(connection, d)) for d in (first, second)}
    assert may == {first: False, second: True}
    sharing, partner = press.services.access.sharing, press.by("partner")
    assert sharing.passable(partner, second) == ["yi"]
    assert sharing.passable(partner, first) == []


_AUDIENCES = st.lists(st.sampled_from(["own", "partners", "everyone", "branch:yi"]), min_size=1, unique=True)
_STEPS = st.lists(st.tuples(st.sampled_from(["publish", "share"]), _AUDIENCES), min_size=1, max_size=5)


@given(steps=_STEPS)
@hypothesis_settings(max_examples=12, suppress_health_check=list(HealthCheck), deadline=None)
def test_no_history_shows_an_older_version_to_who_lost_it(shared: Press, steps: list[Any]) -> None:
    """Whatever was published and shared in turn: readers of a version only ever become fewer once it is not the newest."""
    case_id = shared.approved()
    ids = [shared.publish(case_id, "own")]
    before: dict[str, set[str]] = {}
    for n, (step, audiences) in enumerate(steps):
        if step == "publish":
            shared.change(case_id, f"第{n}次写。")
            ids.append(shared.publish(case_id, *audiences))
        else:
            shared.services.cases.publishing.set_audience(shared.by("liaison"), case_id, wanted(*audiences))
        newest = shared.readers(ids[-1])
        for older in ids[:-1]:
            now = shared.readers(older)
            assert now <= newest and now <= before.get(older, now)
            assert now >= OWN
        before = {d: shared.readers(d) for d in ids}
        assert {login for login in EVERYONE if case_id in shared.found(login)} == newest


@pytest.fixture(scope="module")
def shared(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Press]:
    """One home for all histories."""
    found = copied(template, tmp_path_factory.mktemp("shared") / "home")
    yield found
    found.services.close()


# -- withdrawing -----------------------------------------------------------------------------


def by_the_case(press: Press, case_id: str, document_id: str) -> None:
    """Withdraw it on the page of the case."""
    press.services.cases.publishing.withdraw(press.by("liaison"), case_id, "数字要核")


def by_its_document(press: Press, case_id: str, document_id: str) -> None:
    """Withdraw it on the page of the document."""
    press.services.holdings.withdraw(press.by("liaison"), document_id, "数字要核")


@pytest.mark.parametrize("withdraw", [by_the_case, by_its_document])
def test_withdrawn_is_gone_everywhere_at_once_with_all_versions(
    press: Press, withdraw: Callable[[Press, str, str], None]
) -> None:
    """Search on any day, list, similar cases, counts, facets and pages have nothing of it; the form stays to be published."""
    finder = press.services.cases.finder
    other = press.published("everyone", body=titled("挂号窗口改成叫号", industry="Q", level="solved"))
    case_id = press.approved(titled("候诊区改成分段叫号", industry="C", level="eased"))
    first = press.publish(case_id, "everyone")
    begun = press.clock.today()
    press.clock.pass_(days=2)
    press.change(case_id, "后来降到十二分钟。")
    second = press.publish(case_id, "everyone")
    member = press.by("member").scope
    assert [c.case_id for c in finder.similar(other, member)] == [case_id]
    withdraw(press, case_id, second)
    for login in EVERYONE:
        scope = press.by(login).scope
        for as_of in (None, begun):
            assert not press.searched(login, WORDS, as_of=as_of) & {first, second}
        assert press.found(login) == press.found(login, "候诊区") == [other]
        assert finder.similar(other, scope) == []
        assert [c.case_id for c in finder.like(BODY, scope)] == [other]
        facets = finder.find("", scope, CaseFilters()).facets
        assert facets == {
            "industry": {"Q": 1},
            "size": {},
            "cost": {},
            "level": {"solved": 1},
            "branch": {"jia": 1},
        }
        assert press.services.cases.library.of_branch(scope, "jia") == list(
            press.services.cases.library.cards(scope, [other, case_id]).values()
        )
        for document_id in (first, second):
            with pytest.raises(NotFound):
                press.services.document(document_id, scope)
        with pytest.raises(NotFound):
            case_of(press, case_id, login)
    draft = press.services.cases.drafts.form(press.by("trainer"), case_id)
    assert draft.fields[Field.OUTCOME].text == "后来降到十二分钟。"
    assert draft.document_id is None


@pytest.mark.parametrize("withdraw", [by_the_case, by_its_document])
def test_withdrawn_is_published_again_as_it_stands(
    press: Press, withdraw: Callable[[Press, str, str], None]
) -> None:
    """After it was taken out, the same form goes through review and out again, the same day, to others than before."""
    case_id = press.approved()
    withdraw(press, case_id, press.publish(case_id, "everyone"))
    assert press.services.cases.publishing.audience(press.by("liaison"), case_id) is None
    assert press.found("liaison") == []
    press.review(case_id)
    document_id = press.publish(case_id, "partners")
    assert press.readers(document_id) == {*OWN, "partner"}
    assert press.found("partner", WORDS) == [case_id]
    assert press.searched("partner", WORDS) == {document_id}
    assert press.found("") == []


def test_withdrawing_is_for_who_shares(press: Press) -> None:
    """A trainer who published within the branch does not take it out; to others there is nothing; twice is told."""
    case_id = press.published("everyone")
    publishing = press.services.cases.publishing
    with pytest.raises(Refused):
        publishing.withdraw(press.by("trainer"), case_id)
    for login in ("member", "partner", "outsider"):
        with pytest.raises(NotFound):
            publishing.withdraw(press.by(login), case_id)
    assert press.found("") == [case_id]
    digests = publishing.withdraw(press.by("liaison"), case_id, "  数字要核  ")
    assert len(digests) == 1
    assert press.services.cases.drafts.form(press.by("trainer"), case_id).note == "数字要核"
    with pytest.raises(NotFound):
        publishing.withdraw(press.by("liaison"), case_id)
    with pytest.raises(NotFound):
        publishing.set_audience(press.by("liaison"), case_id, [Wanted("own")])


def test_a_publication_that_comes_in_between_is_withdrawn_as_well(
    press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Withdrawing leaves no version that was published while it was being decided."""
    case_id = press.published("everyone")
    sharing = press.services.access.sharing
    check = sharing.check_withdraw

    def meanwhile(*args: Any) -> Any:
        press.change(case_id, "抢先一步。")
        press.publish(case_id, "everyone")
        return check(*args)

    monkeypatch.setattr(sharing, "check_withdraw", meanwhile)
    press.services.cases.publishing.withdraw(press.by("liaison"), case_id)
    assert press.documents() == []


# -- what is published -------------------------------------------------------------------------

_WORD = st.text(st.sampled_from("门卫钥匙柜登记三把锁0123abc"), min_size=1, max_size=12)
_MARK = st.sampled_from(
    [
        "",
        "# ",
        "---",
        "```",
        "> ",
        "|",
        "<b>",
        "<!--",
        "-->",
        "[",
        "](",
        "*",
        "_",
        "`",
        "~~",
        "===",
        "&lt;",
        "\\",
        "<br>",
    ]
)
_LINE = st.lists(st.tuples(_MARK, _WORD, _MARK), min_size=1, max_size=3).map(
    lambda parts: "".join(before + word + after for before, word, after in parts)
)
_TEXTS = st.fixed_dictionaries(
    {
        f: _LINE if f is Field.TITLE else st.lists(_LINE, min_size=1, max_size=3)
        for f in (Field.TITLE, Field.PROBLEM, Field.OUTCOME)
    }
)


@given(texts=_TEXTS)
@hypothesis_settings(max_examples=100, suppress_health_check=list(HealthCheck), deadline=None)
def test_what_is_published_reads_as_it_was_typed(texts: dict[Field, str | list[str]]) -> None:
    """Whatever marks stand in a form, the document says every line of it as it was typed, and nothing swallows the rest."""
    body: Body = {**BODY, **{f: t if isinstance(t, str) else "\n".join(t) for f, t in texts.items()}}
    text = write_markdown(body, case_id="c" * 16, revision=3, branch="甲组织", on=date(2026, 3, 2))
    document = read_document(Source("案例/c.md", "text/markdown", text.encode()))
    found = " ".join(document.text.split())
    for typed in (body[f] for f in (Field.TITLE, Field.PROBLEM, Field.PRACTICE, Field.OUTCOME)):
        for line in typed.splitlines():
            assert " ".join(line.split()) in found


def test_a_list_stays_a_list() -> None:
    """Lines that begin with a mark of a list are items, and their words are there."""
    body: Body = {**BODY, Field.PRACTICE: "- 先记人数\n* 再错开下班\n1. 最后改窗口\n-5 度以下不做\n- - -"}
    text = write_markdown(body, case_id="c" * 16, revision=3, branch="甲组织", on=date(2026, 3, 2))
    document = read_document(Source("案例/c.md", "text/markdown", text.encode()))
    assert "\n先记人数\n再错开下班\n1. 最后改窗口\n-5 度以下不做\n- -\n" in document.text
