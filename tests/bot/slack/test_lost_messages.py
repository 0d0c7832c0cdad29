"""Messages of ours that somebody deleted, or that Slack lets nobody change any more: posted anew, once, as the one live card."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from bot.sandbox.faults import Fault, Mode
from bot.sandbox.slack.slack import actions_of
from bot.slack.sender import SEEN_FRESH
from routing.case.case import Case
from routing.case.followup import Withdrawal
from routing.review.followups import withdraw
from tests.bot.slack.northwind import ANNA, BEN, TIER1, Northwind, a_company

pytestmark = pytest.mark.outside

GONE = ("deleted", "deleted_with_replies", "message_not_found", "cant_update_message", "edit_window_closed")


async def lose(company: Northwind, how: str) -> dict[str, Any]:
    """The newest card of tier 1 cannot be changed any more; gives it as people saw it."""
    seen = company.card(TIER1)
    if how == "deleted_with_replies":
        channel = company.sandbox.slack.workspace.any_channel(TIER1)
        company.sandbox.slack.workspace.say(company.sandbox.slack.workspace.user(BEN), channel, "Looks odd.", seen["ts"])
    if how.startswith("deleted"):
        company.sandbox.slack.delete_message(TIER1, seen["ts"])
    else:
        company.sandbox.faults.add(Fault("slack", "chat.update", Mode.REFUSED, error=how))
    return seen


def live(company: Northwind, channel: str = TIER1) -> list[dict[str, Any]]:
    """Messages of ours in a channel, without what is left of deleted ones."""
    return [one for one in company.sandbox.slack.messages(channel) if one.get("metadata")]


@pytest.mark.parametrize("how", GONE)
async def test_a_card_that_an_update_does_not_find_is_posted_anew_once(database_url: str, how: str) -> None:
    """Whatever keeps it from being changed: there is one more card, it is the one that counts, and the log says so."""
    async with a_company(database_url) as company:
        case = await company.submit()
        await company.drain()
        seen = await lose(company, how)
        await company.click(ANNA, "claim", as_seen=seen)
        await company.drain(40)
        newest = live(company)[-1]
        [noted] = await company.reads.cards(case.id)
        assert newest["ts"] != seen["ts"]
        assert (noted.ts, noted.face) == (newest["ts"], (await company.case(case)).face)
        assert "tierline:approve" in actions_of(newest)
        await company.drain(40)
        assert company.sandbox.slack.record.count("chat.postMessage", where=_card_of(case), ok=True) == 2
        [lost] = [one for one in await company.reads.history(case.id) if one.kind == "card_lost"]
        assert (lost.fields["ts"], lost.fields["posted_again"]) == (seen["ts"], True)


@pytest.mark.parametrize("mode", [Mode.DROP_REPLY, Mode.APPLY_LATE, Mode.UNREACHABLE])
async def test_a_lost_reply_to_the_new_post_leads_to_no_third_card(database_url: str, mode: Mode) -> None:
    """The same care as for a first post: found by its mark, or posted after looking."""
    async with a_company(database_url) as company:
        case = await company.submit()
        await company.drain()
        seen = await lose(company, "deleted")
        company.sandbox.faults.add(Fault("slack", "chat.postMessage", mode, seconds=25))
        await company.click(ANNA, "claim", as_seen=seen)
        await company.drain(80)
        [card] = live(company)
        [noted] = await company.reads.cards(case.id)
        assert noted.ts == card["ts"]


@pytest.mark.parametrize("how", ["deleted", "deleted_with_replies"])
async def test_what_would_be_said_under_a_deleted_card_is_said_under_the_new_one(sqlite_url: str, how: str) -> None:
    """Slack takes answers to a deleted message, and nobody sees them: so the card is looked for first."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        company.clock.forward(SEEN_FRESH.total_seconds())
        seen = await lose(company, how)
        await company.click(ANNA, "comment", as_seen=seen)
        await company.fill_in(ANNA, text="Looks like a double charge.")
        await company.drain(40)
        [card] = live(company)
        assert card["ts"] != seen["ts"]
        [note] = company.sandbox.slack.thread(TIER1, card["ts"])
        assert "comments" in note["text"]
        assert (await company.events(case)).count("card_lost") == 1


