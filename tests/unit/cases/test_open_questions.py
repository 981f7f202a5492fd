"""Asking partners: who sees a question, who may answer, and what is shown of the cases that are named with it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from access.principal import GUEST
from access.rights import Role
from access.sharing import EVERYONE, OWN, PARTNERS, Wanted
from access.tables import audit
from cases.question import LONGEST_PROBLEM, LONGEST_TEXT
from cases.tables import open_questions, question_answers
from kb.errors import Conflict, InvalidRequest, NotFound, Refused, SignInRequired
from tests.unit.cases.question_room import QuestionRoom, copied, found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The branches, to be copied."""
    return found(tmp_path_factory.mktemp("questions"))


@pytest.fixture
def room(store: Path, tmp_path: Path) -> Iterator[QuestionRoom]:
    """The branches, on a store of the test's own."""
    opened = copied(store, tmp_path)
    yield opened
    opened.house.catalog.engine.dispose()


# -- asking ------------------------------------------------------------------------------


def test_partners_see_what_is_asked_of_partners(room: QuestionRoom) -> None:
    """Liaisons and members of partners see it, those of nobody's partner do not; the asker's own people do."""
    question_id = room.ask()
    for login in ("yi", "yi-member", "bing"):
        assert room.problems_of(login) == ["夜班怎么组织学习"]
    assert room.problems_of("ding") == []
    with pytest.raises(NotFound):
        room.questions.question(room.house.by("ding"), question_id)
    member = room.house.by("jia-member")
    assert [q.question_id for q in room.questions.of_branch(member, "jia")] == [question_id]
    assert room.problems_of("jia-member") == []


def test_only_who_speaks_for_the_branch_asks(room: QuestionRoom) -> None:
    """Members, people of other branches and guests ask nothing for it."""
    for login in ("jia-member", "yi"):
        with pytest.raises(Refused):
            room.questions.ask(room.house.by(login), "jia", "怎么办", "", [Wanted(PARTNERS)])
    with pytest.raises(SignInRequired):
        room.questions.ask(GUEST, "jia", "怎么办", "", [Wanted(PARTNERS)])
    with pytest.raises(SignInRequired):
        room.questions.open_to(GUEST)
    assert not room.questions.of_branch(room.house.by("jia"), "jia")


@pytest.mark.parametrize("wanted", [[], [EVERYONE], ["branch:ding"], ["nonsense"], ["group:" + "0" * 16]])
def test_an_audience_is_of_people_who_can_answer(room: QuestionRoom, wanted: list[str]) -> None:
    """To nobody, to who does not sign in, and to who is no partner no question goes."""
    with pytest.raises((InvalidRequest, NotFound)):
        room.ask(wanted)
    with pytest.raises((InvalidRequest, NotFound)):
        room.questions.preview(room.house.by("jia"), "jia", [Wanted(w) for w in wanted])


def test_long_texts_are_refused_whole(room: QuestionRoom) -> None:
    """The longest text that is taken is kept whole; one character more is refused, and nothing is kept of it."""
    for problem, detail in (
        ("", ""),
        (" 　\n", ""),
        ("长" * (LONGEST_PROBLEM + 1), ""),
        ("短", "长" * (LONGEST_TEXT + 1)),
    ):
        with pytest.raises(InvalidRequest):
            room.ask(problem=problem, detail=detail)
    assert room.problems_of("yi") == []
    question_id = room.ask(problem="长" * LONGEST_PROBLEM, detail="细" * LONGEST_TEXT)
    yi = room.house.by("yi")
    assert room.questions.question(yi, question_id).detail == "细" * LONGEST_TEXT
    with pytest.raises(InvalidRequest):
        room.answer("yi", question_id, "答" * (LONGEST_TEXT + 1))
    room.answer("yi", question_id, "答" * LONGEST_TEXT)
    [answer] = room.questions.answers(room.house.by("jia"), question_id)
    assert answer.text == "答" * LONGEST_TEXT


