"""The one way out: in order, at Slack's pace, urgent first, and nobody waits for somebody else's slow channel."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from bot.delivery.rate_limits import RateLimits
from bot.delivery.retry import CALLBACK, Retry
from bot.demo.pressing import offered_by
from bot.sandbox.faults import Fault, Mode
from bot.slack.cards.view import Bulletin, View
from routing.case.case import Case
from routing.case.followup import Withdrawal
from routing.case.submission import read_submission
from routing.change import Message, MessageKind
from routing.review.followups import withdraw
from routing.review.opening import open_case
from store.ledger.answers import Changed, Delivery, Opened
from store.outbox.delivery import Delivered, Outgoing, SendError
from store.outbox.token_buckets import Buckets
from tests.bot.slack.northwind import ANNA, BEN, TIER1, TIER2, Northwind, ProcessDied, a_company, a_document

MADE = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Grumpy:
    """A service that takes a callback only at the n-th try."""

    def __init__(self, tries: int, **error: bool) -> None:
        self.tries = tries
        self.error = error
        self.got: list[tuple[int, int]] = []

    async def send(self, outgoing: Outgoing, view: View | Bulletin) -> Delivered:
        """Refuse until it has been tried often enough."""
        self.got.append((outgoing.id, outgoing.message.sequence))
        if len(self.got) < self.tries:
            raise SendError("answered 500", **self.error)
        return Delivered()


async def test_cards_go_out_at_one_a_second_and_the_urgent_first(sqlite_url: str) -> None:
    """Slack refuses none of them, and the case of higher priority overtakes those before it."""
    async with a_company(sqlite_url) as company:
        for number in range(4):
            await company.submit(f"t-{number}")
        risky = await company.submit("t-risky", risk={"impact": "medium", "likelihood": 0.5, "recoverability": "easy"})
        await company.drain(8)
        shown = company.sandbox.slack.messages(TIER1)
        assert len(shown) == 5
        assert shown[0]["metadata"]["event_payload"]["case"] == risky.id
        assert company.sandbox.slack.record.count("chat.postMessage", error="ratelimited") == 0
        times = [float(message["ts"]) for message in shown]
        assert all(later - earlier >= 1 for earlier, later in pairwise(times))


async def test_slack_asks_for_a_pause_and_gets_it(sqlite_url: str) -> None:
    """429 with Retry-After: nothing more goes into that channel until then, and the card still comes."""
    async with a_company(sqlite_url) as company:
        await company.submit()
        company.sandbox.faults.add(Fault("slack", "chat.postMessage", Mode.RATE_LIMITED, retry_after_s=10))
        await company.drain(9)
        assert not company.sandbox.slack.messages(TIER1)
        await company.drain(4)
        assert len(company.sandbox.slack.messages(TIER1)) == 1


async def test_a_hanging_channel_holds_up_no_page(sqlite_url: str) -> None:
    """Slack does not answer; PagerDuty has the page before it does."""
    async with a_company(sqlite_url) as company:
        await company.submit()
        await company.drain()
        hang = asyncio.Event()
        company.sandbox.faults.add(Fault("slack", "*", Mode.DELAY, times=None, until=hang))
        company.clock.forward(16 * 60)
        await company.watch.tick()
        paged = asyncio.Event()
        company.sandbox.pagerduty.record.watch(lambda seen: paged.set() if seen.kind == "opened" else None)
        running = asyncio.create_task(company.courier.run())
        await paged.wait()
        assert len(company.sandbox.slack.messages(TIER2)) == 0
        company.sandbox.faults.clear()
        hang.set()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_a_callback_is_tried_again_with_its_row_until_it_is_taken(sqlite_url: str) -> None:
    """The same row, so the same webhook-id, and the one after it waits its turn."""
    grumpy = Grumpy(tries=4)
    async with a_company(sqlite_url, senders=lambda _: {"callback": grumpy}) as company:
        await company.submit()
        await company.drain()
        await company.click(ANNA, "approve")
        await company.drain()
        await company.click(ANNA, "roll_back")
        await company.fill_in(ANNA, reason="inaccurate", text="Wrong customer.")
        await company.drain()
        await company.click(BEN, "approve")
        await company.drain(120)
        assert [sequence for _, sequence in grumpy.got] == [1, 1, 1, 1, 2]
        assert len({row for row, _ in grumpy.got}) == 2


async def test_a_callback_is_given_up_after_75_hours_with_an_event(sqlite_url: str) -> None:
    """Not earlier, and never silently."""
    grumpy = Grumpy(tries=1_000)
    async with a_company(sqlite_url, senders=lambda _: {"callback": grumpy}) as company:
        case = await company.submit()
        await company.drain()
        await company.click(ANNA, "approve")
        await company.courier.drain_once()
        for _ in range(74):
            company.clock.forward(3_600)
            await company.courier.drain_once()
        assert "not_delivered" not in await company.events(case)
        for _ in range(3):
            company.clock.forward(3_600)
            await company.courier.drain_once()
        assert "not_delivered" in await company.events(case)
        assert ("callback", "dead") in company.tally


async def test_a_process_killed_after_sending_posts_no_second_card(sqlite_url: str) -> None:
    """It died between Slack's reply and noting it; the lease ends, and the card is found."""
    deaths = ["courier.sent"]

    def passing(name: str) -> None:
        if name in deaths:
            deaths.remove(name)
            raise ProcessDied

    async with a_company(sqlite_url, passing=passing) as company:
        case = await company.submit()
        await company.courier.drain_once()
        assert len(company.sandbox.slack.messages(TIER1)) == 1
        assert not await company.reads.cards(case.id)
        company.clock.forward(61)
        await company.drain(35)
        assert len(company.sandbox.slack.messages(TIER1)) == 1
        assert len(await company.reads.cards(case.id)) == 1


