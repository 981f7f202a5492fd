"""Signing in through OpenID Connect: a real provider in its own process, and one that forges."""

import base64
import contextlib
import hashlib
import hmac
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey
from joserfc.registry import HeaderParameter
from selectolax.lexbor import LexborHTMLParser

from access.oidc import Begun, Identity, OpenIdProvider
from kb.errors import InvalidSetting, KbError, ProviderUnavailable, SignInFailed
from tests.conftest import ROOT
from tests.integration import oidc_provider as real

BACK = "http://127.0.0.1:9/auth/callback"
CODE = "c0de-of-the-forger"
ACCESS_TOKEN = "acce55-token.of~the_forger"

# ---------------------------------------------------------------- the real provider


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real provider, running."""
    with running_provider(tmp_path_factory.mktemp("provider"), BACK) as address:
        yield address


@contextlib.contextmanager
def running_provider(folder: Path, back: str) -> Iterator[str]:
    """The issuer of a real provider whose clients come back to `back`."""
    port = free_port()
    script = ROOT / "tests/integration/oidc_provider.py"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([sys.executable, script, folder, str(port), back], stderr=log)
    try:
        while not answers(f"http://127.0.0.1:{port}/o/.well-known/openid-configuration"):
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/o"
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def provider(issuer: str) -> OpenIdProvider:
    return OpenIdProvider(issuer, real.CLIENT, real.SECRET)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def answers(address: str) -> bool:
    try:
        return httpx.get(address, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def browse(address: str, back: str = BACK) -> dict[str, str]:
    """The query that a browser brings back from `address`; its person signs in and allows nothing more."""
    typed = {name: real.USER[name] for name in ("username", "password")}
    with httpx.Client(trust_env=False) as browser:
        answer = browser.get(address)
        while answer.next_request is None or not str(answer.next_request.url).startswith(back):
            if answer.next_request:
                answer = browser.send(answer.next_request)
                continue
            assert answer.status_code == httpx.codes.OK, answer.text
            fields = [field.attributes for field in LexborHTMLParser(answer.text).css("input")]
            form = {field["name"]: typed.get(field["name"], field.get("value")) for field in fields}
            form.pop("allow", None)
            answer = browser.post(answer.url, data=form)
        return dict(parse_qsl(answer.next_request.url.query.decode()))


def test_person_is_known_after_the_round_through_the_provider(issuer: str, provider: OpenIdProvider) -> None:
    """Who signs in at the provider comes back as the person the provider knows."""
    begun = provider.begin(BACK)
    query = browse(begun.address)
    assert query["iss"] == issuer
    identity = provider.finish(begun, query, BACK)
    assert identity == Identity(issuer, "1", "wanglin", "王琳")


def test_trailing_slash_of_the_issuer_does_not_matter(issuer: str) -> None:
    """An issuer written with a slash at its end gives the identity under the issuer's own name."""
    provider = OpenIdProvider(issuer + "/", real.CLIENT, real.SECRET)
    begun = provider.begin(BACK)
    assert provider.finish(begun, browse(begun.address), BACK).issuer == issuer


def test_public_client_gets_the_names_from_userinfo(issuer: str) -> None:
    """Without a secret, and with ID tokens that hold the subject alone, the names are still right."""
    provider = OpenIdProvider(issuer, real.TERSE_CLIENT, "")
    begun = provider.begin(BACK)
    assert provider.finish(begun, browse(begun.address), BACK) == Identity(issuer, "1", "wanglin", "王琳")


def test_token_signed_with_the_client_secret_is_refused(issuer: str) -> None:
    """A provider that signs with the secret both sides hold is not believed."""
    provider = OpenIdProvider(issuer, real.SYMMETRIC_CLIENT, real.SECRET)
    begun = provider.begin(BACK)
    query = browse(begun.address)
    with refused(SignInFailed, "unsupported_algorithm", real.SECRET, query["code"]):
        provider.finish(begun, query, BACK)


def test_answer_to_another_sign_in_is_refused(provider: OpenIdProvider) -> None:
    """The callback of one sign-in does not complete another; nor does one without or with a strange state."""
    first, second = provider.begin(BACK), provider.begin(BACK)
    query = browse(first.address)
    for state in (second.state, "", "状态", "\udcff"):
        with refused(SignInFailed, "begun in this browser", query["code"], first.state):
            provider.finish(first, query | {"state": state}, BACK)
    with refused(SignInFailed, "begun in this browser"):
        provider.finish(second, query, BACK)
    with refused(SignInFailed, "begun in this browser"):
        provider.finish(replace(first, state=""), query | {"state": ""}, BACK)
    assert provider.finish(first, query, BACK).login == "wanglin"