@pytest.mark.parametrize("how", ["deleted", "deleted_with_replies"])
@pytest.mark.parametrize("mode", [Mode.DROP_REPLY, Mode.UNREACHABLE])
async def test_a_card_is_looked_for_before_an_earlier_try_to_answer_under_it(sqlite_url: str, how: str, mode: Mode) -> None:
    """Nobody knows whether it was said, and then its card is gone: under that one nothing would ever be found again."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        company.sandbox.faults.add(Fault("slack", "chat.postMessage", mode))
        await company.click(ANNA, "comment")
        await company.fill_in(ANNA, text="Looks like a double charge.")
        await company.drain(1)
        await lose(company, how)
        await company.drain(80)
        [card] = live(company)
        [note] = company.sandbox.slack.thread(TIER1, card["ts"])
        assert "comments" in note["text"]
        assert (await company.events(case)).count("card_lost") == 1


async def test_a_card_is_not_looked_for_again_while_it_was_seen_a_moment_ago(sqlite_url: str) -> None:
    """Posted, updated or found: some minutes long an answer under it costs one call of Slack, not two."""
    async with a_company(sqlite_url) as company:
        await company.submit()
        await company.drain()
        looks = list[int]()
        for wait_s in (0, 60, SEEN_FRESH.total_seconds() + 60, 60):
            company.clock.forward(wait_s)
            await company.click(ANNA, "comment")
            await company.fill_in(ANNA, text="Looks like a double charge.")
            await company.drain(5)
            looks.append(company.sandbox.slack.record.count("conversations.replies"))
        assert len(company.sandbox.slack.thread(TIER1, company.card()["ts"])) == 4
        assert looks == [0, 0, 1, 1]


async def test_the_buttons_of_a_card_that_was_replaced_do_nothing_and_say_so(sqlite_url: str) -> None:
    """It reappears, or a client still shows it: its press counts on none, as the new card alone does."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        seen = await lose(company, "edit_window_closed")
        await company.click(ANNA, "claim", as_seen=seen)
        await company.drain(20)
        for ts in (seen, {**seen, "blocks": live(company)[-1]["blocks"]}):  # also were it redrawn
            await company.click(ANNA, "approve", as_seen=ts)
            assert "replaced by a newer one" in company.told(ANNA)[-1]
        assert (await company.case(case)).open
        await company.click(ANNA, "approve")
        assert not (await company.case(case)).open


async def test_an_old_copy_that_is_deleted_is_not_missed(sqlite_url: str) -> None:
    """Where the case is at another tier by now, the copy that only pointed there need not come back."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        company.clock.forward(16 * 60)
        await company.watch.tick()
        await lose(company, "deleted")
        await company.drain(40)
        assert live(company) == []
        assert [card.tier for card in await company.reads.cards(case.id)] == [1]


async def test_an_outcome_is_shown_where_the_card_was_deleted(sqlite_url: str) -> None:
    """Decided meanwhile: the channel hears of it, without buttons to decide."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        await lose(company, "deleted")
        await company.ledger.change(case.id, withdraw(Withdrawal(type="case.withdraw", case_id=case.id, reason="sent by mistake")))
        await company.drain(40)
        [card] = live(company)
        assert "tierline:approve" not in actions_of(card)


def _card_of(case: Case) -> Callable[[Mapping[str, Any]], bool]:
    def matches(data: Mapping[str, Any]) -> bool:
        mark = data.get("metadata") or {}
        return mark.get("event_type") == "tierline_card" and mark["event_payload"]["case"] == case.id

    return matches
