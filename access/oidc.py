"""Signing in through an OpenID Connect provider: one redirect there, one callback back.

Code flow with PKCE. Nothing is asked of the provider before the first sign-in, nothing of it is stored
here: the caller keeps `Begun` between the two steps, bound to the browser that was sent away. The provider
is asked directly (proxies named in the environment are not used), over TLS as the machine trusts it.
"""

import hmac
import re
import secrets
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote_plus, urlsplit

import httpx
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import BadSignatureError, ClaimError, InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet
from joserfc.jws import JWSRegistry

from kb.errors import InvalidSetting, ProviderUnavailable, SignInFailed

_SCOPE = "openid profile email"
_LEEWAY_S = 60
_SIGNATURES = [f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)]
_ACCESS_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_REQUIRED = frozenset({"authorization_endpoint", "token_endpoint", "jwks_uri"})
_OPTIONAL = frozenset({"userinfo_endpoint"})
# No other word of an answer is repeated in a message: it may say anything, and hold a token.
_ERRORS = {
    "access_denied": "access was denied there (access_denied)",
    "login_required": "nobody is signed in there (login_required)",
    "interaction_required": "it needs a step from the person (interaction_required)",
    "consent_required": "consent is missing there (consent_required)",
    "temporarily_unavailable": "it is busy (temporarily_unavailable)",
    "server_error": "it failed (server_error)",
    "invalid_client": "it does not know this client id with this secret (invalid_client)",
    "unauthorized_client": "it does not let this client ask (unauthorized_client)",
    "invalid_scope": f"it refuses one of the scopes {_SCOPE} (invalid_scope)",
    "invalid_request": "it did not understand the request (invalid_request)",
    "unsupported_grant_type": "it has no code flow (unsupported_grant_type)",
    "unsupported_response_type": "it has no code flow (unsupported_response_type)",
}


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in under way: where to send the browser, and what must be kept for the callback."""

    address: str = field(repr=False)
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says it is; `issuer` and `subject` together are the person, the rest may change."""

    issuer: str
    subject: str
    login: str
    name: str


@dataclass(frozen=True, slots=True)
class _Announced:
    """What the discovery document says; `userinfo` is empty where there is no such endpoint."""

    issuer: str
    authorization: str
    token: str
    keys: str
    userinfo: str
    token_auth: frozenset[str]
    names_itself: bool


