"""A small world in which every role acts: a home, two partners, a stranger, and documents between them."""

import itertools
from collections.abc import Iterator, Sequence
from datetime import timedelta

from access.branches import Level
from access.principal import Principal
from access.rights import Relation, Role
from access.sharing import Wanted
from api.services import Services
from cases.model import LABELS, REQUIRED, Progress
from kb.model import Source
from quiz.blueprint import Blueprint, Line
from quiz.citing import cited
from quiz.exams import ExamRules, Mode, Retake
from quiz.model import Point, Question, State, Type
from tests.people import add_person, bearer, principal

HOME, BESIDE = "beichen", "beichen-2"
"""The branch of those who act, and the one below it in which they have the same role."""
PARTNERS = ("jianglan", "hefeng")
STRANGER = "kangze"
"""No partner of the home; a partner of the first partner."""
BRANCHES = {Relation.OWN: HOME, Relation.PARTNER: PARTNERS[0], Relation.FOREIGN: STRANGER}
"""The branch acted upon, by what it is to those who act."""

GUEST, OPERATOR, PARTNER_LIAISON = "guest", "operator", "partner"
COLUMNS = (*(r.value for r in Role), OPERATOR, GUEST)


class World:
    """Branches, people and partnerships; documents and the like are made as they are needed."""

    def __init__(self, services: Services) -> None:
        self.services = services
        access = services.access
        self._n = itertools.count(1)
        for branch_id in (HOME, *PARTNERS, STRANGER):
            access.branches.found(None, f"{branch_id}党委", level=Level.COMMITTEE, branch_id=branch_id)
        access.branches.found(None, "第二支部", parent_id=HOME, branch_id=BESIDE)
        self.people = {r.value: add_person(services, r.value, {HOME: r, BESIDE: r}) for r in Role}
        self.people[OPERATOR] = add_person(services, OPERATOR, operator=True)
        self.people[PARTNER_LIAISON] = add_person(services, PARTNER_LIAISON, {PARTNERS[0]: Role.LIAISON})
        self.keepers = {
            b: add_person(services, f"keeper-{b}", {b: Role.ADMINISTRATOR}) for b in BRANCHES.values()
        }
        self.reviewers = {
            b: add_person(services, f"reviewer-{b}", {b: Role.LIAISON}) for b in BRANCHES.values()
        }
        for one, other in ((HOME, PARTNERS[0]), (PARTNERS[1], HOME), (PARTNERS[0], STRANGER)):
            self.partnership(one, other, agreed=True)
        self.headers: dict[str, dict[str, str]] = {GUEST: {}}
        self.headers |= {who: bearer(services, person_id) for who, person_id in self.people.items()}

    def keeper(self, branch_id: str) -> Principal:
        """The administrator of a branch, who is none of those who act."""
        return principal(self.services, self.keepers[branch_id])

    def partnership(self, one: str, other: str, *, agreed: bool = False) -> str:
        """A partnership for ten days."""
        ends_on = self.services.today() + timedelta(days=10)
        return self.services.access.partnerships.propose(None, one, other, None, ends_on, agreed=agreed)

    def name(self) -> str:
        """A name that nothing has yet."""
        return f"名{next(self._n)}"

    def text(self) -> bytes:
        """A text that was not handed in yet."""
        n = next(self._n)
        return f"共建活动办法之{n}\n第一条　第{n}项活动由本支部组织。\n第二条　经费从简。\n".encode()

    def document(self, branch_id: str, wanted: Sequence[Wanted]) -> str:
        """A document that a branch keeps and shares so; without any it is its keeper's alone."""
        outcome = self.services.holdings.hand_in(
            self.keeper(branch_id), branch_id, Source(f"{self.name()}.txt", "text/plain", self.text()), wanted
        )
        assert outcome.document_id, outcome
        return outcome.document_id

    def person(self, branch_id: str) -> str:
        """A member of a branch."""
        return add_person(self.services, self.name(), {branch_id: Role.MEMBER})

    def branch(self) -> str:
        """A branch at the top of a tree of its own."""
        return self.services.access.branches.found(None, self.name()).branch_id

    def question(self, branch_id: str, document_id: str = "") -> str:
        """A question in the bank of a branch that papers may hold; a choice on the document, or else in words."""
        keeper, n = self.keeper(branch_id), next(self._n)
        question = Question(Type.SHORT, f"第{n}问", (), ("经费从简",), points=(Point("从简", 1.0),))
        if document_id:
            document = self.services.document(document_id, keeper.scope)
            clause = next(c for c in document.clauses if c.label)
            citation = cited(document, clause.start, clause.end)
            question = Question(
                Type.SINGLE, f"第{n}问", ("本支部", "联络员", "记录员"), ("本支部",), citation=citation
            )
        return self.services.quiz.bank.add(keeper, branch_id, [question], state=State.APPROVED).ids[0]

    def paper(self, branch_id: str, question_ids: Sequence[str]) -> str:
        """A paper of these questions of a branch; without any, one that is drawn for each person."""
        papers, by, title = self.services.quiz.papers, self.keeper(branch_id), self.name()
        if question_ids:
            return papers.by_hand(by, branch_id, title, question_ids)
        return papers.make(by, branch_id, title, Blueprint((Line(1, 1.0),), drawn=True), 1)

    def exam(self, paper_id: str, branch_id: str, mode: Mode = Mode.TEST) -> str:
        """The paper given out to its branch, for a day."""
        now = self.services.access.office.now()
        rules = ExamRules(self.name(), mode, now, now + timedelta(days=1), retake=Retake.ANY)
        return self.services.quiz.exams.give(self.keeper(branch_id), paper_id, rules, [Wanted("own")])

    def attempt(self, person_id: str, exam_id: str) -> str:
        """An attempt of somebody with every question answered, not handed in yet."""
        attempts, by = self.services.quiz.attempts, principal(self.services, person_id)
        attempt_id = attempts.begin(by, exam_id)
        for asked in attempts.sitting(by, attempt_id).questions:
            answer = [0] if asked.options else ["经费要从简。"]
            attempts.save(by, attempt_id, asked.position, answer, 1)
        return attempt_id

    def case_in_review(self, branch_id: str, derived_from: str | None = None) -> str:
        """A case that the keeper of a branch wrote and submitted."""
        drafts, by, name = self.services.cases.drafts, self.keeper(branch_id), self.name()
        body = {f: f"{name}的{LABELS[f]}。" for f in REQUIRED}
        case_id = drafts.begin(by, branch_id, body=body, derived_from=derived_from)
        drafts.submit(by, case_id)
        return case_id

    def case(self, branch_id: str, audience: str = "everyone", derived_from: str | None = None) -> str:
        """A case that a branch published, with a file."""
        cases, by = self.services.cases, self.keeper(branch_id)
        case_id = self.case_in_review(branch_id, derived_from)
        cases.attachments.add(by, case_id, Source(f"{self.name()}.txt", "text/plain", self.text()))
        cases.drafts.submit(by, case_id)
        cases.drafts.approve(principal(self.services, self.reviewers[branch_id]), case_id)
        cases.publishing.publish(by, case_id, [Wanted("own"), Wanted(audience)])
        return case_id

    def group(self, branch_id: str, members: Sequence[str] = ()) -> str:
        """A group that a branch keeps."""
        groups, by = self.services.access.groups, self.keeper(branch_id)
        made = groups.make(by, branch_id, self.name())
        for member in members:
            groups.put(by, made.group_id, member)
        return made.group_id


