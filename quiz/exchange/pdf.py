"""The paper as PDF, set by Typst with the Chinese fonts of this machine.

No font is bundled: one that has the rare characters of names is larger than all our code, and Word, WPS and
every desktop bring one. A server without any is told which package to install; nothing is fetched. The text
reaches Typst as data, never as markup. The same sheet gives the same bytes on one machine; another machine may
have other fonts.
"""

import json
from dataclasses import asdict
from functools import cache

from kb.errors import ServiceError
from quiz.exchange import Written
from quiz.exchange._paper import ANSWER_TITLE, KEY_TITLE, MARKED_BY_LETTER, PERSON_LINE, paper
from quiz.exchange.docx import papers_lack
from quiz.model import Sheet

FONTS = (
    "Noto Serif CJK SC",
    "Source Han Serif SC",
    "Source Han Serif CN",
    "Noto Serif SC",
    "SimSun",
    "NSimSun",
    "STSong",
    "Songti SC",
    "FZShuSong-Z01",
    "FangSong",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Noto Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "AR PL UMing CN",
    "SimHei",
    "Microsoft YaHei",
    "PingFang SC",
    "Droid Sans Fallback",
)
"""Families that hold Chinese, best first; those after the first that is there stand in for what it lacks."""

_TEMPLATE = """
#let data = json(bytes(sys.inputs.data))
#set document(title: data.title, date: none)
#set page("a4", margin: (x: 20mm, y: 20mm), footer: context align(center, text(9pt,
  [第 #counter(page).display() 页　共 #counter(page).final().first() 页])))
#set text(font: data.fonts, size: 10.5pt, lang: "zh", region: "cn")
#set par(leading: 0.75em, spacing: 0.85em)
#let lines(texts) = texts.join(linebreak())
#let title(name) = align(center, text(17pt, weight: "bold", name + if data.form != "" { "（" + data.form + "）" }))
#let part(name) = block(above: 1.4em, below: 0.9em, sticky: true, text(12pt, weight: "bold", name))
#let person = align(center, data.person)
#let boxes(entries) = for row in entries.chunks(10) {
  block(table(columns: (14mm,) + (15mm,) * row.len(), align: center + horizon, rows: 8mm,
    [题号], ..row.map(e => str(e.number)), [答案], ..row.map(e => "")))
}

#title(data.title)
#if data.note != "" { align(center, data.note) }
#person
#align(center, table(columns: (14mm,) * (data.sections.len() + 2), rows: 8mm, align: center + horizon,
  [题号], ..data.sections.map(s => s.heading.first()), [总分], [得分], ..data.sections.map(s => ""), ""))

#for section in data.sections {
  part(section.heading)
  for e in section.entries {
    block(breakable: false, {
      par(hanging-indent: 1.6em, str(e.number) + ". " + lines(e.stem) + e.points)
      for (n, prompt) in e.prompts.enumerate() { pad(left: 1.6em, "（" + str(n + 1) + "）" + prompt + "　（　　）") }
      if e.options.len() > 0 {
        pad(left: 1.6em, grid(columns: (1fr,) * e.columns, column-gutter: 1em, row-gutter: 0.75em, ..e.options))
      }
      if e.type == "ordering" { pad(left: 1.6em, "顺序：____________________") }
    })
  }
}

#pagebreak()
#title(data.answer_title)
#align(center, data.title)
#person
#for section in data.sections {
  part(section.heading.split("（").first())
  if section.boxes { boxes(section.entries) } else {
    for e in section.entries {
      if e.type == "short" { block(width: 100%, height: 40mm, stroke: 0.5pt, inset: 3mm, str(e.number) + ".") } else {
        let n = calc.max(e.n_gaps, e.prompts.len(), 1)
        par(str(e.number) + ". " + range(n).map(k =>
          if n > 1 { "（" + str(k + 1) + "）______________" } else { "__________________" }).join("　"))
      }
    }
  }
}

#pagebreak()
#title(data.key_title)
#for section in data.sections {
  part(section.heading.split("（").first())
  for e in section.entries {
    block(below: 0.6em, str(e.number) + ". " + text(weight: "bold", e.key))
    for basis in e.basis { pad(left: 1.6em, basis) }
  }
}
"""


class Pdf:
    """Only goes out."""

    label = "PDF"
    about = "可打印的试卷，附答题卡、参考答案与依据，版面固定"
    suffix = ".pdf"
    media_type = "application/pdf"

    def write(self, sheet: Sheet) -> Written:
        """The paper, its answer sheet and its key.

        Raises:
            ServiceError: this machine has no Chinese font.
        """
        import typst

        body = asdict(paper(sheet))
        for section in body["sections"]:
            section["boxes"] = section["type"] in MARKED_BY_LETTER
        body |= {
            "fonts": chinese_fonts(),
            "person": PERSON_LINE,
            "answer_title": ANSWER_TITLE,
            "key_title": KEY_TITLE,
        }
        data = typst.compile(
            _TEMPLATE.encode("utf-8"),
            format="pdf",
            timestamp=0,
            sys_inputs={"data": json.dumps(body, ensure_ascii=False)},
        )
        return Written(bytes(data), papers_lack(sheet))


@cache
def chinese_fonts() -> list[str]:
    """The families of `FONTS` that this machine has, best first.

    Raises:
        ServiceError: none of them.
    """
    import typst

    here = set(typst.Fonts(include_embedded_fonts=False).families())
    found = [name for name in FONTS if name in here]
    if not found:
        raise ServiceError(
            "不能生成 PDF：这台机器上没有中文字体。",
            "请管理员安装一种，例如 Debian、Ubuntu 的 fonts-noto-cjk，"
            "RHEL、openEuler 的 google-noto-serif-cjk-sc-fonts；也可以改用 Word 格式。",
        )
    return found


FORMAT = Pdf()
