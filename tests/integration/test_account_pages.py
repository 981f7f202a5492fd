"""The account pages over HTTP: coming in, going out, and what a person sees and does about themselves."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pyotp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from access.access import DEMONSTRATION
from access.rights import Role
from access.sessions import FREE_TRIES
from access.sharing import Wanted
from access.tables import audit, facts, invitations, people
from api.access_words import ACTION_WORDS
from api.demonstration import accounts
from api.forms import FIELD, VISITOR
from api.principal import COOKIE
from api.security import local_path
from api.services import Services
from api.sign_in_pages import BEGUN, STRANGER
from kb.model import Source
from tests.conftest import ROOT
from tests.integration import oidc_provider as real
from tests.integration.account_browser import ORIGIN, PASSWORD, Browser, add, open_site, text
from tests.integration.test_oidc import browse, running_provider
from tests.people import found_branches

NEW = "清早开会之前先把条文念两遍"
SECRET_TEXT = "夜班吊机奖励办法\n第一条　夜班吊机奖励每人三百元。\n"


@pytest.fixture
def site(home: Path) -> Iterator[Services]:
    """A home with two branches and nobody in them."""
    services = open_site(home)
    found_branches(services, "nan", "bei")
    yield services
    services.close()


@pytest.fixture
def browser(site: Services) -> Browser:
    return Browser(site)


def hand_in(services: Services, person_id: str) -> str:
    """A document that only the branch nan may read; the id."""
    by = services.access.sessions.principal_of(person_id)
    source = Source("夜班.txt", "text/plain", SECRET_TEXT.encode())
    outcome = services.holdings.hand_in(by, "nan", source, [Wanted("branch:nan")])
    assert outcome.document_id
    return outcome.document_id


def set_cookies(browser: Browser, name: str) -> list[str]:
    return [c for c in browser.page.headers.get_list("set-cookie") if c.startswith(name + "=")]


# -- password ---------------------------------------------------------------------------


def test_password_lets_in_and_leads_back(site: Services, browser: Browser) -> None:
    """Who signs in is led to the page that asked for it, and is named on it."""
    add(site, "wang", nan=Role.MEMBER)
    assert browser.get("/me?x=1").headers["location"] == "/sign-in?next=/me%3Fx%3D1"
    page = browser.sign_in("wang", to="/me?x=1")
    assert (page.status_code, page.headers["location"]) == (303, "/me?x=1")
    assert "wang先生" in text(browser.get("/me?x=1"))
    assert "nan支部学员" in text(browser.page)


def test_session_cookie_is_out_of_reach(site: Services, browser: Browser) -> None:
    """The session's cookie is for this site alone, out of reach of scripts, and ends with the session."""
    add(site, "wang")
    browser.sign_in("wang")
    (line,) = set_cookies(browser, COOKIE)
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=604800"} <= set(line.split("; "))
    assert "Secure" not in line
    assert "no-store" in browser.get("/me").headers["cache-control"]


@pytest.mark.parametrize("stated", [{"host": "0.0.0.0"}, {"url": "https://study.example.cn"}])
def test_cookies_go_over_https_alone(home: Path, stated: dict[str, str]) -> None:
    """Off the loopback every cookie is marked for HTTPS alone."""
    services = open_site(home, allowed_hosts="study.example.cn", **stated)
    add(services, "wang")
    browser = Browser(services, "https://study.example.cn")
    browser.get("/sign-in")
    assert all("Secure" in line.split("; ") for line in set_cookies(browser, VISITOR))
    browser.sign_in("wang")
    assert all("Secure" in line.split("; ") for line in set_cookies(browser, COOKIE))
    assert browser.get("/me").status_code == 200
    services.close()


def test_wrong_password_and_unknown_login_read_the_same(site: Services, browser: Browser) -> None:
    """What does not fit answers 401 with the login kept, the password not, and no word on which was wrong."""
    add(site, "wang")
    pages = []
    for login in ("wang", "wanh"):
        page = browser.sign_in(login, "不是这个密码吧")
        assert page.status_code == 401
        assert f'value="{login}"' in page.text
        assert "不是这个密码吧" not in page.text
        pages.append(text(page))
    assert pages[0] == pages[1]
    assert browser.secret is None
    assert browser.sign_in("", "").status_code == 400


def test_lockout_says_how_long(site: Services, browser: Browser) -> None:
    """After some wrong tries one must wait, is told how long, and the right password opens nothing meanwhile."""
    add(site, "wang")
    for login in ("wang", "nobody"):
        for _ in range(FREE_TRIES):
            assert browser.sign_in(login, "不是这个密码吧").status_code == 401
        page = browser.sign_in(login)
        assert page.status_code == 429
        assert re.search(r"请等 (29|30|31) 秒后再试", text(page))
        assert int(page.headers["retry-after"]) in range(28, 32)
    assert browser.secret is None


