"""What a document says of itself: title, 文号, issuer, dates, kind, what it repeals.

Everything is read from the text; a line of `manifest.jsonl` beside the source
(see `ingest.pipeline`) overrides what the text leaves open or gets wrong.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from kb.errors import StructureError
from kb.model import Flow, Kind, Metadata, Reading, Validity
from kb.numerals import numeral_value

_CN = "零〇○一二三四五六七八九十"
_DATE = re.compile(
    rf"((?:19|20)[0-9]{{2}}|[一二][{_CN}]{{3}})\s*年\s*([0-9]{{1,2}}|[{_CN}]{{1,3}})\s*月\s*([0-9]{{1,2}}|[{_CN}]{{1,3}})\s*日"
)
_ISO_DATE = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})[-./]([01]?[0-9])[-./]([0-3]?[0-9])(?![0-9])")
_FILE_DATE = re.compile(r"[（(]((?:19|20)[0-9]{2})-([0-9]{2})-([0-9]{2})[)）]")
_NUMBER = re.compile(
    r"[\u4e00-\u9fff]{2,16}令第?[0-9０-９一二三四五六七八九十百]{1,6}号|[\u4e00-\u9fff]{1,14}\s?[〔\[［【(（]\s?(?:19|20)[0-9０-９]{2}\s?[〕\]］】)）]\s?(?:第)?[0-9０-９]{1,5}\s?号"
)
_EFFECT = re.compile(rf"自\s*({_DATE.pattern})\s*(?:起)?(?:正式)?(?:施行|实施|执行|生效)")
_EFFECT_AT_ISSUE = re.compile(
    r"自(?:本[\u4e00-\u9fff]{1,3})?(?:发布|公布|印发|下发|签发)之日起(?:正式)?(?:施行|实施|执行|生效)"
)
_ADOPTED = re.compile(rf"({_DATE.pattern})[^\n。年]{{0,60}}?(?:通过|批准|审议)")
_ISSUED = re.compile(rf"({_DATE.pattern})[^\n。年]{{0,40}}?(?:公布|发布|印发|公告|修正|修订)")
_PUBLISHED = re.compile(
    r"(?:发布时间|(?<!收稿)(?<!修回)(?<!修订)日期|发表时间|刊载|刊期|刊发|(?<!活动)(?<!会议)时间)[】]?\s*[：:]?\s*(?=[^，。]*[0-9一二]{4})"
)
_REPEAL = re.compile(r"[^。\n]*(?:同时废止|予以废止|即行废止|自行废止|停止执行)[^。\n]*")
_REPEALED_AFTER = re.compile(
    r"(?:\s*[（(][^）)]*[）)])?(?:[、，,和及与以]{1,3}(?:[^《》。；]{0,30})《|[^《》。；第]{0,16}(?:废止|停止执行))"
)
_BASIS = ("根据", "依据", "依照", "按照", "规定的", "与", "修改")
_BOOK = re.compile(r"《([^《》]*(?:〈[^〈〉]*〉[^《》]*)*)》")
_ORGAN = (
    r"[\u4e00-\u9fff]{2,20}?(?:人民代表大会常务委员会|人民代表大会|人民政府)|全国人民代表大会常务委员会|全国人民代表大会"
    r"|国务院|最高人民法院|最高人民检察院|中共中央[\u4e00-\u9fff]{0,6}|国家[\u4e00-\u9fff]{1,10}(?:局|委员会)"
    r"|中华人民共和国[\u4e00-\u9fff]{2,6}部"
)
_PASSED_BY = re.compile(
    rf"({_ORGAN})(?=第|[、，,]|令|公告|审判委员会|检察委员会|关于|批准|公布|发布|颁布|通过)"
)
_TERM = re.compile(r"第[一二三四五六七八九十0-9]+届")
_BODY_NAME = re.compile(
    r"^(?:中共|中国共产党)?[\u4e00-\u9fff（）()·]{3,40}"
    r"(?:委员会|党委|党总支|总支部|支部|公司|集团|联盟|办公室|局|院|厅|部|处|中心|学院|大学|医院|银行|工会|协会|政府|党校|研究所|领导小组)$"
)
_REGULATION = re.compile(
    r"(?:法|条例|办法|规定|细则|规则|制度|规程|准则|章程|守则|规范|标准|解释|决定|通则|总则|法典)(?:（[^）]*）|\([^)]*\))*$"
)
_LAW_TITLE = re.compile(
    r"^中华人民共和国|(?:条例|修正案|法典)(?:（[^）]*）)*$|法典 \S+$|^(?:.{2,12}(?:[省市州]|自治区|自治县|特区|新区)).*(?:规定|办法|规则|法》办法)$|^[^，。（(]{1,19}(?<!办)法$"
)
_LETTER = re.compile(
    r"(?:通知|意见|函|通报|批复|纪要|公告|通告|报告|请示|决议|方案|要点|计划|总结|决定)(?:（[^）]*）)*$"
)
_CASE_PARTS = (
    r"背景|起因|由来|基本情况|^情况|案情|为什么要做",
    r"问题|矛盾|暴露|困难|症结",
    r"做法|怎么做|怎样做|措施|步骤|办法|过程|裁判要[点旨]",
    r"成效|效果|结果|变化|收获|典型意义",
    r"启示|体会|推广|复制|适用|借鉴|照着做|条件",
)
"""What the headings of a case speak of, a pattern for each of its parts."""
_CONTACT = re.compile(r"(?:联系|联络|咨询)[^，。]{0,6}[：:]")
_NAME_LABEL = re.compile(r"^(?:案例名称|标\s*题|题\s*目|名\s*称)\s*[：:]\s*")
_VERSION_MARK = re.compile(
    r"[（(](?:试行|暂行|修订|修正|修订稿|修正本|草案|[0-9]{4}年?(?:修订|修正)?(?:版|本)?)[)）]"
)
_HEAD = 12
"""Paragraphs at either end in which title block and signature are looked for."""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What a manifest line states; None leaves it to the text."""

    title: str | None = None
    kind: Kind | None = None
    issuer: str | None = None
    number: str | None = None
    adopted_on: date | None = None
    issued_on: date | None = None
    effective_on: date | None = None
    ended_on: date | None = None
    end_reason: Validity | None = None
    branch: str | None = None
    keywords: tuple[str, ...] | None = None
    work: str | None = None

    @classmethod
    def from_json(cls, line: Mapping[str, Any], where: str) -> "Sidecar":
        """Take the known keys of a manifest line; keys that say nothing of the document are passed over.

        Raises:
            StructureError: a value is not what its key takes; names the line.
        """
        known: dict[str, Any] = {}
        for item in fields(cls):
            value = line.get(item.name)
            if value is None:
                continue
            try:
                if item.name.endswith("_on"):
                    value = date.fromisoformat(value)
                elif item.name == "kind":
                    value = Kind(value)
                elif item.name == "end_reason":
                    value = Validity(value)
                elif item.name == "keywords":
                    value = tuple(str(v) for v in value)
            except (TypeError, ValueError) as error:
                raise StructureError(
                    f"Cannot use {where}: {item.name} is {value!r}.",
                    "See the manifest section of CONTRIBUTING.md.",
                ) from error
            known[item.name] = value
        return cls(**known)


