"""Signing in, staying so, and being out at once."""

import pyotp
import pytest

from access.passwords import Passwords
from access.principal import GUEST, Power
from access.resolve import Policy
from access.rights import Role
from access.sessions import Due, Sessions
from access.tables import people, sessions, tokens
from access.tokens import Tokens
from access.tries import FREE_TRIES, FREE_TRIES_OF_ADDRESS, FREE_TRIES_OF_LOGIN, Tries
from kb.errors import (
    Conflict,
    InvalidRequest,
    NotFound,
    Refused,
    SignInFailed,
    SignInRequired,
    TooManyRequests,
)
from kb.model import PUBLIC
from tests.people import CHEAP
from tests.unit.access.conftest import House

PASSWORD = "夜班之后再读一条办法"


@pytest.fixture
def home(house: House) -> House:
    """A branch with a member who has a password."""
    house.branch("beichen")
    house.person("xueyuan", {"beichen": Role.MEMBER}, password=PASSWORD)
    return house


def wrong(house: House, login: str, address: str = "10.0.0.1") -> str:
    """What a wrong try answers."""
    with pytest.raises((SignInFailed, TooManyRequests)) as caught:
        house.access.sessions.sign_in(login, "不是这个口令啊不是", address)
    return type(caught.value).__name__ + caught.value.hint


def test_sign_in_gives_a_session(home: House) -> None:
    """Login in any case and width, with the password in any width, opens a session of that person."""
    secret = home.access.sessions.sign_in(" XUEYUAN ", PASSWORD, "10.0.0.1")
    found = home.access.sessions.principal(secret)
    assert (found.person_id, found.settled) == (home.ids["xueyuan"], True)
    assert {PUBLIC, "branch:beichen"} <= found.scope
    assert home.access.sessions.principal(secret + "x") == GUEST


def test_sign_in_tells_nobody_who_is_there(home: House) -> None:
    """A wrong password, an unknown login and a person shut out answer alike, the wait after many tries too."""
    home.person("lizhi", password=PASSWORD)
    home.access.people.set_active(None, home.ids["lizhi"], active=False)
    answers = [
        [wrong(home, login) for _ in range(FREE_TRIES + 1)] for login in ("xueyuan", "nobody", "lizhi")
    ]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][-1].startswith("TooManyRequests")
    with pytest.raises(SignInFailed):
        home.access.sessions.sign_in("lizhi", PASSWORD, "10.0.0.9")


