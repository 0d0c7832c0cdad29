"""What a brake has yet to reach or to let go, and that a verdict is kept back only while the service cannot have heard of it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import product
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from routing.authority import Automation
from routing.change import SYSTEM, Change, Event, Message, MessageKind, Refused, Subject
from routing.governance.control import Control
from routing.governance.ruling import Governed, GovernStep, Ruling
from routing.vocabulary import LETS_THROUGH, CallbackKind, CaseKind, EventKind, State, Verdict
from store.integrity.case_check import KEEPS_BACK
from store.ledger.answers import Changed
from store.ledger.items import Step
from store.outbox.outbox import Doubt, Outbox
from store.outbox.withholding import KEPT_BACK, CallbackLeftError, cancel_release
from store.reads.cases import Reads
from store.schema import cases, outbox
from tests.store.a_store import Books, commenting, deciding, open_books


def setting(**fields: Any) -> Callable[[Subject, datetime], Change]:
    """Sets fields of the case."""
    return lambda subject, _now: Change(subject.case.model_copy(update=fields), ())


def the_reads(books: Books) -> Reads:
    """Reads with the books' own keys."""
    return Reads(books.database, books.vault, books.policies)


def the_outbox(books: Books) -> Outbox:
    """The outbox of one process."""
    return Outbox(books.database, books.writer, books.ledger, "boot-1")


async def states(books: Books, case_id: str) -> list[str]:
    """The states of a case's callbacks, in order."""
    statement = select(outbox.c.state).where(outbox.c.case_id == case_id, outbox.c.peer == "callback").order_by(outbox.c.id)
    return await books.database.read(lambda c: list(c.execute(statement).scalars()))


async def test_an_untried_verdict_is_kept_back(database_url: str) -> None:
    """Approvals that wait are found, oldest first, until they are withheld; rejections always leave."""
    async with open_books(database_url) as books:
        reads = the_reads(books)
        approved, rejected, automatic, waiting = [await books.open(f"t-{number}") for number in range(4)]
        for case, verdict in ((approved, Verdict.APPROVED), (rejected, Verdict.REJECTED), (automatic, Verdict.AUTO_APPROVED)):
            await books.ledger.change(case.id, deciding(verdict))
        assert await reads.to_withhold("refunds", 10) == [approved.id, automatic.id]
        assert await reads.to_withhold("refunds", 1) == [approved.id]
        assert await reads.to_withhold("other", 10) == []
        assert isinstance(await books.ledger.change(approved.id, setting(withheld=True), also=cancel_release(approved.id)), Changed)
        assert await states(books, approved.id) == ["cancelled"]
        assert await reads.to_withhold("refunds", 10) == [automatic.id]
        assert await reads.to_release("refunds", 10, frozen=False) == [approved.id]
        assert await reads.to_release("refunds", 10, frozen=True) == []
        assert await states(books, waiting.id) == []


async def test_a_verdict_on_its_way_is_not_kept_back(database_url: str) -> None:
    """One that is taken up, tried or delivered is left alone, and the change beside it is undone; others of its batch are not."""
    async with open_books(database_url) as books:
        box, reads = the_outbox(books), the_reads(books)
        case, other = await books.open("t-1"), await books.open("t-2")
        await books.ledger.change(case.id, deciding())
        [row] = await box.claim("callback")
        assert await reads.to_withhold("refunds", 10) == []
        results = await asyncio.gather(
            books.ledger.change(case.id, setting(withheld=True), also=cancel_release(case.id)),
            books.ledger.change(other.id, commenting()),
            return_exceptions=True,
        )
        assert [type(result) for result in results] == [CallbackLeftError, Changed]
        found = await reads.case(case.id)
        assert found is not None
        assert not found.withheld
        assert await box.trying(row)
        with pytest.raises(CallbackLeftError):
            await books.ledger.change(case.id, setting(withheld=True), also=cancel_release(case.id))
        assert await states(books, case.id) == ["trying"]


async def test_a_verdict_that_failed_once_may_have_arrived(database_url: str) -> None:
    """Ready again after a try is not untried."""
    async with open_books(database_url) as books:
        box = the_outbox(books)
        case = await books.open()
        await books.ledger.change(case.id, deciding())
        [row] = await box.claim("callback")
        assert await box.trying(row)

        def give_back(connection: Connection, _now: datetime) -> None:
            connection.execute(outbox.update().where(outbox.c.id == row.id).values(state="ready", lease_owner="", lease_until=None))

        await books.writer.write(give_back)
        assert await the_reads(books).to_withhold("refunds", 10) == []
        with pytest.raises(CallbackLeftError):
            await books.ledger.change(case.id, setting(withheld=True), also=cancel_release(case.id))


