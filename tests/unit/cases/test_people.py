"""Who knows: the branches with near cases, and whom to ask there."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from access.branches import Level
from access.rights import Role
from cases.model import CaseCard
from cases.people import Knowing, who_knows
from tests.unit.cases.question_room import QuestionRoom, copied, found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The branches, to be copied."""
    return found(tmp_path_factory.mktemp("people"))


@pytest.fixture
def room(store: Path, tmp_path: Path) -> Iterator[QuestionRoom]:
    """The branches, on a store of the test's own."""
    opened = copied(store, tmp_path)
    yield opened
    opened.house.catalog.engine.dispose()


def known(room: QuestionRoom, login: str, *case_ids: str) -> list[Knowing]:
    """Who knows, as the person is told."""
    by = room.house.by(login)
    cards = room.library.cards(by.scope, case_ids)
    in_order: list[CaseCard] = [cards[c] for c in case_ids if c in cards]
    return who_knows(room.house.access.office, room.library, by, in_order)


def test_near_cases_lead_to_liaisons_and_contacts(room: QuestionRoom) -> None:
    """Branches come in the order of their cases, with the liaison of the partnership and what the cases say."""
    first, second = room.case("bing", "丙案", ["partners:bing"]), room.case("yi", "乙案", ["partners:yi"])
    third, own = room.case("yi", "乙案二", ["share:yi>jia"]), room.case("jia", "甲案")
    assert known(room, "jia", first, own, second, third) == [
        Knowing("bing", (first,), ("bing名",), ("丙案.txt",)),
        Knowing("yi", (second, third), ("yi名",), ("乙案.txt", "乙案二.txt")),
    ]


def test_cases_that_are_far_lead_to_nobody(room: QuestionRoom) -> None:
    """Of what was found for a problem, only branches with a case about as near as the nearest may know."""
    near, far = room.case("yi", "乙案", ["public"]), room.case("bing", "丙案", ["public"])
    by = room.house.by("jia")
    cards = room.library.cards(by.scope, [near, far])
    scored = [replace(cards[near], score=0.6), replace(cards[far], score=0.4)]
    knowing = who_knows(room.house.access.office, room.library, by, scored)
    assert [k.branch_id for k in knowing] == ["yi"]


def test_liaisons_are_told_to_who_speaks_for_a_partner(room: QuestionRoom) -> None:
    """A member is told the contacts of the case, no liaison; nor is somebody who sees the case and is no partner."""
    case_id = room.case("yi", "乙案", ["public"])
    for login in ("jia-member", "ding"):
        assert known(room, login, case_id) == [Knowing("yi", (case_id,), (), ("乙案.txt",))]


def test_an_ended_partnership_names_nobody(room: QuestionRoom) -> None:
    """Liaisons are those of partnerships in force: not after the end, nor after the last day."""
    case_id = room.case("yi", "乙案", ["public"])
    assert known(room, "jia", case_id)[0].liaisons == ("yi名",)
    room.part("yi")
    assert known(room, "jia", case_id)[0].liaisons == ()
    other = room.case("bing", "丙案", ["public"])
    room.house.clock.pass_(days=31)
    assert known(room, "jia", other)[0].liaisons == ()


def test_a_liaison_who_left_is_named_no_more(room: QuestionRoom) -> None:
    """Who lost the role, was shut out, or was never named, is not whom to ask."""
    people, case_id = room.house.access.people, room.case("yi", "乙案", ["public"])
    people.set_active(None, room.house.ids["yi"], active=False)
    assert known(room, "jia", case_id)[0].liaisons == ()
    partnership_id = room.partnership("bing")
    room.house.access.partnerships.set_liaison(None, partnership_id, "bing", None)
    assert known(room, "jia", room.case("bing", "丙案", ["public"]))[0].liaisons == ()


def test_a_partnership_holds_for_those_below(room: QuestionRoom) -> None:
    """A case of a branch below the partner leads to the partner's liaison, also for who speaks below one's own side."""
    house = room.house
    for branch, above in (("jia-1", "jia"), ("yi-1", "yi")):
        house.access.branches.found(
            None, f"{branch}支部", branch_id=branch, parent_id=above, level=Level.GENERAL
        )
    house.person("jia-1", {"jia-1": Role.LIAISON})
    case_id = room.case("yi-1", "乙一案", ["public"])
    for login in ("jia", "jia-1"):
        assert known(room, login, case_id) == [Knowing("yi-1", (case_id,), ("yi名",), ("乙一案.txt",))]


def test_nothing_of_a_hidden_case_is_told(room: QuestionRoom) -> None:
    """A case that was taken back since it was listed gives no contact."""
    jia, case_id = room.house.by("jia"), room.case("yi", "乙案", ["share:yi>jia"])
    cards = list(room.library.cards(jia.scope, [case_id]).values())
    room.part("yi")
    room.house.clock.at += timedelta(seconds=1)
    now = room.house.by("jia")
    assert who_knows(room.house.access.office, room.library, now, cards) == [
        Knowing("yi", (case_id,), (), ())
    ]