def test_the_same_is_asked_once_at_a_time(room: QuestionRoom) -> None:
    """What a branch asks already is refused in any script and punctuation; another branch, or later, it may."""
    jia, first = room.house.by("jia"), room.ask(problem="夜班怎么组织学习？")
    for again in ("夜班怎么组织学习", "夜班怎麼組織學習!!", " 夜班 怎么组织\n学习？"):
        with pytest.raises(Conflict):
            room.ask(problem=again)
        assert room.questions.same(jia, "jia", again) == first
    room.ask(["partners"], "夜班怎么组织学习", branch="yi")
    assert room.questions.same(room.house.by("ding"), "ding", "夜班怎么组织学习") is None
    room.questions.close(jia, first)
    assert room.questions.same(jia, "jia", "夜班怎么组织学习") is None
    assert room.ask(problem="夜班怎么组织学习？") != first


# -- whom it reaches -----------------------------------------------------------------------


def test_a_preview_says_whom_it_reaches(room: QuestionRoom) -> None:
    """The preview names the branches that would see it, and whether nobody but one's own would."""
    jia = room.house.by("jia")
    partners = room.questions.preview(jia, "jia", [Wanted(PARTNERS)])
    assert (partners.reach.branch_ids, partners.alone) == (("bing", "jia", "yi"), False)
    own = room.questions.preview(jia, "jia", [Wanted(OWN)])
    assert (own.reach.branch_ids, own.alone) == (("jia",), True)
    assert room.problems_of("yi") == []


def test_an_emptied_group_leaves_the_asker_alone(room: QuestionRoom) -> None:
    """A question to a group goes to its members of the moment; emptied, only the asker's branch sees it, and is told."""
    jia, groups = room.house.by("jia"), room.house.access.groups
    group_id = room.group("branch:yi")
    question_id = room.ask([f"group:{group_id}"])
    assert room.problems_of("yi")
    assert not room.questions.reach(jia, question_id).alone
    groups.drop(jia, group_id, "branch:yi")
    assert room.problems_of("yi") == []
    assert room.questions.reach(jia, question_id).alone
    assert room.questions.preview(jia, "jia", [Wanted(f"group:{group_id}")]).alone
    assert room.questions.question(jia, question_id)


def test_a_group_of_one_person_elsewhere_is_not_nobody(room: QuestionRoom) -> None:
    """A person of a partner who is in the group sees it and counts; one of the own branch does not."""
    jia = room.house.by("jia")
    group_id = room.group(f"person:{room.house.ids['jia-member']}")
    wanted = [Wanted(f"group:{group_id}")]
    assert room.questions.preview(jia, "jia", wanted).alone
    room.house.access.groups.put(jia, group_id, f"person:{room.house.ids['yi-member']}")
    assert not room.questions.preview(jia, "jia", wanted).alone
    room.ask([f"group:{group_id}"])
    assert room.problems_of("yi-member")
    assert room.problems_of("yi") == []


def test_a_partnership_that_ended_takes_the_question_along(room: QuestionRoom) -> None:
    """The day after the end the other side sees neither question nor answers, its own included; the asker keeps all."""
    by_name, to_all = room.ask(["branch:yi"], "一"), room.ask(["partners"], "二")
    yi, jia = room.house.by("yi"), room.house.by("jia")
    answers = [room.answer("yi", q, "我们办过") for q in (by_name, to_all)]
    room.house.clock.pass_(days=31)
    yi = room.house.by("yi")
    assert room.problems_of("yi") == []
    assert room.questions.n_waiting(yi) == 0
    for question_id, answer_id in zip((by_name, to_all), answers, strict=True):
        with pytest.raises(NotFound):
            room.questions.question(yi, question_id)
        with pytest.raises(NotFound):
            room.questions.answers(yi, question_id)
        with pytest.raises(NotFound):
            room.questions.may_answer(yi, question_id)
        with pytest.raises(NotFound):
            room.answer("yi", question_id, "再说一句")
        with pytest.raises(NotFound):
            room.questions.take_back_answer(yi, answer_id)
        assert [a.text for a in room.questions.answers(jia, question_id)] == ["我们办过"]
        assert room.questions.question(jia, question_id).n_answers == 1