def test_sign_in_checks_a_password_for_nobody_too(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown login costs the same hashing as a known one."""
    checked: list[str | None] = []
    check = Passwords.check

    def counted(self: Passwords, password: str, kept: str | None) -> tuple[bool, str | None]:
        checked.append(kept)
        return check(self, password, kept)

    monkeypatch.setattr(Passwords, "check", counted)
    wrong(home, "nobody")
    wrong(home, "xueyuan")
    assert len(checked) == 2
    assert checked[0] is None


def test_wrong_tries_wait_longer_and_end(home: House) -> None:
    """Waits double up to a quarter of an hour; the right password after one opens, and clears the count."""
    waits = []
    for _ in range(12):
        while wrong(home, "xueyuan").startswith("SignInFailed"):
            pass
        n = 0
        while True:
            home.clock.pass_(seconds=15)
            n += 15
            try:
                Tries(home.access.office).check([("both", "xueyuan 10.0.0.1", 1)])
                break
            except TooManyRequests:
                continue
        waits.append(n)
        home.clock.pass_(minutes=16)
    assert waits[0] < waits[1] <= max(waits) <= 15 * 60
    home.clock.pass_(minutes=16)
    assert home.access.sessions.sign_in("xueyuan", PASSWORD, "10.0.0.1")


def test_guessing_elsewhere_does_not_keep_a_person_out_at_once(home: House) -> None:
    """Tries from one address bar that address first; the person's own still opens."""
    for _ in range(FREE_TRIES + 2):
        wrong(home, "xueyuan", "203.0.113.9")
    assert home.access.sessions.sign_in("xueyuan", PASSWORD, "10.0.0.1")


def test_many_addresses_and_many_logins_are_barred(home: House) -> None:
    """Guessing one login from many addresses ends in a wait, and so does guessing many logins from one."""
    for n in range(FREE_TRIES_OF_LOGIN):
        wrong(home, "xueyuan", f"203.0.113.{n}")
    assert wrong(home, "xueyuan", "203.0.113.200").startswith("TooManyRequests")
    for n in range(FREE_TRIES_OF_ADDRESS):
        wrong(home, f"login{n}", "198.51.100.1")
    assert wrong(home, "another", "198.51.100.1").startswith("TooManyRequests")


def test_sessions_end_by_themselves(home: House) -> None:
    """A session ends after its idle hours, and after its days however busy it is."""
    secret = home.access.sessions.sign_in("xueyuan", PASSWORD, "a")
    home.clock.pass_(hours=11)
    assert home.access.sessions.principal(secret).signed_in
    home.clock.pass_(hours=11)
    assert home.access.sessions.principal(secret).signed_in
    home.clock.pass_(hours=13)
    assert home.access.sessions.principal(secret) == GUEST
    secret = home.access.sessions.sign_in("xueyuan", PASSWORD, "a")
    for _ in range(7 * 3):
        home.clock.pass_(hours=8)
        last = home.access.sessions.principal(secret)
    assert last == GUEST


def test_signing_out_here_and_elsewhere(home: House) -> None:
    """Signing out ends this session; signing out elsewhere ends the others only."""
    service = home.access.sessions
    one, two, three = (service.sign_in("xueyuan", PASSWORD, "a") for _ in range(3))
    service.sign_out_elsewhere(service.principal(one))
    assert [service.principal(s).signed_in for s in (one, two, three)] == [True, False, False]
    assert [s.current for s in service.of(service.principal(one))] == [True]
    service.sign_out(service.principal(one))
    assert not service.principal(one).signed_in


def test_what_is_taken_away_is_gone_at_the_next_request(home: House) -> None:
    """Roles, branch and account act on sessions that are open."""
    service, person = home.access.sessions, home.ids["xueyuan"]
    secret = service.sign_in("xueyuan", PASSWORD, "a")
    home.access.people.set_roles(None, person, "beichen", frozenset())
    assert service.principal(secret).scope == frozenset({PUBLIC})
    home.access.people.set_roles(None, person, "beichen", frozenset({Role.LIAISON}))
    assert "branch:beichen" in service.principal(secret).scope
    home.access.people.set_active(None, person, active=False)
    assert service.principal(secret) == GUEST
    home.access.people.set_active(None, person, active=True)
    assert service.principal(secret) == GUEST


def test_secrets_are_not_kept(home: House) -> None:
    """Neither password nor session nor token stands in the store; only digests do."""
    service = home.access.sessions
    secret = service.sign_in("xueyuan", PASSWORD, "a")
    token = home.access.tokens.make(service.principal(secret), "脚本", frozenset({Power.READ}), 5)
    with home.catalog.engine.connect() as connection:
        for table in (people, sessions, tokens):
            kept = repr(connection.execute(table.select()).all())
            for hidden in (PASSWORD, secret, token.secret.split("_")[2]):
                assert hidden not in kept


# -- passwords ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "password", ["short", "a" * 12, "1" * 30, "password123", "1234567890", "xueyuan-2026-x", "长" * 129]
)
def test_weak_passwords_are_refused(password: str) -> None:
    """Short, long, monotonous, well-known ones and those with the login in them are refused."""
    with pytest.raises(InvalidRequest):
        CHEAP.hashed(password, login="xueyuan")


def test_changing_the_password_ends_other_sessions(home: House) -> None:
    """The new one opens, the old one does not, and only the session that changed it goes on."""
    service = home.access.sessions
    one, two = (service.sign_in("xueyuan", PASSWORD, "a") for _ in range(2))
    by = service.principal(one)
    with pytest.raises(SignInFailed):
        service.change_password(by, "不是旧口令不是旧口令", "另外一句容易记住的话")
    with pytest.raises(InvalidRequest):
        service.change_password(by, PASSWORD, PASSWORD)
    service.change_password(by, PASSWORD, "另外一句容易记住的话")
    assert service.principal(one).signed_in
    assert not service.principal(two).signed_in
    assert service.sign_in("xueyuan", "另外一句容易记住的话", "a")
    assert "SignInFailed" in wrong(home, "xueyuan")


