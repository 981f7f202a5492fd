"""What the tests share: real stores in temporary folders, and an encoder that needs no model."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from api.services import Services
from api.settings import Settings
from api.wiring import build_services
from tests.fakes import HashingEncoder
from tests.texts import TEXTS

# A change is judged by the same examples every time; by hand, new ones are sought at each run.
hypothesis_settings.register_profile("gongxue", deadline=None)
hypothesis_settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis_settings.load_profile("ci" if os.environ.get("CI") else "gongxue")

ROOT = Path(__file__).parents[1]
Opener = Callable[..., Services]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder for a home, not there yet."""
    return tmp_path / "home"


@pytest.fixture
def open_services(home: Path) -> Iterator[Opener]:
    """Opens services on the home with the hashing encoder, as often as wanted; all are closed in the end."""
    opened: list[Services] = []

    def open_one(
        folder: Path | None = None,
        *,
        encoder: HashingEncoder | None = None,
        index: bool = True,
        **stated: object,
    ) -> Services:
        services = build_services(
            Settings(home=folder or home, processes=1, **stated),
            encoder=encoder or HashingEncoder(),
            opened=index,
        )
        opened.append(services)
        return services

    yield open_one
    for services in opened:
        if hasattr(services.index, "keyword"):
            services.close()


@pytest.fixture(scope="session")
def texts_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample texts as files. Not to be changed."""
    folder = tmp_path_factory.mktemp("texts")
    for name, text in TEXTS.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory, texts_folder: Path) -> Iterator[Services]:
    """Services over the sample texts for all tests together. Not to be changed."""
    found = build_services(
        Settings(home=tmp_path_factory.mktemp("library") / "home", processes=1), encoder=HashingEncoder()
    )
    report = found.ingest([texts_folder])
    assert report.documents == len(TEXTS)
    assert not report.failed
    yield found
    found.close()


@pytest.fixture
def services(open_services: Opener, home: Path, library: Services) -> Services:
    """Services over the sample texts on a home of the test's own."""
    shutil.copytree(library.settings.home, home)
    return open_services()


@pytest.fixture(scope="session")
def corpus_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of the sample corpus with the bundled encoder, built once. Not to be changed."""
    home = tmp_path_factory.mktemp("corpus") / "home"
    services = build_services(Settings(home=home))
    try:
        report = services.ingest([ROOT / "corpus"])
    finally:
        services.close()
    assert not report.failed
    return home
