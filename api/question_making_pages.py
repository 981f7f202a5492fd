"""The page by which questions are made: what from, which types; then what was made, to be chosen from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response
from starlette.datastructures import QueryParams

from access.principal import Principal
from api.address import VALIDITY_WORDS, Problem
from api.document_view import in_force
from api.forms import OwnForm
from api.principal import Asker
from api.question_desk import Desk, Sealed, taken_in
from api.question_views import excerpted
from api.quiz_words import DROPPED
from api.services import Services
from kb.model import Document, Validity
from quiz.generation.generator import Material
from quiz.model import Type

MOST = 100
"""Questions made at once."""
_FOUND = 10
_BEGINS = 40
_USUAL = (Type.SINGLE, Type.MULTIPLE, Type.TRUE_FALSE, Type.BLANK)
LONGEST = 200
"""Characters of a query or phrase."""
KINDS = ("document", "query", "phrase")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be made, as an address states it. `n` stays as typed."""

    branch: str = ""
    kind: str = "document"
    document: str = ""
    anchors: tuple[str, ...] = ()
    query: str = ""
    phrase: str = ""
    types: tuple[Type, ...] = ()
    n: str = "10"
    seed: int = 0

    @classmethod
    def read(cls, params: QueryParams) -> "Wish":
        """The wish of an address; the usual types where it has not been filled in yet."""
        kind, seed = params.get("from", ""), params.get("seed", "")
        types = tuple(Type(t) for t in dict.fromkeys(params.getlist("type")) if t in set(Type))
        return cls(
            params.get("branch", "").strip(),
            kind if kind in KINDS else KINDS[0],
            params.get("document", "").strip(),
            tuple(dict.fromkeys(params.getlist("anchor"))),
            params.get("query", "").strip(),
            params.get("phrase", "").strip(),
            types if types or "n" in params else _USUAL,
            params.get("n", "10").strip(),
            int(seed) if seed.isascii() and seed.isdigit() and len(seed) < 10 else 0,
        )

    def address(self, **more: Any) -> str:
        """The address of the page that has this wish."""
        named = {
            "branch": self.branch,
            "from": self.kind,
            "document": self.document,
            "anchor": self.anchors,
            "query": self.query,
            "phrase": self.phrase,
            "type": self.types,
            "n": self.n,
            "seed": self.seed,
            **more,
        }
        return "/manage/questions/generate?" + urlencode({k: v for k, v in named.items() if v}, doseq=True)

    def problems(self) -> list[Problem]:
        """What is to be mended before anything can be made."""
        found = []
        if self.kind == "query" and not self.query:
            found.append(Problem("query", "请写主题。"))
        if self.kind == "phrase" and not self.phrase:
            found.append(Problem("phrase", "请写固定提法，照抄原文。"))
        if len(self.query) > LONGEST or len(self.phrase) > LONGEST:
            found.append(Problem(self.kind, f"请写短一些，最多 {LONGEST} 字。"))
        if not self.types:
            found.append(Problem("type", "请至少选一种题型。"))
        if not (self.n.isascii() and self.n.isdigit() and 1 <= int(self.n[:9]) <= MOST):
            found.append(Problem("n", f"请填 1 至 {MOST} 之间的数。"))
        return found

    @property
    def material(self) -> Material:
        """What the generator takes."""
        if self.kind == "document":
            return Material(self.document, self.anchors, None, None)
        return Material(None, (), self.query or None, self.phrase or None)


@dataclass(frozen=True, slots=True)
class ClauseChoice:
    """A clause to tick, and how it begins."""

    anchor: str
    label: str
    begins: str