HOSTILE = [
    "//evil.example",
    "https://evil.example",
    "\\\\evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
]
HOSTILE += [
    "/\t/evil.example",
    "https://[evil",
    "evil.example",
    " //evil.example",
    "/\n/evil.example",
    "///evil",
]


@pytest.mark.parametrize("address", HOSTILE)
def test_nobody_is_sent_elsewhere(site: Services, browser: Browser, address: str) -> None:
    """An address of another site in `next` leads to the start page, in the link and in the form."""
    add(site, "wang")
    assert browser.sign_in("wang", to=address).headers["location"] == "/"
    browser.get("/sign-in")
    fields = browser.fields("/sign-in") | {"login": "wang", "password": PASSWORD, "next": address}
    assert browser.post("/sign-in", fields).headers["location"] == "/"


def test_what_is_due_leads_nowhere_else(site: Services, browser: Browser) -> None:
    """An address of another site in `next` is dropped by the pages that come first, too."""
    add(site, "wang", first=True)
    browser.sign_in("wang")
    typed = {"old": PASSWORD, "new": NEW, "again": NEW, "next": "//evil.example"}
    page = browser.send("/me/password?next=//evil.example", "/me/password", **typed)
    assert page.headers["location"] == "/me?done=password"


def test_what_was_typed_is_shown_as_text(site: Services, browser: Browser) -> None:
    """Markup in a login is shown, not read as markup."""
    page = browser.sign_in('"><script>x</script>', "不是这个密码吧")
    assert "<script>x" not in page.text
    assert "&lt;script&gt;x" in page.text


@given(st.text(st.sampled_from("/\\:.?#@[]%\t\n ehtps5c、")))
def test_local_path_leads_nowhere_else(address: str) -> None:
    """Whatever is asked for, what comes out has this site's host when a browser resolves it."""
    found = local_path(address)
    assert found in (address, "/")
    assert re.match(r"/(?![/\\])", found)
    assert found.isprintable()


def test_form_is_taken_once_and_from_its_own_reader(site: Services, browser: Browser) -> None:
    """A form sent twice, with a forged token, with another browser's, or with none opens nothing."""
    add(site, "wang")
    browser.get("/sign-in")
    typed = browser.fields("/sign-in") | {"login": "wang", "password": PASSWORD}
    other = Browser(site)
    assert other.post("/sign-in", typed).status_code == 403
    other.get("/sign-in")
    assert other.post("/sign-in", typed).status_code == 403
    forged = typed[FIELD][:-1] + ("0" if typed[FIELD][-1] != "0" else "1")
    for token in (forged, "", "x", "..", f"{typed[FIELD]}0", "键.1.0"):
        assert browser.post("/sign-in", typed | {FIELD: token}).status_code == 403, token
    assert browser.secret is None
    assert browser.post("/sign-in", typed).status_code == 303
    browser.client.cookies.delete(COOKIE)
    assert browser.post("/sign-in", typed).status_code == 409
    assert "没有办成" in text(browser.page)


def test_session_is_new_at_each_sign_in(site: Services, browser: Browser) -> None:
    """A secret that was in the browser before signing in is worth nothing after it, a planted one included."""
    add(site, "wang")
    browser.client.cookies.set(COOKIE, "planted", domain="127.0.0.1")
    browser.sign_in("wang")
    first = browser.secret
    assert first not in (None, "planted")
    browser.sign_in("wang")
    assert browser.secret not in (first, None)
    assert not site.access.sessions.principal(str(first)).signed_in
    assert not site.access.sessions.principal("planted").signed_in


def test_sign_out_ends_the_session(site: Services, browser: Browser) -> None:
    """After signing out the cookie is gone, and a copy of it opens nothing."""
    add(site, "wang")
    browser.sign_in("wang")
    copy = str(browser.secret)
    page = browser.send("/", "/sign-out")
    assert page.headers["location"] == "/sign-in?done=out"
    assert not browser.secret
    assert "您已退出" in text(browser.get("/sign-in?done=out"))
    browser.client.cookies.set(COOKIE, copy, domain="127.0.0.1")
    assert browser.get("/me").status_code == 303


def test_person_who_is_shut_out_is_out_at_once(site: Services, browser: Browser) -> None:
    """Deactivation acts at the next request of a session that is open, and at the next sign-in."""
    person_id = add(site, "wang", nan=Role.MEMBER)
    browser.sign_in("wang")
    assert browser.get("/me").status_code == 200
    site.access.people.set_active(None, person_id, active=False)
    assert browser.get("/me").headers["location"].startswith("/sign-in")
    assert browser.sign_in("wang").status_code == 401


