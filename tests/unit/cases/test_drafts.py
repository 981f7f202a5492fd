"""Cases being written: saves, what comes of two writers, review, and who sees what."""

import threading
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.principal import GUEST
from access.rights import Role
from cases.drafts import WRITING_S, Drafts
from cases.merging import sentences
from cases.model import LONGEST, Field, Shape, State
from kb.errors import Conflict, InvalidRequest, NotFound, Refused, SignInRequired
from tests.unit.access.conftest import House, house
from tests.unit.cases.drafts_stage import BODY, drafts_of, people

__all__ = ["house"]


@pytest.fixture
def stage(house: House) -> House:
    """People of two branches."""
    return people(house)


@pytest.fixture
def drafts(stage: House) -> Drafts:
    """The service."""
    return drafts_of(stage)


@pytest.fixture
def case_id(stage: House, drafts: Drafts) -> str:
    """A case with all that is needed, begun by the trainer."""
    return drafts.begin(stage.by("trainer"), "jia", body=BODY)


def words(text: str) -> set[str]:
    """The sentences of a text."""
    return {s.strip() for s in sentences(text)} - {""}


# -- one writer ----------------------------------------------------------------------


def test_a_case_is_begun_with_what_is_given(stage: House, drafts: Drafts, case_id: str) -> None:
    """What it is begun with stands in its form, as a draft of the branch, and in its history."""
    form = drafts.form(stage.by("liaison"), case_id)
    assert (form.branch_id, form.state, form.body) == ("jia", State.DRAFT, BODY)
    assert form.fields[Field.TITLE].by_name == "trainer名"
    assert {c.field for c in drafts.changes(stage.by("trainer"), case_id)} == set(BODY)


def test_a_save_stands(stage: House, drafts: Drafts, case_id: str) -> None:
    """What one saves alone is there to the last character, and the next save goes on from it."""
    by = stage.by("trainer")
    revision = drafts.form(by, case_id).revision
    saved = drafts.save(by, case_id, Field.PROBLEM, "改写的问题。\r\n第二行", base=revision)
    assert (saved.text, saved.merged, saved.contested) == ("改写的问题。\n第二行", False, False)
    again = drafts.save(by, case_id, Field.PROBLEM, "改写的问题。", base=saved.revision)
    assert drafts.form(by, case_id).fields[Field.PROBLEM].text == again.text == "改写的问题。"


def test_what_is_sent_again_is_done_once(stage: House, drafts: Drafts, case_id: str) -> None:
    """The same key gives the same answer, also after others wrote, and adds nothing."""
    by, other = stage.by("trainer"), stage.by("liaison")
    base = drafts.form(by, case_id).revision
    first = drafts.save(
        by, case_id, Field.PRACTICE, BODY[Field.PRACTICE] + "我加的。", base=base, change_key="k-1"
    )
    drafts.save(other, case_id, Field.PRACTICE, "重写了。", base=first.revision)
    revision = drafts.form(by, case_id).revision
    again = drafts.save(
        by, case_id, Field.PRACTICE, BODY[Field.PRACTICE] + "我加的。", base=base, change_key="k-1"
    )
    assert again == first
    assert drafts.form(by, case_id).revision == revision


def test_an_older_save_of_a_series_adds_nothing(stage: House, drafts: Drafts, case_id: str) -> None:
    """Saves of one window that arrive in the wrong order, and twice, leave what was written last."""
    by = stage.by("trainer")
    texts = {1: "先写。", 2: "先写的改了。", 3: "先写的改了。又加一句。"}
    for number in (3, 1, 2, 1, 3):
        drafts.save(by, case_id, Field.CONDITIONS, texts[number], base=0, change_key=f"w.{number}")
    assert drafts.form(by, case_id).fields[Field.CONDITIONS].text == texts[3]


def test_a_writer_who_knows_of_no_answer_goes_on(stage: House, drafts: Drafts, case_id: str) -> None:
    """Saves that follow each other without a look at what came of them do not double what they hold in common."""
    by, other = stage.by("trainer"), stage.by("liaison")
    base = drafts.form(by, case_id).revision
    drafts.save(other, case_id, Field.OUTCOME, BODY[Field.OUTCOME] + "他加的。", base=base)
    text = BODY[Field.OUTCOME]
    for number in range(1, 5):
        text += f"第{number}句。"
        drafts.save(by, case_id, Field.OUTCOME, text, base=base, change_key=f"w.{number}")
    stands = drafts.form(by, case_id).fields[Field.OUTCOME].text
    assert words(stands) == words(text) | {"他加的。"}
    assert all(stands.count(s) == 1 for s in words(stands))