def test_an_audience_can_be_widened_while_it_is_open(room: QuestionRoom) -> None:
    """The asker may ask others later; those no longer asked see it no more; a closed question stays as it is."""
    jia, question_id = room.house.by("jia"), room.ask(["branch:yi"])
    assert {w.audience for w in room.questions.asked(jia, question_id)} == {OWN, "branch:yi"}
    with pytest.raises(Refused):
        room.questions.set_audience(room.house.by("yi"), question_id, [Wanted(PARTNERS)])
    room.questions.set_audience(jia, question_id, [Wanted("branch:bing")])
    assert (room.problems_of("yi"), len(room.problems_of("bing"))) == ([], 1)
    with pytest.raises(InvalidRequest):
        room.questions.set_audience(jia, question_id, [])
    room.questions.close(jia, question_id)
    with pytest.raises(Conflict):
        room.questions.set_audience(jia, question_id, [Wanted(PARTNERS)])


def test_those_not_asking_are_not_told_the_audience(room: QuestionRoom) -> None:
    """Who else is asked, and who of the branch asked, is for the asking branch."""
    question_id = room.ask()
    asked = room.questions.question(room.house.by("jia"), question_id)
    assert (asked.asked_by, asked.audience) == (room.house.ids["jia"], ("branch:jia", "partners:jia"))
    for login in ("yi", "bing-member"):
        told = room.questions.question(room.house.by(login), question_id)
        assert (told.asked_by, told.audience) == (None, ())
        with pytest.raises(Refused):
            room.questions.reach(room.house.by(login), question_id)


# -- answering ------------------------------------------------------------------------------


def test_partners_answer_and_are_counted_no_more(room: QuestionRoom) -> None:
    """A question waits at each liaison until that branch answers; members wait for nothing, and may not answer."""
    question_id = room.ask()
    for login, n in (("yi", 1), ("bing", 1), ("yi-member", 0), ("jia", 0), ("ding", 0)):
        assert room.questions.n_waiting(room.house.by(login)) == n
    with pytest.raises(Refused):
        room.questions.answer(room.house.by("yi-member"), question_id, "yi", "我们办过")
    room.answer("yi", question_id, "我们办过")
    assert room.questions.n_waiting(room.house.by("yi")) == 0
    assert room.questions.n_waiting(room.house.by("bing")) == 1
    assert room.questions.question(room.house.by("yi"), question_id).answered
    assert not room.questions.question(room.house.by("bing"), question_id).answered


def test_what_waits_comes_first(room: QuestionRoom) -> None:
    """Open questions without an answer of one's own stand above answered and closed ones, though these be newer."""
    first, second, third = (room.ask(problem=p) for p in ("一", "二", "三"))
    room.house.clock.pass_(minutes=1)
    room.answer("yi", second, "我们办过")
    room.questions.close(room.house.by("jia"), third)
    assert room.problems_of("yi")[0] == "一"
    assert room.questions.of_branch(room.house.by("jia"), "jia")[-1].question_id == third
    assert first


def test_the_same_answer_twice_is_one(room: QuestionRoom) -> None:
    """An answer that is sent again is there once; another one of the same branch stands beside it."""
    question_id, yi = room.ask(), room.house.by("yi")
    first = room.answer("yi", question_id, "我们办过")
    assert room.answer("yi", question_id, " 我们办过\r\n") == first
    room.answer("yi", question_id, "还有一点")
    assert room.questions.question(yi, question_id).n_answers == 2


def test_an_answer_has_something_in_it(room: QuestionRoom) -> None:
    """Without words or a case of the branch there is no answer."""
    question_id, yi = room.ask(), room.house.by("yi")
    of_bing = room.case("bing", "丙的案例", ["share:bing>yi", "public"])
    with pytest.raises(InvalidRequest):
        room.answer("yi", question_id, " \n ")
    for case_id in ("0" * 16, of_bing):
        with pytest.raises(NotFound):
            room.answer("yi", question_id, "看这个", case_id)
    assert room.questions.answers(yi, question_id) == []


