"""A row that somebody spoilt is read by everything there is: what it holds is quoted in no line of the log, no event, no answer."""

import io
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import Connection, LargeBinary, Table, select, update

from bot.readiness import Pulse
from store.schema import case_keys, cases, checkpoints, governance, head, inbox, leaves, meta, metadata, on_call, policies, vault
from tests.promises.test_nothing_planted import PLANT, said
from tests.scenarios.test_database_check import without_triggers
from tests.world import ANNA, World, a_world, listeners_end

__all__ = ["said"]  # the fixture

SPOILT = {
    cases: "snapshot",
    governance: "snapshot",
    leaves: "body",
    vault: "box",
    case_keys: "wrapped",
    policies: "body",
    inbox: "answer",
    on_call: "answer",
    meta: "value",
    head: "frontier",
    checkpoints: "note",  # the last: what stands there is told to whoever posts, who checks its signature, and is kept with the answer
}
"""What is read as more than text: by a parser, a cipher, a proof."""

VALUE = f'{{"id": "{PLANT}", "v": ["{PLANT}"], "controls": "{PLANT}", "time": "{PLANT}"}}'
"""Readable JSON, and nothing of ours."""


async def read_everything(world: World, case_id: str) -> str:
    """Clocks, courier, signer, the check, the service, a person, commands, whoever watches us. Gives what they were told."""
    answers = list[object]()
    pulse = Pulse("clocks", "late", lambda: 0.0, most_s=-1.0)
    for turn in (world.bot.tick, world.bot.signing.tick, world.bot.database_watch.look):
        try:
            await turn()
        except Exception as error:  # noqa: BLE001 - reported as the loops do
            world.bot.reports.tick(pulse, error)
    answers += await pulse.check()
    await world.bot.courier.drain_once()
    answers += [await world.sandbox.customer.get(path) for path in (f"/v1/cases/{case_id}", "/v1/workflows/refunds")]
    answers.append(await world.post())
    card = world.card(case_id)
    await world.sandbox.slack.click(ANNA, card["channel"], card["ts"], "tierline:approve")
    for words in (f"case {case_id}", "status", "next"):
        await world.sandbox.slack.command(ANNA, "review-tier1", "/review", words)
    await listeners_end()
    async with aiohttp.ClientSession() as session:
        for path in ("/readyz", "/metrics"):
            async with session.get(f"{world.bot.url}{path}") as response:
                answers.append(await response.text())
    return repr(answers) + world.told(ANNA)


def in_the_way(table: Table, column: str) -> str | bytes:
    """What stands in a spoilt row."""
    return VALUE.encode() if isinstance(table.c[column].type, LargeBinary) else VALUE


def spoil(connection: Connection, _now: object, *, table: Table, column: str) -> list[Mapping[str, Any]]:
    """Write it into every row; gives the rows as they were."""
    without_triggers(connection)
    rows: list[Mapping[str, Any]] = [dict(row) for row in connection.execute(select(table)).mappings()]
    connection.execute(update(table).values({column: in_the_way(table, column)}))
    return rows


def mend(connection: Connection, _now: object, *, table: Table, column: str, rows: list[Mapping[str, Any]]) -> None:
    """Write back what stood there, but for what the bot has written meanwhile."""
    for row in rows:
        this = [key == row[key.name] for key in table.primary_key.columns]
        connection.execute(update(table).where(*this, table.c[column] == in_the_way(table, column)).values({column: row[column]}))


async def test_what_a_spoilt_row_holds_is_quoted_nowhere(sqlite_url: str, tmp_path: Path, said: io.StringIO) -> None:
    """Whoever reads it names the kind of the error: the row may be content, an answer, evidence."""
    async with a_world(tmp_path, sqlite_url) as world:
        case_id = await world.submit(workflow="payouts")
        await world.drain()
        for table, column in SPOILT.items():
            await world.submit()
            before = await world.bot.writer.write(partial(spoil, table=table, column=column))
            told = await read_everything(world, case_id)
            await world.bot.writer.write(partial(mend, table=table, column=column, rows=before))
            assert await world.bot.signing.check() == "", table.name
            assert PLANT not in told or table is checkpoints, table.name
            assert PLANT not in said.getvalue(), table.name
            assert PLANT.encode() not in await world.bot.database.read(written) or table is checkpoints, table.name


def written(connection: Connection) -> bytes:
    """Everything that stands in the database now."""
    return repr([list(connection.execute(select(table))) for table in metadata.sorted_tables]).encode()
