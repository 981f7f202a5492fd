"""Chinese and Arabic numerals."""

DIGITS = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
PLACES = {"十": 10, "百": 100, "千": 1000}
SCALES = {"亿": 10**8, "万": 10**4}
NUMERALS = "".join([*DIGITS, *PLACES, *SCALES])
"""Every character that a Chinese numeral may hold."""

_FULL_WIDTH = {0xFF10 + d: str(d) for d in range(10)}


def numeral_value(text: str) -> int | None:
    """Value of a Chinese or Arabic numeral, None if it is not well formed.

    >>> [numeral_value(t) for t in ["一千二百六十", "十五", "二〇二三", "两", "３０", "三万", "一百零五"]]
    [1260, 15, 2023, 2, 30, 30000, 105]
    >>> [numeral_value(t) for t in ["百零", "十十", "万", "", "3万"]]
    [None, None, None, None, None]
    """
    text = text.translate(_FULL_WIDTH)
    if text.isascii():
        return int(text) if text.isdigit() else None
    if any(c not in NUMERALS for c in text):
        return None
    if all(c in DIGITS for c in text):
        return int("".join(str(DIGITS[c]) for c in text))
    for sign, scale in SCALES.items():
        head, found, tail = text.partition(sign)
        if found:
            high, low = numeral_value(head), numeral_value(tail) if tail else 0
            return None if high is None or low is None or low >= scale else high * scale + low
    return _below_ten_thousand(text)


def _below_ten_thousand(text: str) -> int | None:
    """Digits and places in falling order, 零 only between two digits, 十 alone as 一十 at the start."""
    total, digit, place = 0, None, 10**4
    for i, c in enumerate(text):
        if c in PLACES:
            if PLACES[c] >= place or digit == 0 or (digit is None and i > 0):
                return None
            if digit is None and c != "十":
                return None
            place = PLACES[c]
            total += (digit or 1) * place
            digit = None
        elif digit:
            return None
        else:
            digit = DIGITS[c]
    if digit == 0:
        return None
    return total + (digit or 0)


def chinese_numeral(n: int) -> str:
    """The numeral for a whole number from 0 on, as it is written in 第…款 and in amounts.

    >>> [chinese_numeral(n) for n in (1, 10, 12, 20, 35, 105, 3000, 50000, 120000, 200000000)]
    ['一', '十', '十二', '二十', '三十五', '一百零五', '三千', '五万', '十二万', '二亿']
    """
    for scale, sign in ((10**8, "亿"), (10**4, "万")):
        if n >= scale:
            high, low = divmod(n, scale)
            rest = ("零" if low < scale // 10 else "") + chinese_numeral(low) if low else ""
            return chinese_numeral(high) + sign + rest
    text, zero = "", False
    for place, sign in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = n // place % 10
        if digit:
            text += ("零" if zero and text else "") + "零一二三四五六七八九"[digit] + sign
        zero = not digit and bool(text)
    return text.replace("一十", "十", 1) if text.startswith("一十") else text or "零"
