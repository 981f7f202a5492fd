"""Scopes against a plain model, in random worlds; the pages and queries over them are in test_canary."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from kb.model import PUBLIC
from tests.integration.access_stage import Play, Stage
from tests.integration.access_worlds import History, histories


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One home for all worlds of this module."""
    found = Stage(tmp_path_factory.mktemp("stage"))
    yield found
    found.close()


@given(history=histories())
@hypothesis_settings(max_examples=30, suppress_health_check=list(HealthCheck))
def test_scopes_open_what_the_rules_say(stage: Stage, history: History) -> None:
    """After any history, each person's scope, and the guest's, opens the documents that the model says, and no other."""
    play = stage.begin(history)
    for part in history.halves():
        play.act(part)
        _check(play)


def _check(play: Play) -> None:
    world, catalog = play.world, play.services.catalog
    known = [*world.documents, *world.gone]
    scopes: dict[str | None, frozenset[str]] = {None: frozenset({PUBLIC})}
    for person_id, person in world.people.items():
        if person.active:
            scopes[person_id] = play.principal(person_id).scope
    for who, scope in scopes.items():
        assert catalog.visible(known, scope) == world.seen(who), who
