"""The whole OpenAPI, asked at random as each role: nothing breaks, and every answer is as it is described."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from access.rights import Role
from api.app import create_app
from api.services import Services
from api.settings import Settings
from api.wiring import build_services
from quiz.exchange import formats
from tests.fakes import HashingEncoder
from tests.integration.role_world import GUEST, HOME, OPERATOR, PARTNER_LIAISON, World, with_everything
from tests.people import CHEAP

BASE = "http://127.0.0.1:8000"
WHO = (GUEST, *(r.value for r in Role), OPERATOR, PARTNER_LIAISON)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
LAST = (
    "/submit",
    "/close",
    "/state",
    "DELETE /v1",
    "/end",
    "/retire",
    "/deactivate",
    "DELETE /v1/tokens",
    "DELETE /v1/people",
)
"""What takes something away, the asker's own rights at the very last, so that the others find something."""

Ids = Mapping[str, Sequence[str]]
Headers = Mapping[str, str]


@contextmanager
def opened(home: Path) -> Iterator[Services]:
    """Services on a home, without a limit on requests."""
    stated = Settings(home=home, processes=1, requests_per_minute=0, max_source_mb=1)
    services = build_services(stated, encoder=HashingEncoder(), passwords=CHEAP)
    yield services
    services.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, Headers], Ids]:
    """A home with something of every kind, the headers of each role, and the ids by kind. Not to be changed."""
    home = tmp_path_factory.mktemp("world") / "home"
    ids: dict[str, list[str]] = {}
    with opened(home) as services:
        made = World(services)
        for kind, found in with_everything(made):
            ids.setdefault(kind, []).append(found)
    ids["member"] = [f"branch:{b}" for b in ids["branch_id"]] + [f"person:{p}" for p in ids["person_id"]]
    ids["audience"] = ["own", "partners", "everyone", f"branch:{HOME}", f"group:{ids['group_id'][0]}"]
    # Where those who ask may do most, they ask most.
    ids["branch_id"] += [HOME] * 5
    for name in ("parent_id", "proposer_id", "partner_id", "branch"):
        ids[name] = ids["branch_id"]
    ids["liaison"] = ids["person_id"]
    ids["question_ids"] = ids["question_id"]
    ids["case_ids"] = ids["derived_from"] = ids["without"] = ids["settled_by"] = ids["case_id"]
    ids["revision"] = ids["base"] = ids["since"] = [0, 1, 4]
    ids["seen_version"] = ids["position"] = [1, 2]
    ids["format"] = [*formats()]
    moments = [datetime.now(UTC) + timedelta(hours=n) for n in range(-30, 60, 9)]
    ids["opens_at"] = ids["closes_at"] = [at.isoformat() for at in moments]
    ids["name"] = [f"{name}.txt" for name in "甲乙丙丁"]
    ids["begins_on"] = ids["ends_on"] = [
        (date.today() + timedelta(days=n)).isoformat() for n in range(0, 60, 9)
    ]
    return home, made.headers, ids


@pytest.mark.parametrize("who", WHO)
def test_every_answer_is_as_described(
    world: tuple[Path, Mapping[str, Headers], Ids], tmp_path: Path, who: str
) -> None:
    """Whoever asks, whatever is asked: no answer is a 500, or off the schema."""
    ask_everything(world, tmp_path, who, examples=5)


@pytest.mark.long
@pytest.mark.parametrize("who", WHO)
def test_every_answer_is_as_described_at_length(
    world: tuple[Path, Mapping[str, Headers], Ids], tmp_path: Path, who: str
) -> None:
    """The same, asked for longer."""
    ask_everything(world, tmp_path, who, examples=200)


def ask_everything(
    world: tuple[Path, Mapping[str, Headers], Ids], folder: Path, who: str, *, examples: int
) -> None:
    """Ask every operation so often, as somebody, in a copy of the world."""
    home, headers, ids = world
    shutil.copytree(home, folder / "home")
    config = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
    with opened(folder / "home") as services:
        schema = schemathesis.openapi.from_asgi(
            "/openapi.json", create_app(services), config=config, headers={"host": "127.0.0.1"}
        )
        operations = [found.ok() for found in schema.get_all_operations()]
        for operation in sorted(operations, key=lambda o: [part in o.label for part in reversed(LAST)]):
            ask(operation, headers[who], ids, examples, seed_of=who)


def ask(operation: Any, headers: Headers, ids: Ids, examples: int, *, seed_of: str) -> None:
    """Ask one operation so often: what fits its schema and what does not, with ids that are there and others."""
    fits, fits_not = (operation.as_strategy(generation_mode=mode) for mode in GenerationMode)

    @settings(
        max_examples=examples,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(st.one_of(fits, fits, fits_not), st.data())
    def answers_as_described(case: Any, data: st.DataObject) -> None:
        for part in (case.path_parameters, case.query, case.body):
            point(part, ids, data)
        if isinstance(case.body, bytes) and data.draw(st.booleans()):
            case.body = f"共建办法\n第一条　经费{data.draw(st.integers(1, 9))}元。\n".encode()
        response = case.call(base_url=BASE, headers=dict(headers))
        case.validate_response(response, checks=CHECKS)

    if settings().derandomize:
        # The same every time, but not the same of everyone.
        answers_as_described = seed(f"{seed_of} {operation.label}")(answers_as_described)
    answers_as_described()


def point(part: Any, ids: Ids, data: st.DataObject) -> None:
    """Put ids that are there into the fields of a request that take one, mostly."""
    if not isinstance(part, dict):
        return
    for name, value in part.items():
        inner = [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []
        for each in inner:
            point(each, ids, data)
        if name in ids and not inner and data.draw(st.integers(0, 7)):
            found = data.draw(st.sampled_from(ids[name]))
            part[name] = [found] if isinstance(value, list) else found
