"""HTTP under /v1 for making questions and for the bank: what is there, editing, review."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from access.principal import Principal
from access.rights import Action
from api import quiz_schemas as schemas
from api.access_schemas import BRANCH, DERIVED, IdPath
from api.forms import OwnRequest
from api.principal import Asker
from api.schemas import ANY, CHANGE, problems
from api.services import Services
from quiz.bank import Bank, Kept
from quiz.generation.generator import Generator, Material
from quiz.model import State, Type, question_json, question_of

Json = dict[str, Any]
USUAL = frozenset({Type.SINGLE, Type.MULTIPLE, Type.TRUE_FALSE, Type.BLANK})
"""Types that are made where none is asked for."""

_SEEN = problems(400, 403, 404)
_CHANGED: Json = {"responses": problems(*CHANGE, 404), "dependencies": [OwnRequest]}


def router(services: Services) -> APIRouter:
    """The routes under /v1 over questions."""
    routes = APIRouter(prefix="/v1", responses=problems(*ANY))
    _add_making(routes, services.quiz.generator)
    _add_reading(routes, services.quiz.bank)
    _add_changing(routes, services.quiz.bank)
    return routes


def _add_making(routes: APIRouter, generator: Generator) -> None:
    @routes.post(
        "/quiz/generate",
        summary="Make questions from material, each with the clause that proves it; nothing is kept",
        response_model=schemas.MadeQuestions,
        **_CHANGED,
    )
    def generate(asker: Asker, body: schemas.Making) -> Json:
        _require_trainer(asker)
        made = generator.generate(
            Material(body.document_id, tuple(body.anchors), body.query, body.phrase),
            asker.scope,
            types=frozenset(body.types) or USUAL,
            n=body.n,
            seed=body.seed,
        )
        return {"questions": [question_json(q) for q in made.questions], "rejected": dict(made.rejected)}


def _add_reading(routes: APIRouter, bank: Bank) -> None:
    @routes.get(
        "/questions",
        summary="Questions of a branch's bank, those handed in last first",
        response_model=schemas.KeptQuestions,
        responses=problems(400, 403),
    )
    def questions(
        asker: Asker,
        branch: Annotated[str, Query(pattern=BRANCH, description="The branch whose bank it is.")],
        state: Annotated[list[State] | None, Query()] = None,
        type: Annotated[list[Type] | None, Query()] = None,
        document_id: Annotated[str | None, Query(pattern=DERIVED)] = None,
        topic: Annotated[str | None, Query(max_length=200)] = None,
        q: Annotated[str | None, Query(max_length=200, description="Text of the stem.")] = None,
        stale: Annotated[bool | None, Query(description="Whether what they cite has ended.")] = None,
        offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
        k: Annotated[int, Query(ge=1, le=200)] = 30,
    ) -> Json:
        total, found = bank.questions(
            asker,
            branch,
            states=state or (),
            types=type or (),
            document_id=document_id,
            topic=topic,
            text=q,
            stale=stale,
            offset=offset,
            k=k,
        )
        return {"total": total, "questions": [_kept(f) for f in found]}

    @routes.get(
        "/questions/{question_id}",
        summary="One question, at its latest version or another",
        response_model=schemas.KeptQuestion,
        responses=_SEEN,
    )
    def question(
        asker: Asker, question_id: IdPath, version: Annotated[int | None, Query(ge=1, le=2**31)] = None
    ) -> Json:
        return _kept(bank.question(asker, question_id, version))

    @routes.get(
        "/questions/{question_id}/history",
        summary="The versions of a question, and its reviews",
        response_model=schemas.QuestionHistory,
        responses=_SEEN,
    )
    def history(asker: Asker, question_id: IdPath) -> Json:
        found = bank.history(asker, question_id)
        return {
            "versions": [
                {
                    "version": v.version,
                    "question": question_json(v.question),
                    "made_by": v.made_by,
                    "name": v.name,
                    "made_at": v.made_at,
                }
                for v in found.versions
            ],
            "reviews": [asdict(r) for r in found.reviews],
        }

    @routes.get(
        "/questions/{question_id}/duplicates",
        summary="Questions of the same bank that ask nearly the same, or at the same place",
        response_model=schemas.KeptQuestions,
        responses=_SEEN,
    )
    def duplicates(asker: Asker, question_id: IdPath) -> Json:
        found = [_kept(f) for f in bank.duplicates(asker, question_id)]
        return {"total": len(found), "questions": found}


def _add_changing(routes: APIRouter, bank: Bank) -> None:
    @routes.post(
        "/questions",
        summary="Hand questions in; what the bank holds already is passed over",
        status_code=201,
        response_model=schemas.AddedQuestions,
        **_CHANGED,
    )
    def add(asker: Asker, body: schemas.NewQuestions) -> Json:
        new = [question_of(q.model_dump()) for q in body.questions]
        added = bank.add(asker, body.branch_id, new, state=body.state)
        return {"question_ids": added.ids, "duplicates": added.duplicates}

    @routes.put(
        "/questions/{question_id}",
        summary="Make the next version of a question, which goes to review",
        response_model=schemas.Edited,
        **_CHANGED,
    )
    def edit(asker: Asker, question_id: IdPath, body: schemas.Edit) -> Json:
        kept, failures = bank.edit(
            asker, question_id, question_of(body.question.model_dump()), seen_version=body.seen_version
        )
        return {
            "kept": _kept(kept),
            "failures": [{"gate": f.gate, "reason": f.reason} for f in failures],
        }

    @routes.post(
        "/questions/{question_id}/state",
        summary="Send a question to review, approve it, or take it out of use",
        response_model=schemas.KeptQuestion,
        **_CHANGED,
    )
    def move(asker: Asker, question_id: IdPath, body: schemas.Move) -> Json:
        return _kept(
            bank.set_state(asker, question_id, body.state, body.reason, seen_version=body.seen_version)
        )


def _require_trainer(asker: Principal) -> None:
    """Refuse whoever makes questions for no branch at all."""
    own = next((b for b in asker.roles if asker.may(Action.QUIZ, b)), None)
    asker.require(Action.QUIZ, own)


def _kept(kept: Kept) -> Json:
    return {
        "question_id": kept.question_id,
        "version": kept.version,
        "branch_id": kept.branch_id,
        "state": kept.state,
        "note": kept.note,
        "stale": kept.stale,
        "added_by": kept.added_by,
        "added_at": kept.added_at,
        "changed_at": kept.changed_at,
        "question": question_json(kept.question),
    }