def test_token_for_another_nonce_is_refused(provider: OpenIdProvider) -> None:
    """A code obtained for another browser's sign-in gives an ID token that is not taken here."""
    for nonce in ("other", ""):
        begun = provider.begin(BACK)
        query = browse(begun.address)
        with refused(SignInFailed, "nonce", query["code"], begun.nonce):
            provider.finish(replace(begun, nonce=nonce), query, BACK)


def test_code_is_good_for_one_sign_in(provider: OpenIdProvider) -> None:
    """The same callback played again is refused."""
    begun = provider.begin(BACK)
    query = browse(begun.address)
    provider.finish(begun, query, BACK)
    with refused(SignInFailed, "spent", query["code"]):
        provider.finish(begun, query, BACK)


def test_code_without_its_verifier_is_refused(provider: OpenIdProvider) -> None:
    """Whoever caught the code but not the verifier of the browser's session cannot redeem it."""
    begun = provider.begin(BACK)
    query = browse(begun.address)
    with refused(SignInFailed, "spent, too old, or of another", query["code"], begun.verifier):
        provider.finish(replace(begun, verifier=provider.begin(BACK).verifier), query, BACK)


def test_wrong_client_secret_is_the_installations_fault(issuer: str) -> None:
    """A secret the provider does not know is reported as such and not blamed on the person."""
    provider = OpenIdProvider(issuer, real.CLIENT, "stale-secret")
    begun = provider.begin(BACK)
    query = browse(begun.address)
    with refused(ProviderUnavailable, "invalid_client", "stale-secret", query["code"]):
        provider.finish(begun, query, BACK)


def test_refusal_of_the_person_is_told(issuer: str) -> None:
    """Who says no at the provider comes back with an error in clear words."""
    provider = OpenIdProvider(issuer, real.ASKING_CLIENT, real.SECRET)
    begun = provider.begin(BACK)
    query = browse(begun.address)
    assert query["error"] == "access_denied"
    with refused(SignInFailed, "access was denied there"):
        provider.finish(begun, query, BACK)


def test_error_nobody_knows_is_not_repeated(provider: OpenIdProvider) -> None:
    """What an address says of an error reaches no page, even where a code comes with it."""
    begun = provider.begin(BACK)
    query = browse(begun.address)
    with refused(SignInFailed, "nobody is signed in there", "<b>", query["code"]):
        provider.finish(begun, query | {"error": "login_required", "error_description": "<b>"}, BACK)
    with refused(SignInFailed, "not known here", "<b>", query["code"]):
        provider.finish(begun, query | {"error": "<b>"}, BACK)


def test_answer_in_the_name_of_another_provider_is_refused(provider: OpenIdProvider) -> None:
    """A callback that names another issuer, or none though this provider always does, redeems nothing."""
    begun = provider.begin(BACK)
    query = browse(begun.address)
    with refused(SignInFailed, "does not come from this provider", query["code"]):
        provider.finish(begun, query | {"iss": "https://other.example"}, BACK)
    with refused(SignInFailed, "does not come from this provider", query["code"]):
        provider.finish(begun, {key: query[key] for key in query if key != "iss"}, BACK)
    with refused(SignInFailed, "does not come from this provider"):
        provider.finish(begun, query | {"iss": "https://other.example", "error": "access_denied"}, BACK)
    assert provider.finish(begun, query, BACK).login == "wanglin"


def test_provider_that_names_another_issuer_is_not_used(issuer: str) -> None:
    """A discovery document of another issuer than the configured one is nonsense."""
    elsewhere = issuer.replace("127.0.0.1", "localhost")
    with refused(ProviderUnavailable, "another issuer"):
        OpenIdProvider(elsewhere, real.CLIENT, real.SECRET).begin(BACK)


def test_provider_that_is_down_is_told() -> None:
    """Nobody listening is an error that names the issuer; making the object asks nothing."""
    issuer = f"http://127.0.0.1:{free_port()}/o"
    provider = OpenIdProvider(issuer, real.CLIENT, real.SECRET)
    with refused(ProviderUnavailable, issuer, real.SECRET):
        provider.begin(BACK)


