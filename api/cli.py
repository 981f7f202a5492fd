"""The `gongxue` command."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from api.json import answer_json, write_lines
from api.services import IngestReport, Services
from api.settings import Settings, load_settings
from ingest.pipeline import Keeping
from kb.errors import KbError, ServiceError
from kb.model import PUBLIC, Answer, Kind, Mode, Query, Validity
from quiz.generation.gates import GATE_WORDS
from quiz.generation.generator import Made, Material
from quiz.model import Type, question_json

app = typer.Typer(
    name="gongxue",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="共学：政策与学习材料的知识库和检索服务。Take material in, search it, serve it.",
)
quiz_app = typer.Typer(no_args_is_help=True, help="Questions from clauses.")
app.add_typer(quiz_app, name="quiz")
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

EXIT_FAILED, EXIT_REQUEST, EXIT_SERVICE = 1, 2, 3
VALIDITY_WORDS = {
    Validity.IN_FORCE: "现行有效",
    Validity.NOT_YET: "尚未生效",
    Validity.SUPERSEDED: "已被新版取代",
    Validity.REPEALED: "已废止",
}

Home = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of catalog and index (default indexes/, or GONGXUE_HOME)."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def _home(home: Path | None, *, opened: bool = True, **stated: Any) -> Iterator[Services]:
    """Services on a home; a known error ends the command in words and with its exit status."""
    from api.wiring import build_services

    with _known_errors():
        services = build_services(_settings(home, **stated), opened=opened)
        try:
            yield services
        finally:
            if opened:
                services.close()


@contextmanager
def _known_errors() -> Iterator[None]:
    try:
        yield
    except KbError as error:
        err.print(f"[bold red]{error.code}[/]: {escape(error.message)}")
        if error.hint:
            err.print(escape(error.hint))
        raise typer.Exit(EXIT_SERVICE if isinstance(error, ServiceError) else EXIT_REQUEST) from error


def _settings(home: Path | None, **stated: Any) -> Settings:
    return load_settings(home=home, **stated)


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.")],
    branch: Annotated[
        str | None, typer.Option(help="Branch that keeps them; the common library if not given.")
    ] = None,
    everyone: Annotated[
        bool | None,
        typer.Option(
            "--everyone/--own-branch",
            help="Who may read them; everyone in the common library, else the own branch, if not given.",
        ),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Put back what was withdrawn.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Take files in; exit 1 if any failed."""
    with _home(home) as services, _progress(not as_json) as progress:
        keeping = _keeping(services, branch, everyone, again=again)
        report = services.ingest(paths, progress, keeping=keeping)
    if as_json:
        _print_json(report.to_json())
    else:
        _print_report(report)
    if report.failed:
        raise typer.Exit(EXIT_FAILED)


