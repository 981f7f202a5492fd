"""The pages of what branches keep: handing documents in, how that goes, and who sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from access.branches import Branch
from access.principal import Principal
from access.rights import Action
from access.sharing import OWN, Wanted
from api import views
from api.address import Problem
from api.audience_words import AudienceWords, wanted_of
from api.forms import OwnForm
from api.jobs import Job
from api.manage import require_in
from api.pages import render
from api.principal import Asker
from api.services import Services
from ingest.readers import media_type_of, readers
from kb.errors import InvalidRequest, NotFound, Refused, UnsupportedFormat
from kb.model import DocumentCard, Source

MAX_FILES = 20
PER_PAGE = 30
_LONGEST_NAME = 200

FAILED: Mapping[str, str] = {
    "empty_source": "里面没有文字。扫描件请先识别成文字再交。",
    "unreadable_source": "读不出来：文件已损坏、加了密，或内容和扩展名不符。请用原软件打开，另存一份再交。",
    "oversize_source": "太大了。请拆成几份再交。",
    "unsupported_format": "这种格式读不了。请另存为 Word（.docx）或 PDF 再交。",
    "structure_error": "条文编号前后矛盾。请核对原件，改好再交。",
    "withdrawn": "这份材料交过，后来撤下了，不能直接再交。要恢复请联系管理员。",
    "forbidden": "您已不能往这个支部交材料。请联系该支部的管理员。",
    "not_found": "共享对象已不在了，或您的账号已停用。请重新选择后再交。",
    "invalid_request": "有的对象已不能共享，共建可能已经结束。请重新选择后再交。",
}
"""Why a file did not go in, and what to do, by the code of its error."""
BROKEN = "我们这边出了问题。请稍后再交一次；还是不行，请告诉系统管理员。"

DONE: Mapping[str, str] = {
    "withdrawn": "已撤下，现在谁也看不到它了。",
    "taken-over": "已接管。它现在只有您能看到，可以打开后重新共享。",
}


@dataclass(frozen=True, slots=True)
class KeptCard:
    """A document in the list of a branch. `seen` is None unless somebody's eyes were borrowed."""

    card: DocumentCard
    audience: str
    seen: bool | None


def router(services: Services) -> APIRouter:
    """The routes of handing in, jobs and kept documents."""
    pages = APIRouter(prefix="/manage", include_in_schema=False)
    access = services.access

    def form(
        request: Request,
        by: Principal,
        branch_id: str,
        ticked: Sequence[Wanted],
        problems: Sequence[Problem] = (),
        names: Sequence[str] = (),
    ) -> HTMLResponse:
        by.require_person()
        own = _branches(services, by, Action.ADD)
        if not own:
            raise Refused("Cannot hand in: no branch of yours lets you.", "Ask its administrator.")
        chosen = next((b for b in own if b.branch_id == branch_id), own[0])
        context = {
            "branches": own,
            "branch": chosen,
            "form": AudienceWords(access, by).form(chosen.branch_id, ticked),
            "names": names,
            "problems": problems,
            "suffixes": sorted(readers()),
            "max_files": MAX_FILES,
            "max_mb": services.settings.max_source_mb,
        }
        return render(request, "sharing-hand-in.html", context, status=400 if problems else 200)

    @pages.get("/hand-in")
    def hand_in(request: Request, asker: Asker, branch: str = "") -> HTMLResponse:
        """The form by which files are handed in."""
        return form(request, asker, branch, [Wanted(OWN)])

    @pages.post("/hand-in", dependencies=[OwnForm])
    def take(
        request: Request,
        asker: Asker,
        files: Annotated[list[UploadFile], File(default_factory=list)],
        audience: Annotated[list[str], Form(default_factory=list)],
        may_reshare: Annotated[list[str], Form(default_factory=list)],
        branch: Annotated[str, Form()] = "",
    ) -> Response:
        """Queue the files, once nothing is wrong with them."""
        require_in(asker, Action.ADD, branch)
        chosen = [f for f in files if f.filename]
        wanted, wrong = wanted_of(audience, may_reshare)
        problems = [*_wrong_files(chosen, services.settings.max_source_mb), *wrong]
        if not problems:
            try:
                sources = [_source(f) for f in chosen]
                job_id = services.jobs.ask(asker, branch, sources, wanted)
                return RedirectResponse(f"/manage/jobs#{job_id}", 303)
            except (InvalidRequest, NotFound, Refused):
                problems = [Problem("audience", "有的对象现在不能共享了，请看清后重新勾选。")]
        return form(request, asker, branch, wanted, problems, [_name(f) for f in chosen])

    @pages.get("/jobs")
    def jobs(request: Request, asker: Asker, part: str = "") -> HTMLResponse:
        """How the work stands; the list alone for the page that follows it."""
        found = services.jobs.seen(asker)
        context = {
            "jobs": found,
            "running": any(job.ended_at is None for job in found),
            "names": access.branches.names(),
            "why": why,
            "summary": summary,
        }
        return render(request, "sharing-jobs-list.html" if part == "list" else "sharing-jobs.html", context)

    @pages.get("/documents")
    def documents(
        request: Request,
        asker: Asker,
        as_: Annotated[str, Query(alias="as")] = "",
        branch: str = "",
        offset: int = 0,
        done: str = "",
    ) -> HTMLResponse:
        """What a branch of one's own keeps, with whom it is shared, and as whom it would be seen."""
        asker.require_person()
        own = _branches(services, asker, Action.READ)
        if branch and branch not in {b.branch_id for b in own}:
            raise NotFound(f"No branch {branch} of yours here.", "Choose one of your own.")
        at = next((b for b in own if b.branch_id == branch), own[0] if own else None)
        context = _kept(services, asker, at.branch_id, max(0, offset), as_) if at else {"cards": ()}
        return render(
            request,
            "sharing-documents.html",
            {
                "branches": own,
                "branch_options": [(b.branch_id, b.name) for b in own],
                "branch": at,
                "as_": as_,
                "done": DONE.get(done, ""),
                **context,
            },
        )

    @pages.post("/documents/{document_id}/take-over", dependencies=[OwnForm])
    def take_over(asker: Asker, document_id: str, branch: Annotated[str, Form()] = "") -> Response:
        """Become the owner of a document whose owner has left."""
        access.sharing.take_over(asker, branch, document_id)
        return RedirectResponse(f"/manage/documents?branch={branch}&done=taken-over", 303)

    return pages


