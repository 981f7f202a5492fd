"""What the pages of questions share: whose bank it is, how a page is shown, and questions that come back unchanged."""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse

from access.principal import Principal
from access.rights import Action
from api.address import Problem
from api.pages import render
from api.question_form import option_rows, pair_rows
from api.quiz_words import (
    REASONS,
    SLOT_WORDS,
    STATE_WORDS,
    difficulty_words,
    letter,
)
from api.services import Services
from kb.errors import InvalidRequest, NotFound, Refused
from quiz.model import TYPE_WORDS, Question, question_json, question_of

DONE: Mapping[str, str] = {
    "changed": "已存为新的一版，等待审核。",
    "approved": "已通过，可以组卷了。",
    "retired": "已停用，不再进新试卷。",
    "in_review": "已恢复，等待审核。",
}
"""What was done, by the code in the address after it."""


class Desk:
    """Where a trainer works: the banks that are theirs, and the one at hand."""

    def __init__(self, services: Services, request: Request, by: Principal, branch_id: str = "") -> None:
        """Take the bank of this branch, or the first of one's own.

        Raises:
            SignInRequired, Refused: the asker makes questions for no branch.
            NotFound: not for this one.
        """
        by.require_person()
        self._request = request
        self.branches = [
            b
            for b in services.access.branches.all()
            if b.branch_id in by.branches and by.may(Action.QUIZ, b.branch_id)
        ]
        if not self.branches:
            raise Refused("Cannot make questions: no branch of yours lets you.", "Ask its administrator.")
        if branch_id and branch_id not in {b.branch_id for b in self.branches}:
            raise NotFound(f"No bank of branch {branch_id} here.", "Choose one of your own.")
        self.branch = next((b for b in self.branches if b.branch_id == branch_id), self.branches[0])

    def show(
        self,
        template: str,
        context: Mapping[str, Any],
        *,
        problems: Sequence[Problem] = (),
        done: str = "",
        status: int = 0,
    ) -> HTMLResponse:
        """A page; with 400 where something is to be mended."""
        words = {
            "TYPE_WORDS": TYPE_WORDS,
            "STATE_WORDS": STATE_WORDS,
            "SLOT_WORDS": SLOT_WORDS,
            "REASONS": REASONS,
            "difficulty_words": difficulty_words,
            "letter": letter,
            "option_rows": option_rows,
            "pair_rows": pair_rows,
        }
        at = {"branches": self.branches, "branch": self.branch, "problems": problems}
        told = done or DONE.get(self._request.query_params.get("done", ""), "")
        return render(
            self._request,
            template,
            {**words, **at, "done": told, **context},
            status=status or (400 if problems else 200),
        )


class Sealed:
    """Questions that go out to a page to be chosen from, and come back as they went."""

    def __init__(self, services: Services, by: Principal, branch_id: str) -> None:
        self._keys = services.access.office.keys
        self._for = ("questions", by.person_id or "", branch_id)

    def seal(self, questions: Sequence[Question]) -> str:
        """The questions as a text for a hidden field of this person and bank."""
        body = json.dumps([question_json(q) for q in questions], ensure_ascii=False)
        packed = base64.urlsafe_b64encode(zlib.compress(body.encode())).decode()
        return f"{self._keys.mac(*self._for, packed)}.{packed}"

    def opened(self, sealed: str, taken: Sequence[str]) -> list[Question]:
        """Those of the questions whose numbers, from 0, were taken.

        Raises:
            InvalidRequest: it was not sealed here for this person and bank.
        """
        mac, _, packed = sealed.partition(".")
        if not self._keys.is_mac(mac, *self._for, packed):
            raise InvalidRequest(
                "Cannot take these questions: they did not come from here.", "Make them again."
            )
        questions = json.loads(zlib.decompress(base64.urlsafe_b64decode(packed)))
        return [question_of(q) for n, q in enumerate(questions) if str(n) in taken]


def taken_in(
    services: Services, by: Principal, branch_id: str, sealed: str, taken: Sequence[str]
) -> RedirectResponse:
    """Put those of the sealed questions that were ticked into the bank, and go on to its list.

    Raises:
        InvalidRequest, NotFound: as `Sealed.opened` and `Bank.add`.
    """
    questions = Sealed(services, by, branch_id).opened(sealed, taken)
    added = services.quiz.bank.add(by, branch_id, questions)
    to = {"branch": branch_id, "added": len(added.ids), "known": added.duplicates}
    return RedirectResponse("/manage/questions?" + urlencode(to), 303)