def test_provider_that_never_answers_is_given_up() -> None:
    """A provider that takes the connection and stays silent is an error and no hanging page."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        provider = OpenIdProvider(f"http://127.0.0.1:{silent.getsockname()[1]}", "c", "", timeout_s=0.1)
        with refused(ProviderUnavailable, "Timeout"):
            provider.begin(BACK)


@pytest.mark.parametrize(
    "issuer",
    [
        "http://sso.example.org/realm",
        "http://localhost.example.org",
        "http://127.0.0.1.example.org",
        "https://keeper:s3cret@sso.example.org",
        "https://sso.example.org/?tenant=s3cret",
        "https://sso.example.org/#s3cret",
        "https://sso.example.org:99999",
        "https://",
        "ftp://127.0.0.1",
        "https://sso.example.org/\n",
        "https://[::1",
        "",
    ],
)
def test_issuer_must_be_an_address_nobody_can_listen_to(issuer: str) -> None:
    """Anything but https, or http on this machine, is refused when it is configured."""
    with refused(InvalidSetting, "https", "s3cret"):
        OpenIdProvider(issuer, "c", "s")


@pytest.mark.parametrize(
    "issuer", ["https://sso.example.org/realm/", "http://localhost:8080", "http://[::1]:8080/o"]
)
def test_issuer_on_this_machine_or_over_tls_is_taken(issuer: str) -> None:
    """Configuring an issuer needs no network; an empty client id is refused."""
    OpenIdProvider(issuer, "c", "")
    with refused(InvalidSetting, "client id"):
        OpenIdProvider(issuer, "", "s")


# ---------------------------------------------------------------- a provider that forges


@cache
def rsa_key(kid: str) -> RSAKey:
    """A key of that name, made once."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


class Forger:
    """A provider that answers with whatever it is told to, and remembers what it was asked."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[tuple[str, httpx.Headers, dict[str, str]]] = []
        self.key = rsa_key("first")
        forger = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                form = {name: values[-1] for name, values in parse_qs(body).items()}
                forger.asked.append((self.path, httpx.Headers(list(self.headers.items())), form))
                status, said = forger.answers[self.path]
                content = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                if 300 <= status < 400:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(content)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        self.issuer = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.server_port}"
        self.discovery: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?tenant=1",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
        }
        self.answers: dict[str, tuple[int, Any]] = {"/elsewhere": (200, {})}
        self.answers["/.well-known/openid-configuration"] = (200, self.discovery)
        self.publish(self.key)

    def close(self) -> None:
        """Stop listening."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def publish(self, *keys: RSAKey | ECKey | dict[str, Any]) -> None:
        """Show these keys, and no others, to whoever asks."""
        public = [key if isinstance(key, dict) else key.as_dict(private=False) for key in keys]
        self.answers["/keys"] = (200, {"keys": public})

    def claims(self, begun: Begun, **more: Any) -> dict[str, Any]:
        """Good claims but for those given; None leaves one out."""
        now = int(time.time())
        good = {"iss": self.issuer, "sub": "s-1", "aud": "gongxue", "iat": now, "exp": now + 300}
        claims = good | {"nonce": begun.nonce, "name": "赵 敏", "preferred_username": "zhao"} | more
        return {name: value for name, value in claims.items() if value is not None}

    def signed(self, claims: dict[str, Any], key: Any = None, **header: Any) -> str:
        """A token with these claims, by its own key unless told otherwise."""
        header = {"alg": "RS256", "kid": "first"} | header
        stated = {name: value for name, value in header.items() if value is not None}
        own = {"tenant": HeaderParameter("a header of this provider alone", "str")}
        registry = jws.JWSRegistry(own, ["RS256", "ES256"])
        return jws.serialize_compact(stated, json.dumps(claims).encode(), key or self.key, registry=registry)

    def grant(self, id_token: str, **more: Any) -> None:
        """Answer the next codes with this token."""
        granted = {"id_token": id_token, "access_token": ACCESS_TOKEN, "token_type": "Bearer"}
        self.answers["/token"] = (200, granted | more)

    def count(self, path: str) -> int:
        """How often it was asked for `path`."""
        return sum(path == asked for asked, _, _ in self.asked)


@pytest.fixture
def forger() -> Iterator[Forger]:
    forger = Forger()
    yield forger
    forger.close()