def read_metadata(reading: Reading, flow: Flow, *, name: str, sidecar: Sidecar | None = None) -> Metadata:
    """Everything the text and its file name say of the document.

    Args:
        reading: for the properties of the format (title, author, keywords).
        flow: the text after reflow.
        name: file name or path the source came under; laws carry their version date there.
        sidecar: what a manifest states; goes before the text.
    """
    lines = [flow.text[p.start : p.end] for p in flow.paragraphs]
    sidecar = sidecar or Sidecar()
    title = sidecar.title or _title(reading, flow, lines, name)
    number = sidecar.number or _own_number(lines)
    kind = sidecar.kind or _kind(flow.text, lines, title, number)
    issuer = sidecar.issuer or _issuer(lines, title, kind, reading)
    adopted, issued, effective = _dates(lines, flow.text, name, kind)
    meta = Metadata(
        title=title,
        kind=kind,
        issuer=issuer,
        number=number,
        adopted_on=sidecar.adopted_on or adopted,
        issued_on=sidecar.issued_on or issued,
        effective_on=sidecar.effective_on or effective,
        ended_on=sidecar.ended_on,
        end_reason=sidecar.end_reason,
        keywords=sidecar.keywords if sidecar.keywords is not None else _keywords(lines, reading),
        abstract=_labelled(lines, r"(?:内容)?摘\s*要"),
        doi=_doi(flow.text),
        branch=sidecar.branch,
        # A study or a case may tell of a repeal; it brings none about.
        repeals=_repeals(flow.text) if kind in (Kind.LAW, Kind.POLICY) else (),
    )
    return replace(meta, work=sidecar.work or _work(meta))