def test_what_a_writer_changed_before_the_answer_came_does_not_come_back(
    stage: House, drafts: Drafts, case_id: str
) -> None:
    """A sentence rewritten while the first save was on its way stands once, as it was rewritten, and is no quarrel."""
    by = stage.by("trainer")
    drafts.save(by, case_id, Field.CONDITIONS, "要有叫号机。", base=0, change_key="w.1")
    saved = drafts.save(by, case_id, Field.CONDITIONS, "要有两台叫号机。", base=0, change_key="w.2")
    assert (saved.text, saved.contested) == ("要有两台叫号机。", False)


def test_a_revision_that_never_was_loses_nothing(stage: House, drafts: Drafts, case_id: str) -> None:
    """A save over a revision that is not there yet takes away nothing that others wrote."""
    drafts.save(stage.by("trainer"), case_id, Field.PROBLEM, "另一种说法。", base=10**6)
    stands = drafts.form(stage.by("trainer"), case_id).fields[Field.PROBLEM].text
    assert words(BODY[Field.PROBLEM]) | {"另一种说法。"} <= words(stands)


# -- two writers ---------------------------------------------------------------------


def test_two_writers_keep_what_both_wrote(stage: House, drafts: Drafts, case_id: str) -> None:
    """Both saw the same text; after both saved, what each wrote stands, and the second is told."""
    one, two = stage.by("trainer"), stage.by("liaison")
    base = drafts.form(one, case_id).revision
    drafts.save(one, case_id, Field.PRACTICE, "按半小时一段发号，贴在门口。到点才进候诊区。", base=base)
    saved = drafts.save(two, case_id, Field.PRACTICE, BODY[Field.PRACTICE] + "志愿者在门口引导。", base=base)
    assert saved.text == "按半小时一段发号，贴在门口。到点才进候诊区。志愿者在门口引导。"
    assert (saved.merged, saved.contested) == (True, False)


def test_the_same_sentence_changed_by_both_is_told(stage: House, drafts: Drafts, case_id: str) -> None:
    """Both versions stay, and whoever saved second hears of it."""
    one, two = stage.by("trainer"), stage.by("liaison")
    base = drafts.form(one, case_id).revision
    drafts.save(one, case_id, Field.OUTCOME, "平均等候降到二十五分钟。", base=base)
    saved = drafts.save(two, case_id, Field.OUTCOME, "等候时间少了一大半。", base=base)
    assert saved.contested
    assert saved.text == "平均等候降到二十五分钟。等候时间少了一大半。"


def test_of_a_single_value_the_later_stands(stage: House, drafts: Drafts, case_id: str) -> None:
    """The earlier number stays in the history, and who came later is told; who changed nothing takes nothing back."""
    one, two = stage.by("trainer"), stage.by("liaison")
    base = drafts.form(one, case_id).revision
    drafts.save(one, case_id, Field.COST, "1，200", base=base)
    saved = drafts.save(two, case_id, Field.COST, "900", base=base)
    assert (saved.text, saved.contested) == ("900", True)
    assert [c.after for c in drafts.changes(one, case_id) if c.field is Field.COST] == ["900", "1200"]
    untouched = drafts.save(one, case_id, Field.COST, "", base=base)
    assert (untouched.text, untouched.merged) == ("900", True)


def test_each_sees_what_the_other_changed(stage: House, drafts: Drafts, case_id: str) -> None:
    """Whoever asks what is new gets just the fields changed since, and who is writing where."""
    one, two = stage.by("trainer"), stage.by("liaison")
    revision = drafts.form(one, case_id).revision
    drafts.save(two, case_id, Field.CONDITIONS, "要有叫号机。", base=revision)
    drafts.since(two, case_id, revision, at=Field.CONDITIONS)
    news = drafts.since(one, case_id, revision, at=Field.OUTCOME)
    assert {f: w.text for f, w in news.fields.items()} == {Field.CONDITIONS: "要有叫号机。"}
    assert [(w.name, w.field) for w in news.writers] == [("liaison名", Field.CONDITIONS)]
    assert [(w.name, w.field) for w in drafts.form(two, case_id).writers] == [("trainer名", Field.OUTCOME)]
    stage.clock.pass_(seconds=WRITING_S + 1)
    assert drafts.since(one, case_id, news.revision).writers == ()