def test_programs_are_not_led_to_the_form(site: Services, browser: Browser) -> None:
    """Who does not ask for HTML gets the problem, with its code."""
    answer = browser.client.get("/me", headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_required")


# -- what is due first ---------------------------------------------------------------------


def test_first_password_must_be_changed_before_anything(site: Services, browser: Browser) -> None:
    """With a password that somebody else knows one sees what everyone sees, on no page but that of the password."""
    document_id = hand_in(site, add(site, "peixun", nan=Role.TRAINER))
    add(site, "wang", first=True, nan=Role.MEMBER)
    browser.sign_in("wang")
    for address in ("/", "/?q=夜班", f"/documents/{document_id}", "/me", "/me/export", "/me/second-factor"):
        page = browser.get(address)
        assert page.status_code == 303, address
        assert page.headers["location"].startswith("/me/password?next="), address
    search = browser.client.get("/v1/search?q=夜班吊机")
    assert search.status_code in (200, 503)
    assert "三百元" not in search.text
    assert browser.get("/static/style.css").status_code == 200
    to = f"/documents/{document_id}?q=夜班"
    where = browser.get(to).headers["location"]
    page = browser.send(where, "/me/password", old=PASSWORD, new=NEW, again=NEW)
    assert page.status_code == 303
    assert "三百元" in text(browser.get(page.headers["location"]))


def test_unsettled_person_may_sign_out(site: Services, browser: Browser) -> None:
    """Also before the password is changed one may leave."""
    add(site, "wang", first=True)
    browser.sign_in("wang")
    assert browser.send("/me/password", "/sign-out").headers["location"] == "/sign-in?done=out"
    assert not browser.secret


def test_posts_of_an_unsettled_person_do_nothing(site: Services, browser: Browser) -> None:
    """A form sent past the page that is due is led there too."""
    add(site, "wang", first=True)
    browser.sign_in("wang")
    browser.get("/me/password")
    fields = browser.fields("/me/password")
    assert (
        browser.post("/me/erase", fields | {"login": "wang"}).headers["location"].startswith("/me/password")
    )
    assert browser.sign_in("wang").status_code == 303


def test_second_factor_of_an_administrator(site: Services, browser: Browser) -> None:
    """An administrator is led to set a second factor, and from then on gives a code in every new session."""
    add(site, "guanli", nan=Role.ADMINISTRATOR)
    browser.sign_in("guanli", to="/documents")
    page = browser.get(browser.get("/documents").headers["location"])
    assert "<svg" in page.text
    secret = re.sub(r"\s", "", re.findall(r'class="secret">([^<]*)<', page.text)[0])
    assert (
        browser.post(
            "/me/second-factor", browser.fields("/me/second-factor") | {"code": "000000"}
        ).status_code
        == 401
    )
    assert "验证码不对" in text(browser.page)
    assert secret in re.sub(r"\s", "", browser.page.text)
    now = site.access.office.now()
    fields = browser.fields("/me/second-factor") | {"code": pyotp.TOTP(secret).now()}
    page = browser.post("/me/second-factor", fields)
    assert page.status_code == 200
    codes = re.findall(r"<li><code>([^<]*)</code>", page.text)
    assert len(set(codes)) == 8
    assert 'href="/documents"' in page.text
    assert browser.get("/documents").status_code == 200

    other = Browser(site)
    other.sign_in("guanli")
    assert other.get("/me/password").headers["location"].startswith("/me/second-factor")
    where = other.get("/documents").headers["location"]
    assert secret not in re.sub(r"\s", "", other.get(where).text)
    wrong = other.send(where, "/me/second-factor/code", code=fields["code"])
    assert wrong.status_code == 401
    later = pyotp.TOTP(secret).at(now.replace(tzinfo=UTC) + timedelta(seconds=30))
    assert other.send(where, "/me/second-factor/code", code=later).headers["location"] == "/documents"
    assert other.get("/documents").status_code == 200

    third = Browser(site)
    third.sign_in("guanli")
    assert third.send("/me/second-factor", "/me/second-factor/code", code=codes[0].upper()).status_code == 303
    assert "恢复码还剩 7 个" in text(third.get("/me"))
    assert third.send("/me/second-factor", "/me/second-factor/remove", code=codes[0]).status_code == 401
    page = third.send("/me/second-factor", "/me/second-factor/remove", code=codes[1])
    assert page.headers["location"] == "/me?done=second-factor"
    assert third.get("/me").headers["location"].startswith("/me/second-factor")


def test_wrong_codes_must_wait(site: Services, browser: Browser) -> None:
    """Codes cannot be tried without end."""
    add(site, "guanli", nan=Role.ADMINISTRATOR)
    browser.sign_in("guanli")
    for _ in range(FREE_TRIES):
        assert browser.send("/me/second-factor", code="000000").status_code == 401
    assert browser.send("/me/second-factor", code="000000").status_code == 429
    assert "秒后再试" in text(browser.page)


# -- password --------------------------------------------------------------------------------


def test_password_is_changed(site: Services, browser: Browser) -> None:
    """A new password counts from now on, and other sessions end."""
    add(site, "wang")
    browser.sign_in("wang")
    other = Browser(site)
    other.sign_in("wang")
    page = browser.send("/me/password", old=PASSWORD, new=NEW, again=NEW)
    assert "密码已修改" in text(browser.get(page.headers["location"]))
    assert other.get("/me").status_code == 303
    assert other.sign_in("wang").status_code == 401
    assert other.sign_in("wang", NEW).status_code == 303


@pytest.mark.parametrize(
    ("typed", "status", "field"),
    [
        ({"old": "错的密码错的密码", "new": NEW, "again": NEW}, 401, "old"),
        ({"old": PASSWORD, "new": NEW, "again": NEW + "x"}, 400, "again"),
        ({"old": PASSWORD, "new": "短", "again": "短"}, 400, "new"),
        ({"old": PASSWORD, "new": "wanglin2026!", "again": "wanglin2026!"}, 400, "new"),
        ({"old": PASSWORD, "new": PASSWORD, "again": PASSWORD}, 400, "new"),
        ({}, 401, "old"),
    ],
)
def test_wrong_field_of_the_password_is_named(
    site: Services, browser: Browser, typed: dict[str, str], status: int, field: str
) -> None:
    """What is wrong is said at its field in Chinese, and nothing typed is shown again."""
    add(site, "wanglin")
    browser.sign_in("wanglin")
    page = browser.send("/me/password", **typed)
    assert page.status_code == status
    assert f'href="#{field}"' in page.text
    assert not re.search(r"Cannot|Take", page.text)
    assert not any(f'value="{value}"' in page.text for value in typed.values())
    assert Browser(site).sign_in("wanglin").status_code == 303


# -- invitations --------------------------------------------------------------------------------


def invite(services: Services, *, branch: str = "nan", name: str = "赵一鸣") -> str:
    """The address of a fresh invitation as a trainer."""
    hashed = services.access.sessions.passwords.hashed(PASSWORD, login="root")
    access = services.access
    with services.access.office.reading() as connection:
        known = connection.execute(select(people.c.person_id).where(people.c.operator)).scalar()
    operator = known or access.people.add(
        None, "root", "系统管理员", password=hashed, operator=True, change_password=False
    )
    by = services.access.sessions.principal_of(operator)
    return "/invitation/" + access.invitations.offer(by, branch, frozenset({Role.TRAINER}), name).secret


def test_invitation_makes_a_person_once(site: Services, browser: Browser) -> None:
    """An invitation shows what it offers, makes a person who is signed in, and is over afterwards."""
    address = invite(site)
    page = browser.get(address)
    assert "nan支部" in text(page)
    assert "培训员" in text(page)
    assert 'value="赵一鸣"' in page.text
    page = browser.send(address, "", login="zhao", password=NEW, again=NEW)
    assert (page.status_code, page.headers["location"]) == (303, "/")
    assert "nan支部培训员" in text(browser.get("/me"))
    assert Browser(site).sign_in("zhao", NEW).status_code == 303
    stranger = Browser(site)
    over = [stranger.get(address), stranger.get("/invitation/none"), stranger.get("/invitation/" + "x" * 43)]
    assert [page.status_code for page in over] == [404] * 3
    assert len({re.sub(r'next=[^"]*', "", page.text) for page in over}) == 1


def test_invitation_of_the_past_is_over(site: Services, browser: Browser) -> None:
    """An invitation whose time ran out while its page was open is not taken."""
    address = invite(site)
    browser.get(address)
    typed = browser.fields() | {"login": "zhao", "password": NEW, "again": NEW}
    with site.access.office.writing() as connection:
        connection.execute(update(invitations).values(expires_at=site.access.office.now()))
    assert browser.post(address, typed).status_code == 404
    assert "不能用了" in text(browser.page)
    assert browser.sign_in("zhao", NEW).status_code == 401


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"login": "root"}, "login"),
        ({"login": "a b"}, "login"),
        ({"login": ""}, "login"),
        ({"name": " "}, "name"),
        ({"name": "长" * 41}, "name"),
        ({"password": "short", "again": "short"}, "password"),
        ({"again": "other"}, "again"),
    ],
)
def test_invitation_names_the_wrong_field(
    site: Services, browser: Browser, typed: dict[str, str], field: str
) -> None:
    """What cannot be taken is said at its field; the rest stays as typed, passwords do not, the offer stays open."""
    address = invite(site)
    good = {"login": "zhao", "name": "赵一鸣", "password": NEW, "again": NEW}
    page = browser.send(address, "", **(good | typed))
    assert page.status_code == 400
    assert re.findall(r'href="#([^"]*)"', page.text) == ["main", field]
    if "login" not in typed:
        assert 'value="zhao"' in page.text
    assert NEW not in page.text
    assert browser.send(address, "", **good).status_code == 303