@contextlib.contextmanager
def refused(kind: type[KbError], words: str, *hidden: str) -> Iterator[None]:
    """What runs inside raises `kind` with `words`, and nothing hidden in any message of its chain."""
    with pytest.raises(kind) as caught:
        yield
    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert caught.value.hint
    error: BaseException | None = caught.value
    while error:
        for secret in (*hidden, CODE, ACCESS_TOKEN):
            assert secret not in f"{error} {error!r}"
        error = error.__cause__ or error.__context__


def sign_in(
    forger: Forger, make: Callable[[Begun], str], *, provider: OpenIdProvider | None = None
) -> Identity:
    """A whole sign-in at the forger with the token that `make` gives."""
    provider = provider or OpenIdProvider(forger.issuer, "gongxue", "the-secret")
    begun = provider.begin(BACK)
    forger.grant(make(begun))
    return provider.finish(begun, {"code": CODE, "state": begun.state}, BACK)


def coded(part: object) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")


def by_secret(claims: dict[str, Any], secret: bytes, alg: str = "HS256") -> str:
    """A token signed with a shared secret, or not at all."""
    text = coded({"alg": alg, "kid": "first"}) + b"." + coded(claims)
    digest = hmac.new(secret, text, hashlib.sha256).digest() if secret else b""
    return (text + b"." + base64.urlsafe_b64encode(digest).rstrip(b"=")).decode()


def test_good_token_of_the_forger_is_taken(forger: Forger) -> None:
    """The forger's honest token signs in, so that what is refused below is refused for its forgery."""
    identity = sign_in(forger, lambda begun: forger.signed(forger.claims(begun)))
    assert identity == Identity(forger.issuer, "s-1", "zhao", "赵 敏")
    assert forger.count("/userinfo") == 0


FORGERIES: dict[str, Callable[[Forger, Begun], str]] = {
    "unsigned": lambda f, b: by_secret(f.claims(b), b"", "none"),
    "unsigned in capitals": lambda f, b: by_secret(f.claims(b), b"", "NONE"),
    "signed with the client secret": lambda f, b: by_secret(f.claims(b), b"the-secret"),
    "signed with the public key as secret": lambda f, b: by_secret(f.claims(b), f.key.as_pem(private=False)),
    "signed with the public key as JSON": lambda f, b: by_secret(
        f.claims(b), json.dumps(f.key.as_dict(private=False)).encode()
    ),
    "another key under the same name": lambda f, b: f.signed(f.claims(b), rsa_key("stray")),
    "a key under an unknown name": lambda f, b: f.signed(f.claims(b), rsa_key("stray"), kid="x"),
    "a key brought along": lambda f, b: f.signed(
        f.claims(b), rsa_key("stray"), jwk=rsa_key("stray").as_dict(private=False)
    ),
    "a key of another family": lambda f, b: f.signed(f.claims(b), ECKey.generate_key("P-256"), alg="ES256"),
    "claims changed after signing": lambda f, b: swapped(f.signed(f.claims(b)), f.claims(b, sub="s-2")),
    "of another issuer": lambda f, b: f.signed(f.claims(b, iss="https://other.example")),
    "of the issuer with a slash": lambda f, b: f.signed(f.claims(b, iss=f.issuer + "/")),
    "for another client": lambda f, b: f.signed(f.claims(b, aud="other")),
    "for another client by this one": lambda f, b: f.signed(f.claims(b, aud="other", azp="gongxue")),
    "for nobody": lambda f, b: f.signed(f.claims(b, aud=None)),
    "for other clients": lambda f, b: f.signed(f.claims(b, aud=["other", "another"])),
    "for two clients, not saying to whom": lambda f, b: f.signed(f.claims(b, aud=["gongxue", "other"])),
    "issued to another client": lambda f, b: f.signed(f.claims(b, aud=["gongxue", "other"], azp="other")),
    "expired": lambda f, b: f.signed(f.claims(b, exp=int(time.time()) - 90)),
    "of tomorrow": lambda f, b: f.signed(f.claims(b, iat=int(time.time()) + 90)),
    "never expiring": lambda f, b: f.signed(f.claims(b, exp=None)),
    "without a time": lambda f, b: f.signed(f.claims(b, iat=None)),
    "without subject": lambda f, b: f.signed(f.claims(b, sub=None)),
    "with an empty subject": lambda f, b: f.signed(f.claims(b, sub="")),
    "with half a character as subject": lambda f, b: f.signed(f.claims(b, sub="\ud800")),
    "for another nonce": lambda f, b: f.signed(f.claims(b, nonce="other")),
    "without nonce": lambda f, b: f.signed(f.claims(b, nonce=None)),
    "for another access token": lambda f, b: f.signed(f.claims(b, at_hash="AAAAAAAAAAAAAAAAAAAAAA")),
    "for an access token of no kind": lambda f, b: f.signed(f.claims(b, at_hash=["x"])),
    "half a character": lambda f, b: "\ud800",
    "no token": lambda f, b: "nonsense",
    "nothing": lambda f, b: "",
    "no object": lambda f, b: ".".join(["e30"] * 3),
}


