"""`tierline status` and `tierline retry`: what waits, what was given up, and giving it another chance. Owns these two commands."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.terminal import FOUND, JsonFlag, emit, table

if TYPE_CHECKING:
    from bot.settings import Settings

SHOWN = 100
"""Dead messages listed one by one."""


def status(*, as_json: JsonFlag = False) -> None:
    """Show the queue, the outbox and the audit log. Exit 1 where messages were given up; `tierline retry` sends them again."""
    import asyncio

    found = asyncio.run(_standing())
    if as_json:
        emit(found)
    else:
        _show(found)
    if found["dead"]:
        raise typer.Exit(FOUND)


def retry(
    *,
    peer: Annotated[str | None, typer.Option(help="Only messages to slack, pagerduty or callback.")] = None,
    case: Annotated[str | None, typer.Option(help="Only messages of this case.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Send messages again that were given up. On SQLite the running bot does it, so it has to be running."""
    import asyncio

    if peer not in (None, "slack", "pagerduty", "callback"):
        raise typer.BadParameter("expected slack, pagerduty or callback", param_hint="--peer")
    answer = asyncio.run(_retry({"peer": peer, "case": case}))
    if as_json:
        emit(answer)
    else:
        print(f"{answer['retried']} {'message' if answer['retried'] == 1 else 'messages'} will be sent again.")


async def _standing() -> dict[str, Any]:
    from sqlalchemy import Connection

    from bot.cli.configuration import reading
    from routing.submission import moment_text
    from store.queue import dead_messages, outbox_counts, queue_counts
    from store.tree import frontier, newest_checkpoint

    def read(connection: Connection) -> dict[str, Any]:
        newest = newest_checkpoint(connection)
        return {
            "queue": [
                {
                    "tier": one.tier + 1,
                    "lane": one.lane,
                    "state": one.state,
                    "cases": one.cases,
                    "earliest_due": None if one.earliest_due is None else moment_text(one.earliest_due),
                }
                for one in queue_counts(connection)
            ],
            "outbox": [
                {"peer": one.peer, "state": one.state, "messages": one.messages, "oldest": moment_text(one.oldest)}
                for one in outbox_counts(connection)
            ],
            "dead": [
                {
                    "id": one.id,
                    "case": one.case_id,
                    "peer": one.peer,
                    "destination": one.destination,
                    "kind": one.kind,
                    "attempts": one.attempts,
                    "error": one.error,
                    "created_at": moment_text(one.created_at),
                }
                for one in dead_messages(connection, SHOWN)
            ],
            "log": {"events": frontier(connection).size, "signed": 0 if newest is None else newest[0]},
        }

    async with reading() as (_, database):
        return await database.read(read)


def _show(found: dict[str, Any]) -> None:
    def rows(name: str, *keys: str) -> list[list[str]]:
        return [[str(one[key]) if one[key] is not None else "" for key in keys] for one in found[name]]

    table("Open cases", ["tier", "lane", "state", "cases", "next clock"], rows("queue", "tier", "lane", "state", "cases", "earliest_due"))
    table("Messages to send", ["peer", "state", "messages", "oldest"], rows("outbox", "peer", "state", "messages", "oldest"))
    columns = ["case", "peer", "destination", "kind", "attempts", "error"]
    table("Given up (tierline retry)", columns, rows("dead", *columns))
    print(f"Audit log: {found['log']['events']} events, {found['log']['signed']} under a signed checkpoint")


async def _retry(arguments: dict[str, str | None]) -> dict[str, Any]:
    from bot.cli.configuration import settings
    from bot.control import ask, socket_path

    found = settings()
    if found.on_sqlite:
        return dict(await ask(socket_path(found), "retry", arguments))
    return await _retry_beside(found, arguments)


async def _retry_beside(settings: "Settings", arguments: dict[str, str | None]) -> dict[str, Any]:
    """On PostgreSQL, where any number of processes may write."""
    import os
    import secrets

    from bot import clock
    from bot.cli.dead import revive
    from bot.control import person_of
    from routing.policy_file import load_policy
    from store.database import Database
    from store.keys import vault_key
    from store.ledger import Ledger
    from store.outbox import Outbox
    from store.policies import Policies
    from store.timekeeper import Timekeeper
    from store.vault import Vault
    from store.wakeups import Wakeups
    from store.writer import Writer

    database = await Database.open(settings.database_url.get_secret_value(), serving=False)
    try:
        vault = Vault(vault_key(settings.vault_key_path, create=False))
        timekeeper = Timekeeper(clock.now, clock.steady, by_database=True)
        policies = Policies(lambda text: load_policy(text, {}))
        writer = Writer(database, timekeeper, vault, policies, Wakeups())
        writer.start()
        try:
            outbox = Outbox(database, writer, Ledger(writer), secrets.token_hex(8))
            return await revive(database, outbox, person_of(os.getuid()), arguments)
        finally:
            await writer.close()
    finally:
        await database.close()
