"""The case that solved a problem is found when a liaison tells the problem in other words.

The limits stand below what was measured (`benchmarks/results/case_finding.json`), so that a change that makes it
worse is seen.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.services import Services
from api.settings import load_settings
from api.wiring import build_services
from benchmarks.case_finding import (
    EVERYONE,
    MOST_SHARED,
    fill,
    ranks,
    read_problems,
    share_within,
    shared,
)
from cases.model import CaseFilters

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Services, dict[str, str]]]:
    """The sample cases among 400 others; their documents by source."""
    services: Services = build_services(load_settings({}, home=Path(tmp_path_factory.mktemp("home"))))
    yield services, fill(services)
    services.close()


def test_problems_share_hardly_a_word_with_their_case(library: tuple[Services, dict[str, str]]) -> None:
    """No problem of the measurement shares more than two content words with the case that solved it."""
    services, known = library
    for problem in read_problems():
        text = services.document(known[problem.case], EVERYONE).text
        assert len(shared(problem.text, text)) <= MOST_SHARED, problem


@pytest.mark.parametrize(("group", "least"), [("unseen", 0.85), ("seen", 0.8), ("distractors", 0.55)])
def test_a_problem_in_other_words_finds_its_case(
    library: tuple[Services, dict[str, str]], group: str, least: float
) -> None:
    """The right case is among the first three, for long sample cases and for short ones alike."""
    services, known = library
    finder = services.cases.finder

    def find(text: str) -> list[str]:
        return [c.document_id for c in finder.find(text, EVERYONE, CaseFilters(), k=3).cards]

    problems = [p for p in read_problems() if p.group == group]
    assert share_within(ranks(find, problems, known), 3) >= least


def test_words_typed_as_such_find_cases_that_have_them(library: tuple[Services, dict[str, str]]) -> None:
    """What is no problem but a few words finds the case that is about them."""
    services, known = library
    for words, case in (
        ("试剂过期", "case/kangze-reagent-expiry.html"),
        ("党费", "case/yunling-party-dues-cash.txt"),
        ("值班 告警", "case/xingqiao-oncall-fatigue.md"),
        ("冷链", "case/jianglan-cold-chain-gap.pdf"),
    ):
        cards = services.cases.finder.find(words, EVERYONE, CaseFilters(), k=3).cards
        assert known[case] in [c.document_id for c in cards], words