def swapped(token: str, claims: dict[str, Any]) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{coded(claims).decode()}.{signature}"


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forged_token_is_refused(forger: Forger, forgery: str) -> None:
    """A token that anybody could make, or that was made for something else, signs nobody in."""
    forge = FORGERIES[forgery]
    with refused(SignInFailed, "ID token is refused", "the-secret", "eyJ"):
        sign_in(forger, lambda begun: forge(forger, begun))
    assert forger.count("/token") == 1


def test_issuer_that_ends_in_a_slash_keeps_it(forger: Forger) -> None:
    """A provider whose own name ends in a slash is itself, configured with the slash or without."""
    named = forger.issuer + "/"
    forger.discovery["issuer"] = named
    for configured in (forger.issuer, named):
        provider = OpenIdProvider(configured, "gongxue", "the-secret")
        made = sign_in(
            forger, lambda begun: forger.signed(forger.claims(begun, iss=named)), provider=provider
        )
        assert made.issuer == named


def test_header_of_a_token_may_say_more(forger: Forger) -> None:
    """A header that this side does not know is passed over; one marked critical is not."""
    sign_in(forger, lambda begun: forger.signed(forger.claims(begun), tenant="1"))
    with refused(SignInFailed, "ID token is refused"):
        sign_in(forger, lambda begun: forger.signed(forger.claims(begun), tenant="1", crit=["tenant"]))


def test_clocks_may_differ_by_a_minute(forger: Forger) -> None:
    """Thirty seconds of difference between the clocks, either way, keep nobody out."""
    now = int(time.time())
    sign_in(forger, lambda begun: forger.signed(forger.claims(begun, exp=now - 30, iat=now - 330)))
    sign_in(forger, lambda begun: forger.signed(forger.claims(begun, iat=now + 30)))


def test_new_key_of_the_provider_is_fetched_once(forger: Forger) -> None:
    """Keys are kept; a token under a new one makes them fetched again, once, and the discovery never."""
    provider = OpenIdProvider(forger.issuer, "gongxue", "the-secret")
    for _ in range(2):
        sign_in(forger, lambda begun: forger.signed(forger.claims(begun)), provider=provider)
    assert forger.count("/keys") == 1
    new = ECKey.generate_key("P-256", {"kid": "second"})
    forger.publish({"kty": "AKP", "kid": "of tomorrow"}, {"kty": "EC", "crv": "x"}, forger.key, new)
    for _ in range(2):
        sign_in(
            forger,
            lambda begun: forger.signed(forger.claims(begun), new, kid="second", alg="ES256"),
            provider=provider,
        )
    assert forger.count("/keys") == 2
    with refused(SignInFailed, "invalid_key_id"):
        sign_in(
            forger,
            lambda begun: forger.signed(forger.claims(begun), new, kid="third", alg="ES256"),
            provider=provider,
        )
    assert forger.count("/keys") == 3
    assert forger.count("/.well-known/openid-configuration") == 1


def test_key_without_a_name_may_be_replaced(forger: Forger) -> None:
    """A provider with one nameless key can take up another without a restart here."""
    provider = OpenIdProvider(forger.issuer, "gongxue", "the-secret")
    for kid in ("first", "second"):
        key = rsa_key(kid)
        public = key.as_dict(private=False)
        forger.publish({name: public[name] for name in ("kty", "n", "e")})
        sign_in(
            forger,
            lambda begun, key=key: forger.signed(forger.claims(begun), key, kid=None),
            provider=provider,
        )


