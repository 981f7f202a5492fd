"""The page by which questions come into a bank from a file: looked over with their clauses before any is taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from access.principal import Principal
from api.address import Problem
from api.forms import OwnForm
from api.principal import Asker
from api.question_desk import Desk, Sealed, taken_in
from api.question_views import excerpted
from api.services import Services
from kb.errors import DocumentError
from quiz.exchange import ReadableFormat, Row, readable
from quiz.linking import Linking
from quiz.model import Question

MOST_READ = 300
"""Questions taken from one file."""
MOST_MB = 10
_UNREADABLE = "“{name}”里读不出题。请看下面各种格式的样子，或选对是哪种再试。"


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A question of a file as it is looked over: with its clause marked, and the gates that it fails."""

    place: str
    question: Question | None
    problem: str
    quoted: Markup | None = None
    failures: Sequence[object] = ()


def router(services: Services) -> APIRouter:
    """The routes of importing."""
    pages = APIRouter(include_in_schema=False)
    generator = services.quiz.generator

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
        return taken_in(services, asker, branch, sealed, taken)

    return pages


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