async def test_many_changes_of_a_card_become_one_update(sqlite_url: str) -> None:
    """What waits while Slack is away is drawn once, as the case is then."""
    async with a_company(sqlite_url) as company:
        await company.submit()
        await company.drain()
        before = company.sandbox.slack.record.count("chat.update")
        for verb in ("claim", "unclaim", "claim"):
            pressed = company.card()
            value = next(one["value"] for block in pressed["blocks"] for one in block.get("elements", []) if "value" in one)
            shown = pressed | {"blocks": [_a_button(verb, value)]}
            await company.click(ANNA, verb, as_seen=shown)
        await company.drain()
        assert company.sandbox.slack.record.count("chat.update") - before == 1
        assert "tierline:unclaim" in offered_by(company.card())


async def test_a_bug_in_a_sender_stops_only_its_message(sqlite_url: str) -> None:
    """What nobody foresaw counts as unclear, is reported, and the others go out."""

    class Broken:
        async def send(self, outgoing: Outgoing, view: View | Bulletin) -> Delivered:
            raise KeyError(outgoing.id)

    async with a_company(sqlite_url, senders=lambda _: {"callback": Broken()}) as company:
        await company.submit()
        await company.drain()
        await company.click(ANNA, "approve")
        await company.drain()
        assert ("callback", "unclear") in company.tally
        assert "tierline:approve" not in str(company.card()["blocks"])


async def test_services_that_hang_hold_up_no_other(sqlite_url: str) -> None:
    """Two services with forty callbacks each never answer; a third has its callback while they still hang."""
    hang, told = asyncio.Event(), asyncio.Event()

    class Services:
        async def send(self, outgoing: Outgoing, view: View | Bulletin) -> Delivered:
            if outgoing.message.destination == "healthy":
                told.set()
            else:
                await hang.wait()
            return Delivered()

    async with a_company(sqlite_url, senders=lambda _: {"callback": Services()}) as company:
        for service, cases in (("slow", 40), ("slower", 40), ("healthy", 1)):
            for number in range(cases):
                case = await _open(company, service, f"{service}-{number}")
                followup = Withdrawal(type="case.withdraw", case_id=case.id, reason="not needed")
                assert isinstance(await company.ledger.change(case.id, withdraw(followup)), Changed)
        running = asyncio.create_task(company.courier.run())
        await told.wait()
        hang.set()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_an_urgent_update_waits_behind_no_other(sqlite_url: str) -> None:
    """Sixty cards are redrawn and Slack's pace is used up; the card that was decided just now is next all the same."""
    async with a_company(sqlite_url) as company:
        rate_limits, now = RateLimits(Buckets(company.ledger._writer)), company.clock()  # noqa: SLF001 - the company's only writer
        waits = [await rate_limits.enter(_an_update(number, urgent=False), now) for number in range(60)]
        urgent = await rate_limits.enter(_an_update(60, urgent=True), now)
        assert waits[-1] == now + timedelta(seconds=30)
        assert urgent is not None
        assert urgent - now <= timedelta(seconds=1.2)


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


async def _open(company: Northwind, service: str, task_id: str) -> Case:
    submission = read_submission(a_document(task_id=task_id))
    digest = submission.sha256
    result = await company.ledger.open(
        Delivery(service, f"msg_{task_id}", digest, "refunds", task_id, digest), open_case(service, submission)
    )
    assert isinstance(result, Opened)
    return result.case


def _an_update(number: int, *, urgent: bool) -> Outgoing:
    message = Message(MessageKind.CARD_UPDATE, TIER1, urgent=urgent)
    return Outgoing(number, "c", "slack", message, 0, doubtful=False, attempts=0, intent_at=None, created_at=MADE)


def _a_button(verb: str, value: str) -> dict[str, object]:
    text = {"type": "plain_text", "text": verb}
    return {
        "type": "actions",
        "block_id": "b",
        "elements": [{"type": "button", "action_id": f"tierline:{verb}", "text": text, "value": value}],
    }