def test_key_for_encryption_verifies_nothing(forger: Forger) -> None:
    """A key published for another use, or a shared secret among the keys, signs nobody in."""
    public = forger.key.as_dict(private=False)
    secret = {"kty": "oct", "kid": "first", "k": base64.urlsafe_b64encode(b"x" * 32).decode()}
    forger.publish({**public, "use": "enc"}, secret)
    with refused(ProviderUnavailable, "none of them"):
        sign_in(forger, lambda begun: by_secret(forger.claims(begun), b"x" * 32))


def test_address_asks_for_a_code_bound_to_this_sign_in(forger: Forger) -> None:
    """The browser is sent off with the digest of the verifier and with a state and nonce of its own."""
    provider = OpenIdProvider(forger.issuer, "gongxue", "the-secret")
    begun, other = provider.begin(BACK), provider.begin(BACK)
    digest = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).decode().rstrip("=")
    assert dict(parse_qsl(urlsplit(begun.address).query)) == {
        "tenant": "1",
        "response_type": "code",
        "client_id": "gongxue",
        "redirect_uri": BACK,
        "scope": "openid profile email",
        "state": begun.state,
        "nonce": begun.nonce,
        "code_challenge": digest,
        "code_challenge_method": "S256",
    }
    assert len({begun.state, begun.nonce, begun.verifier, other.state, other.nonce, other.verifier}) == 6
    assert begun.verifier not in repr(begun)


@pytest.mark.parametrize(
    ("announced", "secret", "basic", "posted"),
    [
        (None, "the secret", "gongxue:the+secret", {}),
        (["client_secret_post", "client_secret_basic"], "the secret", "gongxue:the+secret", {}),
        (["client_secret_post"], "the secret", "", {"client_id": "gongxue", "client_secret": "the secret"}),
        (["none", "client_secret_basic"], "", "", {"client_id": "gongxue"}),
    ],
)
def test_client_proves_itself_as_the_provider_wants(
    forger: Forger, announced: list[str] | None, secret: str, basic: str, posted: dict[str, str]
) -> None:
    """The secret goes where the provider announces it wants it, and nowhere else."""
    if announced:
        forger.discovery["token_endpoint_auth_methods_supported"] = announced
    provider = OpenIdProvider(forger.issuer, "gongxue", secret)
    sign_in(forger, lambda begun: forger.signed(forger.claims(begun)), provider=provider)
    _, headers, form = next(asked for asked in forger.asked if asked[0] == "/token")
    sent = headers.get("Authorization", "Basic ").removeprefix("Basic ")
    assert base64.b64decode(sent).decode() == basic
    flow = {"grant_type", "code", "redirect_uri", "code_verifier"}
    assert {name: form[name] for name in form.keys() - flow} == posted
    assert flow <= form.keys()


def test_provider_that_wants_other_proof_is_told(forger: Forger) -> None:
    """A provider that takes secrets in neither of the two ways is an error, and gets no secret."""
    forger.discovery["token_endpoint_auth_methods_supported"] = ["private_key_jwt"]
    with refused(ProviderUnavailable, "neither client_secret_basic", "the-secret"):
        sign_in(forger, lambda begun: forger.signed(forger.claims(begun)))
    assert forger.count("/token") == 0


@pytest.mark.parametrize(
    ("claims", "login", "name"),
    [
        ({"preferred_username": None}, "s-1", "赵 敏"),
        ({"preferred_username": "", "email": "min.zhao@example.org"}, "min.zhao", "赵 敏"),
        ({"name": None}, "zhao", "zhao"),
        ({"preferred_username": " zh\u202eao\n", "name": 7}, "zhao", "zhao"),
    ],
)
def test_names_fall_back(forger: Forger, claims: dict[str, Any], login: str, name: str) -> None:
    """One name stands in for another; invisible characters, which could disguise a name, are dropped."""
    identity = sign_in(forger, lambda begun: forger.signed(forger.claims(begun, **claims)))
    assert (identity.login, identity.name) == (login, name)
    assert forger.count("/userinfo") == 0


def nameless(forger: Forger) -> Callable[[Begun], str]:
    return lambda begun: forger.signed(forger.claims(begun, name=None, preferred_username=None))


def test_userinfo_gives_what_the_token_lacks(forger: Forger) -> None:
    """With neither name in the token, userinfo is asked with the access token; email's local part is a login."""
    forger.answers["/userinfo"] = (200, {"sub": "s-1", "email": "min.zhao@example.org"})
    assert sign_in(forger, nameless(forger)) == Identity(forger.issuer, "s-1", "min.zhao", "min.zhao")
    assert forger.asked[-1][1]["Authorization"] == f"Bearer {ACCESS_TOKEN}"


