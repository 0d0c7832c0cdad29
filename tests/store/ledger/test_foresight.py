"""A first step that was taken ahead of its transaction counts where nothing has moved since, and is taken again where anything has."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from routing.authority import Automation
from routing.change import Arrival, Change
from routing.governance.governance import Governance
from routing.governance.proposal import Rollout
from routing.governance.ruling import Governed, Ruling
from routing.governance.waiver import Waiver
from routing.policy.file import load_policy
from store.ledger.answers import Opened
from store.ledger.items import OpenStep
from tests.store.a_store import NOON, POLICY_TEXT, Books, Clock, a_delivery, a_submission, open_books, opening

OTHER = load_policy(POLICY_TEXT.replace(b"2026-11-20.1", b"2026-11-20.2"), {})
WAIVER = Waiver(
    id="x_1",
    workflow="refunds",
    waives=("confidence_low",),
    reason="The new form is live.",
    requested_by="U0FRONT",
    requested_at=NOON,
    until=NOON + timedelta(days=1),
    state="in_force",
)

Move = Callable[[Books, Clock], Awaitable[Any]]


def governing(change: Callable[[Governance], Governance]) -> Move:
    """What moves the governance."""

    async def move(books: Books, _clock: Clock) -> None:
        def step(governed: Governed, _now: Any) -> Ruling:  # noqa: ANN401 - the time
            return Ruling(change(governed.governance), ())

        await books.ledger.govern(step, keep=OTHER)

    return move


def control(**changes: object) -> Move:
    """What moves how far the workflow may act."""
    return governing(lambda now: now.with_control(now.control("refunds").model_copy(update=changes)))


def setting(**changes: object) -> Move:
    """What moves another part of the governance."""
    return governing(lambda now: now.model_copy(update=changes))


async def nothing(_books: Books, _clock: Clock) -> None:
    """Nothing moves."""


async def a_moment(_books: Books, clock: Clock) -> None:
    """So long as a case waits for its transaction on a busy day."""
    clock.forward(0.9)


async def too_long(_books: Books, clock: Clock) -> None:
    """Longer than what a step looked at may be old."""
    clock.forward(1.1)


async def one_alike(books: Books, _clock: Clock) -> None:
    """A near-duplicate comes first."""
    await books.ledger.open(replace(a_delivery("t-alike"), likeness="a", action_sha256="1"), alike("t-alike"))


async def another_policy(books: Books, _clock: Clock) -> None:
    """The policy in force is another."""
    await books.ledger.activate(OTHER)


def alike(task_id: str) -> OpenStep:
    """Opens a case that is like others."""
    plain = opening(a_submission(task_id=task_id))

    def step(arrival: Arrival) -> Change:
        change = plain(arrival)
        return replace(change, case=change.case.model_copy(update={"likeness": "a", "action_sha256": "1", "facts": arrival.facts}))

    return step


ROLLOUT = Rollout(sha256=OTHER.sha256, version="2", percent=0, since=NOON, proposal="p_1")
STANDS: dict[str, Move] = {
    "nothing": nothing,
    "a moment": a_moment,
    "another workflow's brake": governing(
        lambda now: now.with_control(now.control("other").model_copy(update={"automation": Automation.PAUSED}))
    ),
}
MOVES: dict[str, Move] = {
    "the brake": control(automation=Automation.PAUSED),
    "sampling": control(sampling=4.0),
    "segments": control(segments=("north",)),
    "an exception": setting(waivers=(WAIVER,)),
    "a policy in shadow": setting(rollout=ROLLOUT),
    "a share": setting(rollout=ROLLOUT.model_copy(update={"percent": 99})),
    "the policy": another_policy,
    "a near-duplicate": one_alike,
    "too much time": too_long,
    "midnight": a_moment,
}


@pytest.mark.parametrize("name", [*STANDS, *MOVES])
async def test_a_step_taken_ahead_counts_only_where_nothing_moved(name: str, sqlite_url: str) -> None:
    """Whatever a route depends on is looked at again in the transaction; the case is what a step taken there would have made it."""
    clock = Clock(NOON.replace(hour=23, minute=59, second=59, microsecond=500_000) if name == "midnight" else NOON)
    drawn = count(1)  # the share that another policy has is drawn by the case's id
    async with open_books(sqlite_url, clock=clock, entropy=lambda size: next(drawn).to_bytes(size, "big")) as books:
        await books.ledger.open(a_delivery("t-0"), opening(a_submission(task_id="t-0")))
        seen = list[Arrival]()

        def step(arrival: Arrival) -> Change:
            seen.append(arrival)
            return alike("t-1")(arrival)

        delivery = replace(a_delivery("t-1"), likeness="a", action_sha256="1")
        foreseen = books.ledger.foresee(delivery, step)
        assert foreseen is not None
        await (STANDS | MOVES)[name](books, clock)
        result = await books.ledger.open(delivery, step, foreseen)
        assert isinstance(result, Opened)
        assert len(seen) == (1 if name in STANDS else 2)
        assert result.case.facts == seen[-1].facts
        assert result.case.created_at == seen[-1].now <= clock()