def test_a_first_password_must_be_changed(home: House) -> None:
    """With a password that somebody else knows nothing but changing it can be done."""
    service = home.access.sessions
    first = service.reset(None, home.ids["xueyuan"])
    secret = service.sign_in("xueyuan", first, "a")
    by = service.principal(secret)
    assert (by.signed_in, by.settled, by.scope) == (True, False, frozenset({PUBLIC}))
    with pytest.raises(Refused):
        by.require_person()
    assert service.due(by) is Due.PASSWORD
    service.change_password(by, first, "另外一句容易记住的话")
    assert service.principal(secret).settled


def test_reset_lets_in_again_and_shuts_everything_else(home: House) -> None:
    """A reset ends the wait, every session and every token."""
    service = home.access.sessions
    secret = service.sign_in("xueyuan", PASSWORD, "a")
    token = home.access.tokens.make(service.principal(secret), "脚本", frozenset({Power.READ}), 5)
    for n in range(FREE_TRIES_OF_LOGIN):
        wrong(home, "xueyuan", f"203.0.113.{n}")
    first = service.reset(None, home.ids["xueyuan"])
    assert not service.principal(secret).signed_in
    with pytest.raises(SignInFailed):
        home.access.tokens.principal(token.secret)
    assert service.sign_in("xueyuan", first, "10.0.0.77")


# -- second factor --------------------------------------------------------------------


@pytest.fixture
def strict(home: House) -> Sessions:
    """Sessions where administrators need a second factor."""
    home.person("guanli", {"beichen": Role.ADMINISTRATOR}, password=PASSWORD)
    return Sessions(home.access.office, Tries(home.access.office), CHEAP, Policy())


def test_administrators_need_a_second_factor(home: House, strict: Sessions) -> None:
    """Until it is set, and then given in each session, an administrator can do and see nothing more than a guest."""
    secret = strict.sign_in("guanli", PASSWORD, "a")
    by = strict.principal(secret)
    assert (by.settled, by.scope, by.roles) == (False, frozenset({PUBLIC}), {})
    totp = pyotp.TOTP(home.access.second_factors.offer(by))
    assert home.access.second_factors.offer(by) == totp.secret
    with pytest.raises(SignInFailed):
        home.access.second_factors.take(by, "000000")
    codes = home.access.second_factors.take(by, totp.at(_now(home)))
    assert strict.principal(secret).settled
    assert len(codes) == len(set(codes)) == 8

    again = strict.sign_in("guanli", PASSWORD, "a")
    by = strict.principal(again)
    assert not by.settled
    with pytest.raises(SignInFailed):
        home.access.second_factors.give(by, totp.at(_now(home)))
    home.clock.pass_(seconds=31)
    home.access.second_factors.give(by, totp.at(_now(home)))
    assert strict.principal(again).settled
    assert strict.principal(secret).settled


def test_recovery_codes_work_once(home: House, strict: Sessions) -> None:
    """A recovery code opens a session one time, in any spelling; a member who set no second factor needs none."""
    by = strict.principal(strict.sign_in("guanli", PASSWORD, "a"))
    totp = pyotp.TOTP(home.access.second_factors.offer(by))
    code = home.access.second_factors.take(by, totp.at(_now(home)))[0]
    one = strict.principal(strict.sign_in("guanli", PASSWORD, "a"))
    home.access.second_factors.give(one, code.upper().replace("-", " "))
    two = strict.principal(strict.sign_in("guanli", PASSWORD, "a"))
    with pytest.raises(SignInFailed):
        home.access.second_factors.give(two, code)
    assert strict.principal(strict.sign_in("xueyuan", PASSWORD, "a")).settled