async def test_a_freeze_finds_what_is_open_and_a_thaw_what_it_holds(database_url: str) -> None:
    """What people or a ladder hold stays theirs; a tied case goes with its first; a decided one needs no brake."""
    async with open_books(database_url) as books:
        reads = the_reads(books)
        free, tied, held, frozen, decided, ended = [await books.open(f"t-{number}") for number in range(6)]
        for case, fields in (
            (tied, {"tied_to": free.id}),
            (held, {"state": State.HELD, "held_by": "ladder"}),
            (frozen, {"state": State.HELD, "held_by": "frozen"}),
            (ended, {"state": State.DECIDED, "held_by": "frozen"}),
        ):
            await books.ledger.change(case.id, setting(**fields))
        await books.ledger.change(decided.id, deciding())
        assert await reads.to_freeze("refunds", 10) == [free.id]
        assert await reads.to_release("refunds", 10, frozen=True) == [frozen.id]
        assert await reads.to_release("refunds", 10, frozen=False) == []


async def test_a_case_about_a_case_is_never_withheld(database_url: str) -> None:
    """Nothing of it is executable, and its service is not told of it."""
    async with open_books(database_url) as books:
        case = await books.open()
        await books.ledger.change(case.id, deciding())

        def disguise(connection: Connection, _now: datetime) -> None:
            connection.execute(cases.update().values(kind=CaseKind.CHECK.value))

        await books.writer.write(disguise)
        assert await the_reads(books).to_withhold("refunds", 10) == []


@pytest.mark.parametrize(
    ("index", "condition"),
    [
        ("cases_free", "state IN ('pending', 'needs_info', 'held') AND held_by = '' AND tied_to = ''"),
        ("cases_held", "held_by <> '' AND held_by = 'frozen' AND state = 'held'"),
        ("cases_withheld", "withheld"),
    ],
)
async def test_the_brake_finds_its_cases_by_an_index(sqlite_url: str, index: str, condition: str) -> None:
    """It looks often while a workflow is braked, and mostly finds nothing left to do."""

    def plan(connection: Connection) -> str:
        statement = select(cases.c.id).where(cases.c.workflow == "w", text(condition)).order_by(cases.c.id)
        written = statement.compile(connection, compile_kwargs={"literal_binds": True})
        return str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {written}").all())

    async with open_books(sqlite_url) as books:
        assert index in await books.database.read(plan)


def pausing(level: Automation = Automation.PAUSED) -> GovernStep:
    """Puts the brake of refunds to a level."""

    def step(governed: Governed, now: datetime) -> Ruling:
        control = Control(workflow="refunds", automation=level, since=now)
        return Ruling(governed.governance.with_control(control), (Event(EventKind.AUTOMATION_CHANGED, SYSTEM, {"subject": "w_refunds"}),))

    return step


async def test_no_approval_begins_to_leave_once_a_pause_is_committed(database_url: str) -> None:
    """Taken up before the pause, about to be sent after it: it stays, as one that nobody has tried. A rejection goes."""
    async with open_books(database_url) as books:
        box, reads = the_outbox(books), the_reads(books)
        approved, rejected = await books.open("t-1"), await books.open("t-2")
        await books.ledger.change(approved.id, deciding())
        await books.ledger.change(rejected.id, deciding(Verdict.REJECTED))
        taken = {row.case_id: row for row in await box.claim("callback")}
        await books.ledger.govern(pausing())
        assert not await box.trying(taken[approved.id])
        assert await box.trying(taken[rejected.id])
        assert await reads.to_withhold("refunds", 10) == [approved.id]


async def test_an_approval_that_may_have_left_waits_for_the_end_of_the_pause(database_url: str) -> None:
    """Tried before the pause, it is not taken up again, and keeps no other from leaving; afterwards it goes."""
    async with open_books(database_url) as books:
        box = the_outbox(books)
        approved, rejected = await books.open("t-1"), await books.open("t-2")
        await books.ledger.change(approved.id, deciding())
        [row] = await box.claim("callback")
        assert await box.trying(row)
        await box.put_back(row, Doubt(books.clock(), "answered 500"))
        await books.ledger.govern(pausing())
        await books.ledger.change(rejected.id, deciding(Verdict.REJECTED))
        assert [row.case_id for row in await box.claim("callback")] == [rejected.id]
        books.clock.forward(3_600)
        assert [row.case_id for row in await box.claim("callback")] == [rejected.id]  # whose lease is over
        await books.ledger.govern(pausing(Automation.ON))
        books.clock.forward(KEPT_BACK.total_seconds())
        assert approved.id in [row.case_id for row in await box.claim("callback")]


async def test_an_approval_that_was_given_up_and_is_retried_may_have_arrived(database_url: str) -> None:
    """`tierline retry` counts attempts anew, but the service may know the verdict: it waits, and is not reviewed afresh."""
    async with open_books(database_url) as books:
        box, reads = the_outbox(books), the_reads(books)
        case = await books.open()
        await books.ledger.change(case.id, deciding())
        [row] = await box.claim("callback")
        assert await box.trying(row)
        await box.dead(row, "no answer within 10 s")
        await books.ledger.govern(pausing())
        assert await box.retry([row.id], SYSTEM) == 1
        assert await reads.to_withhold("refunds", 10) == []
        with pytest.raises(CallbackLeftError):
            await books.ledger.change(case.id, setting(withheld=True), also=cancel_release(case.id))
        assert await box.claim("callback") == []


