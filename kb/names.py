"""Forms under which a query, or another text, names a document or a clause.

Everything here takes folded text (see `search.analysis.fold`).
"""

import re

from kb.numerals import numeral_value

ARTICLE = re.compile(
    r"第?([0-9]+)条(?:之([0-9一二三四五六七八九十]+))?(?:第[0-9]+款)?(?:第?[(]?[0-9]+[)]?项)?"
)
"""An article as it is cited: its number, that of 之, and what follows of 款 and 项."""
_SERIAL = re.compile(r"第?0*([0-9]+)号")


def name_key(folded: str) -> str:
    """Letters, digits and ideographs of a name, the serial of a 文号 without 第 and leading zeros.

    >>> name_key("国发[2023]第05号"), name_key("《经费 管理办法》")
    ('国发20235号', '经费管理办法')
    """
    return "".join(c for c in _SERIAL.sub(r"\1号", folded) if c.isalnum())


def article_key(folded: str) -> str | None:
    """The first article cited in the text, in one form; None if there is none.

    >>> article_key("第120条之一"), article_key("依照第12条第2款"), article_key("总则")
    ('第120条之1', '第12条', None)
    """
    m = ARTICLE.search(folded)
    if m is None:
        return None
    sub = numeral_value(m[2]) if m[2] else None
    return f"第{int(m[1])}条" + (f"之{sub}" if sub else "")