Step = tuple[str, str, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["trainer", "liaison"]),
        st.sampled_from(["add", "front", "edit", "sync", "save", "resend"]),
        st.integers(0, 5),
    ),
    max_size=30,
)


class Window:
    """What one person has in front of them: the text of a field, and what they know of the server."""

    def __init__(self, login: str, text: str, revision: int) -> None:
        self.login, self.text, self.base = login, text, revision
        self.own: set[str] = set()
        self.sent: list[tuple[str, int, str]] = []
        self.number = 0

    def write(self, how: str, at: int) -> None:
        """Put in a sentence of one's own, or change one."""
        self.number += 1
        new = f"{self.login}{self.number}。"
        parts = sentences(self.text)
        if how == "edit" and (mine := [i for i, p in enumerate(parts) if p.strip() in self.own]):
            i = mine[at % len(mine)]
            self.own.discard(parts[i].strip())
            parts[i] = new
        else:
            parts.insert(min(at, len(parts)) if how == "front" else len(parts), new)
        self.own.add(new)
        self.text = "".join(
            p if p[-1:] in "。\n" or i == len(parts) - 1 else p + "\n" for i, p in enumerate(parts)
        )

    def save(self, house: House, drafts: Drafts, case_id: str, *, answered: bool) -> None:
        """Send what stands here; take over what came of it only if the answer arrives."""
        key = f"{self.login}.{len(self.sent)}"
        self.sent.append((self.text, self.base, key))
        saved = drafts.save(
            house.by(self.login), case_id, Field.PRACTICE, self.text, base=self.base, change_key=key
        )
        if answered:
            self.text, self.base = saved.text, saved.revision

    def resend(self, house: House, drafts: Drafts, case_id: str, which: int) -> None:
        """Send an old save once more."""
        if self.sent:
            text, base, key = self.sent[which % len(self.sent)]
            drafts.save(house.by(self.login), case_id, Field.PRACTICE, text, base=base, change_key=key)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_no_sentence_of_either_writer_is_lost(stage: House, drafts: Drafts, steps: list[Step]) -> None:
    """Whatever the order of writing, saving, lost answers and saves sent again: all that both hold is there in the end."""
    case_id = drafts.begin(stage.by("trainer"), "jia", body=BODY)
    form = drafts.form(stage.by("trainer"), case_id)
    text = form.body[Field.PRACTICE]
    windows = {login: Window(login, text, form.revision) for login in ("trainer", "liaison")}
    for login, what, at in steps:
        window = windows[login]
        if what in ("add", "front", "edit"):
            window.write(what, at)
        elif what == "resend":
            window.resend(stage, drafts, case_id, at)
        else:
            window.save(stage, drafts, case_id, answered=what == "sync")
    for window in windows.values():
        window.save(stage, drafts, case_id, answered=True)
    stands = drafts.form(stage.by("trainer"), case_id).body[Field.PRACTICE]
    written = set().union(*(window.own for window in windows.values()))
    # Nothing is missing, and nothing that its writer changed has come back.
    assert words(stands) == written | words(BODY[Field.PRACTICE])
    assert all(stands.count(s) == 1 for s in words(stands))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(6)), st.lists(st.integers(0, 5), max_size=4), st.booleans())
def test_saves_of_an_offline_draft_arrive_in_any_order(
    stage: House, drafts: Drafts, order: list[int], twice: list[int], named: bool
) -> None:
    """Six saves of one window over one base leave all that the last held, in any order and twice, named or not."""
    case_id = drafts.begin(stage.by("trainer"), "jia")
    drafts.save(stage.by("liaison"), case_id, Field.PRACTICE, "旁人写的。", base=0)
    texts = ["".join(f"第{n}句。" for n in range(last + 1)) for last in range(6)]
    for i in [*order, *twice]:
        key = f"offline.{i}" if named else f"key-{i}"
        drafts.save(stage.by("trainer"), case_id, Field.PRACTICE, texts[i], base=0, change_key=key)
    stands = drafts.form(stage.by("trainer"), case_id).body[Field.PRACTICE]
    assert words(texts[-1]) | {"旁人写的。"} == words(stands)


