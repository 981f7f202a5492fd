"""Settings: read from one mapping, every name and value checked."""

from pathlib import Path

import pytest

from api.settings import PREFIX, Settings, load_settings
from kb.errors import InvalidSetting


def test_settings_come_from_the_mapping_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given an environment, the process's own is not looked at."""
    monkeypatch.setenv("GONGXUE_PORT", "1234")
    assert load_settings({}).port == 8000
    assert load_settings({"GONGXUE_PORT": "99"}).port == 99
    assert load_settings().port == 1234
    assert Settings().port == 8000


def test_settings_stated_go_before_the_environment() -> None:
    """What the command line states wins; what it leaves out does not."""
    environment = {"GONGXUE_HOME": "/a", "GONGXUE_HOST": "h"}
    found = load_settings(environment, home=Path("/b"), host=None)
    assert (found.home, found.host) == (Path("/b"), "h")


def test_settings_read_every_kind_of_value() -> None:
    """Numbers, switches and paths are read from words."""
    found = load_settings(
        {
            "GONGXUE_SECOND_FACTOR": "false",
            "GONGXUE_MAX_SOURCE_MB": "5",
            "GONGXUE_HOME": "数据/家",
            "GONGXUE_LOG_LEVEL": "WARNING",
            "OTHER": "x",
        }
    )
    assert (found.second_factor, found.max_source_mb, found.home, found.log_level) == (
        False,
        5,
        Path("数据/家"),
        "warning",
    )
    assert found.catalog_url == "sqlite:///数据/家/catalog.db"


def test_settings_refuse_unknown_names() -> None:
    """A name that is no setting is refused with those there are, misspelt case too."""
    for name in ("GONGXUE_HOEM", "GONGXUE_", "GONGXUE_home"):
        with pytest.raises(InvalidSetting) as caught:
            load_settings({name: "x"})
        assert name in str(caught.value)
        assert "GONGXUE_HOME" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "-1"),
        ("PORT", "many"),
        ("PROCESSES", "-1"),
        ("MAX_SOURCE_MB", "0"),
        ("LOG_LEVEL", "loud"),
        ("SECOND_FACTOR", "maybe"),
    ],
)
def test_settings_refuse_values_out_of_range(name: str, value: str) -> None:
    """The setting, its value and what is wrong with it are named."""
    with pytest.raises(InvalidSetting) as caught:
        load_settings({PREFIX + name: value})
    assert PREFIX + name in str(caught.value)
    assert repr(value) in str(caught.value)


def test_settings_cannot_be_changed() -> None:
    """Settings are frozen, and each says what it is for."""
    with pytest.raises(ValueError, match="frozen"):
        Settings().port = 1  # type: ignore[misc]
    assert all(field.description for field in Settings.model_fields.values())


def test_settings_do_not_show_the_key() -> None:
    """The key of an endpoint is in no representation of the settings."""
    assert "s3cret" not in repr(load_settings({"GONGXUE_ENCODER_KEY": "s3cret"}))


@pytest.mark.parametrize(
    ("environment", "secure"),
    [
        ({}, False),
        ({"HOST": "::1"}, False),
        ({"HOST": "0.0.0.0"}, True),
        ({"HOST": "0.0.0.0", "URL": "https://kb.intern"}, True),
        ({"URL": "https://kb.intern"}, True),
        ({"HOST": "0.0.0.0", "URL": "http://kb.intern"}, False),
        ({"TLS_CERTIFICATE": "c.pem", "TLS_KEY": "k.pem"}, True),
    ],
)
def test_settings_keep_sessions_off_the_open_wire(environment: dict[str, str], secure: bool) -> None:
    """Cookies go over HTTPS alone everywhere but on loopback, unless the address says http in so many words."""
    found = load_settings({PREFIX + name: value for name, value in environment.items()})
    assert found.cookies_are_secure is secure


@pytest.mark.parametrize(
    "environment",
    [
        {"URL": "kb.intern"},
        {"TLS_KEY": "k.pem"},
        {"OIDC_ISSUER": "https://sso.intern", "OIDC_CLIENT_ID": "x"},
        {"OIDC_ISSUER": "https://sso.intern", "URL": "https://kb.intern"},
    ],
)
def test_settings_refuse_halves(environment: dict[str, str]) -> None:
    """What goes together is refused alone, without showing a secret."""
    named = {PREFIX + name: value for name, value in environment.items()}
    with pytest.raises(InvalidSetting) as caught:
        load_settings(named | {"GONGXUE_OIDC_CLIENT_SECRET": "s3cret"})
    assert "s3cret" not in str(caught.value)