def test_invitation_for_who_is_signed_in(site: Services, browser: Browser) -> None:
    """Someone who is here already joins by one button, under the account they have."""
    add(site, "wang", bei=Role.MEMBER)
    address = invite(site)
    assert "已有账号" in text(browser.get(address))
    browser.sign_in("wang", to=address)
    page = browser.send(address, "")
    assert "已接受邀请" in text(browser.get(page.headers["location"]))
    assert "nan支部培训员" in text(browser.page)
    assert "bei支部学员" in text(browser.page)


# -- me -----------------------------------------------------------------------------------------


def test_sessions_elsewhere_end(site: Services, browser: Browser) -> None:
    """One sees one's sessions, and ends all but the one at hand."""
    add(site, "wang")
    other = Browser(site)
    other.sign_in("wang")
    browser.sign_in("wang")
    assert "本设备" in text(browser.get("/me"))
    assert browser.page.text.count("登录（本设备）") + browser.page.text.count("，最近使用 ") == 2
    browser.post("/me/sessions/end-others", browser.fields("/me/sessions/end-others"))
    assert other.get("/me").status_code == 303
    assert browser.get("/me").status_code == 200


def test_token_is_shown_once_and_taken_back(site: Services, browser: Browser) -> None:
    """A token works within its powers until it is taken back; its secret is on one page only."""
    document_id = hand_in(site, add(site, "peixun", nan=Role.TRAINER))
    browser.sign_in("peixun")
    page = browser.send("/me", "/me/tokens", name="学习简报", days="7", power=["read"])
    assert page.status_code == 200
    (secret,) = re.findall(r"gx_[\w-]+", page.text)
    outside = Browser(site).client
    bearer = {"authorization": f"Bearer {secret}"}
    assert outside.get(f"/v1/documents/{document_id}").status_code == 404
    assert outside.get(f"/v1/documents/{document_id}", headers=bearer).status_code == 200
    me = browser.get("/me")
    assert "学习简报" in text(me)
    assert secret not in me.text
    (action,) = re.findall(r'action="(/me/tokens/[^"]+/take-back)"', me.text)
    assert browser.post(action, browser.fields(action)).headers["location"] == "/me?done=token"
    assert outside.get(f"/v1/documents/{document_id}", headers=bearer).status_code == 401
    browser.get("/me")
    assert browser.post(action, browser.fields("/me/tokens")).status_code == 404


