"""`tierline audit`: take the log out, verify it, show its newest checkpoint and its key; erase what a case contained.

Owns these commands; the proofs are the store's.

`verify` needs nothing but the exported directory: no database, no settings, no network.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.terminal import FOUND, JsonFlag, emit, progress, remark

if TYPE_CHECKING:
    from bot.settings import Settings
    from store.audit.signed_note import VerifierKey
    from store.database.database import Database
    from store.integrity.database_check import Checked

MAX_REASON_CHARS = 200
MAX_SHOWN = 100
NOT_SHOWN = "what was cut from the end of the log with every checkpoint of it, only a receipt or checkpoint kept elsewhere shows"

app = typer.Typer(
    help="The audit log: export, verify, erase content.", epilog="Example:  tierline audit export ./log", no_args_is_help=True
)


@app.command(epilog="Example:  tierline audit export ./log-2026-11")
def export(directory: Annotated[Path, typer.Argument(help="A new or empty directory.")], *, as_json: JsonFlag = False) -> None:
    """Write the log up to its newest signed checkpoint as a directory that anyone can verify. Reads the database only."""
    import asyncio

    with progress("exporting"):
        size, key = asyncio.run(_export(directory))
    if as_json:
        emit({"directory": str(directory), "events": size, "vkey": key})
    else:
        print(f"{size} events in {directory}. Anyone can check them: tierline audit verify {directory}")


@app.command(
    epilog="Example:  tierline audit verify ./log-2026-11 --older checkpoint-of-last-month --key 'tierline/…+…+…'"
    "  ·  tierline audit verify --database"
)
def verify(
    directory: Annotated[Path | None, typer.Argument(help="An export.", exists=True, file_okay=False, show_default=False)] = None,
    *,
    database: Annotated[bool, typer.Option("--database", help="Hold every row of our database against its log instead.")] = False,
    older: Annotated[Path | None, typer.Option(help="A checkpoint got earlier: shows that nothing was cut since.", exists=True)] = None,
    key: Annotated[str | None, typer.Option(help="The log's key, got on another way (`audit key`).", show_default=False)] = None,
    as_json: JsonFlag = False,
) -> None:
    """Verify an export, offline: every event, hash and signature; or our own database against its log. Exit 1 if anything is wrong."""
    if database:
        if directory is not None or older is not None or key is not None:
            raise typer.BadParameter("--database goes alone: it checks the database that TIERLINE_DATABASE_URL names")
        _verify_database(as_json=as_json)
        return
    if directory is None:
        raise typer.BadParameter("name an export (tierline audit export makes one), or say --database")
    from bot.cli.completeness import incomplete_in, incompleteness
    from store.audit.processes import available_cores
    from store.audit.verify import verify_export

    note = None if older is None else older.read_text()
    with progress("verifying") as advance:
        report = verify_export(directory, note, advance, trusted_vkey=key, processes=available_cores(), examine=incompleteness)
    notes = [*report.notes, *(incomplete_in(report) if report.ok else [])]
    if as_json:
        root = None if report.root is None else report.root.hex()
        found = {"ok": report.ok, "problems": report.problems, "notes": notes}
        emit({**found, "events": report.events, "size": report.size, "root": root})
    else:
        for problem in report.problems:
            print(f"WRONG  {problem}")
        for note in notes:
            remark(f"note   {note}")
        print(f"{report.events} events verified." if report.ok else "This is not the log that was signed.")
    if not report.ok:
        raise typer.Exit(FOUND)


def _verify_database(*, as_json: bool) -> None:
    import asyncio

    with progress("checking") as advance:
        found, disagreement = asyncio.run(_check_database(advance))
    problems = [*([disagreement] if disagreement else []), *map(str, found.findings)]
    if as_json:
        emit({"ok": not problems, "problems": problems, "notes": [NOT_SHOWN], "events": found.events, "cases": found.cases})
    else:
        for problem in problems[:MAX_SHOWN]:
            print(f"WRONG  {problem}")
        if len(problems) > MAX_SHOWN:
            print(f"…      and {len(problems) - MAX_SHOWN} more (--json shows all)")
        remark(f"note   {NOT_SHOWN}")
        right = f"{found.events} events and {found.cases} cases: the database is what its log says."
        print(right if not problems else "Somebody or something else wrote to this database. docs/operating.md says what to do.")
    if problems:
        raise typer.Exit(FOUND)


async def _check_database(advance: Any) -> tuple["Checked", str]:  # noqa: ANN401 - of rich's making
    from bot.cli.files.configuration import reading
    from store.audit.checkpoint_directory import CheckpointDirectory, CheckpointUnreadable
    from store.audit.merkle import MalformedFrontier, MissingHash
    from store.checkpoint_signing import disagreement
    from store.integrity.database_check import DatabaseCheck
    from store.vault.keys import vault_key
    from store.vault.vault import Vault

    async with reading() as (settings, database):
        keys = [await _verifier(settings, database)]
        vault = Vault(vault_key(settings.vault_key_path, create=False))
        try:
            why = await disagreement(database, CheckpointDirectory(settings.checkpoint_path, keys))
        except (MalformedFrontier, MissingHash, CheckpointUnreadable) as problem:
            why = str(problem)
        return await DatabaseCheck(database, vault, keys).everything(advance), why


@app.command(epilog="Example:  tierline audit erase c_01m7wd7tg00w3ge1r70w3ge1r7 --reason 'request 2026-114 under GDPR, article 17'")
def erase(
    case: Annotated[str, typer.Argument(help="A case that is decided or withdrawn.")],
    *,
    reason: Annotated[str, typer.Option(help="Why. Stays in the log for ever, so it names nobody.", show_default=False)],
    give_up_callbacks: Annotated[bool, typer.Option("--give-up-callbacks", help="Also where callbacks were given up undelivered.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Erase what a case contained, for good: database and our Slack messages. The log keeps its proofs. Exit 1 if it was not erased."""
    import asyncio

    if not 1 <= len(reason.strip()) <= MAX_REASON_CHARS:
        raise typer.BadParameter(f"expected 1 to {MAX_REASON_CHARS} characters", param_hint="--reason")
    answer = asyncio.run(_erase({"case": case, "reason": reason.strip(), "give_up_callbacks": give_up_callbacks}))
    if as_json:
        emit(answer)
    elif answer["erased"]:
        print(f"Erased: event {answer['event']} of the log. Slack shows it as soon as its messages are edited.")
        if not answer["gone_from_disk"]:
            remark("SQLite's journal could not be emptied: somebody reads the database. It is overwritten as the bot goes on writing.")
    else:
        print(f"Not erased. {answer['why']}")
    if not answer["erased"]:
        raise typer.Exit(FOUND)


