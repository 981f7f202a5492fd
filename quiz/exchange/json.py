"""JSON as our own HTTP interface gives questions: carries all there is.

A list of questions, or an object whose `questions` are questions or pairs of `points` and `question`.
"""

import json
import math
from typing import Any

from ingest import encoding
from kb.errors import InvalidRequest, UnreadableSource
from kb.model import Source
from quiz.exchange import Row, Written
from quiz.exchange._report import losses
from quiz.model import Sheet, question_json, question_of
from quiz.soundness import fault


class Json:
    """Our own form."""

    label = "JSON"
    about = "本系统自己的格式，带出全部字段，供程序交换和备份"
    suffix = ".json"
    media_type = "application/json"

    def write(self, sheet: Sheet) -> Written:
        """The sheet with its title, and the questions whole."""
        body = {
            "format": "gongxue-questions",
            "version": 1,
            "title": sheet.title,
            "note": sheet.note,
            "form": sheet.form,
            "questions": [
                {"points": s.points, "question": question_json(s.question)} for s in sheet.questions
            ],
        }
        data = (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode("utf-8")
        return Written(data, losses(sheet, self.read(data)))

    def read(self, data: bytes) -> tuple[Row, ...]:
        """The questions of the file; see `quiz.exchange.ReadableFormat.read`."""
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = encoding.decode(Source("JSON", self.media_type, data))
        try:
            body = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UnreadableSource("这不是 JSON 文件，或文件不完整。", "请重新导出后再试。") from error
        found = body.get("questions") if isinstance(body, dict) else body
        if not isinstance(found, list):
            raise UnreadableSource(
                "JSON 里没有题目：应是题目的列表，或含有 questions 的对象。", "请重新导出后再试。"
            )
        return tuple(_row(f"第 {n} 题", item) for n, item in enumerate(found, 1))


def _row(place: str, item: Any) -> Row:
    points = None
    if isinstance(item, dict) and isinstance(item.get("question"), dict):
        worth = item.get("points")
        if isinstance(worth, int | float) and math.isfinite(worth):
            points = float(worth)
        item = item["question"]
    if not isinstance(item, dict):
        return Row(place, None, points, "不是一道题")
    try:
        question = question_of(item)
    except InvalidRequest:
        missing = [name for name in ("type", "stem", "answer") if name not in item]
        problem = f"缺少 {'、'.join(missing)}" if missing else "有的字段类型不对"
        return Row(place, None, points, problem)
    wrong = fault(question).rstrip("。")
    return Row(place, None, points, wrong) if wrong else Row(place, question, points)


FORMAT = Json()
