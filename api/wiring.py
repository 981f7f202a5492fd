"""Which adapter serves which port. The only place where that is decided."""

import importlib
import pkgutil
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from types import ModuleType
from typing import cast

import cases.personal
import quiz.personal
from access.access import is_demonstration, open_access
from access.audit import utc_now
from access.keys import open_keys
from access.passwords import Passwords
from access.resolve import Policy
from api.services import Services
from api.settings import SECRET, Settings
from ingest.pipeline import Pipeline
from kb.errors import CatalogUnavailable, EncoderUnavailable, InvalidSetting
from kb.ports import Encoder, KeywordEngine, VectorEngine
from quiz.generation.proposer import Proposer
from search import keyword, vector
from search.analysis import fold
from search.engine import SearchEngine
from search.index import SearchIndex
from store.catalog import Catalog
from store.database import open_database
from store.originals import OriginalFolder


def build_services(
    settings: Settings,
    *,
    opened: bool = True,
    encoder: Encoder | None = None,
    passwords: Passwords | None = None,
    now: Callable[[], datetime] = utc_now,
    today: Callable[[], date] = date.today,
) -> Services:
    """Open a home and everything that works on it.

    Args:
        opened: whether to open the index; false to rebuild one that does not match.
        encoder: used instead of the configured one.
        passwords: used instead of those of full cost.
        now: the moment, UTC without a zone, by which sessions and tokens end.
        today: the day on which partnerships hold and validity is judged.

    Raises:
        ServiceError: something cannot be opened; says what and what to do.
    """
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CatalogUnavailable(
            f"Cannot use {settings.home} as home: {error.strerror}.",
            "Give another folder by --home or GONGXUE_HOME.",
        ) from error
    catalog = Catalog(open_database(settings.catalog_url))
    index = SearchIndex(
        settings.home / "index",
        catalog,
        encoder or open_configured_encoder(settings),
        cast(KeywordEngine, _engine(keyword, settings.keyword_engine, "GONGXUE_KEYWORD_ENGINE")),
        cast(VectorEngine, _engine(vector, settings.vector_engine, "GONGXUE_VECTOR_ENGINE")),
        names=(settings.keyword_engine, settings.vector_engine),
        opened=opened,
    )
    originals = OriginalFolder(settings.home / "originals")
    pipeline = Pipeline(
        catalog,
        originals,
        fold=lambda text: fold(text).text,
        max_bytes=settings.max_source_mb * 1024 * 1024,
        processes=settings.processes or None,
    )
    access = open_access(
        catalog,
        open_keys(settings.home / SECRET),
        policy=Policy(
            # Sample accounts are there to be tried; nobody has the authenticator of one.
            second_factor=settings.second_factor and not is_demonstration(catalog.engine),
            idle_hours=settings.session_idle_hours,
            longest_days=settings.session_days,
        ),
        passwords=passwords,
        now=now,
        today=today,
        personal_data=[quiz.personal.PERSONAL_DATA, cases.personal.PERSONAL_DATA],
    )
    engine = SearchEngine(catalog, index, today=today)
    return Services(
        settings,
        catalog,
        originals,
        pipeline,
        index,
        engine,
        access,
        lambda: open_problem_encoder(settings),
        _proposer(settings),
    )


def _proposer(settings: Settings) -> Proposer | None:
    """The model that may propose questions; None where the settings name none."""
    if not settings.proposer:
        return None
    return Proposer(url=settings.proposer, model=settings.proposer_model, key=settings.proposer_key)


def open_configured_encoder(settings: Settings) -> Encoder:
    """The encoder that the settings name.

    Raises:
        EncoderUnavailable: there is none, or it cannot be opened.
    """
    if settings.encoder.startswith(("http://", "https://")):
        from search.encoders import openai

        return openai.open_encoder(
            url=settings.encoder, model=settings.encoder_model, key=settings.encoder_key
        )
    folder = settings.encoder_folder()
    if not folder.is_dir():
        raise EncoderUnavailable(
            f"Cannot open encoder {settings.encoder}: there is no folder {folder}.",
            "Set GONGXUE_ENCODER to a model's folder, or unset it for the bundled one.",
        )
    return _open_folder(folder)


def open_problem_encoder(settings: Settings) -> Encoder:
    """The encoder by which cases are found by their problem.

    Raises:
        EncoderUnavailable: there is none, or it cannot be opened.
    """
    folder = settings.problem_encoder_folder()
    if not folder.is_dir():
        raise EncoderUnavailable(
            f"Cannot open encoder {settings.problem_encoder}: there is no folder {folder}.",
            "Set GONGXUE_PROBLEM_ENCODER to a model's folder, or unset it for the bundled one.",
        )
    return _open_folder(folder)


def _open_folder(folder: Path) -> Encoder:
    from search.encoders import static

    if (folder / static.CONFIG).exists() or not (folder / "modules.json").exists():
        return static.open_encoder(folder)
    from search.encoders import sentence_transformers

    return sentence_transformers.open_encoder(folder)


def engine_names(package: ModuleType) -> list[str]:
    """Engines of a leg: the files in its folder."""
    return sorted(m.name for m in pkgutil.iter_modules(package.__path__))


def _engine(package: ModuleType, name: str, setting: str) -> object:
    if name not in engine_names(package):
        raise InvalidSetting(
            f"Cannot start: {setting} is {name!r}, which is no engine.",
            f"Engines are {', '.join(engine_names(package))}.",
        )
    return importlib.import_module(f"{package.__name__}.{name}").ENGINE