def test_token_of_another_cannot_be_taken_back(site: Services, browser: Browser) -> None:
    """Nobody ends a token that is not theirs."""
    add(site, "wang")
    add(site, "zhang")
    browser.sign_in("wang")
    browser.send("/me", "/me/tokens", name="简报", days="7", power=["read"])
    action = re.findall(r'action="(/me/tokens/[^"]+/take-back)"', browser.get("/me").text)[0]
    other = Browser(site)
    other.sign_in("zhang")
    other.get("/me")
    assert other.post(action, other.fields("/me/tokens")).status_code == 404
    assert action in browser.get("/me").text


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": " "}, "token-name"),
        ({"power": []}, "power-read"),
        ({"power": ["all"]}, "power-read"),
        ({"days": "9999"}, "token-days"),
        ({"days": "x"}, "token-days"),
    ],
)
def test_token_names_the_wrong_field(
    site: Services, browser: Browser, typed: dict[str, object], field: str
) -> None:
    """A token without name, power or end is not made; the fold with the form stays open."""
    add(site, "wang")
    browser.sign_in("wang")
    page = browser.send("/me", "/me/tokens", **({"name": "简报", "days": "7", "power": ["read"]} | typed))
    assert page.status_code == 400
    assert f'href="#{field}"' in page.text
    assert f'id="{field}"' in page.text
    assert '<details class="more" open>' in page.text
    assert "收回<" not in page.text


def test_trail_is_told_in_words(site: Services, browser: Browser) -> None:
    """One reads what one did oneself, with the names of documents that one may see by now, and nothing of others."""
    trainer = add(site, "peixun", nan=Role.TRAINER)
    document_id = hand_in(site, trainer)
    add(site, "wang", nan=Role.MEMBER)
    browser.sign_in("wang")
    browser.get(f"/documents/{document_id}")
    me = text(browser.get("/me"))
    assert "阅读了文献 夜班吊机奖励办法" in me
    assert "用密码登录" in me
    assert "交入了文献" not in me
    site.access.people.set_roles(None, site.access.sessions.person_to_link("wang") or "", "nan", frozenset())
    me = text(browser.get("/me"))
    assert "阅读了文献" in me
    assert "夜班吊机" not in me


def test_every_action_of_the_trail_has_words() -> None:
    """Whatever the code writes into the trail can be told in Chinese, and no word is left over."""
    kinds = {action.split(".")[0] for action in ACTION_WORDS}
    source = "".join(
        file.read_text(encoding="utf-8")
        for folder in ("access", "api", "quiz", "cases")
        for file in (ROOT / folder).glob("*.py")
        if file.name != "access_words.py"
    )
    written = set(re.findall(rf'"((?:{"|".join(kinds)})\.(?!html)[a-z_]+)"', source))
    assert written == set(ACTION_WORDS)


