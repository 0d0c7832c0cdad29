"""The database is away while people press, send forms and type: each of them has an answer, and what it says is so."""

from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.slack.actions.listeners import UNREAD
from bot.slack.answering import ASKING, NOT_RECORDED, UNCLEAR, WRONG
from tests.bot.slack.northwind import ANNA, CHIARA, TIER1, Northwind, a_company
from tests.store.database.faults import GONE, READS, SQLITE_FAULTS, WRITES, Faults, failing_postgres, failing_sqlite, postgres_fault

pytestmark = pytest.mark.outside

PRESSED = ("approve", "reject", "modify", "escalate", "claim", "open_evidence", "ask", "comment")
CHANGING = ("pause refunds It errs.", "quarantine t-17 It errs.")
TYPED = ("status", "next", "mine", "case t-17", *CHANGING, "policy", "exception list")


@pytest.fixture(params=["sqlite", "postgresql"])
async def failing(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Northwind, Faults]]:
    """Northwind with a card, over a database that fails when told."""
    sqlite = request.param == "sqlite"
    url = str(request.getfixturevalue("sqlite_url" if sqlite else "postgres_url"))
    strike: Any = {one.name: one for one in SQLITE_FAULTS}["write error"] if sqlite else postgres_fault(GONE)
    faults = Faults(strike)
    with ExitStack() as stack:
        stack.enter_context(capture_logs())  # drawn for people, each of these many exceptions takes a second
        for layer in [failing_sqlite(faults, READS), failing_sqlite(faults, WRITES)] if sqlite else [failing_postgres(faults)]:
            stack.enter_context(layer)
        async with a_company(url) as company:
            await company.submit()
            await company.drain()
            yield company, faults


async def test_an_approval_is_answered_whichever_statement_fails(failing: tuple[Northwind, Faults]) -> None:
    """Recorded, not recorded, or nobody knows: whoever approved is told which, once, and it is so; pressed again, it counts once."""
    company, faults = failing
    (case,) = await company.reads.free_cases(10, company.clock.now)
    outcomes = list[str]()
    for number in range(200):
        told = len(company.told(ANNA))
        faults.arm(number)
        ack = await company.click(ANNA, "approve")
        passed = faults.heal()
        assert ack.status == 200
        (said,) = company.told(ANNA)[told:]
        outcomes.append(said)
        times = (await company.events(case)).count("decided")
        so = {NOT_RECORDED: (0,), UNCLEAR: (0, 1)}.get(said, (1,))
        assert times in so, (number, faults.passed[-1:], said)
        assert said in (NOT_RECORDED, UNCLEAR) or said.startswith("Recorded: you approved")
        if passed <= number:
            break
        if times:
            case = await company.submit(f"t-{number + 100}")
            await company.drain(2)
    assert NOT_RECORDED in outcomes
    assert outcomes[-1].startswith("Recorded: you approved"), "each statement had its turn"


async def test_everything_that_is_pressed_sent_or_typed_is_answered(failing: tuple[Northwind, Faults]) -> None:
    """While the database is away altogether: beside the card, beside what was typed, which stays, or to the command."""
    company, faults = failing
    await company.click(ANNA, "open_evidence")
    for verb in PRESSED:
        told = len(company.told(ANNA))
        faults.arm(0, lasting=True)
        assert (await company.click(ANNA, verb)).status == 200
        faults.heal()
        assert company.told(ANNA)[told:] == [NOT_RECORDED], verb
    for verb, values in (("reject", {"text": "No."}), ("modify", {"param:/amount": "70.00", "text": "Less."})):
        await company.click(ANNA, verb)
        faults.arm(0, lasting=True)
        ack: Any = await company.fill_in(ANNA, reason="other", **values)
        faults.heal()
        assert ack.status == 200
        assert set(ack.body["errors"].values()) <= {NOT_RECORDED, UNREAD}
        assert company.sandbox.slack.open_view(ANNA) is not None, "what was typed is still there"
    for typed in TYPED:
        faults.arm(0, lasting=True)
        answer = await company.answered(company.sandbox.slack.command(CHIARA, TIER1, "/review", typed))
        faults.heal()
        said = NOT_RECORDED if typed in CHANGING else ASKING.away
        assert (answer.status, said in str(answer.body)) == (200, True), typed
    assert WRONG not in company.told(ANNA)
    (case,) = await company.reads.free_cases(10, company.clock.now)
    assert "decided" not in await company.events(case)
    await company.click(ANNA, "approve")
    assert "decided" in await company.events(case)
