"""Somebody with a client of the database writes what caps and exceptions count by: the bot's own look, a minute later, says so."""

import asyncio
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Executable, delete, insert, text, update

from store.integrity.database_check import DatabaseCheck, Place
from store.schema import cases, tallies, waiver_uses
from tests.governed import GovernedWorld as World
from tests.world import GRACE, HUGO, running
from tests.written import POLICY

READ = POLICY.replace(
    "  summaries: {ladder: standard, template: auto, requester: optional}",
    "  summaries:\n    {ladder: standard, template: auto, requester: optional, caps: {per_hour: 500, amount_per_day: '100'},\n"
    "     risk_from: {amount: action.params.amount}}",
)
FREE: dict[str, Any] = {
    "workflow": "summaries",
    "action": {"type": "summary.store", "params": {"amount": "0.00"}, "reversible": True},
    "risk": {"impact": "low", "likelihood": 0.1, "recoverability": "easy", "amount": "5.00"},
}
"""Approved automatically: the policy reads the amount in the action, whatever the service says beside it."""

LOW = FREE | {"model": {"name": "m", "version": "1", "confidence": 0.9}}

BY_HAND: dict[str, tuple[list[Executable], str]] = {
    "a day's count set back": ([update(tallies).values(autos=0)], "0 are counted"),
    "a day's sum set back": ([update(tallies).values(whole=-50)], "their sum is -50"),
    "a day's count set forward": ([update(tallies).values(autos=tallies.c.autos + 1)], "are counted"),
    "a day gone": ([delete(tallies)], "0 are counted"),
    "a day of another workflow": ([insert(tallies).values(workflow="drawn", day=20_777, autos=7, whole=0, millionths=0)], "7 are counted"),
    "rows of an hour ago": ([update(cases).where(cases.c.verdict == "auto_approved").values(decided_at=1)], "cases say so"),
    "rows of another verdict": ([update(cases).where(cases.c.verdict == "auto_approved").values(verdict="approved")], "cases say so"),
    "rows of another workflow": ([update(cases).where(cases.c.verdict == "auto_approved").values(workflow="drawn")], "cases say so"),
    "uses gone": ([delete(waiver_uses)], "is not counted"),
    "uses of another exception": ([update(waiver_uses).values(waiver_id="x_other")], "that it never had"),
    "a use by a case without it": (
        [text("INSERT INTO waiver_uses (waiver_id, case_id) SELECT 'x_mine', max(id) FROM cases")],
        "that it never had",
    ),
    "a use by no case": ([insert(waiver_uses).values(waiver_id="x_mine", case_id="c_zzzz")], "which is no case"),
    "a use by an earlier no case": ([insert(waiver_uses).values(waiver_id="x_mine", case_id="c_0000")], "which is no case"),
}


async def lived_in(world: World) -> None:
    """Automatic approvals, one of them by an exception, of two days."""
    for _ in range(2):
        await world.submit(**FREE)
    await world.say(GRACE, "exception request summaries waives=confidence_low days=7 uses=2 The model was recalibrated and reads low.")
    await world.drain()
    await world.press(HUGO, world.bulletins("review-owners")[0], "approve_exception")
    await world.drain()
    await world.pass_time(hours=20)
    await world.submit(**LOW)
    await world.submit(**FREE)
    await world.submit()
    await world.drain()


async def test_whatever_limits_count_by_is_held_against_the_log_each_minute(database_url: str, tmp_path: Path) -> None:
    """One look of a bot that runs is enough, of a database however long it has been looked at; before, nothing was found."""
    async with running(World(tmp_path, database_url, False, policy=READ)) as world:
        await lived_in(world)
        check, place = DatabaseCheck(world.bot.database, world.bot.vault, [world.bot.vkey]), Place()
        assert [str(one) for one in (await check.everything()).findings] == []
        for _ in range(3):
            assert [str(one) for one in await check.part(place, 2, 100)] == []

        def tried(connection: Connection, _now: object) -> dict[str, list[str]]:
            found = {}
            for name, (statements, _) in BY_HAND.items():
                connection.execute(text("SAVEPOINT untouched"))
                for statement in statements:
                    connection.execute(statement)
                anew = Place()
                found[name] = [str(one) for one in check.part_of(connection, place=anew, tiles=2, cases_most=100)]
                connection.execute(text("ROLLBACK TO SAVEPOINT untouched"))
            return found

        found = await world.bot.writer.write(tried)
        assert {name: [one for one in found[name] if said in one] != [] for name, (_, said) in BY_HAND.items()} == dict.fromkeys(
            BY_HAND, True
        )


async def test_a_day_is_followed_from_one_look_to_the_next(sqlite_url: str, tmp_path: Path) -> None:
    """A look takes in so many events; what limits count by is compared once the day is followed to its end, and said then."""
    async with running(World(tmp_path, sqlite_url, False, policy=READ)) as world:
        check, place = DatabaseCheck(world.bot.database, world.bot.vault, [world.bot.vkey]), Place()

        async def look() -> list[str]:
            return [str(one) for one in await check.part(place, 1, 10, today_most=1)]

        for _ in range(3):
            for _ in range(15):
                await asyncio.gather(*(world.submit(**FREE) for _ in range(6)))
            assert await look() == []
        assert (await check.everything()).events > 2 * 256
        await world.bot.writer.write(lambda connection, _now: connection.execute(update(tallies).values(autos=1)))
        found = [one for _ in range(3) for one in await look()]
        assert any("1 are counted, 270 are in the log" in one for one in found)
