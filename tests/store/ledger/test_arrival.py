"""What a new case is routed by: brake, lot, exceptions, caps, near-duplicates and staged policies, as they are in that very transaction."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, select, text

from routing.authority import Automation
from routing.case.case import Clocks
from routing.case.submission import RiskFacts
from routing.change import Arrival, Change
from routing.evaluation.draw import lot
from routing.governance.governance import Governance
from routing.governance.proposal import Rollout
from routing.governance.ruling import Governed, Ruling
from routing.governance.waiver import Waiver
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from routing.vocabulary import State, Verdict
from store.ledger.answers import Delivery, Opened
from store.ledger.items import OpenStep
from store.reads.cases import Reads
from tests.store.a_store import NOON, POLICY_TEXT, Books, Clock, a_delivery, a_submission, deciding, open_books, opening

CAPPED = POLICY_TEXT.replace(b"template: approval}", b"template: approval, caps: {per_hour: 2, amount_per_day: '100'}}")
STAGED = load_policy(POLICY_TEXT.replace(b"2026-11-20.1", b"2026-11-20.2"), {})


class Openings:
    """Opens cases, keeping what each first step got: taken ahead, and once more where something moved."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.arrivals: list[Arrival] = []
        self._count = 0

    async def open(self, *, likeness: str = "", action: str = "", auto: str | None = None, used: Sequence[str] = ()) -> Arrival:
        """Open the next case; `auto` is the amount of one that is approved automatically, `used` are exceptions that its route used."""
        self._count += 1
        task_id = f"t-{self._count}"
        plain = a_delivery(task_id)
        delivery = Delivery(plain.service, plain.webhook_id, plain.digest, "refunds", task_id, plain.input_sha256, likeness, action)
        result = await self.books.ledger.open(delivery, self._keeping(task_id, likeness, action, auto, used))
        assert isinstance(result, Opened)
        return next(arrival for arrival in reversed(self.arrivals) if arrival.case_id == result.case.id)

    def _keeping(self, task_id: str, likeness: str, action: str, auto: str | None, used: Sequence[str]) -> OpenStep:
        plain = opening(a_submission(task_id=task_id, risk=RiskFacts(amount=auto, segment="north")))

        def step(arrival: Arrival) -> Change:
            self.arrivals.append(arrival)
            change = plain(arrival)
            route = change.case.route.model_copy(update={"exceptions": tuple(used)})
            said: dict[str, Any] = {"likeness": likeness, "route": route, "action_sha256": action or change.case.action_sha256}
            if auto is not None:
                decided = {"state": State.DECIDED, "verdict": Verdict.AUTO_APPROVED, "decided_at": arrival.now, "clocks": Clocks()}
                said |= decided
            return Change(change.case.model_copy(update=said), change.events, change.messages, change.answer)

        return step


async def govern(books: Books, **changes: object) -> None:
    """Set parts of the governance."""

    def step(governed: Governed, _now: datetime) -> Ruling:
        return Ruling(governed.governance.model_copy(update=changes), ())

    await books.ledger.govern(step, keep=STAGED)


def a_waiver(**changes: Any) -> Waiver:
    """An exception in force until tomorrow."""
    values: dict[str, Any] = {
        "id": "x_1",
        "workflow": "refunds",
        "waives": ("confidence_low",),
        "reason": "The new form is live.",
        "requested_by": "U0FRONT",
        "requested_at": NOON,
        "until": NOON + timedelta(days=1),
        "state": "in_force",
    }
    return Waiver(**(values | changes))


async def test_a_case_is_routed_by_the_brake_as_it_is(database_url: str) -> None:
    """A pause that shares the transaction with a new case holds for it, and so do the factor and the segments of sampling."""

    def pausing(governed: Governed, _now: datetime) -> Ruling:
        changed = {"automation": Automation.PAUSED, "sampling": 4.0, "segments": ("north",)}
        return Ruling(governed.governance.with_control(governed.governance.control("refunds").model_copy(update=changed)), ())

    async with open_books(database_url) as books:
        openings = Openings(books)
        before = await openings.open()
        assert (before.facts.automation, before.facts.sampling, before.facts.staged) == (Automation.ON, 1.0, False)
        assert before.facts.lot == lot(before.case_id, before.policy.sha256)
        _, after = await asyncio.gather(books.ledger.govern(pausing), openings.open())
        assert (after.facts.automation, after.facts.sampling, after.facts.segments) == (Automation.PAUSED, 4.0, ("north",))