def test_guessing_codes_ends_in_a_wait(home: House, strict: Sessions) -> None:
    """Codes cannot be tried one after another."""
    by = strict.principal(strict.sign_in("guanli", PASSWORD, "a"))
    totp = pyotp.TOTP(home.access.second_factors.offer(by))
    home.access.second_factors.take(by, totp.at(_now(home)))
    by = strict.principal(strict.sign_in("guanli", PASSWORD, "a"))
    for _ in range(FREE_TRIES):
        with pytest.raises(SignInFailed):
            home.access.second_factors.give(by, "000000")
    home.clock.pass_(seconds=1)
    with pytest.raises(TooManyRequests):
        home.access.second_factors.give(by, totp.at(_now(home)))


def test_second_factor_comes_off_by_a_code_only(home: House, strict: Sessions) -> None:
    """Taking it off needs a code; the secret is not readable in the store."""
    secret = strict.sign_in("guanli", PASSWORD, "a")
    totp = pyotp.TOTP(home.access.second_factors.offer(strict.principal(secret)))
    home.access.second_factors.take(strict.principal(secret), totp.at(_now(home)))
    with pytest.raises(Conflict):
        home.access.second_factors.offer(strict.principal(secret))
    with home.catalog.engine.connect() as connection:
        assert totp.secret not in repr(connection.execute(people.select()).all())
    home.clock.pass_(seconds=31)
    home.access.second_factors.drop(strict.principal(secret), totp.at(_now(home)))
    assert strict.due(strict.principal(secret)) is Due.SECOND_FACTOR


def _now(house: House) -> int:
    from datetime import UTC

    return int(house.clock.at.replace(tzinfo=UTC).timestamp())


# -- tokens -------------------------------------------------------------------------------


def test_tokens_open_within_their_powers_and_days(home: House) -> None:
    """A token stands for its owner within its powers, until its last day; forged ones open nothing."""
    by = home.by("xueyuan")
    token = home.access.tokens.make(by, "脚本", frozenset({Power.READ}), 5)
    found = home.access.tokens.principal(token.secret)
    assert found.person_id == home.ids["xueyuan"]
    assert found.scope == by.scope
    assert found.powers == {Power.READ}
    blind = home.access.tokens.make(by, "写", frozenset({Power.WRITE}), 5)
    assert home.access.tokens.principal(blind.secret).scope == frozenset({PUBLIC})
    for forged in (
        "",
        "gx_",
        "gx_x_y",
        token.secret[:-1],
        token.secret.replace("gx_", "gy_"),
        token.secret + "0",
    ):
        with pytest.raises(SignInFailed):
            home.access.tokens.principal(forged)
    home.clock.pass_(days=5)
    with pytest.raises(SignInFailed):
        home.access.tokens.principal(token.secret)


def test_tokens_end_with_their_owner_and_by_hand(home: House) -> None:
    """A token that was taken back, or whose owner was shut out, opens nothing; only the owner takes it back."""
    tokens_: Tokens = home.access.tokens
    home.person("other")
    one, two = (tokens_.make(home.by("xueyuan"), n, frozenset(Power), 5) for n in "ab")
    with pytest.raises(NotFound):
        tokens_.take_back(home.by("other"), one.token_id)
    tokens_.take_back(home.by("xueyuan"), one.token_id)
    assert [t.name for t in tokens_.of(home.by("xueyuan"))] == ["b"]
    with pytest.raises(SignInFailed):
        tokens_.principal(one.secret)
    assert tokens_.principal(two.secret).signed_in
    home.access.people.set_active(None, home.ids["xueyuan"], active=False)
    with pytest.raises(SignInFailed):
        tokens_.principal(two.secret)


def test_tokens_are_made_by_people(home: House) -> None:
    """A guest, a token, a nameless or endless wish make no token."""
    tokens_ = home.access.tokens
    by = home.by("xueyuan")
    made = tokens_.make(by, "脚本", frozenset(Power), 5)
    with pytest.raises(SignInRequired):
        tokens_.make(GUEST, "x", frozenset(Power), 5)
    with pytest.raises(InvalidRequest):
        tokens_.make(tokens_.principal(made.secret), "x", frozenset(Power), 5)
    for name, powers, days in (
        ("", frozenset(Power), 5),
        ("x", frozenset(), 5),
        ("x", frozenset(Power), 9999),
    ):
        with pytest.raises(InvalidRequest):
            tokens_.make(by, name, powers, days)
