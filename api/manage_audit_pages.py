"""Administration pages of the audit trail: seen, filtered, checked, taken away."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, StreamingResponse

from access.audit import Event
from access.principal import Principal
from access.rights import Action
from api.access_words import ACTION_WORDS
from api.audit_words import GROUPS, OBJECTS, cell, detail_words, local_time
from api.manage import may_anywhere, show
from api.pages import attachment
from api.principal import Asker
from api.services import Services

PAGE = 50
_HEADER = ("序号", "时间", "人员", "人员编号", "组织编号", "操作", "操作代码", "对象", "对象编号", "说明")
_UNKNOWN = "其他组织人员或系统管理员"
_NOBODY = "系统或未登录的人"


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as it is shown. `href` is where its object can be seen, empty where it cannot."""

    event: Event
    at: datetime
    who: str
    branch: str
    action: str
    kind: str
    called: str
    href: str
    detail: str


def router(services: Services) -> APIRouter:
    """The routes of the trail."""
    pages = APIRouter(prefix="/manage")
    audit = services.access.audit

    @pages.get("/audit")
    def trail(
        request: Request,
        asker: Asker,
        action: str = "",
        person: str = "",
        object_id: str = "",
        before: str = "",
        check: bool = False,
    ) -> HTMLResponse:
        """The latest entries that the asker may see."""
        object_id = object_id.strip()
        chosen = {"action": action, "person": person, "object_id": object_id}
        if check:
            asker.require_operator()
        found = audit.events(
            asker,
            action=action,
            person_id=person,
            object_id=object_id,
            before=int(before) if before.isdecimal() and len(before) < 18 else None,
            k=PAGE + 1,
        )
        older = {**chosen, "before": str(found[PAGE - 1].seq)} if len(found) > PAGE else {}
        context = {
            "lines": _lines(services, asker, found[:PAGE]),
            "chosen": chosen,
            "people": _people(services, asker, person),
            "older": "/manage/audit?" + urlencode(older) if older else "",
            "is_first": not before,
            "verdict": audit.verify() if check else None,
            "GROUPS": GROUPS,
        }
        return show(request, "manage-audit.html", context)

    @pages.get("/audit.csv")
    def as_table(asker: Asker) -> StreamingResponse:
        """Every entry that the asker may see, for a spreadsheet."""
        asker.require_person()
        return _download(_table(services, asker, audit.export(asker)), "text/csv", "操作记录.csv")

    @pages.get("/audit.jsonl")
    def as_lines(asker: Asker) -> StreamingResponse:
        """The same, one JSON object a line."""
        asker.require_person()
        lines = (json.dumps(asdict(e), ensure_ascii=False) + "\n" for e in audit.export(asker))
        return _download(lines, "application/x-ndjson", "操作记录.jsonl")

    return pages


def _download(lines: Iterator[str], media_type: str, name: str) -> StreamingResponse:
    headers = {"Content-Disposition": attachment(name)}
    return StreamingResponse(lines, media_type=f"{media_type}; charset=utf-8", headers=headers)


def _people(services: Services, asker: Principal, chosen: str) -> dict[str, str]:
    """Whom the list can be narrowed to: people of the branches whose trail the asker sees, and who is chosen."""
    people = services.access.people
    listed = [p for b in may_anywhere(asker, Action.SEE_AUDIT) for p in people.of_branch(asker, b)]
    found = {p.person_id: p.name for p in listed}
    found |= {asker.require_person(): asker.name}
    if chosen and chosen not in found:
        found[chosen] = people.names(asker, [chosen]).get(chosen, chosen)
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _lines(services: Services, asker: Principal, events: list[Event]) -> list[Line]:
    known = _Known(services, asker, events)
    return [
        Line(
            e,
            datetime.fromisoformat(e.at),
            known.who(e),
            known.branches.get(e.branch_id or "", e.branch_id or ""),
            ACTION_WORDS.get(e.action, e.action),
            OBJECTS.get(e.object_kind, e.object_kind),
            *known.called(e),
            detail_words(e),
        )
        for e in events
    ]


class _Known:
    """Names, of whatever the entries tell, that the asker may know now."""

    def __init__(self, services: Services, asker: Principal, events: Iterable[Event]) -> None:
        access = services.access
        listed = list(events)
        ids: dict[str, set[str]] = {"person": {e.person_id for e in listed if e.person_id}}
        for e in listed:
            ids.setdefault(e.object_kind, set()).add(e.object_id)
        self.people = access.people.names(asker, ids["person"])
        seen = {b.branch_id for b in access.branches.seen(asker)} | asker.branches
        self.branches = {b: n for b, n in access.branches.names().items() if asker.operator or b in seen}
        visible = services.catalog.visible(sorted(ids.get("document", ())), asker.scope)
        self._objects: Mapping[str, dict[str, str]] = {
            "document": {i: services.card(i, asker.scope).title for i in visible},
            "person": self.people,
            "branch": self.branches,
            "group": {g.group_id: g.name for g in access.groups.seen(asker)},
            "partnership": {
                p.partnership_id: " 与 ".join(
                    self.branches.get(b, "另一组织") for b in (p.proposer_id, p.partner_id)
                )
                for p in access.partnerships.seen(asker)
            },
        }
        self._pages = {"document": "/documents/", "group": "/manage/groups/"}
        self._pages["partnership"] = "/manage/partnerships/"
        if asker.operator or may_anywhere(asker, Action.SEE_PEOPLE):
            self._pages["person"] = "/manage/people/"

    def who(self, event: Event) -> str:
        """Who did it."""
        return self.people.get(event.person_id, _UNKNOWN) if event.person_id else _NOBODY

    def called(self, event: Event) -> tuple[str, str]:
        """What the object is called and where it can be seen; its id where the asker may not know."""
        name = self._objects.get(event.object_kind, {}).get(event.object_id)
        page = self._pages.get(event.object_kind)
        return (name or event.object_id, f"{page}{event.object_id}" if name and page else "")


def _table(services: Services, asker: Principal, events: Iterator[Event]) -> Iterator[str]:
    """Rows of a table in UTF-8 with a mark, by which Excel knows it."""
    yield "\ufeff" + _row(_HEADER)
    names: dict[str, str] = {}
    for e in events:
        if e.person_id and e.person_id not in names:
            names[e.person_id] = services.access.people.names(asker, [e.person_id]).get(e.person_id, _UNKNOWN)
        yield _row(
            (
                str(e.seq),
                local_time(e.at).strftime("%Y-%m-%d %H:%M:%S"),
                names[e.person_id] if e.person_id else _NOBODY,
                e.person_id or "",
                e.branch_id or "",
                ACTION_WORDS.get(e.action, e.action),
                e.action,
                OBJECTS.get(e.object_kind, e.object_kind),
                e.object_id,
                detail_words(e),
            )
        )


def _row(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([cell(c) for c in cells])
    return out.getvalue()