async def test_automatic_approvals_of_the_last_hour_count_against_the_cap(database_url: str) -> None:
    """By the minute, not by the hour on the clock; two in one transaction see each other; the amount counts for the day in UTC."""
    clock = Clock(NOON.replace(hour=22, minute=50))
    async with open_books(database_url, clock=clock, policy=CAPPED) as books:
        openings = Openings(books)
        both = await asyncio.gather(openings.open(auto="12.50"), openings.open(auto="-7.25"))
        assert sorted((each.facts.autos_hour, each.facts.amount_day) for each in both) == [(0, "0"), (1, "12.5")]
        clock.forward(50 * 60)
        late = (await openings.open(auto="0.25")).facts
        assert (late.autos_hour, late.amount_day) == (2, "19.75")
        clock.forward(11 * 60)
        later = (await openings.open()).facts
        assert (later.autos_hour, later.amount_day) == (1, "20")
        clock.forward(60 * 60)
        tomorrow = (await openings.open()).facts
        assert (tomorrow.autos_hour, tomorrow.amount_day) == (0, "0")


async def test_amounts_are_counted_before_anybody_sets_a_cap(database_url: str) -> None:
    """A cap set at noon holds for the whole day, from the very transaction on."""
    async with open_books(database_url) as books:
        openings = Openings(books)
        uncapped = await openings.open(auto="99.999999")
        assert (uncapped.facts.autos_hour, uncapped.facts.amount_day) == (0, "0")
        _, arrival = await asyncio.gather(books.ledger.activate(load_policy(CAPPED, {})), openings.open())
        assert (arrival.facts.autos_hour, arrival.facts.amount_day) == (1, "99.999999")


async def test_an_exception_applies_until_it_is_over_or_used_up(database_url: str) -> None:
    """Every use counts, also within one transaction; one that only somebody asked for, or of another workflow, does not apply."""
    waivers = (
        a_waiver(most=2),
        a_waiver(id="x_2", state="requested"),
        a_waiver(id="x_3", workflow="other"),
        a_waiver(id="x_4", until=NOON - timedelta(seconds=1)),
        a_waiver(id="x_5", until=NOON + timedelta(hours=1), action_types=("refund.create",)),
    )
    clock = Clock()
    async with open_books(database_url, clock=clock) as books:
        openings = Openings(books)
        await govern(books, waivers=waivers)
        waived = (await openings.open(used=("x_1",))).facts.waived
        assert [(each.id, each.waives, each.action_types) for each in waived] == [
            ("x_1", ("confidence_low",), ()),
            ("x_5", ("confidence_low",), ("refund.create",)),
        ]
        both = await asyncio.gather(openings.open(used=("x_1",)), openings.open())
        assert [[one.id for one in each.facts.waived] for each in both] == [["x_1", "x_5"], ["x_5"]]
        reads = Reads(books.database, books.vault, books.policies)
        assert [waiver.uses for waiver in (await reads.governance()).waivers] == [2, 0, 0, 0, 0]
        clock.forward(3_600)
        assert (await openings.open()).facts.waived == ()


async def test_the_first_open_case_like_it_is_found(database_url: str) -> None:
    """The same action before a similar one; in the same transaction too; not what is decided, tied, or came before the window."""
    clock = Clock()
    async with open_books(database_url, clock=clock) as books:
        openings = Openings(books)
        similar = await openings.open(likeness="a", action="1")
        clock.forward(60)
        same, copy = await asyncio.gather(openings.open(likeness="a", action="2"), openings.open(likeness="a", action="2"))
        assert same.facts.first == similar.case_id
        assert (copy.facts.first, copy.first and copy.first.id) == (same.case_id, same.case_id)
        assert (await openings.open(likeness="b", action="2")).first is None
        assert (await openings.open(action="2")).first is None
        clock.forward(60)
        third = await openings.open(likeness="a", action="2")
        assert third.facts.first in (same.case_id, copy.case_id)  # these two came at the same moment
        for each in (same, copy):
            await books.ledger.change(each.case_id, deciding())
        assert (await openings.open(likeness="a", action="2")).facts.first == third.case_id
        await books.ledger.change(similar.case_id, deciding())
        clock.forward(86_400)
        assert (await openings.open(likeness="a", action="1")).first is None