class OpenIdProvider:
    """A provider and this installation's registration there. Threads may share it.

    Two threads that need the discovery document or the keys at the same time both fetch them; the later
    answer is kept. Nothing waits on a lock while the network does.

    Args:
        issuer: its address, `https`, or `http` on this machine.
        client_id: the name this installation has there.
        client_secret: empty for a public client.
        timeout_s: longest wait for each connection, and for each piece of an answer.

    Raises:
        InvalidSetting: the issuer is no such address, or the client id is empty.
    """

    def __init__(self, issuer: str, client_id: str, client_secret: str, *, timeout_s: float = 10) -> None:
        if not _is_guarded(issuer) or "?" in issuer or "#" in issuer:
            # Not shown: it may hold a password.
            raise InvalidSetting(
                "Cannot sign in through the configured issuer: no https address, or more than host and path.",
                "Name it as https://host/path; http is only for a provider on this machine.",
            )
        if not client_id:
            raise InvalidSetting(
                f"Cannot sign in through {issuer}: the client id is empty.",
                "Register this installation at the provider and state the client id it gives.",
            )
        self._issuer = issuer.rstrip("/")
        self._client_id = client_id
        self._client_secret = client_secret
        self._timeout_s = timeout_s
        self._tls = ssl.create_default_context()
        self._known: _Announced | None = None
        self._keys: KeySet | None = None

    def begin(self, redirect_uri: str) -> Begun:
        """A fresh sign-in that comes back to `redirect_uri`.

        Raises:
            ProviderUnavailable: the discovery document cannot be had or makes no sense.
        """
        announced = self._announced()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        client = OAuth2Client(None, self._client_id, scope=_SCOPE, code_challenge_method="S256")
        address, _ = client.create_authorization_url(
            announced.authorization,
            state=state,
            code_verifier=verifier,
            nonce=nonce,
            redirect_uri=redirect_uri,
        )
        return Begun(address, state, nonce, verifier)

    def finish(self, begun: Begun, query: Mapping[str, str], redirect_uri: str) -> Identity:
        """Who came back, from the `query` of the callback.

        The code in `query` is good for one call. Login is `preferred_username`, else the local part of
        `email`, else the subject; name is `name`, else the login. The userinfo endpoint is asked only
        where the ID token has neither username nor name.

        Raises:
            SignInFailed: another state than begun with, the provider refused, or its ID token is not
                for this sign-in.
            ProviderUnavailable: the provider is silent, makes no sense, or does not know this client.
        """
        announced = self._announced()
        code = self._code(announced, begun, query)
        granted = self._granted(announced, code, begun.verifier, redirect_uri)
        claims = self._claims(announced, granted, begun.nonce)
        if not _text(claims, "preferred_username") and not _text(claims, "name") and announced.userinfo:
            claims |= self._userinfo(announced, granted, claims["sub"])
        login = (
            _text(claims, "preferred_username") or _text(claims, "email").partition("@")[0] or claims["sub"]
        )
        return Identity(announced.issuer, claims["sub"], login, _text(claims, "name") or login)

    def _announced(self) -> _Announced:
        if self._known:
            return self._known
        what = "read the discovery document"
        said = self._json(what, self._ask(what, "GET", f"{self._issuer}/.well-known/openid-configuration"))
        issuer = said.get("issuer")
        if not isinstance(issuer, str) or issuer.rstrip("/") != self._issuer:
            raise self._unavailable(what, "it names another issuer")
        for name in sorted(_REQUIRED | (_OPTIONAL & said.keys())):
            if not _is_guarded(said.get(name)):
                raise self._unavailable(what, f"its {name} is no https address")
        methods = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if not isinstance(methods, list) or not all(isinstance(method, str) for method in methods):
            raise self._unavailable(what, "its token_endpoint_auth_methods_supported is no list of names")
        self._known = _Announced(
            issuer,
            said["authorization_endpoint"],
            said["token_endpoint"],
            said["jwks_uri"],
            said.get("userinfo_endpoint", ""),
            frozenset(methods),
            said.get("authorization_response_iss_parameter_supported") is True,
        )
        return self._known

    def _code(self, announced: _Announced, begun: Begun, query: Mapping[str, str]) -> str:
        """The code in the callback, once it is known to answer what was begun."""
        state = query.get("state", "")
        if not state or not hmac.compare_digest(_bytes(state), _bytes(begun.state)):
            raise self._failed("the answer does not belong to the sign-in that was begun in this browser")
        # RFC 9207: an answer of another provider must not be taken for this one's. An error grants
        # nothing, and providers that name themselves beside a code may not do so beside an error.
        unnamed = "" if announced.names_itself and "error" not in query else announced.issuer
        if query.get("iss", unnamed) != announced.issuer:
            raise self._failed("the answer does not come from this provider")
        if "error" in query:
            raise self._failed(_ERRORS.get(query["error"], "it refused, with an error not known here"))
        code = query.get("code", "")
        if not code or not code.isascii() or not code.isprintable():
            raise self._failed("the answer has no code")
        return code

    def _granted(self, announced: _Announced, code: str, verifier: str, redirect_uri: str) -> dict[str, Any]:
        """The answer of the token endpoint."""
        what = "redeem the code"
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        auth = None
        if not self._client_secret:
            form["client_id"] = self._client_id
        elif "client_secret_basic" in announced.token_auth:
            # RFC 6749, 2.3.1: form-encoded first, then Basic.
            auth = httpx.BasicAuth(quote_plus(self._client_id), quote_plus(self._client_secret))
        elif "client_secret_post" in announced.token_auth:
            form |= {"client_id": self._client_id, "client_secret": self._client_secret}
        else:
            raise self._unavailable(what, "it takes neither client_secret_basic nor client_secret_post")
        answer = self._ask(what, "POST", announced.token, data=form, auth=auth)
        if answer.status_code not in (httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED):
            return self._json(what, answer)
        error = str(self._json(what, answer, answer.status_code).get("error"))
        if error == "invalid_grant":
            raise self._failed("the code is spent, too old, or of another sign-in")
        raise self._unavailable(what, _ERRORS.get(error, f"status {answer.status_code}"))

    def _claims(self, announced: _Announced, granted: dict[str, Any], nonce: str) -> dict[str, Any]:
        """Claims of the ID token, once all that guards them holds."""
        id_token = granted.get("id_token")
        if not isinstance(id_token, str):
            raise self._unavailable("redeem the code", "the answer has no ID token")
        access_token = granted.get("access_token")
        try:
            token = self._decoded(announced, id_token)
            claims = CodeIDToken(
                token.claims,
                token.header,
                options={
                    "iss": {"essential": True, "value": announced.issuer},
                    "sub": {"essential": True},
                    "aud": {"essential": True, "value": self._client_id},
                    "nonce": {"essential": True, "value": nonce},
                },
                params={
                    "client_id": self._client_id,
                    "access_token": access_token if isinstance(access_token, str) else None,
                },
            )
            claims.validate(leeway=_LEEWAY_S)
        except ClaimError as error:
            raise self._failed(f"its ID token is refused: {error.error} of {error.claim}") from error
        except JoseError as error:
            raise self._failed(f"its ID token is refused: {error.error}") from error
        except (TypeError, ValueError) as error:
            raise self._failed("its ID token is refused: malformed") from error
        if not claims["sub"].isprintable():
            raise self._failed("its ID token is refused: the subject has unprintable characters")
        return dict(claims)

    def _decoded(self, announced: _Announced, id_token: str) -> jwt.Token:
        """The token, its signature verified; keys are fetched anew where those kept do not fit."""
        registry = JWSRegistry(algorithms=_SIGNATURES, strict_check_header=False)
        if self._keys:
            with suppress(InvalidKeyIdError, BadSignatureError):
                return jwt.decode(id_token, self._keys, registry=registry)
        self._keys = self._fetched_keys(announced)
        return jwt.decode(id_token, self._keys, registry=registry)

    def _fetched_keys(self, announced: _Announced) -> KeySet:
        what = "read the keys"
        listed = self._json(what, self._ask(what, "GET", announced.keys)).get("keys")
        if not isinstance(listed, list):
            raise self._unavailable(what, "there is no list of keys")
        keys: list[Key] = []
        for one in listed:
            if isinstance(one, dict) and one.get("kty") in ("RSA", "EC") and one.get("use", "sig") == "sig":
                # RFC 7517, 5: a key that is not understood does not spoil the others.
                with suppress(JoseError, ValueError, TypeError, KeyError):
                    keys.append(JWKRegistry.import_key(one))
        if not keys:
            raise self._unavailable(what, "none of them is an RSA or EC key for signatures")
        return KeySet(keys)

    def _userinfo(self, announced: _Announced, granted: dict[str, Any], subject: str) -> dict[str, Any]:
        what = "read the userinfo"
        token = granted.get("access_token")
        if not isinstance(token, str) or not _ACCESS_TOKEN.fullmatch(token):
            raise self._unavailable(what, "the answer that has the ID token has no access token")
        bearer = {"Authorization": f"Bearer {token}"}
        said = self._json(what, self._ask(what, "GET", announced.userinfo, headers=bearer))
        if said.get("sub") != subject:
            raise self._unavailable(what, "it is about somebody else than the ID token")
        return said

    def _ask(self, what: str, method: str, address: str, **more: Any) -> httpx.Response:
        try:
            return httpx.request(
                method, address, timeout=self._timeout_s, verify=self._tls, trust_env=False, **more
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unavailable(what, f"{type(error).__name__}: {error}") from error

    def _json(self, what: str, answer: httpx.Response, expected: int = httpx.codes.OK) -> dict[str, Any]:
        try:
            said = answer.json() if answer.status_code == expected else None
        except (ValueError, RecursionError):
            said = None  # the error is dropped: it carries the answer, which may hold a token
        if not isinstance(said, dict):
            raise self._unavailable(what, f"no JSON object but status {answer.status_code}")
        return said

    def _unavailable(self, what: str, seen: str) -> ProviderUnavailable:
        return ProviderUnavailable(
            f"Cannot {what} of the identity provider {self._issuer}: {seen}.",
            "Check that it runs, and that issuer, client id and client secret are as registered there.",
        )

    def _failed(self, seen: str) -> SignInFailed:
        return SignInFailed(
            f"Cannot sign in through the identity provider {self._issuer}: {seen}.",
            "Start again from the sign-in page.",
        )


def _is_guarded(address: object) -> bool:
    """Whether it is an address nobody on the way can read or change: https, or on this machine."""
    if not isinstance(address, str) or not address.isascii() or not address.isprintable():
        return False
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or " " in address or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _text(claims: Mapping[str, Any], name: str) -> str:
    """The claim in one printable line; empty where it is missing or no text."""
    value = claims.get(name)
    return "".join(filter(str.isprintable, value)).strip() if isinstance(value, str) else ""


def _bytes(text: str) -> bytes:
    return text.encode(errors="backslashreplace")