def _branches(services: Services, by: Principal, action: Action) -> list[Branch]:
    return [
        b
        for b in services.access.branches.all()
        if b.branch_id in by.branches and by.may(action, b.branch_id)
    ]


# -- handing in ----------------------------------------------------------------------------


def _name(file: UploadFile) -> str:
    """The file's name without folders and without what cannot be shown."""
    base = PurePosixPath((file.filename or "").replace("\\", "/")).name
    return "".join(c for c in base if c.isprintable())[-_LONGEST_NAME:] or "未命名"


def _source(file: UploadFile) -> Source:
    name = _name(file)
    return Source(name, media_type_of(name), file.file.read())


def _wrong_files(files: Sequence[UploadFile], max_mb: int) -> list[Problem]:
    """What is wrong with the files, as far as one can tell without reading them."""
    if not files:
        return [Problem("files", "请选择要交的文件。")]
    if len(files) > MAX_FILES:
        return [Problem("files", f"一次最多交 {MAX_FILES} 个文件，您选了 {len(files)} 个。请分几次交。")]
    found = []
    for file in files:
        name, size = _name(file), file.size or 0
        try:
            media_type_of(name)
        except UnsupportedFormat:
            found.append(
                Problem("files", f"“{name}”：这种格式读不了。能读的有 {' '.join(sorted(readers()))}。")
            )
            continue
        if not size:
            found.append(Problem("files", f"“{name}”是空文件。请确认选对了文件。"))
        elif size > max_mb * 1024 * 1024:
            found.append(Problem("files", f"“{name}”超过 {max_mb} MB。请拆成几份。"))
    return found


# -- jobs ------------------------------------------------------------------------------------


def why(code: str) -> str:
    """Why a file did not go in, and what to do."""
    return FAILED.get(code, BROKEN)


def summary(job: Job) -> str:
    """How a job stands, in one line."""
    if job.state == "waiting":
        return f"排队中，共 {job.total} 个文件"
    if job.state == "running":
        return f"正在读入，已完成 {job.done} 个，共 {job.total} 个文件"
    if not job.outcomes:
        return f"已结束，共 {job.total} 个文件"
    n = {s: sum(o["status"] == s for o in job.outcomes) for s in ("added", "unchanged", "failed")}
    words = (("added", "交入"), ("unchanged", "已有"), ("failed", "没有交入"))
    return "，".join(f"{word} {n[status]} 个" for status, word in words if n[status])


# -- kept documents -----------------------------------------------------------------------------


def _kept(services: Services, by: Principal, branch_id: str, offset: int, as_: str) -> dict[str, object]:
    sharing, words = services.access.sharing, AudienceWords(services.access, by)
    total = services.catalog.count(by.scope, branch_id=branch_id)
    cards = services.catalog.cards(by.scope, services.today(), branch_id=branch_id, offset=offset, k=PER_PAGE)
    sees = by.may(Action.SEE_AUDIENCE, branch_id)
    eyes = _eyes(services, by, branch_id, words) if sees else []
    seen: dict[str, bool] = {}
    if as_:
        if as_ not in {value for value, _ in eyes}:
            raise NotFound(f"Nobody {as_} to see as here.", "Choose one from the list.")
        kind, _, who = as_.partition(":")
        borrowed = {"branch_id": who} if kind == "branch" else {"person_id": who}
        seen = {card.document_id: yes for card, yes in sharing.as_seen_by(by, cards, **borrowed)}
    manages = by.may(Action.MANAGE_BRANCH, branch_id)
    withdraws = by.may(Action.WITHDRAW, branch_id)
    return {
        "cards": tuple(
            KeptCard(
                card,
                words.told(sharing.shares(by, card.document_id), branch_id) if sees else "",
                seen.get(card.document_id) if as_ else None,
            )
            for card in cards
        ),
        "total": total,
        "pager": views.pager(offset // PER_PAGE + 1, total, PER_PAGE),
        "per_page": PER_PAGE,
        "eyes": eyes,
        "as_words": dict(eyes).get(as_, ""),
        "ownerless": sharing.ownerless(by, branch_id) if manages else [],
        "withdrawn": sharing.withdrawn(by, branch_id) if withdraws else [],
        "may_add": by.may(Action.ADD, branch_id),
    }


def _eyes(services: Services, by: Principal, branch_id: str, words: AudienceWords) -> list[tuple[str, str]]:
    """As whom the asker may look at what the branch keeps: value and words."""
    choices = services.access.sharing.choices(by, branch_id)
    offered = [f"branch:{branch_id}", *(c for c in choices if c.startswith("branch:"))]
    found = [(c, words.branch(c.removeprefix("branch:"))) for c in offered]
    if by.may(Action.SEE_PEOPLE, branch_id):
        people = services.access.people.of_branch(by, branch_id)
        found += [(f"person:{p.person_id}", p.name) for p in people if p.active]
    return found
