"""Settings, read once from the environment. No other module reads it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from kb.errors import InvalidSetting

PREFIX = "GONGXUE_"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SECRET = "secret.key"
"""File in the home that seals the audit trail and locks second factors; see `access.keys`."""
ATTACHMENTS = "attachments"
"""Folder in the home with the files of cases."""
ROOT = Path(__file__).resolve().parents[1]


class Settings(BaseModel):
    """Everything that can be set; each field is `GONGXUE_` and its name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path = Field(Path("indexes"), description="Folder of the catalog, the originals and the index.")
    host: str = Field("127.0.0.1", description="Address that `gongxue serve` listens on.")
    port: int = Field(
        8000, ge=0, le=65535, description="Port that `gongxue serve` listens on; 0 takes a free one."
    )
    allowed_hosts: str = Field(
        "", description="Host names the service answers to, by comma, besides the loopback ones and `host`."
    )
    url: str = Field(
        "",
        description="Address under which people reach the service, such as https://study.example.cn; links and"
        " sign-in by an identity provider need it. One that begins with http:// lets sessions go unencrypted.",
    )
    tls_certificate: Path | None = Field(
        None, description="PEM file, to serve HTTPS without a proxy before it."
    )
    tls_key: Path | None = Field(None, description="PEM file of the certificate's key.")
    proxies: str = Field(
        "", description="Addresses of proxies, by comma, whose word on the client's address is taken."
    )
    second_factor: bool = Field(
        True, description="Whether administrators and operators must give a second factor (TOTP)."
    )
    session_idle_hours: int = Field(
        12, ge=1, le=24 * 30, description="Hours without a request after which a session ends."
    )
    session_days: int = Field(7, ge=1, le=90, description="Days after which a session ends in any case.")
    audit_days: int = Field(1095, ge=30, le=36500, description="Days for which the audit trail is kept.")
    requests_per_minute: int = Field(
        6000,
        ge=0,
        le=10**6,
        description="Requests that one client address may make a minute; 0 sets no limit.",
    )
    oidc_issuer: str = Field("", description="Issuer of the OpenID Connect provider; empty for none.")
    oidc_client_id: str = Field("", description="Client id that the provider knows this service by.")
    oidc_client_secret: str = Field("", repr=False, description="Client secret for the provider.")
    oidc_link_logins: bool = Field(
        False,
        description="Whether a person whom the provider names by a login that is here is that person. Only for a"
        " provider whose logins are given out by the same organisation.",
    )
    encoder: str = Field(
        "models/gongxue-static",
        description="Folder of the encoder, ours or any of sentence-transformers, or the address of an"
        " OpenAI-compatible endpoint (http://…/v1).",
    )
    encoder_model: str = Field("", description="Model that the endpoint is asked for.")
    encoder_key: str = Field("", repr=False, description="Key that the endpoint is asked with.")
    problem_encoder: str = Field(
        "models/gongxue-problems",
        description="Folder of the encoder by which cases are found by their problem: ours, or any of"
        " sentence-transformers.",
    )
    proposer: str = Field(
        "",
        description="Address of an OpenAI-compatible endpoint (http://…/v1) whose language model may propose"
        " questions; empty for none. The text of clauses that are asked about goes there.",
    )
    proposer_model: str = Field("", description="Model that the endpoint is asked for.")
    proposer_key: str = Field("", repr=False, description="Key that the endpoint is asked with.")
    keyword_engine: str = Field(
        "tantivy", description="File in `search/keyword/` that serves the keyword leg."
    )
    vector_engine: str = Field("faiss", description="File in `search/vector/` that serves the vector leg.")
    max_source_mb: int = Field(
        100, ge=1, le=2000, description="Size of a source above which it is refused, MiB."
    )
    processes: int = Field(0, ge=0, description="Processes that read sources; 0 takes one a core.")
    log_level: str = Field("info", description="debug, info, warning or error.")

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.lower() not in ("debug", "info", "warning", "error"):
            raise ValueError("is none of debug, info, warning, error")
        return value.lower()

    @model_validator(mode="after")
    def _whole(self) -> "Settings":
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key go together")
        if self.url and not self.url.startswith(("http://", "https://")):
            raise ValueError("url must begin with https:// or http://")
        if bool(self.oidc_issuer) != bool(self.oidc_client_id) or (self.oidc_issuer and not self.url):
            raise ValueError("oidc_issuer, oidc_client_id and url go together")
        return self

    @property
    def cookies_are_secure(self) -> bool:
        """Whether cookies go over HTTPS alone: always, but on loopback or where `url` says http."""
        if self.url:
            return self.url.startswith("https://")
        return self.tls_certificate is not None or self.host not in LOOPBACK

    @property
    def catalog_url(self) -> str:
        """SQLAlchemy address of the catalog."""
        return f"sqlite:///{self.home / 'catalog.db'}"

    def encoder_folder(self) -> Path:
        """The encoder's folder; a relative one is looked for here, then beside the program."""
        return _beside(self.encoder)

    def problem_encoder_folder(self) -> Path:
        """The same of the encoder of problems."""
        return _beside(self.problem_encoder)


def _beside(name: str) -> Path:
    folder = Path(name)
    return folder if folder.is_absolute() or folder.exists() else ROOT / folder


def load_settings(environment: Mapping[str, str] | None = None, **stated: Any) -> Settings:
    """Settings from the environment; `stated` ones that are not None go before it.

    Raises:
        InvalidSetting: a name is unknown or a value out of range; names it and what is taken.
    """
    names = os.environ if environment is None else environment
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(n for n in names if n.startswith(PREFIX) and n not in known)
    if unknown:
        raise InvalidSetting(
            f"Cannot start: {', '.join(unknown)} is no setting.", f"Settings are {', '.join(sorted(known))}."
        )
    values: dict[str, Any] = {n.removeprefix(PREFIX).lower(): v for n, v in names.items() if n in known}
    values |= {n: v for n, v in stated.items() if v is not None}
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        # What concerns several settings comes with all of them, the key among them.
        which = f"{PREFIX}{str(first['loc'][0]).upper()} is {first.get('input')!r}: " if first["loc"] else ""
        raise InvalidSetting(
            f"Cannot start: {which}{first['msg']}.", "See the settings in docs/settings.md."
        ) from error