def test_provider_without_userinfo_gives_the_subject(forger: Forger) -> None:
    """Where nothing names the person, the subject does."""
    del forger.discovery["userinfo_endpoint"]
    assert sign_in(forger, nameless(forger)) == Identity(forger.issuer, "s-1", "s-1", "s-1")


def test_userinfo_about_somebody_else_is_not_used(forger: Forger) -> None:
    """Names of another subject than the token's are nonsense, and so are a failure and an unusable token."""
    forger.answers["/userinfo"] = (200, {"sub": "s-2", "preferred_username": "admin"})
    with refused(ProviderUnavailable, "somebody else", "admin"):
        sign_in(forger, nameless(forger))
    forger.answers["/userinfo"] = (403, {"access_token": ACCESS_TOKEN})
    with refused(ProviderUnavailable, "status 403"):
        sign_in(forger, nameless(forger))
    provider = OpenIdProvider(forger.issuer, "gongxue", "the-secret")
    for token in ("to\r\nken-x", "票token-x", "", None, 7):
        begun = provider.begin(BACK)
        forger.grant(nameless(forger)(begun), access_token=token)
        with refused(ProviderUnavailable, "no access token", "ken-x"):
            provider.finish(begun, {"code": CODE, "state": begun.state}, BACK)


@pytest.mark.parametrize(
    ("status", "said", "kind", "words"),
    [
        (400, {"error": "invalid_grant", "error_description": CODE}, SignInFailed, "spent"),
        (401, {"error": "invalid_client"}, ProviderUnavailable, "invalid_client"),
        (400, {"error": "unauthorized_client"}, ProviderUnavailable, "unauthorized_client"),
        (400, {"error": CODE}, ProviderUnavailable, "status 400"),
        (400, {"error": [CODE]}, ProviderUnavailable, "status 400"),
        (400, CODE.encode(), ProviderUnavailable, "status 400"),
        (500, {"error": "invalid_grant"}, ProviderUnavailable, "status 500"),
        (307, {}, ProviderUnavailable, "status 307"),
        (200, {"access_token": ACCESS_TOKEN}, ProviderUnavailable, "no ID token"),
        (200, {"id_token": {"x": ACCESS_TOKEN}}, ProviderUnavailable, "no ID token"),
        (200, [ACCESS_TOKEN], ProviderUnavailable, "no JSON object"),
        (200, b'{"access_token": "' + ACCESS_TOKEN.encode(), ProviderUnavailable, "no JSON object"),
        (200, ACCESS_TOKEN.encode("utf-16"), ProviderUnavailable, "no JSON object"),
    ],
)
def test_failure_to_redeem_the_code_says_whose_fault_it_is(
    forger: Forger, status: int, said: Any, kind: type[KbError], words: str
) -> None:
    """A spent code is the sign-in's fault, all else the provider's; nothing it said is repeated or followed."""
    provider = OpenIdProvider(forger.issuer, "gongxue", "the-secret")
    begun = provider.begin(BACK)
    forger.answers["/token"] = (status, said)
    with refused(kind, words, "the-secret", begun.verifier):
        provider.finish(begun, {"code": CODE, "state": begun.state}, BACK)
    assert forger.count("/elsewhere") == 0


@pytest.mark.parametrize("code", [{}, {"code": ""}, {"code": "码"}, {"code": "a\nb"}, {"code": "\udcff"}])
def test_callback_without_a_usable_code_is_refused(forger: Forger, code: dict[str, str]) -> None:
    """A callback without a code that could be one asks nothing of the provider."""
    provider = OpenIdProvider(forger.issuer, "gongxue", "the-secret")
    begun = provider.begin(BACK)
    with refused(SignInFailed, "no code"):
        provider.finish(begun, {"state": begun.state} | code, BACK)
    assert forger.count("/token") == 0


@pytest.mark.parametrize(
    "endpoint", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"]
)
@pytest.mark.parametrize(
    "address", [None, "", 7, "/token", "http://sso.example.org/token", "https://[", "https://主机"]
)
def test_endpoint_that_others_could_read_is_nonsense(forger: Forger, endpoint: str, address: Any) -> None:
    """A discovery document that sends secrets over plain http, or nowhere, is refused."""
    forger.discovery[endpoint] = address
    with refused(ProviderUnavailable, endpoint):
        OpenIdProvider(forger.issuer, "gongxue", "the-secret").begin(BACK)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters() | st.sampled_from("\ud800\u202e\n@ ")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