def test_two_threads_lose_nothing(stage: House, drafts: Drafts, case_id: str) -> None:
    """Two writers who save at the same moments, each from their own thread, both find all of it."""
    failures: list[BaseException] = []
    start = threading.Barrier(2)

    def write(login: str) -> None:
        try:
            by = stage.by(login)
            form = drafts.form(by, case_id)
            text, base = form.body[Field.PRACTICE], form.revision
            start.wait()
            for n in range(12):
                text += f"{login}{n}。"
                saved = drafts.save(by, case_id, Field.PRACTICE, text, base=base, change_key=f"{login}.{n}")
                text, base = saved.text, saved.revision
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(login,)) for login in ("trainer", "liaison")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    stands = drafts.form(stage.by("trainer"), case_id).body[Field.PRACTICE]
    wanted = {f"{login}{n}。" for login in ("trainer", "liaison") for n in range(12)}
    assert wanted | words(BODY[Field.PRACTICE]) == words(stands)
    assert all(stands.count(s) == 1 for s in wanted)


# -- the history ---------------------------------------------------------------------


def test_the_history_tells_who_changed_what(stage: House, drafts: Drafts, case_id: str) -> None:
    """Saves of one person in one go are one change; another's are their own, with what stood before."""
    one, two = stage.by("trainer"), stage.by("liaison")
    base = drafts.form(one, case_id).revision
    for text in ("甲。", "甲。乙。", "甲。乙。丙。"):
        base = drafts.save(two, case_id, Field.CONDITIONS, text, base=base).revision
    stage.clock.pass_(minutes=1)
    drafts.save(one, case_id, Field.CONDITIONS, "甲。丙。", base=base)
    told = [c for c in drafts.changes(one, case_id) if c.field is Field.CONDITIONS]
    assert [(c.by_name, c.before, c.after) for c in told] == [
        ("trainer名", "甲。乙。丙。", "甲。丙。"),
        ("liaison名", "", "甲。乙。丙。"),
    ]


def test_what_was_overwritten_can_be_put_back(stage: House, drafts: Drafts, case_id: str) -> None:
    """A field gets the text again that it had after a change, and what stood meanwhile stays in the history."""
    one, two = stage.by("trainer"), stage.by("liaison")
    good = drafts.save(
        one, case_id, Field.PROBLEM, "写得很好的问题。", base=drafts.form(one, case_id).revision
    )
    drafts.save(two, case_id, Field.PROBLEM, "", base=good.revision)
    assert Field.PROBLEM not in drafts.form(one, case_id).body
    drafts.put_back(one, case_id, good.revision)
    assert drafts.form(one, case_id).body[Field.PROBLEM] == "写得很好的问题。"
    assert "" in [c.before for c in drafts.changes(one, case_id) if c.field is Field.PROBLEM]
    with pytest.raises(NotFound):
        drafts.put_back(one, case_id, 10**6)


# -- what a field takes --------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "text", "kept"),
    [
        (Field.PEOPLE, " １２０ ", "120"),
        (Field.COST, "12,000", "12000"),
        (Field.COST, "", ""),
        (Field.INDUSTRY, "Q", "Q"),
        (Field.LEVEL, "eased", "eased"),
        (Field.TITLE, "两行\n标题", "两行 标题"),
    ],
)
def test_values_are_kept_in_one_form(
    stage: House, drafts: Drafts, case_id: str, field: Field, text: str, kept: str
) -> None:
    """Numbers, choices and lines are brought to the form in which they are searched."""
    by = stage.by("trainer")
    base = drafts.form(by, case_id).revision
    assert drafts.save(by, case_id, field, text, base=base).text == kept


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (Field.PEOPLE, "一百来人"),
        (Field.COST, "-5"),
        (Field.COST, "1.86万"),
        (Field.PEOPLE, "9" * 12),
        (Field.INDUSTRY, "军工"),
        (Field.LEVEL, "很好"),
        (Field.TITLE, "长" * (LONGEST[Shape.LINE] + 1)),
        (Field.PROBLEM, "长" * (LONGEST[Shape.TEXT] + 1)),
    ],
)
def test_what_a_field_does_not_take_is_said_in_chinese(
    stage: House, drafts: Drafts, case_id: str, field: Field, text: str
) -> None:
    """A value that makes no sense is refused with what to write instead, and the field stays as it was."""
    by = stage.by("trainer")
    before = drafts.form(by, case_id)
    with pytest.raises(InvalidRequest) as refused:
        drafts.save(by, case_id, field, text, base=before.revision)
    assert not refused.value.message.isascii()
    assert drafts.form(by, case_id) == before


