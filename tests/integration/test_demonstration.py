"""The demonstration: sample branches and accounts, for this machine alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from access.rights import Role
from api.app import create_app
from api.demonstration import accounts, check_address, fill
from api.services import Services
from api.settings import Settings
from api.wiring import build_services
from kb.errors import InvalidSetting
from tests.fakes import HashingEncoder
from tests.people import CHEAP

BASE = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home filled once. Not to be changed."""
    home = tmp_path_factory.mktemp("demonstration") / "home"
    services = build_services(Settings(home=home), encoder=HashingEncoder(), passwords=CHEAP)
    assert fill(services)
    assert not fill(services)
    services.close()
    return home


@pytest.fixture(scope="module")
def demonstration(home: Path) -> Iterator[Services]:
    """Services on it."""
    services = build_services(
        Settings(home=home, requests_per_minute=0), encoder=HashingEncoder(), passwords=CHEAP
    )
    yield services
    services.close()


def test_there_is_an_account_of_each_role(demonstration: Services) -> None:
    """Every account signs in with the password shown, without a second factor; together they have every role."""
    sessions, roles = demonstration.access.sessions, set()
    for account in accounts():
        by = sessions.principal(sessions.sign_in(account.login, account.password, "127.0.0.1"))
        assert by.settled
        roles |= {role for held in by.roles.values() for role in held}
        roles |= {"operator"} if by.operator else set()
    assert roles == {*Role, "operator"}


def test_each_account_sees_what_was_shared_with_it(demonstration: Services) -> None:
    """A guest sees the least, a member the own branch's too, a partner what partners share; an operator no more than a guest."""
    access, catalog = demonstration.access, demonstration.catalog
    sources = {
        login: {
            c.source for c in catalog.cards(access.sessions.scope_of(login), demonstration.today(), k=1000)
        }
        for login in ("xueyuan", "jianglan", "xitong", "guanli")
    }
    own, jianglan = "case/beichen-shift-handover.docx", "case/jianglan-cold-chain-gap.pdf"
    shared = "case/beichen-dispatched-workers-study.html"
    assert own in sources["xueyuan"]
    assert own not in sources["jianglan"] | sources["xitong"]
    assert jianglan in sources["jianglan"] - sources["xueyuan"]
    assert shared in sources["xueyuan"] & sources["jianglan"]
    assert sources["xitong"] < sources["xueyuan"]
    assert "policy/beichen-summer-study-adjust-notice.docx" in sources["guanli"] & sources["xueyuan"]


def test_every_page_says_that_it_is_a_demonstration(demonstration: Services) -> None:
    """Pages, the sign-in page and errors alike carry the banner."""
    with TestClient(create_app(demonstration), base_url=BASE, headers={"accept": "text/html"}) as client:
        for path in ("/", "/?q=党费", "/documents", "/sign-in", "/docs", "/nothing"):
            assert "演示" in client.get(path).text, path


@pytest.mark.parametrize(
    "stated",
    [
        {"host": "0.0.0.0"},
        {"host": "::"},
        {"host": "192.168.1.7"},
        {"url": "https://study.example.cn"},
        {"allowed_hosts": "study.example.cn"},
        {"proxies": "127.0.0.1"},
    ],
)
def test_the_demonstration_stays_on_this_machine(home: Path, stated: dict[str, str]) -> None:
    """On any other address, or behind one, it is refused in words; loopback is fine."""
    services = build_services(Settings(home=home, **stated), encoder=HashingEncoder(), passwords=CHEAP)
    try:
        with pytest.raises(InvalidSetting, match="demonstration"):
            check_address(services)
    finally:
        services.close()


def test_loopback_may_show_the_demonstration(demonstration: Services) -> None:
    """Where only this machine reaches it, it is served."""
    check_address(demonstration)


def test_a_home_in_use_is_never_filled(tmp_path: Path) -> None:
    """Documents or people that are there are left alone, and the home is no demonstration."""
    services = build_services(Settings(home=tmp_path / "h"), encoder=HashingEncoder(), passwords=CHEAP)
    try:
        assert services.access.first_operator()
        assert not fill(services)
        assert not services.access.is_demonstration()
        assert services.catalog.total() == 0
    finally:
        services.close()