def router(services: Services) -> APIRouter:
    """The routes of making."""
    pages = APIRouter(include_in_schema=False)
    generator = services.quiz.generator

    @pages.get("/generate")
    def generate(request: Request, asker: Asker, find: str = "", go: str = "") -> HTMLResponse:
        """What to make questions from; or what was made, to be chosen from."""
        wish = Wish.read(request.query_params)
        desk = Desk(services, request, asker, wish.branch)
        wish = replace(wish, branch=desk.branch.branch_id)
        document = services.document(wish.document, asker.scope) if wish.document else None
        versions = services.versions(wish.document, asker.scope) if document else ()
        standing = next((c.validity for c in versions if c.document_id == wish.document), Validity.IN_FORCE)
        problems = wish.problems() if go else []
        shown: dict[str, Any] = {
            "wish": wish,
            "find": find.strip(),
            "found": services.suggest(find.strip(), asker.scope, _FOUND) if find.strip() else (),
            "document": document,
            "standing": standing,
            "newer": in_force(versions, wish.document),
            "clauses": _choices(document) if document else (),
            "MOST": MOST,
            "LONGEST": LONGEST,
            "made": None,
        }
        if go and not problems and (document or wish.kind != "document"):
            shown |= _made(desk, asker, wish, document, standing)
        return desk.show("quiz-generate.html", shown, problems=problems)

    def _made(
        desk: Desk, by: Principal, wish: Wish, document: Document | None, standing: Validity
    ) -> dict[str, Any]:
        made = generator.generate(
            wish.material, by.scope, types=frozenset(wish.types), n=int(wish.n), seed=wish.seed
        )
        questions = made.questions
        return {
            "made": [(q, excerpted(q)) for q in questions],
            "about": _about(wish, document),
            "nothing": _nothing(wish, made.rejected, standing),
            "rejected": [(DROPPED[int(g)], n) for g, n in _counted(made.rejected)]
            if standing is Validity.IN_FORCE
            else [],
            "sealed": Sealed(services, by, desk.branch.branch_id).seal(questions),
            "wish_address": wish.address(),
            "another": replace(wish, seed=wish.seed + 1).address(go=1),
        }

    @pages.post("/generate", dependencies=[OwnForm])
    def keep(
        request: Request,
        asker: Asker,
        branch: Annotated[str, Form()],
        sealed: Annotated[str, Form()],
        taken: Annotated[list[str], Form(alias="take", default_factory=list)],
    ) -> Response:
        """Take what was ticked into the bank."""
        Desk(services, request, asker, branch)
        return taken_in(services, asker, branch, sealed, taken)

    return pages


def _choices(document: Document) -> tuple[ClauseChoice, ...]:
    found = []
    for clause in document.clauses:
        text = " ".join(document.text[clause.start : clause.end].removeprefix(clause.label).split())
        label = clause.label or (clause.path[-1] if clause.path else "")
        found.append(
            ClauseChoice(clause.anchor, label, text[:_BEGINS] + ("…" if len(text) > _BEGINS else ""))
        )
    return tuple(found)


def _about(wish: Wish, document: Document | None) -> str:
    if document is None:
        return f"主题：{wish.query}" if wish.kind == "query" else f"固定提法：{wish.phrase}"
    some = f"，其中 {len(wish.anchors)} 条" if wish.anchors else ""
    return f"出自《{document.meta.title}》{some}"


def _nothing(wish: Wish, rejected: Mapping[str, int], standing: Validity) -> str:
    if standing is not Validity.IN_FORCE:
        return f"这份文献{VALIDITY_WORDS[standing]}。只从现行有效的文献出题，请换成现行版本。"
    if sum(rejected.values()):
        return "想到的题都没有通过检查，宁可不出。可以多选几种题型，或换一份材料。"
    if wish.kind == "phrase":
        return "您能看到的文献里没有这句提法。请照抄原文，一字不差。"
    if wish.kind == "query":
        return "没有找到说这件事的条款。换个说法，或从一份文献出题。"
    return "这份材料里没有数字、主体、条件、列举一类可以考的规定。可以多选几种题型，或换一份材料。"


def _counted(rejected: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(((g, n) for g, n in rejected.items() if n), key=lambda pair: -pair[1])
