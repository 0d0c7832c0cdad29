"""The one way out: in order, at Slack's pace, urgent first, and nobody waits for somebody else's slow channel."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from bot.cards.view import View
from bot.retry import CALLBACK, Retry
from bot.sandbox.faults import Fault, Mode
from store.delivery import Delivered, Outgoing, SendError
from tests.bot.town import ANNA, TIER1, TIER2, ProcessDied, a_town

MADE = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Grumpy:
    """A service that takes a callback only at the n-th try."""

    def __init__(self, tries: int, **error: bool) -> None:
        self.tries = tries
        self.error = error
        self.got: list[tuple[int, int]] = []

    async def send(self, outgoing: Outgoing, view: View) -> Delivered:
        """Refuse until it has been tried often enough."""
        self.got.append((outgoing.id, outgoing.message.sequence))
        if len(self.got) < self.tries:
            raise SendError("answered 500", **self.error)
        return Delivered()


async def test_cards_go_out_at_one_a_second_and_the_urgent_first(sqlite_url: str) -> None:
    """Slack refuses none of them, and the case of higher priority overtakes those before it."""
    async with a_town(sqlite_url) as town:
        for number in range(4):
            await town.submit(f"t-{number}")
        risky = await town.submit("t-risky", risk={"impact": "medium", "likelihood": 0.5, "recoverability": "easy"})
        await town.drain(8)
        shown = town.sandbox.slack.messages(TIER1)
        assert len(shown) == 5
        assert shown[0]["metadata"]["event_payload"]["case"] == risky.id
        assert town.sandbox.slack.record.count("chat.postMessage", error="ratelimited") == 0
        times = [float(message["ts"]) for message in shown]
        assert all(later - earlier >= 1 for earlier, later in pairwise(times))


async def test_slack_asks_for_a_pause_and_gets_it(sqlite_url: str) -> None:
    """429 with Retry-After: nothing more goes into that channel until then, and the card still comes."""
    async with a_town(sqlite_url) as town:
        await town.submit()
        town.sandbox.faults.add(Fault("slack", "chat.postMessage", Mode.RATE_LIMITED, retry_after_s=10))
        await town.drain(9)
        assert not town.sandbox.slack.messages(TIER1)
        await town.drain(4)
        assert len(town.sandbox.slack.messages(TIER1)) == 1


async def test_a_hanging_channel_holds_up_no_page(sqlite_url: str) -> None:
    """Slack does not answer; PagerDuty has the page before it does."""
    async with a_town(sqlite_url) as town:
        await town.submit()
        await town.drain()
        hang = asyncio.Event()
        town.sandbox.faults.add(Fault("slack", "*", Mode.DELAY, times=None, until=hang))
        town.clock.forward(16 * 60)
        await town.watch.tick()
        paged = asyncio.Event()
        town.sandbox.pagerduty.record.watch(lambda seen: paged.set() if seen.kind == "opened" else None)
        running = asyncio.create_task(town.courier.run())
        async with asyncio.timeout(10):
            await paged.wait()
        assert len(town.sandbox.slack.messages(TIER2)) == 0
        town.sandbox.faults.clear()
        hang.set()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_a_callback_is_tried_again_with_its_row_until_it_is_taken(sqlite_url: str) -> None:
    """The same row, so the same webhook-id, and the one after it waits its turn."""
    grumpy = Grumpy(tries=4)
    async with a_town(sqlite_url, senders=lambda _: {"callback": grumpy}) as town:
        await town.submit()
        await town.drain()
        await town.click(ANNA, "approve")
        await town.drain()
        await town.click(ANNA, "roll_back")
        await town.fill_in(ANNA, reason="inaccurate", text="Wrong customer.")
        await town.drain(120)
        assert [sequence for _, sequence in grumpy.got] == [1, 1, 1, 1, 2]
        assert len({row for row, _ in grumpy.got}) == 2


async def test_a_callback_is_given_up_after_75_hours_with_an_event(sqlite_url: str) -> None:
    """Not earlier, and never silently."""
    grumpy = Grumpy(tries=1_000)
    async with a_town(sqlite_url, senders=lambda _: {"callback": grumpy}) as town:
        case = await town.submit()
        await town.drain()
        await town.click(ANNA, "approve")
        await town.courier.drain_once()
        for _ in range(74):
            town.clock.forward(3_600)
            await town.courier.drain_once()
        assert "not_delivered" not in await town.events(case)
        for _ in range(3):
            town.clock.forward(3_600)
            await town.courier.drain_once()
        assert "not_delivered" in await town.events(case)
        assert ("callback", "dead") in town.tally


async def test_a_process_killed_after_sending_posts_no_second_card(sqlite_url: str) -> None:
    """It died between Slack's reply and noting it; the lease ends, and the card is found."""
    deaths = ["courier.sent"]

    def passing(name: str) -> None:
        if name in deaths:
            deaths.remove(name)
            raise ProcessDied

    async with a_town(sqlite_url, passing=passing) as town:
        case = await town.submit()
        await town.courier.drain_once()
        assert len(town.sandbox.slack.messages(TIER1)) == 1
        assert not await town.reads.cards(case.id)
        town.clock.forward(61)
        await town.drain(35)
        assert len(town.sandbox.slack.messages(TIER1)) == 1
        assert len(await town.reads.cards(case.id)) == 1