KINDS = [kind for kind in CallbackKind if kind.value.startswith("case.")]
MOMENTS = ["before the attempt", "taken up", "in the attempt", "after the attempt"]


def promising(kind: CallbackKind, verdict: Verdict = Verdict.APPROVED) -> Step:
    """Decides, and promises a callback of this kind before the one with the verdict."""

    def step(subject: Subject, now: datetime) -> Change | Refused:
        change = deciding(verdict)(subject, now)
        assert isinstance(change, Change)
        first = Message(MessageKind.CALLBACK, change.case.service, callback=kind, sequence=1)
        last = replace(change.messages[-1], sequence=2)
        return replace(change, messages=(first,) if kind is CallbackKind.DECIDED else (first, last))

    return step


async def one_leaves(box: Outbox, books: Books, case_id: str, moment: str, brake: Automation) -> bool:
    """Whether an attempt to send the first callback of a case is made although the brake moved at this moment."""
    row = None
    if moment != "before the attempt":
        row = next(row for row in await box.claim("callback") if row.case_id == case_id)
    if moment in ("in the attempt", "after the attempt"):
        assert row is not None
        assert await box.trying(row)
    if moment == "after the attempt":
        assert row is not None
        await box.put_back(row, Doubt(books.clock(), "answered 500"))
    await books.ledger.govern(pausing(brake))
    if moment == "in the attempt":  # what is on its way cannot be called back; its next attempt is another
        assert row is not None
        await box.put_back(row, Doubt(books.clock(), "answered 500"))
    if moment != "taken up":
        row = next((row for row in await box.claim("callback") if row.case_id == case_id), None)
    return row is not None and await box.trying(row)


@pytest.mark.parametrize("moment", MOMENTS)
async def test_whatever_lets_an_action_through_stays_while_its_workflow_is_paused(database_url: str, moment: str) -> None:
    """Every callback that there is, every brake: it stays, and nothing else does. After the pause what may have arrived goes."""
    async with open_books(database_url) as books:
        box = the_outbox(books)
        for number, (kind, brake) in enumerate(product(KINDS, Automation)):
            await books.ledger.govern(pausing(Automation.ON))
            case = await books.open(f"t-{number}")
            await books.ledger.change(case.id, promising(kind))
            stays = kind in LETS_THROUGH and brake.level >= Automation.PAUSED.level
            assert await one_leaves(box, books, case.id, moment, brake) is not stays, (kind, brake)
            if stays:
                books.clock.forward(3_600)
                assert case.id not in [row.case_id for row in await box.claim("callback")]
                await books.ledger.govern(pausing(Automation.ON))
                books.clock.forward(KEPT_BACK.total_seconds())
                [row] = [row for row in await box.claim("callback") if row.case_id == case.id]
                assert row.message.callback == kind
                assert await box.trying(row)
            await books.writer.write(lambda c, _now: c.execute(outbox.delete()))


@pytest.mark.parametrize("kind", KINDS)
async def test_with_the_verdict_goes_whatever_else_lets_the_action_through(database_url: str, kind: CallbackKind) -> None:
    """Untried, or tried without knowing whether it arrived: the service hears afterwards that the case is held."""
    async with open_books(database_url) as books:
        box, reads = the_outbox(books), the_reads(books)
        fresh, tried = await books.open("t-1"), await books.open("t-2")
        for case in (fresh, tried):
            await books.ledger.change(case.id, promising(kind))
        if kind is not CallbackKind.DECIDED:
            [row] = [row for row in await box.claim("callback") if row.case_id == tried.id]
            assert await box.trying(row)
            await box.put_back(row, Doubt(books.clock(), "no answer"))
            books.clock.forward(120)
            await box.claim("callback", 0)  # which ends the lease of the other
        await books.ledger.govern(pausing())
        assert await reads.to_withhold("refunds", 10) == [fresh.id, tried.id]
        for case in (fresh, tried):
            assert await reads.about_to_be_withheld(case.id)
            assert isinstance(await books.ledger.change(case.id, setting(withheld=True), also=cancel_release(case.id)), Changed)
            assert not await reads.about_to_be_withheld(case.id)
            gone = ["cancelled"] if kind is CallbackKind.DECIDED else ["cancelled" if kind in LETS_THROUGH else "ready", "cancelled"]
            assert await states(books, case.id) == gone


def test_the_check_of_the_database_knows_what_a_pause_cancels() -> None:
    """A callback that lets an action through is never cancelled without an event that says why."""
    assert set(KEEPS_BACK) == set(LETS_THROUGH)