def with_everything(world: World) -> Iterator[tuple[str, str]]:
    """Put something of every kind into the world: kind of the id, and id."""
    services, access = world.services, world.services.access
    for branch_id in (*BRANCHES.values(), BESIDE, PARTNERS[1], world.branch()):
        yield "branch_id", branch_id
    for person_id in (*world.people.values(), *map(world.person, BRANCHES.values())):
        yield "person_id", person_id
    for branch_id in BRANCHES.values():
        group = world.group(branch_id, [f"branch:{branch_id}"])
        yield "group_id", group
        audiences = [[], ["own"], ["partners"], ["everyone"], [f"group:{group}"]]
        for audience in audiences:
            yield "document_id", world.document(branch_id, [Wanted(a, True) for a in audience])
        invited = access.invitations.offer(
            world.keeper(branch_id), branch_id, frozenset({Role.MEMBER}), "张三"
        )
        yield "invitation_id", invited.invitation_id
    shared = world.document(PARTNERS[0], [Wanted(f"branch:{HOME}", True)])
    liaison = principal(services, world.people[Role.LIAISON.value])
    access.sharing.reshare(liaison, shared, HOME, [Wanted("partners")])
    yield from [("document_id", shared)] * 5
    yield "document_id", services.holdings.copy(liaison, shared, HOME)
    yield from _with_quizzes(world)
    yield from _with_cases(world)
    for told in access.sharing.shares(world.keeper(PARTNERS[0]), shared):
        yield "share_id", told.share_id
    for other in (HOME, PARTNERS[1]):
        yield "partnership_id", world.partnership(world.branch(), other)
    for person_id in world.people.values():
        yield "token_id", bearer(services, person_id)["authorization"].split("_")[1]
    services.jobs.ask(liaison, HOME, [Source("甲.txt", "text/plain", world.text())], [Wanted("own")])
    services.jobs.drain()