def test_a_text_that_grew_too_long_can_be_shortened(stage: House, drafts: Drafts, case_id: str) -> None:
    """Merging may make a field longer than it takes; nothing is cut off, and its writers can make it shorter."""
    one, two = stage.by("trainer"), stage.by("liaison")
    base = drafts.form(one, case_id).revision
    long = LONGEST[Shape.TEXT]
    drafts.save(one, case_id, Field.CONTACTS, "甲" * (long - 1) + "。", base=base)
    both = drafts.save(two, case_id, Field.CONTACTS, "乙" * (long - 1) + "。", base=base)
    assert len(both.text) == 2 * long
    shorter = drafts.save(one, case_id, Field.CONTACTS, both.text[:-10], base=both.revision)
    assert len(shorter.text) == 2 * long - 10


# -- review --------------------------------------------------------------------------


def test_review_goes_its_way(stage: House, drafts: Drafts, case_id: str) -> None:
    """A draft is submitted, returned with a reason, submitted again and approved by somebody else."""
    writer, reviewer = stage.by("liaison"), stage.by("reviewer")
    drafts.submit(writer, case_id)
    assert [c.case_id for c in drafts.of_branch(reviewer, "jia", [State.IN_REVIEW])] == [case_id]
    drafts.give_back(reviewer, case_id, "成效要写清楚怎么量的。")
    returned = drafts.form(writer, case_id)
    assert (returned.state, returned.note) == (State.DRAFT, "成效要写清楚怎么量的。")
    drafts.submit(writer, case_id)
    drafts.approve(reviewer, case_id, revision=returned.revision)
    assert drafts.form(writer, case_id).state is State.APPROVED


def test_what_is_needed_is_named(stage: House, drafts: Drafts) -> None:
    """A case that lacks what it needs is not taken, and the fields are named as the form names them."""
    by = stage.by("trainer")
    case_id = drafts.begin(by, "jia", body={Field.TITLE: "只有标题", Field.OUTCOME: "有成效。"})
    with pytest.raises(InvalidRequest, match="问题、做法"):
        drafts.submit(by, case_id)


def test_nobody_reviews_what_they_submitted(stage: House, drafts: Drafts, case_id: str) -> None:
    """The submitter, a trainer, and whoever reads an older form do not approve."""
    drafts.submit(stage.by("liaison"), case_id)
    revision = drafts.form(stage.by("reviewer"), case_id).revision
    with pytest.raises(Refused):
        drafts.approve(stage.by("liaison"), case_id)
    with pytest.raises(Refused):
        drafts.approve(stage.by("trainer"), case_id)
    with pytest.raises(Conflict):
        drafts.approve(stage.by("reviewer"), case_id, revision=revision - 1)
    with pytest.raises(InvalidRequest):
        drafts.give_back(stage.by("reviewer"), case_id, "  ")


@pytest.mark.parametrize("approved", [False, True])
def test_a_change_makes_it_a_draft_again(stage: House, drafts: Drafts, case_id: str, approved: bool) -> None:
    """What was submitted or approved is not what stands there once it is changed; a save of the same is no change."""
    drafts.submit(stage.by("liaison"), case_id)
    if approved:
        drafts.approve(stage.by("reviewer"), case_id)
    by = stage.by("trainer")
    form = drafts.form(by, case_id)
    drafts.save(by, case_id, Field.OUTCOME, BODY[Field.OUTCOME], base=form.revision, change_key="same.1")
    assert drafts.form(by, case_id).state is form.state
    drafts.save(by, case_id, Field.OUTCOME, "没有那么好。", base=form.revision)
    changed = drafts.form(by, case_id)
    assert (changed.state, changed.submitted_by) == (State.DRAFT, None)


# -- who -----------------------------------------------------------------------------


