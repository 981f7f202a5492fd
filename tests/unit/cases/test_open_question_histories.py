"""Any history of questions against a plain model: nothing of a question, an answer or a named case leaves its audience."""

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kb.errors import Conflict, KbError, NotFound
from tests.unit.cases.question_room import BRANCHES, PARTNERS_OF_JIA, copied, found

AUDIENCES = ("partners", "group", *(f"branch:{b}" for b in PARTNERS_OF_JIA))
LOGINS = (*BRANCHES, *(f"{b}-member" for b in BRANCHES))


@dataclass
class Put:
    """What a branch puts to an audience: a question, or a case."""

    branch: str
    audience: frozenset[str]
    text: str
    closed: bool = False
    settled: str | None = None


@dataclass
class Given:
    """An answer."""

    question_id: str
    branch: str
    text: str
    case_id: str | None


@dataclass
class World:
    """Who is whose partner, who is in the group of 甲, and what there is; shares no code with what it checks."""

    partners: set[str] = field(default_factory=lambda: set(PARTNERS_OF_JIA))
    group: set[str] = field(default_factory=set)
    questions: dict[str, Put] = field(default_factory=dict)
    cases: dict[str, Put] = field(default_factory=dict)
    answers: dict[str, Given] = field(default_factory=dict)

    def are_partners(self, one: str, other: str) -> bool:
        """Partnerships are 甲's alone."""
        return (one == "jia" and other in self.partners) or (other == "jia" and one in self.partners)

    def sees(self, branch: str, put: Put | None) -> bool:
        """Whether people of the branch see it."""
        if put is None or branch == put.branch:
            return put is not None
        named = {"partners", f"branch:{branch}"} & put.audience
        return bool(named and self.are_partners(put.branch, branch)) or (
            "group" in put.audience and branch in self.group
        )

    def answers_seen(self, branch: str, question_id: str) -> list[tuple[str, str | None]]:
        """Texts and cases of the answers to a question that the branch sees, oldest first."""
        found = []
        for given in self.answers.values():
            if given.question_id == question_id:
                case = given.case_id if self.sees(branch, self.cases.get(given.case_id or "")) else None
                found += [(given.text, case)] if given.text or case else []
        return found


