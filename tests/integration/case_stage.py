"""Cases that branches of two organisations shared, as the pages of cases are tried by."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from PIL import Image

from access.rights import Role
from access.sharing import Wanted
from api.principal import COOKIE
from cases.markdown import write_markdown
from cases.model import Body, Field
from ingest.metadata import Sidecar
from kb.model import Kind, Source, derive_id
from tests.integration.browser import DESK, chromium, serving
from tests.integration.manage_stage import Stage, full_stage

QUEUE: Body = {
    Field.TITLE: "食堂午饭排队的事，分三拨走",
    Field.INDUSTRY: "C",
    Field.PEOPLE: "180",
    Field.COST: "4200",
    Field.LEVEL: "solved",
    Field.BACKGROUND: "机修车间和装配车间共用一个食堂，窗口四个。",
    Field.PROBLEM: "中午十二点两个车间同时下班，队伍排到门外，轮到后面的人只剩十分钟吃饭。",
    Field.PRACTICE: "先记了一周人数。\n两个车间和办公楼错开一刻钟下班，交接班的时间不动。\n米饭放到外面自己盛。",
    Field.OUTCOME: "排队从二十二分钟降到六分钟，剩饭也少了。",
    Field.FIGURES: "平均排队|22|6|分钟\n投诉|9|0|件",
    Field.CONDITIONS: "班次能错开十五分钟以上。",
    Field.CARRIES_OVER: "记人数的表可以直接用。",
    Field.CONTACTS: "综合科，内线 3302。",
}
TOOLS: Body = {
    Field.TITLE: "工具借了不还，挂一块牌子",
    Field.INDUSTRY: "E",
    Field.PEOPLE: "35",
    Field.COST: "600",
    Field.LEVEL: "eased",
    Field.PROBLEM: "扳手和卡尺借出去找不到人，月月要补，谁也说不清在谁手里。",
    Field.PRACTICE: "每人五块铜牌，借一件挂一块，下班对牌。",
    Field.OUTCOME: "一个季度只少了一把卷尺，上一季度少了十四件。",
}
MINUTES: Body = {
    Field.TITLE: "会议记录没人愿意写",
    Field.LEVEL: "open",
    Field.PROBLEM: "每次会都推来推去，最后由年纪最轻的人写，写完也没有人看。",
    Field.PRACTICE: "试过轮流写和录音转文字。",
    Field.OUTCOME: "没有办成：轮了两个月又停了。",
}
SECRET: Body = {
    Field.TITLE: "门卫钥匙少了一把的处理",
    Field.INDUSTRY: "C",
    Field.PROBLEM: "钥匙柜里少了一把，隐秘钥匙事三天没有人说。",
    Field.PRACTICE: "换锁，改成双人签字。",
    Field.OUTCOME: "隐秘钥匙事没有再发生。",
}


@dataclass
class Cases:
    """The stage, and its cases: ids of cases and of their documents by name."""

    stage: Stage
    ids: Mapping[str, str]
    documents: Mapping[str, str]

    def seen_by(self, login: str) -> frozenset[str]:
        """The scope of a person; that of a guest without a login."""
        return self.stage.principal(login).scope if login else frozenset({"public"})


def share(stage: Stage, login: str, branch_id: str, body: Body, wanted: Sequence[str]) -> str:
    """A case that somebody handed in as a file; the id of its document."""
    text = write_markdown(
        body,
        case_id=derive_id(body[Field.TITLE]),
        revision=1,
        branch=stage.access.branches.names()[branch_id],
        on=date(2026, 3, 2),
    )
    source = Source(f"{body[Field.TITLE]}.md", "text/markdown", text.encode())
    outcome = stage.services.holdings.hand_in(
        stage.principal(login),
        branch_id,
        source,
        [Wanted(w) for w in wanted],
        sidecar=Sidecar(kind=Kind.CASE),
    )
    assert outcome.document_id, outcome
    return outcome.document_id


def case_stage(home: Path) -> Cases:
    """甲一 shared two cases with its partner and one with everyone; 乙一 keeps one to itself."""
    stage = full_stage(home)
    documents = {
        "queue": share(stage, "liaison", "jia-1", QUEUE, ["own", "partners"]),
        "tools": share(stage, "liaison", "jia-1", TOOLS, ["own", "partners"]),
        "minutes": share(stage, "liaison", "jia-1", MINUTES, ["everyone"]),
        "secret": share(stage, "other-liaison", "yi-1", SECRET, ["own"]),
    }
    library = stage.services.cases.library
    ids = {}
    for name, document_id in documents.items():
        by = "other-liaison" if name == "secret" else "liaison"
        found = library.of_document(stage.principal(by).scope, document_id)
        assert found, name
        ids[name] = found
    return Cases(stage, ids, documents)


def with_files(stage: Stage) -> str:
    """A case of 甲一 with a photograph and a text file, written, reviewed and published to its partner; the id."""
    services, writer = stage.services.cases, stage.principal("liaison")
    if "reviewer" not in stage.ids:
        stage.add("reviewer", **{"jia-1": Role.LIAISON})
    case_id = services.drafts.begin(writer, "jia-1", body={**QUEUE, Field.TITLE: "食堂窗口改造"})
    image = io.BytesIO()
    Image.new("RGB", (640, 480), (150, 120, 90)).save(image, "JPEG")
    photograph = Source("窗口.jpg", "image/jpeg", image.getvalue())
    services.attachments.add(writer, case_id, photograph, "改造后的窗口")
    services.attachments.add(
        writer, case_id, Source("人数表.csv", "text/csv", "日期,人数\n1日,412\n".encode())
    )
    services.drafts.submit(writer, case_id)
    services.drafts.approve(stage.principal("reviewer"), case_id)
    services.publishing.publish(writer, case_id, [Wanted("own"), Wanted("partners")])
    return case_id


@contextmanager
def opening(stage: Stage) -> Iterator[Callable[..., Any]]:
    """A function that opens pages for a person who is signed in; at the end no page may have complained."""
    complaints: list[str] = []
    with serving(stage.app) as site, chromium() as browser:

        def open_as(login: str, viewport: dict[str, int] = DESK, **options: object) -> Any:
            context = browser.new_context(viewport=viewport, base_url=site, **options)
            secret = stage.access.sessions.sign_in_as(stage.ids[login], "test")
            context.add_cookies([{"name": COOKIE, "value": secret, "url": site}])
            page = context.new_page()
            page.set_default_timeout(10_000)
            page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
            return page

        yield open_as
    assert complaints == []