QUICK = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUICK
@given(said=st.binary() | JSON | st.dictionaries(st.sampled_from(["issuer", "jwks_uri"]), JSON))
def test_nonsense_for_discovery_is_told(forger: Forger, said: Any) -> None:
    """Whatever is found in the place of the discovery document, the answer is one clear error."""
    forger.answers["/.well-known/openid-configuration"] = (200, said)
    with refused(ProviderUnavailable, "discovery document"):
        OpenIdProvider(forger.issuer, "gongxue", "the-secret").begin(BACK)


@QUICK
@given(
    keys=JSON
    | st.lists(
        st.fixed_dictionaries(
            {"kty": st.sampled_from(["RSA", "EC"])},
            optional={
                "n": JSON,
                "e": JSON,
                "crv": JSON,
                "x": JSON,
                "y": JSON,
                "kid": JSON,
                "alg": JSON,
                "key_ops": JSON,
            },
        )
    )
)
def test_nonsense_among_the_keys_is_told_and_spoils_no_other_key(forger: Forger, keys: Any) -> None:
    """Keys that are none are an error alone, and without effect beside a good one."""
    forger.answers["/keys"] = (200, {"keys": keys})
    with refused(ProviderUnavailable, "read the keys"):
        sign_in(forger, lambda begun: forger.signed(forger.claims(begun)))
    if isinstance(keys, list):
        forger.answers["/keys"] = (200, {"keys": [*keys, forger.key.as_dict(private=False)]})
        assert sign_in(forger, lambda begun: forger.signed(forger.claims(begun))).subject == "s-1"


CLAIMS = ["iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "azp", "at_hash", "auth_time", "amr", "jti"]
CLAIMS += ["name", "preferred_username", "email"]


@QUICK
@given(changed=st.dictionaries(st.sampled_from(CLAIMS), JSON, min_size=1))
def test_strange_claims_are_refused_or_harmless(forger: Forger, changed: dict[str, Any]) -> None:
    """Whatever a well-signed token holds, the answer is this client's person or a refusal, never a crash."""
    try:
        identity = sign_in(forger, lambda begun: forger.signed(forger.claims(begun) | changed))
    except SignInFailed:
        return
    except ProviderUnavailable as error:
        assert "userinfo" in str(error)
        return
    assert {"iss", "aud", "nonce"}.isdisjoint(changed) or changed.get("aud") == ["gongxue"]
    assert identity.subject == changed.get("sub", "s-1")
    assert identity.login and identity.name
    assert f"{identity.login}{identity.name}".isprintable()


def test_threads_share_a_provider(forger: Forger) -> None:
    """Sign-ins that run at once in many threads each end with their own person."""
    provider = OpenIdProvider(forger.issuer, "gongxue", "the-secret")
    honest: dict[str, str] = {}

    class ByCode(dict[str, tuple[int, Any]]):
        def __getitem__(self, path: str) -> tuple[int, Any]:
            if path != "/token":
                return super().__getitem__(path)
            form = next(form for asked, _, form in reversed(forger.asked) if asked == "/token")
            return 200, {"id_token": honest[form["code"]]}

    forger.answers = ByCode(forger.answers)

    def one(number: int) -> str:
        begun = provider.begin(BACK)
        honest[f"code-{number}"] = forger.signed(forger.claims(begun, sub=f"s-{number}"))
        return provider.finish(begun, {"code": f"code-{number}", "state": begun.state}, BACK).subject

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(24))) == [f"s-{number}" for number in range(24)]


def test_certificate_must_be_one_the_machine_trusts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider with a certificate of its own is refused until the machine is told to trust it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    forger = Forger(context)
    try:
        with refused(ProviderUnavailable, "CERTIFICATE_VERIFY_FAILED"):
            sign_in(forger, lambda begun: forger.signed(forger.claims(begun)))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate(tmp_path)))
        assert sign_in(forger, lambda begun: forger.signed(forger.claims(begun))).login == "zhao"
    finally:
        forger.close()


def certificate(folder: Path) -> Path:
    """A file with a certificate for the loopback, signed by itself, and its key; the same at each call."""
    file = folder / "provider.pem"
    if file.exists():
        return file
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "provider")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(made.public_bytes(pem) + private)
    return file
