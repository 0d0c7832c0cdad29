"""Several people and the brakes in the same moment: one of them counts, everybody is answered, and no approval leaves after a pause.

Keeps P7 and P9 for what is decided about more than one case, again and again on both databases.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.delivery.courier import Courier
from bot.delivery.rate_limits import RateLimits
from bot.demo.pressing import place_of
from bot.sandbox.slack.ack import Ack
from bot.slack.cards.view import Bulletin, View
from routing.authority import GovernanceVerb
from routing.case.people import GovernancePress, Person
from routing.governance.automation import resume, tighten
from routing.vocabulary import State, Verdict
from store.ledger.answers import Ruled
from store.outbox.delivery import Delivered, Outgoing
from store.outbox.token_buckets import Buckets
from store.schema import leaves, moment, outbox
from tests.governed import GovernedWorld
from tests.promises.governance_stories import STRICTER
from tests.promises.judge import doubled, kept_back, mistold, mistold_workflows
from tests.promises.replay import replay
from tests.world import ANNA, BEN, GRACE, HUGO, Clock, listeners_end, running

SEED = 7
MOST = 50
"""Races by default at most: they go on until each of the two has won one, since it is the machine that says who is faster."""

POINTS = 80
"""The pause begins at one of so many points that the bot passes from the approval on."""


@dataclass
class Ticking(Clock):
    """A clock that shows each moment once, so that times in the log tell the order."""

    def __call__(self) -> datetime:
        """The time, which goes on."""
        self.now += timedelta(microseconds=1)
        return self.now


@dataclass
class Trap:
    """Springs at the chosen point that the bot passes after it was set."""

    left: int = 0
    sprung: asyncio.Event = field(default_factory=asyncio.Event)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    def set(self, points: int) -> None:
        """From now on so many points are passed before it springs."""
        self.left, self.sprung = points, asyncio.Event()

    def __call__(self, _point: str) -> None:
        """Pass a point; some are passed in threads."""
        self.left -= 1
        if self.left == 0:
            self.loop.call_soon_threadsafe(self.sprung.set)


@asynccontextmanager
async def governed(folder: Path, url: str, **more: Any) -> AsyncIterator[GovernedWorld]:
    """A world of guardrails with its bot running."""
    async with running(GovernedWorld(folder, url, False, **more)) as world:
        yield world


async def told(world: GovernedWorld, subject: str) -> list[dict[str, Any]]:
    """Every leaf about a subject."""
    statement = select(leaves.c.body).where(leaves.c.case_id == subject).order_by(leaves.c.idx)
    return [json.loads(body) for body in await world.bot.database.read(lambda connection: connection.execute(statement).scalars().all())]


async def accept(world: GovernedWorld, card: dict[str, Any]) -> Ack:
    """Grace accepts what this card proposes."""
    world.clock.now += timedelta(milliseconds=1)  # no finger is faster
    return await world.sandbox.slack.click(GRACE, card["channel"], card["ts"], "tierline:g:accept_policy", as_seen=card)


async def test_one_of_two_owners_decides_a_proposal(tmp_path: Path, database_url: str, *, full: bool) -> None:
    """One accepts, twice, and one declines, all at once: the proposal is over once, and whoever was late is told and recorded."""
    chance, ends = random.Random(SEED), Counter[str]()  # noqa: S311 - order of presses, no secret
    async with governed(tmp_path, database_url) as world:
        slack = world.sandbox.slack
        for number in range(50 if full else MOST):
            if not full and number >= 6 and len(ends) == 2:
                break
            world.clock.now += timedelta(minutes=1)  # beyond ten refusals a minute of one person get no leaf each
            await world.bot.tick()  # the policy that was accepted is the active one
            await world.propose(STRICTER.replace("2026-11-20.2", f"2026-11-21.{number}"))
            await world.drain()
            card = world.bulletins("review-owners")[-1]
            await world.say(GRACE, "policy")  # both are known to Tierline when they press, else the known one always wins
            before = {person: len(slack.ephemerals(person)) for person in (GRACE, HUGO)}
            await world.press(HUGO, card, "decline_policy")
            form = slack.open_view(HUGO)
            assert form is not None
            before = {person: len(slack.ephemerals(person)) for person in (GRACE, HUGO)}
            pressed = [accept(world, card), accept(world, card), slack.submit(HUGO, form["id"], {"text": "Not now."})]
            chance.shuffle(pressed)
            acks = await asyncio.gather(*pressed)
            await listeners_end()
            assert all(ack.ok for ack in acks)
            told_hugo = len(slack.ephemerals(HUGO)) > before[HUGO] or bool(slack.shown_errors(HUGO))
            assert (len(slack.ephemerals(GRACE)) - before[GRACE], told_hugo) == (2, True)
            if slack.open_view(HUGO) is not None:
                await slack.close_view(HUGO)
            proposal = (await world.bot.reads.governance()).proposals[-1]
            kinds = Counter(leaf["event"] for leaf in await told(world, proposal.id))
            assert kinds["policy_accepted"] + kinds["policy_declined"] == 1
            assert kinds["governance_refused"] == 2
            assert kinds["policy_activated"] == kinds["policy_accepted"] == (proposal.state == "accepted")
            ends[proposal.state] += 1
        await world.drain()
        assert ends.keys() == {"accepted", "declined"}, ends
        assert [*doubled(world.sandbox), *await mistold_workflows(world), *await replay(world.bot.database)] == []


async def test_twins_are_decided_together_or_separated(tmp_path: Path, database_url: str, *, full: bool) -> None:
    """One approves, one separates, at once: either both are approved, or the second stays for somebody to look at; never a third way."""
    chance, ends, trap = random.Random(SEED), Counter[bool](), Trap()  # noqa: S311 - order of presses, no secret
    async with governed(tmp_path, database_url, passing=trap) as world:
        slack = world.sandbox.slack

        async def at_once(*presses: tuple[str, str]) -> None:
            """The second press comes at some point of the first."""
            trap.set(chance.randint(1, 5))

            async def press(person: str, verb: str) -> None:
                assert (await slack.click(person, card["channel"], card["ts"], *place_of(card, verb), as_seen=card)).ok
                trap.sprung.set()

            async def wait_and_press(person: str, verb: str) -> None:
                await trap.sprung.wait()
                await press(person, verb)

            await asyncio.gather(press(*presses[0]), wait_and_press(*presses[1]))

        for number in range(100 if full else MOST):
            if not full and number >= 6 and len(ends) == 2:
                break
            params = {"customer": "8841", "amount": f"{number}.00", "currency": "USD"}
            action = {"type": "refund.create", "params": params, "reversible": True}
            first, second = [await world.submit(workflow="twins", action=action) for _ in range(2)]
            if (await world.case(second)).tied_to != first:
                pytest.fail("the two are not tied, so nothing is shown")
            await world.drain()
            card = world.card(first)
            presses = [(ANNA, "approve"), (BEN, "separate")]
            chance.shuffle(presses)
            await at_once(*presses)
            await listeners_end()
            await world.drain()
            one, other = await world.case(first), await world.case(second)
            together = other.verdict is not None
            ends[together] += 1
            parted = [leaf for leaf in await told(world, second) if leaf["event"] == "separated"]
            assert bool(parted) is not together
            if together:
                assert (one.verdict, other.verdict) == (Verdict.APPROVED, Verdict.APPROVED)
            else:
                assert (other.state, other.votes, len(world.cards(second))) == (State.PENDING, (), 1)
                await world.click(BEN, "approve", second)
                if (await world.case(first)).open:
                    await world.click(ANNA, "approve", first)
                await world.drain()
            found = [what for case_id in (first, second) for what in mistold(world.sandbox, await world.case(case_id))]
            assert not found, f"race {number} of seed {SEED}\n" + "\n".join(found)
        assert ends.keys() == {True, False}, ends
        assert [*doubled(world.sandbox), *await replay(world.bot.database)] == []


def brake(verb: GovernanceVerb, reason: str) -> GovernancePress:
    """What Grace does to the workflow of refunds; she is named as an owner."""
    return GovernancePress(verb, Person(id=GRACE, team="T0TIERLINE"), "T0TIERLINE", "w_refunds", reason)


@dataclass
class PauseWhileLooking:
    """Reads a case as the bot does, and the workflow is paused before anything is done with what was read."""

    world: GovernedWorld

    async def to_answer(self, case_id: str) -> View | None:
        """The case as it was before the pause."""
        view = await self.world.bot.views.to_answer(case_id)
        await self.world.bot.ledger.govern(tighten(brake(GovernanceVerb.PAUSE, "Now.")))
        return view

    async def to_send(self, case_id: str) -> View | None:
        """No card is sent in these stories."""
        raise AssertionError(case_id)

    async def to_page(self, case_id: str) -> View | None:
        """Nothing is paged in these stories."""
        raise AssertionError(case_id)


@dataclass
class Nothing:
    """Has nothing to show, and counts what was sent by it."""

    sent: int = 0

    async def to_send(self, _subject: str, _event: int, _tier: int) -> Bulletin | None:
        """None."""

    async def send(self, _row: Outgoing, _shown: View | Bulletin) -> Delivered:
        """Sent."""
        self.sent += 1
        return Delivered()


async def test_a_pause_while_the_courier_looks(tmp_path: Path, database_url: str) -> None:
    """The courier has read that nothing is paused; the pause is committed; the approval stays here and is reviewed afresh."""
    async with governed(tmp_path, database_url) as world:
        bot, nothing = world.bot, Nothing()
        case_id = await world.submit()
        await world.drain()
        await world.click(ANNA, "approve", case_id)
        await bot.signing.tick()
        courier = Courier(
            bot.outbox,
            RateLimits(Buckets(bot.writer)),
            {"callback": nothing},
            ledger=bot.ledger,
            wakeups=bot.wakeups,
            views=PauseWhileLooking(world),
            bulletins=nothing,
            clock=world.clock,
            tally=lambda *_told: None,
            timeouts=world.timeouts,
        )
        await courier.drain_once()
        assert nothing.sent == 0
        await bot.tick()
        assert (await world.case(case_id)).withheld


async def test_no_approval_leaves_after_the_pause(tmp_path: Path, database_url: str, *, full: bool) -> None:
    """The pause is committed at any point between four approvals and their callbacks: nobody begins to send one after that.

    What was under way before has left; all else is reviewed afresh, and each case is executed once.
    """
    chance, left, trap = random.Random(SEED), dict[str, bool](), Trap()  # noqa: S311 - moments, no secret
    async with governed(tmp_path, database_url, clock=Ticking(), passing=trap) as world:
        bot = world.bot

        async def pause() -> None:
            await trap.sprung.wait()
            assert isinstance(await bot.ledger.govern(tighten(brake(GovernanceVerb.PAUSE, "Now."))), Ruled)

        async def approve_all() -> None:
            presses = asyncio.gather(*(world.click(ANNA, "approve", case_id) for case_id in ids))
            for _ in iter(presses.done, True):
                await send()
            await send()
            trap.sprung.set()

        async def send() -> None:
            await bot.signing.tick()
            await bot.courier.drain_once()

        for number in range(100 if full else MOST):
            if not full and number >= 2 and {*left.values()} == {True, False}:
                break
            ids = [await world.submit() for _ in range(4)]
            await world.drain()
            trap.set(chance.randint(1, POINTS))
            await asyncio.gather(pause(), approve_all())
            at = [leaf["time"] for leaf in await told(world, "w_refunds") if leaf["fields"]["after"] == "paused"][-1]
            tries = await tried(world)
            late = [case_id for case_id in ids if case_id in tries and tries[case_id] >= datetime.fromisoformat(at)]
            assert not late, f"race {number} of seed {SEED}: paused at {at}, afterwards tried {late}"
            await bot.tick()
            withheld = [case_id for case_id in ids if (await world.case(case_id)).withheld]
            assert {*ids} - {*withheld} == {*ids} & tries.keys()
            assert isinstance(await bot.ledger.govern(resume(brake(GovernanceVerb.RESUME, "Over."))), Ruled)
            await bot.tick()
            await world.drain()
            for case_id in withheld:
                await world.click(BEN, "approve", case_id)
            left.update({case_id: case_id not in withheld for case_id in ids})
        await world.drain()
        found = [what for one in left for what in mistold(world.sandbox, await world.case(one), await kept_back(world, one))]
        assert not found, f"seed {SEED}\n" + "\n".join(found)
        assert {*left.values()} == {True, False}, left
        assert [*doubled(world.sandbox), *await mistold_workflows(world), *await replay(bot.database)] == []


async def tried(world: GovernedWorld) -> dict[str, datetime]:
    """When it was last begun to send each verdict, by case."""
    begun = select(outbox.c.case_id, outbox.c.intent_at).where(outbox.c.callback == "case.decided", outbox.c.intent_at.is_not(None))
    rows = await world.bot.database.read(lambda connection: connection.execute(begun).all())
    return {row.case_id: moment(row.intent_at) for row in rows}
