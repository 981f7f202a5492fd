"""What an attempt asks: which form, or what was drawn, in an order of the person's own."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from sqlalchemy import select

from access.office import Office
from access.principal import Principal
from kb.errors import Conflict
from quiz.exam import Exam
from quiz.held import Bodies, Version
from quiz.model import Question, Type
from quiz.paper import Planned
from quiz.papers import Papers
from quiz.tables import papers


class Planning:
    """Plans attempts. What comes out hangs on a secret, so that nobody can work out another's order."""

    def __init__(self, office: Office, shelf: Papers, bodies: Bodies) -> None:
        self._office = office
        self._papers = shelf
        self._bodies = bodies

    def plan(self, by: Principal, exam: Exam, number: int) -> tuple[int, list[Planned]]:
        """Which form the person's attempt of this number asks, 0 for what is drawn, and its questions in their order.

        Raises:
            Conflict: none of its questions may be shown to them.
        """
        person_id = by.require_person()
        mac = self._office.keys.mac
        seed = int(mac("attempt", exam.exam_id, person_id, str(number))[:12], 16)
        with self._office.reading() as connection:
            p = papers.c
            paper = connection.execute(select(p.drawn, p.n_forms).where(p.paper_id == exam.paper_id)).one()
        if paper.drawn:
            form, plan = 0, self._papers.draw(exam.paper_id, seed, by.scope)
        else:
            # People are spread over the forms, and who sits again gets the next one.
            first = int(mac("form", exam.exam_id, person_id)[:8], 16)
            form = (first + number - 1) % paper.n_forms + 1
            plan = self._papers.planned(exam.paper_id, form, by.scope)
        if not plan:
            raise Conflict("Cannot begin: none of its questions may be shown to you.", "Ask who gave it out.")
        if exam.rules.shuffled:
            with self._office.reading() as connection:
                questions = self._bodies.questions(connection, [(p.question_id, p.version) for p in plan])
            plan = _shuffled(plan, questions, random.Random(seed))
        return form, plan


def _shuffled(
    plan: Sequence[Planned], questions: Mapping[Version, Question], draw: random.Random
) -> list[Planned]:
    """Another order of the questions within each run of one type, and of their options.

    True and false keep theirs, as people expect it; it says nothing.
    """

    def type_of(planned: Planned) -> Type:
        return questions[planned.question_id, planned.version].type

    found: list[Planned] = []
    for kind, run in groupby(plan, key=type_of):
        mixed = list(run)
        draw.shuffle(mixed)
        for planned in mixed:
            options = list(planned.options)
            if kind is not Type.TRUE_FALSE:
                draw.shuffle(options)
            found.append(replace(planned, options=tuple(options)))
    return found