def _keeping(services: Services, branch: str | None, everyone: bool | None, *, again: bool) -> Keeping:
    """Who keeps what the command takes in, and who may read it."""
    if branch is None:
        return Keeping(frozenset({PUBLIC}) if everyone is not False else frozenset(), again=again)
    services.access.branches.get(branch)
    audience = {f"branch:{branch}"} | ({PUBLIC} if everyone else set())
    return Keeping(frozenset(audience), branch_id=branch, again=again)


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="Words, a question, a 文号, or a law and article.")],
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many hits.")] = 10,
    mode: Annotated[Mode, typer.Option(help="Which legs answer.")] = Mode.HYBRID,
    kind: Annotated[
        list[Kind] | None, typer.Option(help="Only this kind; may be given more than once.")
    ] = None,
    issuer: Annotated[list[str] | None, typer.Option(help="Only this issuer.")] = None,
    year: Annotated[list[int] | None, typer.Option(min=1, max=9999, help="Only this year.")] = None,
    validity: Annotated[list[Validity] | None, typer.Option(help="Only this standing.")] = None,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only texts in force on this day.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show each leg's rank and score and the terms found.")
    ] = False,
    seen_by: Annotated[
        str | None, typer.Option("--as", metavar="LOGIN", help="Only what this person may read.")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Search passages. At the machine itself everything is found, whoever may read it."""
    # Bytes that are no UTF-8 come as lone surrogates, which nothing can print or encode.
    text = text.encode(errors="replace").decode()
    with _home(home) as services:
        scope = services.access.sessions.scope_of(seen_by) if seen_by else services.catalog.every_token()
        query = Query(
            text,
            scope,
            k=k,
            mode=mode,
            kinds=frozenset(kind or ()),
            issuers=frozenset(issuer or ()),
            years=frozenset(year or ()),
            validity=frozenset(validity or ()),
            as_of=as_of.date() if as_of else None,
            explain=explain,
        )
        answer = services.search(query)
    if as_json:
        _print_json(answer_json(answer))
    else:
        _print_answer(answer, explain)


@quiz_app.command("generate")
def generate(
    document: Annotated[
        str | None, typer.Option("--document", metavar="ID", help="Ask about this document.")
    ] = None,
    clause: Annotated[
        list[str] | None,
        typer.Option(
            "--clause", metavar="ANCHOR", help="Only this clause of it, such as art-12; more than once."
        ),
    ] = None,
    query: Annotated[
        str | None, typer.Option("--query", metavar="TEXT", help="Ask about what is found.")
    ] = None,
    phrase: Annotated[
        str | None,
        typer.Option("--phrase", metavar="TEXT", help="Ask about sentences that say this word for word."),
    ] = None,
    types: Annotated[
        str, typer.Option("--types", help=f"Types, with commas between: {', '.join(Type)}. Without, all.")
    ] = "",
    n: Annotated[int, typer.Option("-n", min=1, max=10_000, help="How many questions at most.")] = 20,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same questions.")] = 0,
    proposed: Annotated[
        bool, typer.Option("--propose", help="Have the language model of GONGXUE_PROPOSER add candidates.")
    ] = False,
    seen_by: Annotated[
        str | None, typer.Option("--as", metavar="LOGIN", help="Only from what this person may read.")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Make questions, each with the clause that proves it; the best come first."""
    wanted = [t.strip() for t in types.split(",") if t.strip()]
    if wrong := [t for t in wanted if t not in set(Type)]:
        raise typer.BadParameter(f"no such type: {', '.join(wrong)}", param_hint="--types")
    with _home(home) as services:
        scope = services.access.sessions.scope_of(seen_by) if seen_by else services.catalog.every_token()
        made = services.quiz.generator.generate(
            Material(document, tuple(clause or ()), query, phrase),
            scope,
            types=frozenset(map(Type, wanted)) or frozenset(Type),
            n=n,
            seed=seed,
            proposed=proposed,
        )
    if as_json:
        _print_json(
            {"questions": [question_json(q) for q in made.questions], "rejected": dict(made.rejected)}
        )
    else:
        _print_questions(made)


@app.command("eval")
def evaluate(
    bench: Annotated[
        Path, typer.Argument(help="Folder with corpus.jsonl.gz, queries.jsonl.gz and qrels.tsv.gz.")
    ],
    mode: Annotated[Mode, typer.Option(help="Which legs answer.")] = Mode.HYBRID,
    run: Annotated[Path | None, typer.Option(help="Write the run here in TREC form.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Measure ranking and speed on a benchmark; its corpus is indexed apart from the home."""
    from api.evaluation import evaluate_bench

    with _known_errors(), _progress(not as_json) as progress:
        report = evaluate_bench(bench, _settings(home), mode=mode, run_file=run, progress=progress)
    if as_json:
        _print_json(report)
    else:
        for name, value in report.items():
            out.print(f"{name:>8}  {value}")


@app.command()
def status(home: Home = None, as_json: AsJson = False) -> None:
    """Counts, and how far the index has come."""
    with _home(home) as services:
        found = services.status()
    if as_json:
        _print_json(found)
        return
    for name, value in found.items():
        out.print(f"{name:>10}  {value}")


@app.command()
def remove(document_ids: Annotated[list[str], typer.Argument(metavar="ID...")], home: Home = None) -> None:
    """Take documents out; none of their text is found from then on, and they do not come back unasked."""
    with _home(home) as services:
        services.remove(document_ids)
    out.print(f"Removed {len(document_ids)}.")


@app.command()
def reindex(home: Home = None) -> None:
    """Build the index anew from the catalog and switch to it."""
    with _home(home, opened=False) as services, _progress(True) as progress:
        services.reindex(progress)
        services.close()
    out.print("The new index is live.")


@app.command()
def operator(
    login: Annotated[str, typer.Argument(help="Login of an operator, made if there is none.")] = "admin",
    home: Home = None,
) -> None:
    """Let an operator in again: a new password, shown once; the second factor and all sessions go."""
    with _home(home) as services:
        password = services.access.rescue_operator(login)
    out.print(f"{login}  {password}")
    out.print("Shown once. It must be changed at the first sign-in.")


@app.command()
def audit(
    export: Annotated[Path | None, typer.Option(help="Write all entries here, a JSON object a line.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Tell whether the audit trail is whole; exit 1 if it is not."""
    with _home(home) as services:
        verdict = services.access.audit.verify()
        if export is not None:
            write_lines(export, services.access.audit.all())
    if as_json:
        _print_json(asdict(verdict))
    elif verdict.whole:
        out.print(f"{verdict.n} entries, whole.")
    else:
        out.print(f"[bold red]Broken[/] at entry {verdict.broken_at}: {verdict.why}.")
    if not verdict.whole:
        raise typer.Exit(EXIT_FAILED)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (default 127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (default 8000).")] = None,
    demonstration: Annotated[
        bool,
        typer.Option(
            "--demonstration",
            help="Fill an empty home with the sample corpus, sample branches and an account of each role."
            " On loopback only.",
        ),
    ] = False,
    home: Home = None,
) -> None:
    """Serve the pages and the HTTP interface."""
    import uvicorn

    from api.app import create_app, log_to_stderr
    from api.demonstration import check_address, fill

    if demonstration:
        with _home(home, host=host, port=port) as services, _progress(True) as progress:
            filled = fill(services, progress)
        if filled:
            out.print("Filled with the sample corpus, sample branches and sample accounts.")
    with _home(home, host=host, port=port) as services:
        settings = services.settings
        log_to_stderr(settings.log_level)
        check_address(services)
        if first := services.access.first_operator():
            out.print(f"[bold]First sign-in[/]  login {first[0]}  password {first[1]}  (shown this once)")
        with _progress(True) as progress:
            services.follow(progress)
        application = create_app(services)
        # One query before the first person's: tables are built and pages cached by then.
        if services.catalog.total():
            services.search(Query("共学", frozenset({PUBLIC}), k=1))
        services.jobs.start()
        scheme = "https" if settings.tls_certificate else "http"
        out.print(f"[bold]共学 Gongxue[/]  {scheme}://{settings.host}:{settings.port}/")
        uvicorn.run(
            application,
            host=settings.host,
            port=settings.port,
            log_level=settings.log_level,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.proxies),
            forwarded_allow_ips=settings.proxies or None,
            ssl_certfile=settings.tls_certificate,
            ssl_keyfile=settings.tls_key,
        )


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Archive to write (.tar.gz).")], home: Home = None
) -> None:
    """Write catalog and originals to one archive, while the service runs."""
    from api.archive import write_backup

    with _home(home) as services:
        n = write_backup(services, file)
    out.print(f"{file}: {n} documents.")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="Archive that `backup` wrote.")], home: Home = None
) -> None:
    """Fill an empty home from an archive and build its index."""
    from api.archive import read_backup

    with _known_errors():
        settings = _settings(home)
        read_backup(file, settings.home)
    with _home(home) as services, _progress(True) as progress:
        services.follow(progress)
        n = services.catalog.total()
    out.print(f"Restored {n} documents to {settings.home}.")


# -- printing ---------------------------------------------------------------------


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1, default=_plain) + "\n")


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _print_report(report: IngestReport) -> None:
    out.print(
        f"{report.documents} documents, {report.passages} passages in; {report.unchanged} unchanged; "
        f"{len(report.failed)} failed; {report.seconds:.1f} s."
    )
    for failure in report.failed:
        out.print(f"  [red]{failure['code']}[/] {escape(failure['source'])}: {escape(failure['message'])}")


