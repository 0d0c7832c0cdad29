"""`tierline status` and `tierline retry`: what waits, what was given up, and giving it another chance. Owns these two commands."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.terminal import FOUND, JsonFlag, emit, table

if TYPE_CHECKING:
    from bot.cli.writing.running_bot import DirectStore
    from bot.timeouts import Timeouts

SHOWN = 100
"""Dead messages listed one by one."""

READ_S = 10.0
"""How long a database may take to give what is shown."""

UNREAD = {"queue": None, "outbox": None, "dead": None, "channels": None, "log": None}
"""Where a database does not answer."""


def status(*, as_json: JsonFlag = False) -> None:
    """Show whether the bot is ready, the queue, the outbox and the audit log.

    Exit 1 where the bot is not ready or something needs attention: messages were given up, a channel takes none, rows were altered.
    `tierline retry` sends again what was given up; what a channel refuses is tried again by itself.
    """
    import asyncio

    from bot.timeouts import REAL

    tell(asyncio.run(standing(REAL)), as_json=as_json)


def tell(found: dict[str, Any], *, as_json: bool) -> None:
    """What `standing` found. Raises `Exit` with 1 where somebody has to look."""
    if as_json:
        emit(found)
    else:
        _show(found)
    if found["dead"] or found["channels"] or found["attention"] or found["ready"] is False:
        raise typer.Exit(FOUND)


def retry(
    *,
    peer: Annotated[str | None, typer.Option(help="Only messages to slack, pagerduty, email, callback or ticket.")] = None,
    case: Annotated[str | None, typer.Option(help="Only messages of this case.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Send messages again that were given up. On SQLite the running bot does it, so it has to be running."""
    import asyncio

    if peer not in (None, "slack", "pagerduty", "email", "callback", "ticket"):
        raise typer.BadParameter("expected slack, pagerduty, email, callback or ticket", param_hint="--peer")
    answer = asyncio.run(_retry({"peer": peer, "case": case}))
    if as_json:
        emit(answer)
    else:
        print(f"{answer['retried']} {'message' if answer['retried'] == 1 else 'messages'} will be sent again.")


async def standing(timeouts: "Timeouts") -> dict[str, Any]:
    """What the command shows. `timeouts` says how long the database may take."""
    from sqlalchemy import Connection

    from bot.cli.completeness import newest_completeness
    from bot.cli.files.configuration import reading, settings
    from bot.cli.running_readiness import running_readiness
    from bot.slack.cards.text.remedies import trouble_sentence
    from routing.case.submission import moment_text
    from store.audit.stored_tree import frontier, newest_checkpoint
    from store.ledger.sealed_head import read_ruling
    from store.reads.queue import dead_messages, last_errors, outbox_counts, queue_counts
    from store.reads.unposted import waiting_for

    def read(connection: Connection) -> dict[str, Any]:
        newest, complete = newest_checkpoint(connection), newest_completeness(connection)
        errors = last_errors(connection)
        return {
            "queue": [
                {
                    "tier": one.tier + 1,
                    "lane": one.lane,
                    "state": one.state,
                    "cases": one.cases,
                    "earliest_due": None if one.next is None else moment_text(one.next.at),
                    "next": None if one.next is None else one.next.consequence.value,
                }
                for one in queue_counts(connection)
            ],
            "outbox": [
                {
                    "peer": one.peer,
                    "state": one.state,
                    "messages": one.messages,
                    "oldest": moment_text(one.oldest),
                    "error": errors.get((one.peer, one.state), ""),
                }
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
            "channels": [
                {
                    "name": one.name,
                    "id": one.id,
                    "error": one.trouble,
                    "waiting": waiting_for(connection, [one.name, one.name.removeprefix("#")]),
                    "sentence": trouble_sentence(one, waiting_for(connection, [one.name, one.name.removeprefix("#")])),
                }
                for one in read_ruling(connection).governance.bindings.values()
                if one.trouble
            ],
            "log": {
                "events": frontier(connection).size,
                "signed": 0 if newest is None else newest[0],
                "looked_at": complete.events,
                "complete_percent": complete.percent,
            },
        }

    said = dict(await running_readiness(settings()))
    try:
        async with timeouts.within(READ_S), reading() as (_, database):
            return said | await database.read(read)
    except TimeoutError:
        unread = "The database does not answer."
        return said | {"ready": False, "obstacles": list(dict.fromkeys([*said["obstacles"], unread])), **UNREAD}


def _show(found: dict[str, Any]) -> None:
    if found["ready"] is None:
        print(found["served"])
    else:
        print("Ready." if found["ready"] else "Not ready:")
        for sentence in found["obstacles"]:
            print(f"  {sentence}")
        if found["attention"]:
            print("Needs attention:")
        for sentence in found["attention"]:
            print(f"  {sentence}")
    if found["log"] is not None:
        _show_standing(found)


def _show_standing(found: dict[str, Any]) -> None:
    def rows(name: str, *keys: str) -> list[list[str]]:
        return [[str(one[key]) if one[key] is not None else "" for key in keys] for one in found[name]]

    named = ["tier", "lane", "state", "cases", "next at", "if nobody acts"]
    table("Open cases", named, rows("queue", "tier", "lane", "state", "cases", "earliest_due", "next"))
    waiting = ["peer", "state", "messages", "oldest", "error"]
    table("Messages to send", [*waiting[:-1], "last error"], rows("outbox", *waiting))
    columns = ["case", "peer", "destination", "kind", "attempts", "error"]
    table("Given up (tierline retry)", columns, rows("dead", *columns))
    for channel in found["channels"]:
        if channel["sentence"] not in found["attention"]:
            print(channel["sentence"])
    log = found["log"]
    print(f"Audit log: {log['events']} events, {log['signed']} under a signed checkpoint")
    print(f"Audit completeness: {log['complete_percent']:.1f} % of the last {log['looked_at']} events")


async def _retry(arguments: dict[str, str | None]) -> dict[str, Any]:
    import secrets

    from bot.cli.writing.running_bot import carry_out
    from bot.cli.writing.undelivered import revive
    from routing.change import Actor
    from store.outbox.outbox import Outbox

    async def directly(beside: "DirectStore", by: Actor) -> dict[str, Any]:
        outbox = Outbox(beside.database, beside.writer, beside.ledger, secrets.token_hex(8))
        return await revive(beside.database, outbox, by, arguments)

    return await carry_out("retry", arguments, directly)
