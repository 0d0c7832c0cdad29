"""Cards in Slack: posted once whatever happens to the reply, kept true everywhere, never sent where Slack would refuse."""

import pytest

from bot.sandbox.faults import Fault, Mode
from bot.slack.sender import SlackSender
from routing.change import Message, MessageKind
from store.outbox.delivery import Outgoing, SendError
from tests.bot.slack.northwind import ANNA, TIER1, TIER2, a_company


async def test_a_new_case_gets_one_card_that_can_be_found_again(sqlite_url: str) -> None:
    """The card stands in the channel with our mark on it, without previews, and the book says where."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        [card] = company.sandbox.slack.messages(TIER1)
        posted = company.sandbox.slack.record.last("chat.postMessage")
        assert posted is not None
        assert card["metadata"]["event_type"] == "tierline_card"
        assert card["metadata"]["event_payload"]["case"] == case.id
        assert posted.data["args"]["unfurl_links"] is False
        assert posted.data["args"]["unfurl_media"] is False
        [noted] = await company.reads.cards(case.id)
        assert (noted.ts, noted.face) == (card["ts"], case.face)


@pytest.mark.parametrize("mode", [Mode.DROP_REPLY, Mode.APPLY_LATE])
async def test_a_lost_reply_leads_to_no_second_card(database_url: str, mode: Mode) -> None:
    """The post worked, at once or 25 seconds late, its reply was lost: after the quiet time the card is found and adopted."""
    async with a_company(database_url) as company:
        case = await company.submit()
        company.sandbox.faults.add(Fault("slack", "chat.postMessage", mode, seconds=25))
        await company.drain(29)
        assert not await company.reads.cards(case.id)
        await company.drain(5)
        [card] = company.sandbox.slack.messages(TIER1)
        [noted] = await company.reads.cards(case.id)
        assert noted.ts == card["ts"]


async def test_a_card_that_never_arrived_is_posted_after_looking(sqlite_url: str) -> None:
    """The connection broke before Slack did anything: nothing is found, so it is posted."""
    async with a_company(sqlite_url) as company:
        await company.submit()
        company.sandbox.faults.add(Fault("slack", "chat.postMessage", Mode.UNREACHABLE))
        await company.drain(35)
        assert len(company.sandbox.slack.messages(TIER1)) == 1
        assert company.sandbox.slack.record.count("conversations.history") >= 1


async def test_nothing_is_posted_while_the_history_cannot_be_read(sqlite_url: str) -> None:
    """An unclear post is never repeated blindly, however long the history stays unreadable."""
    async with a_company(sqlite_url) as company:
        await company.submit()
        company.sandbox.faults.add(Fault("slack", "chat.postMessage", Mode.DROP_REPLY))
        unreadable = company.sandbox.faults.add(Fault("slack", "conversations.history", Mode.SERVER_ERROR, times=None))
        await company.drain(200)
        assert len(company.sandbox.slack.messages(TIER1)) == 1
        company.sandbox.faults.remove(unreadable)
        await company.drain(200)
        assert len(company.sandbox.slack.messages(TIER1)) == 1
        assert ("slack", "delivered") in company.tally


async def test_a_note_whose_reply_was_lost_is_said_once(sqlite_url: str) -> None:
    """The same care in the thread: a comment appears once under the card."""
    async with a_company(sqlite_url) as company:
        await company.submit()
        await company.drain()
        await company.click(ANNA, "comment")
        await company.fill_in(ANNA, text="Looks like a double charge.")
        company.sandbox.faults.add(Fault("slack", "chat.postMessage", Mode.DROP_REPLY))
        await company.drain(40)
        notes = company.sandbox.slack.thread(TIER1, company.card()["ts"])
        assert ["comments" in note["text"] for note in notes] == [True]


async def test_an_escalated_case_has_a_card_at_both_tiers_and_the_old_one_points_to_the_new(sqlite_url: str) -> None:
    """The old copy loses its buttons and links to where the case is now."""
    async with a_company(sqlite_url) as company:
        await company.submit()
        await company.drain()
        await company.click(ANNA, "escalate")
        await company.fill_in(ANNA, reason="unsure", text="Over to you.")
        await company.drain(20)
        old, new = company.card(TIER1), company.card(TIER2)
        assert "tierline:approve" not in str(old["blocks"])
        assert "tierline:approve" in str(new["blocks"])
        assert new["ts"].replace(".", "") in str(old["blocks"])


async def test_an_update_that_changes_nothing_is_not_sent(sqlite_url: str) -> None:
    """Slack's pace is too precious for updates nobody would see."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        await company.drain()
        view = await company.views.view(case.id)
        assert view is not None
        client_calls = company.sandbox.slack.record.count("chat.update")
        update = Outgoing(99, case.id, "slack", Message(MessageKind.CARD_UPDATE, TIER1), 0, False, 0, None, company.clock.now)
        sender = company.courier._senders["slack"]  # noqa: SLF001 - the very sender the courier uses
        assert isinstance(sender, SlackSender)
        [card] = await company.reads.cards(case.id)
        again = await sender.send(update, view)
        changed = again.digest != card.digest  # the clock moved since, so a due time may read otherwise
        assert company.sandbox.slack.record.count("chat.update") - client_calls == int(changed)


async def test_a_channel_without_the_bot_is_said_and_tried_again(sqlite_url: str) -> None:
    """A person can mend it, so nothing is given up; who asks for the status reads what helps."""
    async with a_company(sqlite_url, policy=_POLICY_ELSEWHERE) as company:
        case = await company.submit()
        await company.drain()
        assert "not_delivered" not in await company.events(case)
        assert ("slack", "refused") in company.tally
        drawing = await company.commands.answer(ANNA, "T0TIERLINE", "status")
        assert "Nothing can be sent to #general" in str(drawing.blocks)
        assert "/invite" in str(drawing.blocks)


async def test_a_message_for_another_peer_is_refused(sqlite_url: str) -> None:
    """A page handed to Slack's sender is a bug that must show."""
    async with a_company(sqlite_url) as company:
        case = await company.submit()
        view = await company.views.view(case.id)
        assert view is not None
        page = Outgoing(1, case.id, "slack", Message(MessageKind.PAGE, "standard/1"), 0, False, 0, None, company.clock.now)
        with pytest.raises(SendError, match="not for Slack"):
            await company.courier._senders["slack"].send(page, view)  # noqa: SLF001 - the very sender the courier uses


_POLICY_ELSEWHERE = b"""
version: "1"
changes: "a channel nobody invited the bot to"
defaults: {undo: 0s}
groups: {frontline: {usergroup: review-frontline}}
ladders: {standard: {tiers: [{channel: general, group: frontline, decide: 4h}]}}
workflows: {refunds: {ladder: standard, template: approval, requester: optional}}
"""