def test_one_answers_for_a_branch_that_is_asked(room: QuestionRoom) -> None:
    """Who speaks for two branches answers for the one that is asked, not for the other."""
    house = room.house
    house.access.people.set_roles(None, house.ids["yi"], "ding", frozenset({Role.LIAISON}))
    question_id, yi = room.ask(), house.by("yi")
    assert room.questions.may_answer(yi, question_id) == ["yi"]
    with pytest.raises(InvalidRequest):
        room.questions.answer(yi, question_id, "ding", "我们办过")


def test_a_branch_takes_its_own_answer_back(room: QuestionRoom) -> None:
    """An answer is gone when its branch takes it back; nobody else can."""
    question_id, yi = room.ask(), room.house.by("yi")
    answer_id = room.answer("yi", question_id, "我们办过")
    for login in ("jia", "bing", "yi-member"):
        with pytest.raises(NotFound):
            room.questions.take_back_answer(room.house.by(login), answer_id)
    room.questions.take_back_answer(yi, answer_id)
    assert room.questions.answers(room.house.by("jia"), question_id) == []
    assert room.questions.n_waiting(yi) == 1


def test_a_named_case_is_shown_to_who_sees_it(room: QuestionRoom) -> None:
    """An answer's case is there for who sees the case; the others read the words alone, and nothing where there are none."""
    question_id = room.ask()
    shared = room.case("yi", "乙共享的", ["share:yi>jia"])
    kept = room.case("yi", "乙自己的")
    room.answer("yi", question_id, "看这两个", shared)
    room.answer("yi", question_id, "还有一个", kept)
    room.answer("yi", question_id, "", kept)

    def told(login: str) -> list[tuple[str, str | None]]:
        by = room.house.by(login)
        answers = room.questions.answers(by, question_id)
        assert room.questions.question(by, question_id).n_answers == len(answers)
        return [(a.text, a.case_id) for a in answers]

    assert told("yi") == [("看这两个", shared), ("还有一个", kept), ("", kept)]
    assert told("jia") == [("看这两个", shared), ("还有一个", None)]
    assert told("bing") == [("看这两个", None), ("还有一个", None)]


def test_who_answers_is_told_whether_the_asker_sees_the_case(room: QuestionRoom) -> None:
    """The answering branch learns that its case is not shared with the asker; nobody else is told anything of it."""
    question_id, yi = room.ask(), room.house.by("yi")
    shared, kept = room.case("yi", "共享", ["share:yi>jia", "share:yi>bing"]), room.case("yi", "自己")
    room.answer("yi", question_id, "共享的", shared)
    room.answer("yi", question_id, "没有共享的", kept)
    assert [a.asker_sees for a in room.questions.answers(yi, question_id)] == [True, False]
    for login in ("jia", "yi-member"):
        answers = room.questions.answers(room.house.by(login), question_id)
        assert {a.asker_sees for a in answers} == {None}


# -- the end ---------------------------------------------------------------------------------


def test_a_closed_question_takes_no_answers(room: QuestionRoom) -> None:
    """Only the asking branch closes, once; then nobody answers, and nothing waits."""
    question_id, yi, jia = room.ask(), room.house.by("yi"), room.house.by("jia")
    with pytest.raises(Refused):
        room.questions.close(yi, question_id)
    room.questions.close(jia, question_id)
    with pytest.raises(Conflict):
        room.questions.close(jia, question_id)
    with pytest.raises(Conflict):
        room.answer("yi", question_id, "我们办过")
    assert room.questions.may_answer(yi, question_id) == []
    assert room.questions.n_waiting(yi) == 0


def test_what_solved_it_is_a_case_that_the_asker_sees(room: QuestionRoom) -> None:
    """The case that solved it must be seen by who names it, and is told to nobody else who does not see it."""
    question_id, jia = room.ask(), room.house.by("jia")
    hidden = room.case("yi", "乙自己的")
    with pytest.raises(NotFound):
        room.questions.close(jia, question_id, settled_by=hidden)
    case_id = room.case("yi", "乙共享的", ["share:yi>jia"])
    room.questions.close(jia, question_id, settled_by=case_id)
    assert room.questions.question(jia, question_id).settled_by == case_id
    assert room.questions.question(room.house.by("bing"), question_id).settled_by is None