def test_any_history_of_questions(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever is asked, answered, closed, shared and ended, everybody sees just what the model says."""
    store = found(tmp_path_factory.mktemp("questions"))

    class Histories(RuleBasedStateMachine):
        """One world after another, each on a store of its own."""

        @initialize()
        def begin(self) -> None:
            """The partnerships stand, the group is empty, nothing is asked."""
            self.folder = TemporaryDirectory()
            self.room = copied(store, Path(self.folder.name))
            self.group_id = self.room.group()
            self.world = World()
            self.n = 0

        def teardown(self) -> None:
            if hasattr(self, "room"):
                self.room.house.catalog.engine.dispose()
                self.folder.cleanup()

        def text(self, kind: str) -> str:
            """A text that is nowhere else, near to all others of its kind."""
            self.n += 1
            return f"{kind}怎么组织集中学习才好{self.n}"

        def token(self, branch: str, audience: str) -> str:
            """How a share of a case is kept."""
            _, _, other = audience.partition(":")
            named = {"partners": f"partners:{branch}", "group": f"group:{self.group_id}"}
            return named.get(audience, f"share:{branch}>{other}")

        @rule(branch=st.sampled_from(BRANCHES), audience=st.sets(st.sampled_from(AUDIENCES), min_size=1))
        def ask(self, branch: str, audience: set[str]) -> None:
            """A branch asks; what it may not choose, it is refused."""
            wanted = [a if a != "group" else f"group:{self.group_id}" for a in sorted(audience)]
            put = Put(branch, frozenset(audience), self.text("问"))
            try:
                question_id = self.room.ask(wanted, put.text, branch=branch)
            except KbError:
                may_not = [a for a in audience if a.startswith("branch:") and not self.reaches(branch, a)]
                assert may_not or ("group" in audience and branch != "jia" and branch not in self.world.group)
                return
            self.world.questions[question_id] = put

        def reaches(self, branch: str, audience: str) -> bool:
            other = audience.removeprefix("branch:")
            return other == branch or self.world.are_partners(branch, other)

        @rule(branch=st.sampled_from(BRANCHES), audience=st.sets(st.sampled_from(AUDIENCES)))
        def publish(self, branch: str, audience: set[str]) -> None:
            """A branch publishes a case."""
            put = Put(branch, frozenset(audience), self.text("案"))
            case_id = self.room.case(branch, put.text, [self.token(branch, a) for a in sorted(audience)])
            self.world.cases[case_id] = put

        @precondition(lambda self: self.world.cases)
        @rule(data=st.data())
        def withdraw(self, data: Any) -> None:
            """A published case is taken out."""
            case_id = data.draw(st.sampled_from(sorted(self.world.cases)))
            branch = self.world.cases.pop(case_id).branch
            [card] = self.room.library.cards(frozenset({f"branch:{branch}"}), [case_id]).values()
            self.room.house.catalog.remove(card.document_id)

        @precondition(lambda self: self.world.questions)
        @rule(data=st.data(), branch=st.sampled_from(BRANCHES), worded=st.booleans())
        def answer(self, data: Any, branch: str, worded: bool) -> None:
            """A branch answers, with a case of anybody's or none."""
            question_id = data.draw(st.sampled_from(sorted(self.world.questions)))
            case_id = data.draw(st.sampled_from([None, *sorted(self.world.cases)]))
            asked, case = self.world.questions[question_id], self.world.cases.get(case_id or "")
            text = self.text("答") if worded else ""
            fine = self.world.sees(branch, asked) and not asked.closed and (text or case)
            try:
                answer_id = self.room.answer(branch, question_id, text, case_id)
            except KbError:
                assert not fine or (case and case.branch != branch)
                return
            assert fine
            self.world.answers[answer_id] = Given(question_id, branch, text, case_id)

        @precondition(lambda self: self.world.answers)
        @rule(data=st.data(), branch=st.sampled_from(BRANCHES))
        def take_back(self, data: Any, branch: str) -> None:
            """Somebody takes an answer back."""
            answer_id = data.draw(st.sampled_from(sorted(self.world.answers)))
            given = self.world.answers[answer_id]
            try:
                self.room.questions.take_back_answer(self.room.house.by(branch), answer_id)
            except NotFound:
                asked = self.world.questions[given.question_id]
                assert branch != given.branch or not self.world.sees(branch, asked)
                return
            assert branch == given.branch
            del self.world.answers[answer_id]

        @precondition(lambda self: self.world.questions)
        @rule(data=st.data())
        def close(self, data: Any) -> None:
            """A branch closes its question, naming any case."""
            question_id = data.draw(st.sampled_from(sorted(self.world.questions)))
            case_id = data.draw(st.sampled_from([None, *sorted(self.world.cases)]))
            asked, case = self.world.questions[question_id], self.world.cases.get(case_id or "")
            by = self.room.house.by(asked.branch)
            try:
                self.room.questions.close(by, question_id, settled_by=case_id)
            except (Conflict, NotFound):
                assert asked.closed or not self.world.sees(asked.branch, case)
                return
            assert not asked.closed
            asked.closed, asked.settled = True, case_id

        @rule(branch=st.sampled_from(PARTNERS_OF_JIA))
        def part(self, branch: str) -> None:
            """A partnership ends."""
            if branch in self.world.partners:
                self.room.part(branch)
                self.world.partners.remove(branch)

        @rule(branch=st.sampled_from(PARTNERS_OF_JIA))
        def join_or_leave(self, branch: str) -> None:
            """A partner comes into the group, or anybody in it goes."""
            groups, by = self.room.house.access.groups, self.room.house.by("jia")
            if branch in self.world.group:
                groups.drop(by, self.group_id, f"branch:{branch}")
                self.world.group.remove(branch)
            elif branch in self.world.partners:
                groups.put(by, self.group_id, f"branch:{branch}")
                self.world.group.add(branch)

        @invariant()
        def everybody_sees_what_the_model_says(self) -> None:
            """Lists, questions, answers, named cases and counts are those of the model, for liaisons and members."""
            if not hasattr(self, "room"):
                return
            for login in LOGINS:
                self.check(login, login.removesuffix("-member"))

        def check(self, login: str, branch: str) -> None:
            by, questions, world = self.room.house.by(login), self.room.questions, self.world
            seen = {q: put for q, put in world.questions.items() if world.sees(branch, put)}
            listed = {q.question_id: q for b in BRANCHES for q in questions.of_branch(by, b)}
            assert {q: told.problem for q, told in listed.items()} == {q: p.text for q, p in seen.items()}
            of_others = {q for q, put in seen.items() if put.branch != branch}
            assert {q.question_id for q in questions.open_to(by)} == of_others
            near = questions.near(by, "问怎么组织集中学习才好", len(seen))
            assert {q.question_id for q in near} == set(seen)
            for question_id in world.questions.keys() - seen.keys():
                with pytest.raises(NotFound):
                    questions.question(by, question_id)
                with pytest.raises(NotFound):
                    questions.answers(by, question_id)
            for question_id, put in seen.items():
                told = questions.question(by, question_id)
                settled = put.settled if world.sees(branch, world.cases.get(put.settled or "")) else None
                answers = world.answers_seen(branch, question_id)
                assert (told.settled_by, told.is_open, told.n_answers) == (
                    settled,
                    not put.closed,
                    len(answers),
                )
                given = [(a.text, a.case_id) for a in questions.answers(by, question_id)]
                assert given == answers
            answered = {g.question_id for g in world.answers.values() if g.branch == branch}
            waiting = {q for q in of_others - answered if not seen[q].closed}
            assert questions.n_waiting(by) == (0 if login.endswith("-member") else len(waiting))

    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=10,
            stateful_step_count=16,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