def _with_quizzes(world: World) -> Iterator[tuple[str, str]]:
    """Banks of three branches, papers of them, exams, and attempts that are open, handed in and practised."""
    for branch_id in BRANCHES.values():
        document_id = world.document(branch_id, [Wanted("own"), Wanted("partners")])
        questions = [world.question(branch_id, document_id), world.question(branch_id)]
        yield from [("question_id", question_id) for question_id in questions]
        fixed, drawn = world.paper(branch_id, questions), world.paper(branch_id, [])
        yield from [("paper_id", fixed), ("paper_id", drawn), ("paper_id", world.paper(branch_id, questions))]
        exams = [world.exam(fixed, branch_id), world.exam(fixed, branch_id, Mode.PRACTICE)]
        exams.append(world.exam(drawn, branch_id))
        yield from [("exam_id", exam_id) for exam_id in exams]
        members = [world.people[r.value] for r in Role] if branch_id == HOME else [world.person(branch_id)]
        for person_id in members:
            open_, *over = [world.attempt(person_id, exam_id) for exam_id in exams]
            for attempt_id in over:
                world.services.quiz.attempts.submit(principal(world.services, person_id), attempt_id)
            yield from [("attempt_id", attempt_id) for attempt_id in (open_, *over)]


def _with_cases(world: World) -> Iterator[tuple[str, str]]:
    """Cases of three branches, written and published, with files, adoptions, feedback, questions and ballots."""
    services, now = world.services, world.services.access.office.now()
    cases = services.cases
    for branch_id in BRANCHES.values():
        keeper, first = world.keeper(branch_id), world.case(branch_id)
        partners_only = world.case(branch_id, "partners", first)
        yield from [("case_id", first), ("case_id", partners_only)]
        yield "case_id", world.case_in_review(branch_id)
        for case_id in (first, partners_only):
            files = cases.attachments.of_draft(keeper, case_id)
            yield from [("attachment_id", found.attachment_id) for found in files]
        for other in BRANCHES.values():
            by = world.keeper(other)
            if other != branch_id:
                yield "adoption_id", cases.adoptions.adopt(by, first, other, Progress.PLANNED)
            yield "feedback_id", cases.adoptions.say(by, first, other, "想知道花了多少人工。")
        question_id = cases.questions.ask(
            keeper, branch_id, f"{world.name()}怎么办", "", [Wanted("partners")]
        )
        yield "question_id", question_id
        yield "answer_id", cases.questions.answer(keeper, question_id, branch_id, "先记一周。", first)
        ballot_id = cases.ballots.call(
            keeper, branch_id, world.name(), now, now + timedelta(days=2), 2, 1, [Wanted("partners")]
        )
        cases.ballots.nominate(keeper, ballot_id, first)
        yield from [("ballot_id", ballot_id)] * 3