# -- title -----------------------------------------------------------------------


def _title(reading: Reading, flow: Flow, lines: list[str], name: str) -> str:
    roles = [p.role for p in flow.paragraphs]
    for i, line in enumerate(lines[:_HEAD]):
        if roles[i] == "title":
            return _joined_title(lines, roles, i)
        if roles[i] == "heading" and flow.paragraphs[i].level <= 1 and not _is_letterhead(line):
            return _joined_title(lines, roles, i)
    for i, line in enumerate(lines[:_HEAD]):
        line = _NAME_LABEL.sub("", line)
        if (
            _is_letterhead(line)
            or _NUMBER.fullmatch(line)
            or _DATE.fullmatch(line)
            or line.endswith(("：", ":"))
        ):
            continue
        if len(line) <= 70 and not line.endswith(("。", "；", "，")):
            return _continued_title(lines, i)
        break
    stated = reading.properties.get("title", "").strip()
    return stated or re.sub(r"\.[A-Za-z]+$", "", name.rsplit("/", 1)[-1])


def _is_letterhead(line: str) -> bool:
    return bool(re.search(r"文\s*件$", line)) and len(line) <= 40


def _joined_title(lines: list[str], roles: list[str], i: int) -> str:
    """A title, with a second one at once below it as its part (民法典 人格权编)."""
    title = lines[i].strip()
    if i + 1 < len(lines) and lines[i + 1].startswith("——"):
        return title + lines[i + 1].strip()
    if (
        i + 1 < len(lines)
        and roles[i + 1] == roles[i] == "heading"
        and re.fullmatch(r"(?:第.{1,3}编\s*)?\S{0,12}(?:编|总则|附则)", lines[i + 1])
    ):
        return f"{title} {lines[i + 1].strip()}"
    return title


def _continued_title(lines: list[str], i: int) -> str:
    """A title set on two lines: the first begins with 关于 or ends openly, the second ends like a title."""
    title = _NAME_LABEL.sub("", lines[i].strip())
    if i + 1 < len(lines) and lines[i + 1].startswith("——"):
        return title + lines[i + 1].strip()
    for line in lines[i + 1 : i + 3]:
        if _REGULATION.search(title) or _LETTER.search(title) or len(line) > 40:
            break
        if (
            (_LETTER.search(line) or _REGULATION.search(line))
            and not _NUMBER.search(line)
            and not line.endswith("。")
        ):
            return title + line.strip()
    return title


# -- 文号, issuer, kind ------------------------------------------------------------


def _own_number(lines: list[str]) -> str | None:
    """A 文号 on a line of its own, or at the end of the title block; never one quoted in running text."""
    parts = [
        part
        for line in [*lines[:_HEAD], *lines[-6:]]
        for part in re.split(r"\s*[|｜]\s*|(?<=[日布过])\s+", line)
    ]
    for line in parts:
        m = _NUMBER.search(line)
        if m and len(line) <= len(m[0]) + 14 and not re.search(r"[《》，。；]|根据|依据|收悉|按照", line):
            found = re.sub(r"^.*(?:文号|字号|编号|日)[：:]?\s*", "", m[0])
            return re.sub(r"\s", "", found)
    return None