def test_export_holds_all_of_oneself_and_nothing_of_others(site: Services, browser: Browser) -> None:
    """The file has every field that is kept, no secret, and no name, login or document of anybody else."""
    add(site, "zhangsan", nan=Role.LIAISON)
    trainer = add(site, "peixun", nan=Role.TRAINER)
    document_id = hand_in(site, trainer)
    other = Browser(site)
    other.sign_in("zhangsan")
    other.send("/me", "/me/tokens", name="别人的令牌", days="7", power=["read"])
    browser.sign_in("peixun")
    browser.send("/me", "/me/tokens", name="我的令牌", days="7", power=["read", "write"])
    secret = re.findall(r"gx_[\w-]+", browser.page.text)[0].rpartition("_")[2]
    answer = browser.get("/me/export")
    assert answer.headers["content-disposition"].startswith('attachment; filename="gongxue-peixun.json"')
    found = json.loads(answer.text)
    assert found["person"]["login"] == "peixun"
    assert found["person"]["name"] == "peixun先生"
    assert found["roles"] == [{"branch_id": "nan", "name": "nan支部", "role": "trainer"}]
    assert [token["name"] for token in found["tokens"]] == ["我的令牌"]
    assert len(found["sessions"]) == 1
    assert [d["document_id"] for d in found["documents_owned"]] == [document_id]
    assert {"document.add", "session.begin", "token.make", "person.roles"} <= {
        e["action"] for e in found["audit"]
    }
    for strange in ("zhangsan", "别人的令牌", secret, str(browser.secret), "$argon2"):
        assert strange not in answer.text
    with site.access.office.reading() as connection:
        kept = connection.execute(
            select(audit.c.seq).where((audit.c.person_id == trainer) | (audit.c.object_id == trainer))
        ).all()
    assert len(found["audit"]) == len(kept)


def test_page_tells_every_field_that_is_kept() -> None:
    """Whoever adds a field about people must say so on the page and in the export."""
    assert {column.name for column in people.columns} == {
        *("person_id", "login", "login_key", "name", "password", "change_password", "subject", "operator"),
        *("active", "totp_secret", "totp_step", "recovery", "added_at"),
    }


def test_erasure_forgets(site: Services, browser: Browser) -> None:
    """Who types their login is forgotten: no sign-in, no name, no login anywhere in the store but an id."""
    address = invite(site, name="钱多多")
    browser.send(address, "", login="qianduoduo", password=NEW, again=NEW)
    browser.send("/me", "/me/tokens", name="简报", days="7", power=["read"])
    assert browser.send("/me", "/me/erase", login="wang").status_code == 400
    assert "qianduoduo" in text(browser.page)
    page = browser.send("/me", "/me/erase", login="qianduoduo")
    assert page.headers["location"] == "/sign-in?done=erased"
    assert not browser.secret
    assert "已注销" in text(browser.get("/sign-in?done=erased"))
    assert browser.sign_in("qianduoduo", NEW).status_code == 401
    with site.access.office.reading() as connection:
        tables = (
            connection.exec_driver_sql("select name from sqlite_master where type='table'").scalars().all()
        )
        rows = [str(connection.exec_driver_sql(f"select * from {t}").all()) for t in tables]
    assert not any("钱多多" in r or "qianduoduo" in r for r in rows)
    assert site.access.audit.verify().whole


def test_last_operator_is_not_erased(site: Services, browser: Browser) -> None:
    """The only operator is told to appoint another one first, and is still there."""
    services = site
    services.access.sessions.policy = type(services.access.sessions.policy)(second_factor=False)
    add(services, "root", operator=True)
    browser.sign_in("root")
    page = browser.send("/me", "/me/erase", login="root")
    assert page.status_code == 400
    assert "唯一的系统管理员" in text(page)
    assert browser.get("/me").status_code == 200


# -- the shell -----------------------------------------------------------------------------------


def test_menu_shows_what_one_may_do(site: Services, browser: Browser) -> None:
    """Handing in, questions and managing are offered to who may do so; guests are offered to sign in."""
    guest = browser.get("/").text
    assert 'href="/sign-in?next=/"' in guest
    assert "/manage" not in guest
    for login, role, offered in (
        ("a1", Role.MEMBER, set()),
        ("a2", Role.TRAINER, {"/manage/hand-in", "/manage/questions"}),
        ("a3", Role.LIAISON, {"/manage/hand-in", "/manage"}),
    ):
        add(site, login, nan=role)
        browser.sign_in(login)
        assert set(re.findall(r'href="(/manage[^"]*)"', browser.get("/").text)) == offered, role