async def test_a_share_of_the_cases_follows_a_staged_policy(database_url: str) -> None:
    """Drawn by case and policy, so that a service cannot choose; a policy in shadow routes every case and no case follows it."""
    async with open_books(database_url) as books:
        openings = Openings(books)
        await govern(books, rollout=Rollout(sha256=STAGED.sha256, version="2", percent=40, since=NOON, proposal="p_1"))
        arrivals = [await openings.open() for _ in range(30)]
        for arrival in arrivals:
            drawn = lot(arrival.case_id, f"rollout/{STAGED.sha256}") < 0.4
            assert (arrival.policy.sha256 == STAGED.sha256, arrival.facts.staged, arrival.shadow) == (drawn, drawn, None)
        assert len({arrival.facts.staged for arrival in arrivals}) == 2
        await govern(books, rollout=Rollout(sha256=STAGED.sha256, version="2", percent=0, since=NOON, proposal="p_1"))
        shadowed = await openings.open()
        assert (shadowed.policy.version, shadowed.facts.staged, shadowed.shadow) == ("2026-11-20.1", False, STAGED)


async def test_a_staged_policy_that_no_longer_compiles_holds_up_no_case(database_url: str) -> None:
    """After an upgrade that reads policies more strictly, cases follow the active one."""

    def load(body: bytes) -> Policy:
        return load_policy(body.replace(b"ladder: standard, template", b"ladder: gone, template") if b"20.2" in body else body, {})

    async with open_books(database_url) as books:
        await govern(books, rollout=Rollout(sha256=STAGED.sha256, version="2", percent=99, since=NOON, proposal="p_1"))
    async with open_books(database_url, load=load) as books:
        assert (await Openings(books).open()).policy.version == "2026-11-20.1"


async def test_a_batch_reads_only_what_something_asks_for(sqlite_url: str) -> None:
    """Without caps, exceptions and subjects, a new case costs no question more than it did without guardrails."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:  # noqa: ANN401 - as SQLAlchemy calls it
        asked.append(statement)

    async with open_books(sqlite_url) as books:
        openings = Openings(books)
        await openings.open()
        event.listen(Engine, "before_cursor_execute", note)
        try:
            await openings.open()
        finally:
            event.remove(Engine, "before_cursor_execute", note)
        assert [each.split()[0] for each in asked if each.startswith("SELECT")] == ["SELECT"] * 4  # head, tasks, inbox, its channel


@pytest.mark.parametrize(
    ("index", "statement"),
    [
        ("cases_alike", "SELECT likeness, id, created_at, action_sha256 FROM cases WHERE likeness IN ('a', 'b') AND {alike}"),
        ("cases_decided", "SELECT count(*) FROM cases WHERE workflow = 'w' AND decided_at > 5 AND verdict = 'auto_approved'"),
        ("cases_created", "SELECT count(*) FROM cases WHERE workflow = 'w' AND created_at > 5"),
    ],
)
async def test_what_limits_new_cases_is_found_by_an_index(sqlite_url: str, index: str, statement: str) -> None:
    """The cost depends on what is alike or recent, not on what there is."""
    alike = "state IN ('pending', 'needs_info', 'held') AND likeness <> '' AND tied_to = ''"

    def plan(connection: Connection) -> str:
        return str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement.format(alike=alike)}").all())

    async with open_books(sqlite_url) as books:
        assert f"COVERING INDEX {index}" in await books.database.read(plan)


async def test_a_database_without_governance_is_untouched_by_it(database_url: str) -> None:
    """A first case teaches the workflow its versions, and nothing else."""
    async with open_books(database_url) as books:
        await Openings(books).open()
        stored = await books.database.read(lambda c: c.execute(select(text("snapshot")).select_from(text("governance"))).scalar_one())
        control = Governance.model_validate_json(stored).control("refunds")
        assert (control.automation, control.sampling, len(control.known_versions)) == (Automation.ON, 1.0, 1)