def _kind(text: str, lines: list[str], title: str, number: str | None) -> Kind:
    head = "\n".join(lines[:_HEAD])
    studied = _labelled(lines, r"(?:内容)?摘\s*要") or _doi(text) or re.search(r"(?m)^参考文献", text)
    if studied:
        return Kind.ARTICLE
    short = [
        re.sub(r"^[\W0-9一二三四五六七八九十]+", "", line)
        for line in lines[1:]
        if len(line) <= 24 and not line.endswith("。")
    ]
    n_parts = sum(any(re.search(part, line) for line in short) for part in _CASE_PARTS)
    signs = bool(re.search("案例|纠纷", title)) + any(_CONTACT.match(line) for line in lines[-4:])
    if not re.search(r"(?m)^第一条", text) and n_parts + signs >= (5 if number else 4):
        return Kind.CASE
    lawgiver = re.search(r"人民代表大会|国务院|人民法院|人民检察院|[国部局院署府委会]令第|军事委员会", head)
    numbered = bool(re.search(r"(?m)^第一条|^一、", text))
    if lawgiver and (_REGULATION.search(title) or _LETTER.search(title) or numbered):
        return Kind.LAW
    if _LAW_TITLE.search(title) and not number:
        return Kind.LAW
    if number or _LETTER.search(title) or (_REGULATION.search(title) and numbered):
        return Kind.POLICY
    return Kind.CASE if re.search(r"案$|纠纷", title) else Kind.ARTICLE


def _issuer(lines: list[str], title: str, kind: Kind, reading: Reading) -> str | None:
    if kind is Kind.LAW:
        if ordered := re.search(r"(?m)(?:^|日\s*)([^\s日]{2,20})令第", "\n".join(lines[1:_HEAD])):
            return ordered[1]
        for line in lines[1:_HEAD]:
            if found := _PASSED_BY.search(_TERM.sub("", re.sub(r"^.*?日\s*", "", line))):
                return found[1]
        if found := re.match(rf"({_ORGAN})", title):
            return found[1]
    for i in range(len(lines) - 1, max(-1, len(lines) - 10), -1):
        if _DATE.fullmatch(lines[i].strip()) and i > 0 and _BODY_NAME.match(lines[i - 1].strip()):
            return lines[i - 1].strip()
        signed = re.match(rf"^(.{{3,40}}?)\s+{_DATE.pattern}$", lines[i])
        if signed and _BODY_NAME.match(signed[1].strip()):
            return signed[1].strip()
    for line in lines[:_HEAD]:
        if _is_letterhead(line):
            return re.sub(r"\s*文\s*件$", "", line)
        if line == title or line.endswith(("：", ":", "。")):
            continue
        for word in re.split(r"[\s|｜·；;，,、（）()：:【】]+", re.sub(rf"{_DATE.pattern}", " ", line)):
            bare = re.sub(r"^[0-9]+[.．]|(?:整理|供稿|编写)$", "", word)
            if (
                _BODY_NAME.match(bare)
                and bare not in title
                and not re.match(r"报送|申报|作者|发布|关于", bare)
            ):
                return bare
    author = reading.properties.get("author", "")
    return author if _BODY_NAME.match(author) else None


def _labelled(lines: Iterable[str], label: str) -> str | None:
    """Text after a label such as 摘要： or 【关键词】 at the start of a line."""
    for line in lines:
        if m := re.match(rf"(?:【(?:{label})】|(?:{label})\s*[：:])\s*(.+)", line):
            return m[1].strip()
    return None


def _keywords(lines: list[str], reading: Reading) -> tuple[str, ...]:
    stated = _labelled(lines, r"关\s*键\s*词") or reading.properties.get("keywords", "")
    return tuple(w.strip() for w in re.split(r"[；;，,、\s]+", stated) if w.strip())


def _doi(text: str) -> str | None:
    m = re.search(r"(?:DOI】?\s*[：:]?\s*|doi\.org/)(10\.[0-9]{4,9}/[^\s，。；）)】]+)", text, re.IGNORECASE)
    return m[1].rstrip(".") if m else None


# -- dates ---------------------------------------------------------------------------


def parse_date(text: str) -> date | None:
    """The first date in the text, in Arabic or Chinese numerals; None if there is none that exists.

    >>> parse_date("二〇二三年五月十日"), parse_date("于2021年2月30日"), parse_date("2024-03-01 发布")
    (datetime.date(2023, 5, 10), None, datetime.date(2024, 3, 1))
    """
    m = _DATE.search(text) or _ISO_DATE.search(text)
    if m is None:
        return None
    values = [numeral_value(m[i].replace("○", "〇")) for i in (1, 2, 3)]
    try:
        return date(*[v or 0 for v in values])
    except ValueError:
        return None