def test_error_page_is_the_same_each_time(site: Services, browser: Browser) -> None:
    """What one may not see and what is not there give one page, byte for byte, but for the address."""
    document_id = hand_in(site, add(site, "peixun", nan=Role.TRAINER))
    add(site, "wang", bei=Role.MEMBER)
    browser.sign_in("wang")
    pages = [browser.get(f"/documents/{i}").text.replace(i, "") for i in (document_id, document_id, "0" * 16)]
    assert pages[0] == pages[1] == pages[2]


def test_demonstration_says_so_on_every_page(home: Path) -> None:
    """The sample home has its banner on each page, and each sample account behind one button."""
    services = open_site(home)
    with services.access.office.writing() as connection:
        connection.execute(facts.insert().values(name=DEMONSTRATION, value="1"))
    for account in accounts():
        hashed = services.access.sessions.passwords.hashed(account.password, login=account.login)
        services.access.people.add(None, account.login, account.says, password=hashed, change_password=False)
    browser = Browser(services)
    for address in ("/", "/documents", "/sign-in", "/documents/none", "/invitation/none", "/docs"):
        assert "演示环境" in browser.get(address).text, address
    for account in accounts():
        browser.get("/sign-in")
        fields = browser.fields("/sign-in", f'value="{account.login}"')
        assert browser.post("/sign-in", fields).status_code == 303
        assert account.says in text(browser.get("/me"))
        assert "演示环境" in text(browser.page)
    services.close()


def test_real_home_offers_no_sample(browser: Browser) -> None:
    """A home that is no demonstration shows neither banner nor sample accounts."""
    page = browser.get("/sign-in").text
    assert "演示" not in page
    assert "gongxue-2026" not in page


ADDRESSES = ["/sign-in", "/me", "/me/password", "/me/second-factor", "/me/export", "/invitation/x"]
ADDRESSES += [
    "/sign-in/provider",
    "/sign-in/provider/back?code=x&state=y",
    "/me/tokens/x/take-back",
    "/me/erase",
]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    address=st.sampled_from(ADDRESSES),
    method=st.sampled_from(["GET", "POST"]),
    fields=st.dictionaries(
        st.sampled_from(["login", "password", "next", "code", "name", "days", "power"]), st.text()
    ),
    query=st.text(),
)
def test_nonsense_is_never_a_fault_of_ours(
    browser: Browser, address: str, method: str, fields: dict[str, str], query: str
) -> None:
    """Whatever is sent to these pages, the answer is none of 500."""
    browser.get("/sign-in")
    token = browser.fields("/sign-in")
    sent = browser.client.request(
        method,
        address,
        params=None if "?" in address else {"next": query, "done": query},
        data=token | fields if method == "POST" else None,
    )
    assert sent.status_code < 500


# -- the identity provider -----------------------------------------------------------------------

BACK = ORIGIN + "/sign-in/provider/back"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_provider(tmp_path_factory.mktemp("provider"), BACK) as address:
        yield address


@pytest.fixture
def linked(home: Path, issuer: str) -> Iterator[Services]:
    """A home whose people may sign in at the provider."""
    services = open_site(home, **oidc(issuer))
    found_branches(services, "nan")
    yield services
    services.close()


def oidc(issuer: str) -> dict[str, str]:
    return {
        "url": ORIGIN,
        "oidc_issuer": issuer,
        "oidc_client_id": real.CLIENT,
        "oidc_client_secret": real.SECRET,
    }


def come_back(browser: Browser, address: str) -> None:
    """The way to the provider, signing in there, and back."""
    browser.page = browser.client.get("/sign-in/provider/back", params=browse(address, BACK))


def by_provider(browser: Browser, to: str = "/") -> None:
    come_back(browser, browser.get(f"/sign-in/provider?next={to}").headers["location"])


def link_from_me(browser: Browser) -> None:
    page = browser.send("/me", "/me/provider")
    assert page.status_code == 200
    address = re.findall(r'class="button primary" href="([^"]*)"', page.text)[0].replace("&amp;", "&")
    come_back(browser, address)


def test_linked_person_signs_in_by_the_provider(linked: Services, browser_at_provider: Browser) -> None:
    """After linking on “我的” the provider's word is enough, and leads back to the page that was asked for."""
    browser = browser_at_provider
    add(linked, "wang", nan=Role.MEMBER)
    assert "用单位账号登录" in text(browser.get("/sign-in"))
    browser.sign_in("wang")
    link_from_me(browser)
    assert browser.page.headers["location"] == "/me?done=provider"
    assert "单位账号 已关联" in text(browser.get("/me"))
    fresh = Browser(linked)
    by_provider(fresh, "/documents")
    assert fresh.page.headers["location"] == "/documents"
    assert "wang先生" in text(fresh.get("/me"))
    assert "用单位账号登录" in text(fresh.page)
    assert BEGUN not in fresh.client.cookies


@pytest.fixture
def browser_at_provider(linked: Services) -> Browser:
    return Browser(linked)


