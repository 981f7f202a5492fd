"""What people of a random world do with cases, on real services and in the model."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from access.principal import Principal
from access.sharing import Wanted
from api.services import Services
from cases.model import Effect, Field, Progress, State
from cases.tables import ballot_audiences, question_audiences
from cases.tables import cases as case_rows
from kb.errors import NotFound
from kb.model import Source
from store.tables import passages
from tests.integration.access_cases import (
    MOST_ANSWERS,
    MOST_BALLOTS,
    MOST_CASES,
    MOST_FILES,
    MOST_QUESTIONS,
    Adopted,
    Answer,
    Asked,
    Called,
    Cases,
    Feedback,
    File,
    Form,
)
from tests.integration.access_worlds import (
    CASE_FIELDS,
    MOST_PUBLISHED,
    N_SLOTS,
    Audience,
    Held,
    Step,
    World,
    branch_name,
    days,
    reason,
    text,
    token_of,
)


class CasePlay:
    """The part of a play that writes cases, and does something with them."""

    world: World
    services: Services
    principal: Callable[[str], Principal]
    wait: Callable[[timedelta], None]
    _wanted: Callable[[Step, str, int], list[tuple[Wanted, Audience]]]
    _set_direct: Callable[[Held, Sequence[tuple[Wanted, Audience]], str], None]
    _agree_on_shares: Callable[[str], None]

    def _begin_cases(self) -> None:
        self.cases = Cases(self.world)

    def meet_cases(self) -> None:
        """Take note of the cases that came as files."""
        self.services.cases.library.follow()
        with self.services.catalog.engine.connect() as connection:
            rows = connection.execute(select(case_rows).where(case_rows.c.begun_by.is_(None))).all()
        for r in rows:
            form = self.cases.forms.setdefault(r.case_id, Form(r.branch_id))
            if r.document_id and r.document_id not in form.editions:
                form.editions.append(r.document_id)

    def _one(self, step: Step, among: Sequence[Any]) -> Any:
        """One of those who can; NotFound where nobody can."""
        if not among:
            raise NotFound("There is nobody who could.")
        return among[(step.a + 24 * step.b) % len(among)]

    def _writing(self) -> list[tuple[str, str]]:
        """People with a case that they write."""
        mine = self.cases
        return [
            (p, c) for c, f in mine.forms.items() for p in self.world.people if mine.writes(p, f.branch_id)
        ]

    def _speaking(self, case_id: str = "") -> list[tuple[str, str]]:
        """People with a branch for which they speak; only who sees the case, if one is named."""
        mine = self.cases
        return [
            (p, b)
            for p in self.world.people
            for b in self.world.homes(p)
            if mine.speaks(p, b) and (not case_id or mine.sees(p, case_id))
        ]

    # -- writing

    def _begin_case(self, step: Step) -> None:
        mine = self.cases
        if len(mine.forms) >= MOST_CASES:
            return
        fit = [(p, b) for p in self.world.people for b in self.world.branches if mine.writes(p, b)]
        person_id, branch_id = self._one(step, fit)
        known = [c for c in mine.forms if mine.sees(person_id, c)]
        source = known[step.d % len(known)] if known and step.c % 2 else None
        word = mine.word()
        body = {Field.PROBLEM: f"{word}共建活动。"}
        case_id = self.services.cases.drafts.begin(
            self.principal(person_id), branch_id, body=body, derived_from=source
        )
        mine.forms[case_id] = Form(branch_id, source, word)

    def _write_case(self, step: Step) -> None:
        person_id, case_id = self._one(step, self._writing())
        drafts, by, word = self.services.cases.drafts, self.principal(person_id), self.cases.word()
        field = CASE_FIELDS[step.c % len(CASE_FIELDS)]
        self.cases.forms[case_id].written += word
        revision = drafts.form(by, case_id).revision
        # Now and then over what others wrote meanwhile.
        drafts.save(by, case_id, field, f"{word}共建活动", base=0 if step.d % 3 == 2 else revision)
        drafts.since(by, case_id, revision, at=field)

    def _attach(self, step: Step) -> None:
        mine, attachments = self.cases, self.services.cases.attachments
        person_id, case_id = self._one(step, self._writing())
        by, form = self.principal(person_id), mine.forms[case_id]
        here = [f for f, found in form.files.items() if found.present]
        if here and step.c % 4 == 3:
            attachments.remove(by, case_id, here[step.d % len(here)])
            form.files[here[step.d % len(here)]].present = False
        elif here and step.c % 2:
            word, file_id = mine.word(), here[step.d % len(here)]
            attachments.caption(by, case_id, file_id, word)
            form.files[file_id].caption = word
        elif sum(len(f.files) for f in mine.forms.values()) < MOST_FILES:
            name, said, caption = mine.word(), mine.word(), mine.word()
            source = Source(f"{name}.txt", "text/plain", f"{said}共建活动。".encode())
            kept = attachments.add(by, case_id, source, caption)
            form.files[kept.attachment_id] = File(name + said, caption)

    # -- publishing

    def _publish_case(self, step: Step) -> None:
        mine, drafts = self.cases, self.services.cases.drafts
        if mine.n_published >= MOST_PUBLISHED:
            return
        fit = [
            (p, q, c)
            for p, c in self._writing()
            for q in self.world.people
            if q != p and mine.speaks(q, mine.forms[c].branch_id)
        ]
        wider = [f for f in fit if mine.speaks(f[0], mine.forms[f[2]].branch_id)]
        person_id, reviewer_id, case_id = self._one(step, wider or fit)
        by, form, of = self.principal(person_id), mine.forms[case_id], text(N_SLOTS + mine.n_published)
        for field, said in of.body.items():
            drafts.save(by, case_id, field, said, base=drafts.form(by, case_id).revision)
        form.written += "".join(of.canaries)
        if drafts.form(by, case_id).state is State.DRAFT:
            drafts.submit(by, case_id)
        if drafts.form(by, case_id).state is State.IN_REVIEW:
            drafts.approve(self.principal(reviewer_id), case_id)
        wanted = self._wanted(step, form.branch_id, step.d if step.d % 6 else 1)
        if step.c % 3 == 0 and mine.speaks(person_id, form.branch_id):
            wanted = [(Wanted("partners"), ("partners", form.branch_id))]
        document_id = self.services.cases.publishing.publish(by, case_id, [w for w, _ in wanted])
        n_passages = self._n_passages(document_id)
        issuer = branch_name(self.world.branches[form.branch_id].n)
        held = Held(of.slot, form.branch_id, person_id, n_passages, issuer)
        self._set_direct(held, wanted, person_id)
        self.world.documents[document_id] = held
        mine.n_published += 1
        form.editions.append(document_id)
        for found in form.files.values():
            if found.present:
                found.published[document_id] = found.caption
        self._narrow(document_id)

    def _n_passages(self, document_id: str) -> int:
        counted = select(func.count()).where(passages.c.document_id == document_id)
        with self.services.catalog.engine.connect() as connection:
            return int(connection.execute(counted).scalar_one())

    def _editions(self, document_id: str) -> list[str]:
        """Editions of a case that are here, the newest last; a document alone, and one that only came as a file."""
        here = self.world.documents
        of = [f for f in self.cases.forms.values() if document_id in f.editions]
        found = [d for f in of for d in f.editions if d in here]
        return found if any(here[d].slot >= N_SLOTS for d in found) else [document_id]

    def _narrow(self, document_id: str) -> None:
        """An older edition is seen by nobody whom the newest is not shared with, and not passed on."""
        *older, newest = self._editions(document_id)
        given = [s for s in self.world.documents[newest].shares if s.parent is None]
        audiences = {s.audience for s in given}
        of_branch = any(a[0] == "branch" and a[1] == self.world.documents[newest].keeper for a in audiences)
        for earlier in older:
            held = self.world.documents[earlier]
            for share in [s for s in held.shares if s.parent is None]:
                if share in held.shares:
                    share.may_reshare = False
                    for passed in [s for s in held.shares if s.parent is share]:
                        held.drop(passed)
                    if share.audience not in audiences and not (share.audience[0] == "owner" and of_branch):
                        held.drop(share)
            if not held.shares:
                for share in given:
                    held.put(share.by, share.audience, False)
        for edition in [*older, newest]:
            self._agree_on_shares(edition)

    def _set_case_audience(self, step: Step) -> None:
        mine = self.cases
        fit = [(p, c) for p, c in self._writing() if mine.sees(p, c)]
        wider = [(p, c) for p, c in fit if mine.speaks(p, mine.forms[c].branch_id)]
        person_id, case_id = self._one(step, wider or fit)
        document_id = mine.edition(case_id)
        assert document_id
        held = self.world.documents[document_id]
        wanted = self._wanted(step, held.keeper, step.d if step.d % 6 else 1)
        by = self.principal(person_id)
        self.services.cases.publishing.set_audience(by, case_id, [w for w, _ in wanted])
        self._set_direct(held, wanted, person_id)
        self._narrow(document_id)

    def _withdraw_case(self, step: Step) -> None:
        mine = self.cases
        fit = [
            (p, c) for p, c in self._writing() if mine.sees(p, c) and mine.speaks(p, mine.forms[c].branch_id)
        ]
        person_id, case_id = self._one(step, fit)
        document_id = mine.edition(case_id)
        assert document_id
        why = reason(self.world.documents[document_id].slot)
        digests = self.services.cases.publishing.withdraw(self.principal(person_id), case_id, why)
        for digest in digests:
            self.services.originals.discard(digest)
        mine.forms[case_id].written += why
        self._take_out(document_id, person_id, why)

    def _take_out(self, document_id: str, person_id: str, why: str) -> None:
        """All editions of a case go together."""
        of = [f for f in self.cases.forms.values() if document_id in f.editions]
        ids = [d for f in of for d in f.editions if d in self.world.documents] or [document_id]
        for taken_id in ids:
            self.world.gone[taken_id] = held = self.world.documents.pop(taken_id)
            held.taken_out_by, held.reason = person_id, why

    # -- what comes of it

    def _adopt(self, step: Step) -> None:
        mine = self.cases
        fit = [
            (p, b, c) for c, form in mine.forms.items() for p, b in self._speaking(c) if b != form.branch_id
        ]
        person_id, branch_id, case_id = self._one(step, fit)
        word, is_open = mine.word(), step.d % 2 == 0
        progress = list(Progress)[step.c % 4]
        effect = list(Effect)[step.d % 3] if progress is Progress.DONE else None
        adoption_id = self.services.cases.adoptions.adopt(
            self.principal(person_id), case_id, branch_id, progress, effect=effect, note=word, open=is_open
        )
        found = mine.adoptions.setdefault(adoption_id, Adopted(case_id, branch_id, is_open))
        found.notes, found.open = found.notes + word, is_open

    def _drop_adoption(self, step: Step) -> None:
        mine = self.cases
        fit = [(p, a) for a, f in mine.adoptions.items() for p, b in self._speaking() if b == f.branch_id]
        person_id, adoption_id = self._one(step, fit)
        self.services.cases.adoptions.drop(self.principal(person_id), adoption_id)
        del mine.adoptions[adoption_id]

    def _say(self, step: Step) -> None:
        mine = self.cases
        fit = [(p, b, c) for c in mine.forms for p, b in self._speaking(c)]
        person_id, branch_id, case_id = self._one(step, fit)
        word, is_open = mine.word(), step.d % 2 == 0
        feedback_id = self.services.cases.adoptions.say(
            self.principal(person_id), case_id, branch_id, word, open=is_open
        )
        mine.feedback[feedback_id] = Feedback(case_id, branch_id, is_open, word)

    # -- open questions

    def _ask_partners(self, step: Step) -> None:
        mine = self.cases
        if len(mine.questions) >= MOST_QUESTIONS:
            return
        person_id, branch_id = self._one(step, self._speaking())
        wanted = self._audience(step, branch_id)
        problem, detail = mine.word(), mine.word()
        question_id = self.services.cases.questions.ask(
            self.principal(person_id), branch_id, f"{problem}共建活动怎么办", detail, [w for w, _ in wanted]
        )
        audiences = self._of_people(branch_id, wanted)
        self._agree_on_tokens(question_audiences, "question_id", question_id, audiences)
        mine.questions[question_id] = Asked(branch_id, audiences, problem + detail)

    def _answer_partners(self, step: Step) -> None:
        mine = self.cases
        fit = [
            (p, b, q)
            for q, asked in mine.questions.items()
            for p, b in self._speaking()
            if mine.given(p, asked) and not asked.is_closed
        ]
        person_id, branch_id, question_id = self._one(step, fit)
        if sum(len(q.answers) for q in mine.questions.values()) >= MOST_ANSWERS:
            return
        own = [c for c, form in mine.forms.items() if form.branch_id == branch_id and mine.sees(person_id, c)]
        case_id = own[step.d % len(own)] if own else None
        word = "" if case_id and step.c % 3 == 0 else mine.word()
        answer_id = self.services.cases.questions.answer(
            self.principal(person_id), question_id, branch_id, word, case_id
        )
        mine.questions[question_id].answers[answer_id] = Answer(branch_id, word, case_id)

    def _close_question(self, step: Step) -> None:
        mine = self.cases
        fit = [
            (p, q)
            for q, asked in mine.questions.items()
            for p, b in self._speaking()
            if b == asked.branch_id and not asked.is_closed
        ]
        person_id, question_id = self._one(step, fit)
        known = [c for c in mine.forms if mine.sees(person_id, c)]
        settled_by = known[step.c % len(known)] if known else None
        self.services.cases.questions.close(self.principal(person_id), question_id, settled_by=settled_by)
        mine.questions[question_id].is_closed = True

    def _audience(self, step: Step, branch_id: str) -> list[tuple[Wanted, Audience]]:
        """People, not everyone; and not to be passed on."""
        wanted = self._wanted(step, branch_id, step.d if step.d % 6 else 2)
        found = [(Wanted(w.audience), a) for w, a in wanted if a != ("everyone",)]
        return found or [(Wanted("partners"), ("partners", branch_id))]

    def _of_people(self, branch_id: str, wanted: Sequence[tuple[Wanted, Audience]]) -> tuple[Audience, ...]:
        return tuple(dict.fromkeys([*(a for _, a in wanted), ("branch", branch_id)]))

    def _agree_on_tokens(self, table: Any, name: str, id_: str, audiences: Sequence[Audience]) -> None:
        with self.services.catalog.engine.connect() as connection:
            found = connection.execute(select(table.c.token).where(table.c[name] == id_)).scalars()
            assert set(found) == set(map(token_of, audiences))

    # -- ballots

    def _call_ballot(self, step: Step) -> None:
        mine = self.cases
        if len(mine.ballots) >= MOST_BALLOTS:
            return
        world, fit = self.world, self._speaking()
        with_partners = [
            (p, b) for p, b in fit if any(world.are_partners(b, other) for other in world.branches)
        ]
        person_id, branch_id = self._one(step, with_partners or fit)
        wanted = [*self._audience(step, branch_id), (Wanted("partners"), ("partners", branch_id))]
        word, now = mine.word(), self.services.access.office.now()
        ballot_id = self.services.cases.ballots.call(
            self.principal(person_id),
            branch_id,
            f"{word}评选",
            now,
            now + days(1 + step.c % 9),
            1 + step.d % 3,
            1 + step.a % 2,
            [w for w, _ in wanted],
        )
        audiences = self._of_people(branch_id, wanted)
        self._agree_on_tokens(ballot_audiences, "ballot_id", ballot_id, audiences)
        mine.ballots[ballot_id] = Called(branch_id, audiences, word)

    def _nominate(self, step: Step) -> None:
        mine = self.cases
        fit = [
            (p, b, c)
            for b, ballot in mine.ballots.items()
            for c, form in mine.forms.items()
            for p, own in self._speaking(c)
            if own == form.branch_id and mine.given(p, ballot) and c not in ballot.nominated
        ]
        person_id, ballot_id, case_id = self._one(step, fit)
        self.services.cases.ballots.nominate(self.principal(person_id), ballot_id, case_id)
        mine.ballots[ballot_id].nominated.append(case_id)

    def _vote(self, step: Step) -> None:
        mine = self.cases
        fit = [
            (p, own, b, c)
            for b, ballot in mine.ballots.items()
            for c in ballot.nominated
            for p, own in self._speaking(c)
            if own != mine.forms[c].branch_id and mine.given(p, ballot)
        ]
        person_id, branch_id, ballot_id, case_id = self._one(step, fit)
        self.services.cases.ballots.vote(self.principal(person_id), ballot_id, branch_id, [case_id])

    def _end_ballot(self, step: Step) -> None:
        fit = [
            (p, b)
            for b, ballot in self.cases.ballots.items()
            for p, own in self._speaking()
            if own == ballot.branch_id
        ]
        person_id, ballot_id = self._one(step, fit)
        self.services.cases.ballots.end(self.principal(person_id), ballot_id)