def _print_questions(made: Made) -> None:
    for number, q in enumerate(made.questions, 1):
        out.print(Text(f"{number}. {q.stem}", style="bold"))
        for prompt in q.prompts:
            out.print(Text(f"   · {prompt}"))
        for letter, option in zip("ABCDEFGHIJ", q.options, strict=False):
            out.print(Text(f"   {letter}. {option}"))
        out.print(
            Text(f"   答案：{q.letters or '；'.join(q.answer)}    难度 {q.difficulty:.2f}", style="green")
        )
        if q.citation is not None:
            out.print(
                Text(
                    f"   {' '.join(q.citation.path)}  {q.citation.document_id}#{q.citation.anchor}",
                    style="dim",
                )
            )
    stopped = "，".join(f"{GATE_WORDS[int(gate)]} {n}" for gate, n in made.rejected.items())
    out.print(f"{len(made.questions)} 道题。" + (f"未通过检查的：{stopped}。" if stopped else ""))
    if not made.questions:
        out.print("这份材料里没有找到可以出题的话。")


def _print_answer(answer: Answer, explain: bool) -> None:
    for hit in answer.hits:
        where = " › ".join([hit.title, *hit.path])
        facts = "，".join(
            str(f) for f in (hit.number, hit.issuer, hit.year, VALIDITY_WORDS[hit.validity]) if f
        )
        out.print(f"[bold]{hit.rank}. {escape(where)}[/]  [dim]{escape(facts)}[/]")
        text = Text(hit.text)
        for start, end in hit.highlights:
            text.stylize("bold red", start, end)
        text.pad_left(0)
        out.print(text)
        if explain:
            legs = "  ".join(f"{leg} #{s.rank} {s.score:.4f}" for leg, s in hit.legs.items())
            out.print(f"   [dim]{hit.score:.4f}  {legs}  {' '.join(map(escape, hit.terms))}[/]")
        out.print(
            f"   [dim]{hit.document_id} {hit.passage_id} {escape(hit.source)}{f' p.{hit.page}' if hit.page else ''}[/]\n"
        )
    out.print(
        f"{answer.total} passages, {answer.took_ms:.0f} ms"
        if answer.hits
        else "没有找到。换几个词，或去掉筛选条件再试。"
    )


@contextmanager
def _progress(shown: bool) -> Iterator[Callable[[str, int, int], None] | None]:
    if not shown:
        yield None
        return
    names = {"read": "读取 read", "index": "建索引 index"}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        tasks: dict[str, Any] = {}

        def step(name: str, done: int, n: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(names.get(name, name), total=n)
            bar.update(tasks[name], completed=done, total=n)

        yield step


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()
