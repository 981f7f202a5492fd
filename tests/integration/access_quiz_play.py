"""What people of a random world do with questions, papers, exams and attempts, on real services and in the model."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, time, timedelta

from sqlalchemy import select

from access.principal import Principal
from access.sharing import Wanted
from api.services import Services
from kb.errors import NotFound
from quiz.blueprint import Blueprint, Line
from quiz.citing import cited
from quiz.exams import ExamRules, Mode, Retake, Reveal
from quiz.model import BLANK, Citation, Point, Question, State, Type
from quiz.tables import attempts as attempt_rows
from quiz.tables import exam_audiences
from tests.integration.access_quizzes import (
    MOST_ATTEMPTS,
    MOST_EXAMS,
    MOST_PAPERS,
    MOST_VERSIONS,
    Attempt,
    Banked,
    Exam,
    Paper,
    Quizzes,
    Version,
    exam_title,
    paper_title,
    piece,
    words_of,
)
from tests.integration.access_worlds import Audience, Step, World, days, rare_in, token_of


class QuizPlay:
    """The part of a play that asks people."""

    world: World
    services: Services
    principal: Callable[[str], Principal]
    _wanted: Callable[[Step, str, int], list[tuple[Wanted, Audience]]]
    wait: Callable[[timedelta], None]
    number: int
    """That of the world: no question is asked in two of them."""

    def _begin_quizzes(self) -> None:
        self.quizzes = Quizzes(self.world)

    # -- banks

    def _ask(self, step: Step) -> None:
        if self.quizzes.n_versions >= MOST_VERSIONS:
            return
        world, mine = self.world, self.quizzes
        fit = [
            (p, b, d)
            for p in world.people
            for b in world.branches
            if mine.may_ask(p, b)
            for d in world.documents
            if world.sees(p, d)
        ]
        if fit and step.d % 8:
            person_id, branch_id, document_id = fit[(step.a + 24 * step.b) % len(fit)]
        elif world.documents:
            person_id, branch_id = (
                step.pick(step.a, list(world.people)),
                step.pick(step.b, list(world.branches)),
            )
            document_id = step.pick(step.c, list(world.documents))
        else:
            raise NotFound("There is nothing to ask about.")
        n = mine.n_versions
        question = self._made(n, self._cited(document_id, step.c))
        by = self.principal(person_id)
        added = self.services.quiz.bank.add(by, branch_id, [question], state=State.APPROVED)
        assert mine.may_ask(person_id, branch_id) and world.sees(person_id, document_id)
        (question_id,) = added.ids
        mine.questions[question_id] = Banked(branch_id, [_version(question, document_id)])

    def _made(self, n: int, citation: Citation) -> Question:
        """The question of the n-th version: a choice, a blank or a short answer."""
        stem = f"第{self.number}套{piece(n, 0)}"
        kind = (Type.SINGLE, Type.BLANK, Type.SHORT)[n % 3]
        options = tuple(piece(n, i) for i in range(1, 5)) if kind is Type.SINGLE else ()
        return Question(
            kind,
            stem + BLANK if kind is Type.BLANK else stem,
            options,
            (options[n % 4] if options else piece(n, 5),),
            explanation=piece(n, 6),
            citation=citation,
            accepted=((piece(n, 7),),) if kind is Type.BLANK else (),
            points=(Point(piece(n, 8), 1.0),) if kind is Type.SHORT else (),
            topics=(piece(n, 9),),
        )

    def _cited(self, document_id: str, number: int) -> Citation:
        """One of the articles of a document, whoever may read it."""
        everything = frozenset({"public"}) | self._tokens(document_id)
        document = self.services.catalog.document(document_id, everything)
        articles = [c for c in document.clauses if c.label]
        clause = articles[number % len(articles)]
        found = cited(document, clause.start, clause.end)
        assert found
        return found

    def _tokens(self, document_id: str) -> frozenset[str]:
        from store.shares import shares_of

        found, at = set(), [document_id]
        with self.services.catalog.engine.connect() as connection:
            while at:
                here = at.pop()
                found |= {s.token for s in shares_of(connection, here)}
                held = self.world.documents.get(here)
                at += [held.origin] if held and held.origin else []
        return frozenset(found)

    def _revise(self, step: Step) -> None:
        mine, world = self.quizzes, self.world
        if mine.n_versions >= MOST_VERSIONS:
            return
        fit = [
            (p, q, d)
            for q, found in mine.questions.items()
            for p in world.people
            if q in mine.bank(p, p, found.branch_id)
            for d in world.documents
            if world.sees(p, d)
        ]
        if not fit:
            raise NotFound("There is nothing to be changed.")
        person_id, question_id, document_id = fit[(step.a + 24 * step.b) % len(fit)]
        by, n = self.principal(person_id), mine.n_versions
        before = self.services.quiz.bank.question(by, question_id)
        stem = before.question.stem.replace(f"第{self.number}套", f"第{self.number}套{piece(n, 0)}")
        question = replace(
            before.question,
            stem=stem,
            explanation=piece(n, 6),
            topics=(piece(n, 9),),
            citation=self._cited(document_id, step.c),
        )
        kept, _ = self.services.quiz.bank.edit(by, question_id, question, seen_version=before.version)
        assert kept.version == before.version + 1
        mine.questions[question_id].versions.append(_version(question, document_id))
        self.services.quiz.bank.set_state(by, question_id, State.APPROVED, seen_version=kept.version)

    # -- papers

    def _make_paper(self, step: Step) -> None:
        mine = self.quizzes
        if len(mine.papers) >= MOST_PAPERS:
            return
        branches = sorted({q.branch_id for q in mine.questions.values()})
        fit = [(p, b) for b in branches for p in self.world.people if mine.bank(p, p, b)]
        if not fit:
            raise NotFound("There is nothing to make a paper of.")
        person_id, branch_id = fit[step.a % len(fit)]
        by, n = self.principal(person_id), len(mine.papers)
        held: tuple[Version, ...] = ()
        if step.d % 4 == 3:
            blueprint = Blueprint((Line(2, 1.0),), drawn=True)
            paper_id = self.services.quiz.papers.make(by, branch_id, paper_title(n), blueprint, step.c)
        else:
            usable = [k.question_id for k in self.services.quiz.papers.supply(by, branch_id)]
            assert set(usable) <= mine.bank(person_id, person_id, branch_id)
            paper_id = self.services.quiz.papers.by_hand(by, branch_id, paper_title(n), usable)
            held = tuple(mine.questions[q].versions[-1] for q in usable)
        mine.papers[paper_id] = Paper(n, branch_id, held)

    # -- exams

    def _give_out(self, step: Step) -> None:
        mine = self.quizzes
        if len(mine.exams) >= MOST_EXAMS:
            return
        fit = [
            (p, i)
            for i, paper in mine.papers.items()
            for p in self.world.people
            if mine.may_ask(p, paper.branch_id)
        ]
        if not fit:
            raise NotFound("There is no paper to give out.")
        person_id, paper_id = fit[(step.a + 24 * step.b) % len(fit)]
        branch_id, n = mine.papers[paper_id].branch_id, len(mine.exams)
        wanted = [(w, a) for w, a in self._wanted(step, branch_id, step.d) if a != ("everyone",)]
        wanted = wanted or [(Wanted("own"), ("branch", branch_id))]
        now = self.services.access.office.now()
        closes = self.world.today + days(1 + step.b % 4)
        practice = step.c % 5 == 4
        rules = ExamRules(
            exam_title(n),
            Mode.PRACTICE if practice else Mode.TEST,
            now,
            datetime.combine(closes, time()),
            minutes=60 if step.c % 2 else None,
            retake=Retake.ANY,
            reveal=Reveal.SUBMITTED if step.a % 2 else Reveal.CLOSED,
        )
        by = self.principal(person_id)
        exam_id = self.services.quiz.exams.give(by, paper_id, rules, [w for w, _ in wanted])
        audiences = tuple(dict.fromkeys(a for _, a in wanted))
        limited, at_once = bool(step.c % 2) and not practice, bool(step.a % 2) or practice
        mine.exams[exam_id] = Exam(n, paper_id, branch_id, audiences, closes, at_once, limited)
        with self.services.catalog.engine.connect() as connection:
            tokens = connection.execute(
                select(exam_audiences.c.token).where(exam_audiences.c.exam_id == exam_id)
            )
            found = set(tokens.scalars())
            assert found == set(map(token_of, audiences)), (found, audiences)

    def _close(self, step: Step) -> None:
        fit = [
            (p, e)
            for e, x in self.quizzes.exams.items()
            for p in self.world.people
            if self.quizzes.may_ask(p, x.branch_id)
        ]
        if not fit:
            raise NotFound("There is no exam to end.")
        person_id, exam_id = fit[step.a % len(fit)]
        self.services.quiz.exams.end(self.principal(person_id), exam_id)
        self.quizzes.exams[exam_id].closes = self.world.today
        # What was sent in time may still arrive for some seconds.
        self.wait(timedelta(minutes=1))

    # -- attempts

    def _sit(self, step: Step) -> None:
        mine = self.quizzes
        if len(mine.attempts) >= MOST_ATTEMPTS:
            return
        fit = [(p, e) for e in mine.exams for p in self.world.people if mine.given(p, e)]
        if fit and step.d % 8:
            person_id, exam_id = fit[(step.a + 24 * step.b) % len(fit)]
        elif mine.exams:
            person_id, exam_id = (
                step.pick(step.a, list(self.world.people)),
                step.pick(step.b, list(mine.exams)),
            )
        else:
            raise NotFound("There is no exam to sit.")
        by = self.principal(person_id)
        attempt_id = self.services.quiz.attempts.begin(by, exam_id)
        assert mine.given(person_id, exam_id), "sat what was not given"
        if attempt_id in mine.attempts:
            return
        with self.services.catalog.engine.connect() as connection:
            row = connection.execute(
                select(attempt_rows).where(attempt_rows.c.attempt_id == attempt_id)
            ).one()
        plan = tuple(mine.questions[p["question_id"]].versions[p["version"] - 1] for p in row.plan)
        assert all(self.world.sees(person_id, v.document_id) for v in plan), "asked about what is hidden"
        n = len(mine.attempts)
        mine.attempts[attempt_id] = Attempt(n, exam_id, person_id, row.branch_id, plan, self.world.today)
        for asked in self.services.quiz.attempts.sitting(by, attempt_id).questions:
            answer = [0] if asked.options else [words_of(n)]
            self.services.quiz.attempts.save(by, attempt_id, asked.position, answer, 1)

    def _hand_over(self, step: Step) -> None:
        fit = [a for a in self.quizzes.attempts if not self.quizzes.is_over(a)]
        if not fit:
            raise NotFound("Nobody is sitting anything.")
        attempt_id = step.pick(step.a, fit)
        found = self.quizzes.attempts[attempt_id]
        self.services.quiz.attempts.submit(self.principal(found.person_id), attempt_id)
        found.handed_in = True

    def _mark(self, step: Step) -> None:
        fit = [
            (p, e)
            for e, x in self.quizzes.exams.items()
            for p in self.world.people
            if self.quizzes.may_ask(p, x.branch_id)
        ]
        if not fit:
            raise NotFound("There is nothing to mark.")
        person_id, exam_id = fit[step.a % len(fit)]
        by = self.principal(person_id)
        for waiting in self.services.quiz.attempts.to_mark(by, exam_id)[:1]:
            self.services.quiz.attempts.confirm(by, waiting.attempt_id, waiting.position, 0.5)


def _version(question: Question, document_id: str) -> Version:
    shown = [question.stem, *question.options]
    told = [*shown, *question.answer, question.explanation, *question.topics]
    told += [p.text for p in question.points] + [a for accepted in question.accepted for a in accepted]
    return Version(document_id, _rare(shown), _rare(told))


def _rare(said: Iterable[str]) -> frozenset[str]:
    return rare_in("".join(said))