def test_person_shut_out_is_not_let_in_by_the_provider(
    linked: Services, browser_at_provider: Browser
) -> None:
    """The provider's word opens no account that was shut."""
    person_id = add(linked, "wang")
    browser_at_provider.sign_in("wang")
    link_from_me(browser_at_provider)
    linked.access.people.set_active(None, person_id, active=False)
    fresh = Browser(linked)
    by_provider(fresh)
    assert fresh.page.status_code == 401
    assert fresh.secret is None


def test_identity_of_nobody_takes_up_an_invitation(linked: Services, browser_at_provider: Browser) -> None:
    """Whom nobody here knows is told so, and may take up an invitation that links the identity."""
    browser = browser_at_provider
    by_provider(browser)
    assert browser.page.status_code == 403
    assert "还没有您的账号" in text(browser.page)
    assert browser.secret is None
    address = invite(linked, name="王琳")
    page = browser.get(address)
    assert 'value="wanglin"' in page.text
    fields = browser.fields()
    assert fields["link"] == "1"
    page = browser.post(address, fields | {"password": NEW, "again": NEW})
    assert page.status_code == 303
    assert STRANGER not in browser.client.cookies
    fresh = Browser(linked)
    by_provider(fresh)
    assert fresh.page.status_code == 303
    assert "wanglin" in text(fresh.get("/me"))


def test_identity_of_another_is_not_taken(linked: Services, browser_at_provider: Browser) -> None:
    """One identity is one person: a second one who would link it is told that it is taken."""
    add(linked, "wang")
    add(linked, "zhang")
    browser_at_provider.sign_in("wang")
    link_from_me(browser_at_provider)
    other = Browser(linked)
    other.sign_in("zhang")
    link_from_me(other)
    assert other.page.headers["location"] == "/me?done=provider-taken"
    assert "单位账号 未关联" in text(other.get("/me"))


def test_login_alone_links_only_where_it_is_set(home: Path, issuer: str) -> None:
    """A person whom the provider names by a login here is that person only if the setting says so."""
    for told in (False, True):
        services = open_site(home, **oidc(issuer), oidc_link_logins=told)
        if not told:
            add(services, "wanglin")
        browser = Browser(services)
        by_provider(browser)
        assert browser.page.status_code == (303 if told else 403)
        services.close()


def test_answer_for_another_browser_is_refused(linked: Services, browser_at_provider: Browser) -> None:
    """A callback that another browser began, that was altered, or that comes again lets nobody in."""
    add(linked, "wang")
    address = browser_at_provider.get("/sign-in/provider").headers["location"]
    query = browse(address, BACK)
    victim = Browser(linked)
    assert victim.client.get("/sign-in/provider/back", params=query).status_code == 401
    victim.get("/sign-in/provider")
    assert victim.client.get("/sign-in/provider/back", params=query).status_code == 401
    begun = browser_at_provider.client.cookies[BEGUN]
    victim.client.cookies.set(BEGUN, begun[:-2], domain="127.0.0.1")
    assert victim.client.get("/sign-in/provider/back", params=query).status_code == 401
    assert victim.secret is None


def test_linking_is_bound_to_the_person_who_began_it(linked: Services, browser_at_provider: Browser) -> None:
    """Where another person is signed in by the time of the callback, nothing is linked."""
    browser = browser_at_provider
    add(linked, "wang")
    add(linked, "zhang")
    browser.sign_in("wang")
    page = browser.send("/me", "/me/provider")
    address = re.findall(r'class="button primary" href="([^"]*)"', page.text)[0].replace("&amp;", "&")
    browser.sign_in("zhang")
    come_back(browser, address)
    assert browser.page.status_code == 401
    assert "单位账号 未关联" in text(browser.get("/me"))


def test_silent_provider_is_told(home: Path) -> None:
    """Where the provider does not answer, the page says so and offers the password."""
    services = open_site(home, **oidc("http://127.0.0.1:9/o"))
    browser = Browser(services)
    page = browser.get("/sign-in/provider")
    assert page.status_code == 503
    assert "单位登录暂时不可用" in text(page)
    services.close()


def test_provider_is_not_offered_where_none_is_set(browser: Browser) -> None:
    """Without a provider there is no link to it, and its addresses lead nowhere."""
    assert "单位账号" not in text(browser.get("/sign-in"))
    assert browser.get("/sign-in/provider").status_code == 404
    assert browser.get("/sign-in/provider/back").status_code == 401


def test_way_to_the_provider_says_where_to_come_back(linked: Services, browser_at_provider: Browser) -> None:
    """The provider is told the address under which people reach the service, not the one asked for."""
    address = browser_at_provider.get("/sign-in/provider").headers["location"]
    asked = dict(parse_qsl(urlsplit(address).query))
    assert asked["redirect_uri"] == BACK
    assert asked["code_challenge_method"] == "S256"
    (line,) = set_cookies(browser_at_provider, BEGUN)
    assert {"HttpOnly", "SameSite=Lax", "Max-Age=600"} <= set(line.split("; "))
    assert asked["state"] not in line