@app.command(epilog="Example:  tierline audit checkpoint > checkpoint-2026-11-20")
def checkpoint(
    *,
    recover: Annotated[
        bool,
        typer.Option("--recover", help="After a restore: put the newer checkpoint aside, record that, and go on with this database."),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Print the newest signed checkpoint. Kept elsewhere, it later proves that nothing was cut or changed."""
    import asyncio

    if recover:
        _say_recovered(asyncio.run(_recover()), as_json=as_json)
        return
    note = asyncio.run(_checkpoint())
    if as_json:
        origin, size, *_ = note.split("\n")
        emit({"origin": origin, "size": int(size), "checkpoint": note})
    else:
        print(note, end="")


def _say_recovered(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        emit(answer)
    elif answer["recovered"]:
        print("Recorded. The log goes on from this database; whoever holds a newer checkpoint can see that events are missing.")
        remark("On PostgreSQL, restart the replicas now.")
    else:
        print("Nothing to recover: the database agrees with the newest checkpoint.")
    if not answer["recovered"]:
        raise typer.Exit(FOUND)


@app.command(epilog="Example:  tierline audit key > key.vkey")
def key(*, as_json: JsonFlag = False) -> None:
    """Print the public key that checkpoints are signed with, for receivers and auditors to pin."""
    import asyncio

    vkey = asyncio.run(_key())
    if as_json:
        emit({"vkey": vkey})
    else:
        print(vkey)


async def _erase(arguments: dict[str, str | bool]) -> dict[str, Any]:
    from bot.cli.writing.erasure import erase_content
    from bot.cli.writing.running_bot import carry_out

    return await carry_out("erase", arguments, lambda beside, by: erase_content(beside.database, beside.ledger, by, arguments))


async def _recover() -> dict[str, Any]:
    from bot.cli.writing.recovery import go_on_beside
    from bot.cli.writing.running_bot import carry_out

    return await carry_out("recover", {}, go_on_beside)


async def _export(directory: Path) -> tuple[int, str]:
    from bot.cli.files.configuration import reading
    from store.audit.export import export as export_log

    async with reading() as (settings, database):
        vkey = await _verifier(settings, database)
        checkpoint = await export_log(database, directory, [vkey])
        return checkpoint.size, str(vkey)


async def _checkpoint() -> str:
    from bot.cli.files.configuration import reading
    from store.audit.export import NoCheckpointError
    from store.audit.stored_tree import newest_checkpoint

    async with reading() as (_, database):
        newest = await database.read(newest_checkpoint)
    if newest is None:
        raise NoCheckpointError(NoCheckpointError.__doc__)
    return newest[1]


async def _key() -> str:
    from bot.cli.files.configuration import reading

    async with reading() as (settings, database):
        return str(await _verifier(settings, database))


async def _verifier(settings: "Settings", database: "Database") -> "VerifierKey":
    """The public half of the signing key, under this deployment's name. Raises KeyUnusable."""
    from store.audit.signed_note import Signer
    from store.deployment import read_deployment
    from store.vault.keys import signing_key

    deployment = await database.read(read_deployment)
    if not deployment:
        raise typer.BadParameter("this database was never served, so its log has no name yet; start `tierline serve` first")
    return Signer(f"tierline/{deployment}", signing_key(settings.signing_key_path, create=False)).vkey