@pytest.mark.parametrize("login", ["member", "stranger"])
def test_a_draft_is_not_there_for_others(stage: House, drafts: Drafts, case_id: str, login: str) -> None:
    """Whoever writes no cases for the branch gets the same answer as for a case that is not there."""
    by = stage.by(login)
    acts: list[Callable[[str], object]] = [
        lambda c: drafts.form(by, c),
        lambda c: drafts.since(by, c, 0, at=Field.TITLE),
        lambda c: drafts.save(by, c, Field.TITLE, "我的", base=0),
        lambda c: drafts.changes(by, c),
        lambda c: drafts.put_back(by, c, 1),
        lambda c: drafts.submit(by, c),
        lambda c: drafts.give_back(by, c, "不好"),
        lambda c: drafts.approve(by, c),
        lambda c: drafts.drop(by, c),
    ]
    for act in acts:
        with pytest.raises(NotFound) as hidden:
            act(case_id)
        with pytest.raises(NotFound) as missing:
            act("0" * 16)
        assert str(hidden.value).replace(case_id, "") == str(missing.value).replace("0" * 16, "")
    with pytest.raises(Refused):
        drafts.of_branch(by, "jia")
    with pytest.raises(Refused):
        drafts.begin(by, "jia")


def test_a_guest_is_asked_to_sign_in(drafts: Drafts) -> None:
    """Nobody begins or lists cases without a name."""
    with pytest.raises(SignInRequired):
        drafts.begin(GUEST, "jia")
    with pytest.raises(SignInRequired):
        drafts.of_branch(GUEST, "jia")


def test_a_role_taken_away_closes_the_draft(stage: House, drafts: Drafts, case_id: str) -> None:
    """Whoever began a case and is no trainer any more does not see it at the next request."""
    stage.access.people.set_roles(None, stage.ids["trainer"], "jia", frozenset({Role.MEMBER}))
    with pytest.raises(NotFound):
        drafts.form(stage.by("trainer"), case_id)


def test_a_case_is_derived_only_from_one_that_is_seen(stage: House, drafts: Drafts, case_id: str) -> None:
    """Another branch's draft gives no line of descent, and is answered as if it were not there."""
    for source in (case_id, "0" * 16):
        with pytest.raises(NotFound):
            drafts.begin(stage.by("stranger"), "yi", derived_from=source)


def test_a_draft_is_dropped_with_all_of_it(stage: House, drafts: Drafts, case_id: str) -> None:
    """A draft that was never published can be deleted; then nothing of it is there."""
    drafts.drop(stage.by("trainer"), case_id)
    with pytest.raises(NotFound):
        drafts.changes(stage.by("trainer"), case_id)
    assert drafts.of_branch(stage.by("trainer"), "jia") == []


def test_the_list_of_a_branch_has_titles_and_who_wrote_last(
    stage: House, drafts: Drafts, case_id: str
) -> None:
    """The case changed last stands first, with its title and whoever changed it."""
    stage.clock.pass_(minutes=5)
    other = drafts.begin(stage.by("liaison"), "jia")
    stage.clock.pass_(minutes=5)
    drafts.save(stage.by("reviewer"), case_id, Field.TITLE, "换了标题", base=10)
    cards = drafts.of_branch(stage.by("trainer"), "jia")
    assert [(c.case_id, c.title, c.by_name) for c in cards] == [
        (case_id, "换了标题", "reviewer名"),
        (other, "", ""),
    ]


def test_what_happens_to_a_case_is_told_in_the_trail(stage: House, drafts: Drafts, case_id: str) -> None:
    """Begin, submit, return, approve and the change after it each leave an entry of the branch."""
    drafts.submit(stage.by("liaison"), case_id)
    drafts.give_back(stage.by("reviewer"), case_id, "再改改。")
    drafts.submit(stage.by("liaison"), case_id)
    drafts.approve(stage.by("reviewer"), case_id)
    drafts.save(stage.by("trainer"), case_id, Field.OUTCOME, "变了。", base=10)
    stage.person("boss", {"jia": Role.ADMINISTRATOR})
    events = stage.access.audit.events(stage.by("boss"), k=100)
    assert [e.action for e in events if e.object_id == case_id][::-1] == [
        "case.begin",
        "case.submit",
        "case.give_back",
        "case.submit",
        "case.approve",
        "case.reopen",
    ]