def _dates(
    lines: list[str], text: str, name: str, kind: Kind
) -> tuple[date | None, date | None, date | None]:
    """(adopted, issued, effective). The version date in a file name goes before the dates in the title block."""
    head = "\n".join(lines[:_HEAD])
    adopted = _last_date(_ADOPTED, head)
    issued = _last_date(_ISSUED, head)
    if m := _FILE_DATE.search(name):
        issued = parse_date(f"{m[1]}-{m[2]}-{m[3]}") or issued
    if issued is None:
        issued = _stated_issue(lines) or (None if kind is Kind.LAW else adopted)
    effective = None
    tail = "\n".join(lines[:_HEAD] + lines[len(lines) // 2 :])
    for m in _EFFECT.finditer(tail):
        effective = parse_date(m[1])
    version = issued or adopted
    if effective is None and _EFFECT_AT_ISSUE.search(tail):
        effective = version
    if effective is None:
        effective = next(
            (
                parse_date(line)
                for line in lines[1:_HEAD]
                if re.search(r"日\s*(?:起)?(?:施行|实施|生效)$", line)
            ),
            None,
        )
    if effective and version and effective < version and kind is Kind.LAW:
        # The day of effect of the first version stays in an amended text.
        effective = version
    if effective is None and kind is Kind.LAW:
        effective = version
    return adopted, issued or adopted, effective


def _last_date(pattern: re.Pattern[str], text: str) -> date | None:
    found = [d for m in pattern.finditer(text) if (d := parse_date(m[1]))]
    return max(found) if found else None


def _stated_issue(lines: list[str]) -> date | None:
    """A labelled date, else 成文日期 on a line of its own at the end, else a bare date near the top."""
    for line in lines[1:_HEAD]:
        if (m := _PUBLISHED.search(line)) and (found := parse_date(line[m.end() :])):
            return found
    for line in reversed(lines[-8:]):
        bare = _ISO_DATE.sub("", _DATE.sub("", line)).strip("（）() ")
        if (
            bare == line
            or "。" in line
            or len(bare) > 30
            or re.search(r"施行|实施|生效|通过|\[[0-9]+\]", line)
        ):
            continue
        if found := parse_date(line):
            return found
    for line in lines[1:_HEAD]:
        if len(line) <= 60 and not re.search(r"。|施行|实施|生效", line) and (found := parse_date(line)):
            return found
    return None


# -- versions and repeal ------------------------------------------------------------------


def _repeals(text: str) -> tuple[str, ...]:
    """Titles and 文号 of texts that a sentence says are no longer in force; not of those it only ends in part.

    >>> _repeals("本办法自发布之日起施行，《经费办法》（甲发〔2018〕7号）同时废止。")
    ('经费办法', '甲发〔2018〕7号')
    >>> _repeals("根据《教育法》，《学时规定》第三条同时废止。")
    ()
    """
    found: list[str] = []
    for sentence in _REPEAL.findall(text):
        for m in _BOOK.finditer(sentence):
            if _REPEALED_AFTER.match(sentence, m.end()) and not sentence[: m.start()].endswith(_BASIS):
                found.append(m[1])
                found += _NUMBER.findall(sentence[m.end() : m.end() + 40].split("《")[0])
    return tuple(dict.fromkeys(found))


def _work(meta: Metadata) -> str:
    """What all versions of one text share.

    A law by its name; a regulation by name and issuer; a letter (通知, 函 …) by its
    number, since next year's has the same title; anything else by title and issuer.
    """
    name = re.sub(r"[\s\W]+", "", _VERSION_MARK.sub("", meta.title).replace("中华人民共和国", ""))
    if meta.kind is Kind.LAW:
        return f"law:{name}"
    if meta.kind is Kind.POLICY and meta.number and not _REGULATION.search(meta.title):
        return f"policy:{re.sub(r'[^0-9一-鿿]', '', meta.number)}:{name}"
    return f"{meta.kind.value}:{name}:{meta.issuer or ''}"
