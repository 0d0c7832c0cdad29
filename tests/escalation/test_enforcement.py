"""Brakes hold whatever cannot be processed: it is reported once a minute and holds up nobody."""

from sqlalchemy import Connection, update

from routing.vocabulary import State
from store.schema import cases
from tests.bot.slack.actions.test_guarded_actions import GUARDED
from tests.bot.slack.northwind import CHIARA, a_company


async def test_a_case_that_cannot_be_held_is_left_alone_for_a_minute(sqlite_url: str) -> None:
    """The others are held at once."""
    async with a_company(sqlite_url, policy=GUARDED) as company:
        poisoned, healthy = [await company.submit(task, workflow="accounts") for task in ("t-bad", "t-good")]

        def spoil(connection: Connection) -> None:
            connection.execute(update(cases).where(cases.c.id == poisoned.id).values(snapshot="{}"))

        async with company.database.writing() as transaction:
            await transaction.commit(spoil)
        await company.commands.answer(CHIARA, "T0TIERLINE", "freeze accounts Wrong totals.", "trigger-1")
        for _ in range(3):
            await company.brakes.tick()
        assert (await company.case(healthy)).state is State.HELD
        assert company.poison == [poisoned.id]
        company.clock.forward(60)
        await company.brakes.tick()
        assert company.poison == [poisoned.id] * 2