def test_a_settled_question_is_found_by_the_next_who_asks(room: QuestionRoom) -> None:
    """Nearly the same problem finds the question and its case, for who sees both; the case goes when it goes."""
    jia, yi = room.house.by("jia"), room.house.by("yi")
    settled, unsettled = (
        room.ask(problem="夜班员工怎么组织集中学习"),
        room.ask(problem="夜班员工如何组织集中学习会"),
    )
    case_id = room.case("jia", "交接班学习", ["partners:jia"])
    room.questions.close(jia, settled, settled_by=case_id)
    again = "夜班员工如何组织集中学习"
    assert [(q.question_id, q.settled_by) for q in room.questions.near(yi, again)] == [
        (settled, case_id),
        (unsettled, None),
    ]
    assert room.questions.near(yi, "食堂浪费粮食怎么办") == []
    assert room.questions.near(room.house.by("ding"), again) == []
    [document_id] = [c.document_id for c in room.library.cards(jia.scope, [case_id]).values()]
    room.house.catalog.remove(document_id)
    assert {q.settled_by for q in room.questions.near(yi, again)} == {None}


def test_a_case_that_is_just_right_ends_the_search(room: QuestionRoom) -> None:
    """What was found is noted for the own branch alone, once; it closes the question that the branch asked of it."""
    jia, case_id = room.house.by("jia"), room.case("yi", "乙共享的", ["share:yi>jia"])
    noted = room.questions.note_found(jia, "jia", "食堂浪费怎么管", case_id)
    assert room.questions.note_found(jia, "jia", "食堂浪费怎么管？", case_id) == noted
    found_again = room.questions.near(room.house.by("jia-member"), "食堂浪费怎么管")
    assert [(q.question_id, q.settled_by) for q in found_again] == [(noted, case_id)]
    assert room.questions.near(room.house.by("yi"), "食堂浪费怎么管") == []
    asked = room.ask(problem="夜班怎么组织学习")
    assert room.questions.note_found(jia, "jia", "夜班怎么组织学习", case_id) == asked
    assert room.questions.question(room.house.by("yi"), asked).settled_by == case_id
    for login, problem, case in (("jia", "一", "0" * 16), ("ding", "一", case_id)):
        with pytest.raises((NotFound, Refused)):
            room.questions.note_found(room.house.by(login), login, problem, case)
    with pytest.raises(Refused):
        room.questions.note_found(room.house.by("jia-member"), "jia", "一", case_id)


def test_every_change_is_in_the_trail(room: QuestionRoom) -> None:
    """Asking, asking others, answering, taking back and closing are told in the trail, each for its branch, no text."""
    jia, yi, question_id = room.house.by("jia"), room.house.by("yi"), room.ask(problem="夜班")
    room.questions.set_audience(jia, question_id, [Wanted("branch:yi")])
    answer_id = room.answer("yi", question_id, "我们办过")
    room.questions.take_back_answer(yi, answer_id)
    room.questions.close(jia, question_id)
    with room.house.access.office.reading() as connection:
        rows = connection.execute(select(audit).order_by(audit.c.seq)).all()
    told = [(r.action, r.branch_id) for r in rows if r.action.startswith("case_question.")]
    assert told == [
        ("case_question.ask", "jia"),
        ("case_question.audience", "jia"),
        ("case_question.answer", "yi"),
        ("case_question.take_back", "yi"),
        ("case_question.close", "jia"),
    ]
    assert not any("夜班" in str(r.detail) or "办过" in str(r.detail) for r in rows)


def test_what_is_refused_leaves_nothing_behind(room: QuestionRoom) -> None:
    """Refusals of any kind write no row."""
    question_id = room.ask()
    room.questions.close(room.house.by("jia"), question_id)
    room.house.clock.at += timedelta(days=1)
    with pytest.raises(Conflict):
        room.answer("yi", question_id, "晚了")
    with pytest.raises(NotFound):
        room.answer("ding", question_id, "看不到")
    with pytest.raises(InvalidRequest):
        room.ask(["branch:ding"], "新的")
    with room.house.access.office.reading() as connection:
        assert len(connection.execute(select(open_questions)).all()) == 1
        assert connection.execute(select(question_answers)).all() == []