async def test_many_changes_of_a_card_become_one_update(sqlite_url: str) -> None:
    """What waits while Slack is away is drawn once, as the case is then."""
    async with a_town(sqlite_url) as town:
        await town.submit()
        await town.drain()
        before = town.sandbox.slack.record.count("chat.update")
        for verb in ("claim", "unclaim", "claim"):
            pressed = town.card()
            value = next(one["value"] for block in pressed["blocks"] for one in block.get("elements", []) if "value" in one)
            shown = pressed | {"blocks": [_a_button(verb, value)]}
            await town.click(ANNA, verb, as_seen=shown)
        await town.drain()
        assert town.sandbox.slack.record.count("chat.update") - before == 1
        assert "tierline:unclaim" in str(town.card()["blocks"])


async def test_a_bug_in_a_sender_stops_only_its_message(sqlite_url: str) -> None:
    """What nobody foresaw counts as unclear, is reported, and the others go out."""

    class Broken:
        async def send(self, outgoing: Outgoing, view: View) -> Delivered:
            raise KeyError(outgoing.id)

    async with a_town(sqlite_url, senders=lambda _: {"callback": Broken()}) as town:
        await town.submit()
        await town.drain()
        await town.click(ANNA, "approve")
        await town.drain()
        assert ("callback", "unclear") in town.tally
        assert "tierline:approve" not in str(town.card()["blocks"])


def test_waits_double_and_are_the_same_everywhere() -> None:
    """The spread comes from the row, not from chance, and the last try comes at the very end."""
    retry = Retry(first_s=1, most_s=60, give_up=timedelta(hours=1))
    waits = [retry.wait_s(7, attempt) for attempt in range(1, 9)]
    assert waits == [retry.wait_s(7, attempt) for attempt in range(1, 9)]
    assert waits != [retry.wait_s(8, attempt) for attempt in range(1, 9)]
    assert all(2 ** (n - 1) <= wait <= 1.2 * 2 ** (n - 1) for n, wait in enumerate(waits[:6], 1))
    assert waits[7] <= 72


def test_a_callback_is_tried_until_the_last_minute_of_75_hours() -> None:
    """Then it is given up."""
    made = MADE
    late = made + timedelta(hours=74, minutes=59)
    assert CALLBACK.next_at(1, 40, late, made) == made + timedelta(hours=75)
    assert CALLBACK.next_at(1, 41, made + timedelta(hours=75), made) is None


def _a_button(verb: str, value: str) -> dict[str, object]:
    text = {"type": "plain_text", "text": verb}
    return {
        "type": "actions",
        "block_id": "b",
        "elements": [{"type": "button", "action_id": f"tierline:{verb}", "text": text, "value": value}],
    }
