"""The pages by which questions come into a bank: made from material, or brought in from a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup
from starlette.datastructures import QueryParams

from access.principal import Principal
from api.address import VALIDITY_WORDS, Problem
from api.document_view import in_force
from api.forms import OwnForm
from api.principal import Asker
from api.question_desk import Desk, Sealed
from api.question_views import excerpted
from api.quiz_words import DROPPED
from api.services import Services
from kb.errors import DocumentError
from kb.model import Document, Validity
from quiz.exchange import ReadableFormat, Row, readable
from quiz.generation.generator import Material
from quiz.linking import Linking
from quiz.model import Question, Type

MOST = 100
"""Questions made at once."""
MOST_READ = 300
"""Questions taken from one file."""
MOST_MB = 10
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


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A question of a file as it is looked over: with its clause marked, and the gates that it fails."""

    place: str
    question: Question | None
    problem: str
    quoted: Markup | None = None
    failures: Sequence[object] = ()


def router(services: Services) -> APIRouter:
    """The routes of making and importing."""
    pages = APIRouter(include_in_schema=False)
    bank, generator = services.quiz.bank, services.quiz.generator

    def take(by: Principal, branch: str, sealed: str, taken: Sequence[str]) -> RedirectResponse:
        questions = Sealed(services, by, branch).opened(sealed, taken)
        added = bank.add(by, branch, questions)
        to = {"branch": branch, "added": len(added.ids), "known": added.duplicates}
        return RedirectResponse("/manage/questions?" + urlencode(to), 303)

    # -- making ------------------------------------------------------------------------------

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
        return take(asker, branch, sealed, taken)

    # -- importing ---------------------------------------------------------------------------

    def form(desk: Desk, problems: Sequence[Problem] = (), chosen: str = "", **more: Any) -> HTMLResponse:
        known = readable()
        context = {
            "rows": None,
            "formats": known,
            "chosen_format": chosen,
            "suffixes": sorted({f.suffix for f in known.values()}),
            "MOST": MOST_READ,
            "MOST_MB": MOST_MB,
            **more,
        }
        return desk.show("quiz-import.html", context, problems=problems)

    @pages.get("/import")
    def choose(request: Request, asker: Asker, branch: str = "") -> HTMLResponse:
        """The form by which a file comes in."""
        return form(Desk(services, request, asker, branch))

    @pages.post("/import", dependencies=[OwnForm])
    def read(
        request: Request,
        asker: Asker,
        file: Annotated[UploadFile, File()],
        branch: Annotated[str, Form()] = "",
        format_: Annotated[str, Form(alias="format")] = "",
    ) -> HTMLResponse:
        """What a file holds and what was found for it, before anything is taken."""
        desk = Desk(services, request, asker, branch)
        name = PurePosixPath((file.filename or "").replace("\\", "/")).name
        data = file.file.read()
        wrong = _wrong_file(name, len(data))
        if wrong:
            return form(desk, [Problem("file", wrong)], format_)
        named, rows = _read(name, data, format_)
        if named is None:
            return form(desk, [Problem("file", _UNREADABLE.format(name=name))], format_)
        if len(rows) > MOST_READ:
            return form(
                desk,
                [Problem("file", f"里面有 {len(rows)} 道题，一次最多 {MOST_READ} 道。请拆成几份。")],
                format_,
            )
        found = [
            _looked_over(asker, row)
            for row in Linking(services.search, services.catalog, asker.scope).rows(rows)
        ]
        good = [row.question for row in found if row.question]
        return form(
            desk,
            rows=found,
            file_name=name,
            format_label=named.label,
            n_wrong=len(found) - len(good),
            n_linked=sum(q.citation is not None for q in good),
            sealed=Sealed(services, asker, desk.branch.branch_id).seal(good),
        )

    def _looked_over(by: Principal, row: Row) -> ReadRow:
        question = row.question
        if question is None:
            return ReadRow(row.place, None, row.problem)
        failures = generator.check(question, by.scope) if question.citation else ()
        return ReadRow(row.place, question, row.problem, excerpted(question), failures)

    @pages.post("/import/take", dependencies=[OwnForm])
    def take_read(
        request: Request,
        asker: Asker,
        branch: Annotated[str, Form()],
        sealed: Annotated[str, Form()],
        taken: Annotated[list[str], Form(alias="take", default_factory=list)],
    ) -> Response:
        """Take what was ticked into the bank."""
        Desk(services, request, asker, branch)
        return take(asker, branch, sealed, taken)

    return pages


_UNREADABLE = "“{name}”里读不出题。请看下面各种格式的样子，或选对是哪种再试。"


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


def _wrong_file(name: str, n_bytes: int) -> str:
    suffixes = sorted({f.suffix for f in readable().values()})
    if not n_bytes:
        return "请选择要导入的文件。" if not name else f"“{name}”是空文件。请确认选对了文件。"
    if n_bytes > MOST_MB * 1024 * 1024:
        return f"“{name}”超过 {MOST_MB} MB。请拆成几份。"
    if PurePosixPath(name).suffix.lower() not in suffixes:
        return f"“{name}”：这种文件读不了。能读的有 {' '.join(suffixes)}。"
    return ""


def _read(name: str, data: bytes, wanted: str) -> tuple[ReadableFormat | None, tuple[Row, ...]]:
    """The rows of a file, in the format wanted, else in the one of its suffix that makes most of it."""
    suffix = PurePosixPath(name).suffix.lower()
    known = readable()
    formats = [known[wanted]] if wanted in known else [f for f in known.values() if f.suffix == suffix]
    best: tuple[ReadableFormat | None, tuple[Row, ...]] = (None, ())
    for each in formats:
        try:
            rows = each.read(data)
        except DocumentError:
            continue
        if best[0] is None or _n_good(rows) > _n_good(best[1]):
            best = each, rows
    return best if best[1] else (None, ())


def _n_good(rows: Sequence[Row]) -> int:
    return sum(row.question is not None for row in rows)
