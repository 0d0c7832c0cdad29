"""The sender for Slack: posts a card or a bulletin once, keeps it up to date, tells a card's thread what happened.

Owns how a message is found again whose reply got lost: by the metadata it was posted with. It never tries twice by itself, never posts
without looking when an earlier try may have worked, and lets nothing out that breaks Slack's limits.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, assert_never

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.calls import GONE, UnreadableError, call, read
from bot.slack.cards.break_glass_notice import draw_break_glass_notice
from bot.slack.cards.bulletins.bulletin import draw_bulletin, is_over
from bot.slack.cards.card import draw_card
from bot.slack.cards.erased import draw_erased_note
from bot.slack.cards.text.block_kit import Drawing
from bot.slack.cards.text.limits import LimitError, check_message
from bot.slack.cards.thread import draw_note
from bot.slack.cards.told import draw_told
from bot.slack.cards.unseen import draw_unseen
from bot.slack.cards.view import Bulletin, View
from bot.slack.channels import Channels
from bot.slack.people import Identity
from bot.slack.posted_messages import LOOK_BACK, PostedMessages, told_by
from bot.timeouts import REAL, Timeouts
from routing.change import MessageKind
from routing.governance.drill import Drill
from routing.governance.incident import Incident
from routing.governance.incident_lifecycle import ROOT
from routing.review.board import BoardReminder, board_id
from routing.vocabulary import EventKind
from store.database.database import Database
from store.outbox.delivered_cards import Card, cards_of
from store.outbox.delivery import Delivered, MessageGoneError, Outgoing, SendError

CARD_EVENT = "tierline_card"
NOTE_EVENT = "tierline_note"
NOTICE_EVENT = "tierline_notice"
PLAYBOOK_EVENT = "tierline_playbook"
BULLETIN_EVENT = "tierline_bulletin"

SEEN_FRESH = timedelta(minutes=3)
"""How long a card that was posted, updated or looked for counts as being there: looking before every answer would double our calls."""


class SlackSender:
    """Sends cards, notes, bulletins and updates. `identity` says who we are in Slack, so that only messages of our own are ever adopted."""

    def __init__(
        self,
        client: AsyncWebClient,
        database: Database,
        deployment: str,
        identity: Callable[[], Awaitable[Identity]],
        clock: Callable[[], datetime],
        *,
        channels: Channels,
        timeouts: Timeouts = REAL,
    ) -> None:
        self._client = client
        self._database = database
        self._deployment = deployment
        self._posted = PostedMessages(client, identity, timeouts)
        self._timeouts = timeouts
        self._channels = channels
        self._clock = clock
        self._seen: dict[tuple[str, str], datetime] = {}  # place of a message of ours, the one seen last at the end

    async def send(self, outgoing: Outgoing, view: View | Bulletin) -> Delivered:
        """Send once. Raises SendError."""
        message = outgoing.message
        cards = await self._database.read(partial(cards_of, case_id=outgoing.case_id))
        card = next((one for one in cards if one.tier == message.tier), None)
        if isinstance(view, View) and message.kind in (MessageKind.CARD, MessageKind.CARD_UPDATE):
            view = _taken(view)
        try:
            if isinstance(view, Bulletin):
                root = await self._root(view, message.tier, cards)
                return await self._send_bulletin(outgoing, view, card, root)
            match message.kind:
                case MessageKind.CARD:
                    return await self._post_card(outgoing, view) if card is None else Delivered()
                case MessageKind.CARD_UPDATE:
                    return await self._update_card(outgoing, view, card)
                case MessageKind.NOTE:
                    return await self._post_note(outgoing, view, card)
                case MessageKind.NOTICE:
                    told: dict[str, str | int] = {"case": outgoing.case_id, "leaf": outgoing.leaf_idx}
                    await self._post_once(outgoing, _checked(_draw_notice(view, outgoing.leaf_idx)), NOTICE_EVENT, told)
                    return Delivered()
                case MessageKind.PLAYBOOK_NOTICE | MessageKind.PLAYBOOK_NOTICE_UPDATE:
                    return await self._tell(outgoing, view)
                case (
                    MessageKind.PAGE
                    | MessageKind.TICKET
                    | MessageKind.PAGE_ACKNOWLEDGE
                    | MessageKind.PAGE_RESOLVE
                    | MessageKind.EMAIL
                    | MessageKind.CALLBACK
                    | MessageKind.BULLETIN
                    | MessageKind.BULLETIN_UPDATE
                ):
                    raise SendError(f"{message.kind} is not for Slack about a case", permanent=True)
                case unknown:
                    assert_never(unknown)
        except LimitError as error:
            raise SendError(f"the drawing breaks a limit at {error.where}", permanent=True) from error

    async def _root(self, bulletin: Bulletin, tier: int, cards: Sequence[Card]) -> Card | None:
        """The message in whose thread a bulletin belongs, of which `cards` stand already; None where it stands by itself."""
        if isinstance(bulletin.about, BoardReminder):
            boards = await self._database.read(partial(cards_of, case_id=board_id(bulletin.about.board.channel)))
            return boards[-1] if boards else None
        threaded = isinstance(bulletin.about, Incident | Drill)
        return next((one for one in cards if threaded and one.tier == ROOT and one.tier != tier), None)

    async def _tell(self, outgoing: Outgoing, view: View) -> Delivered:
        message, case = outgoing.message, view.case
        if message.kind is MessageKind.PLAYBOOK_NOTICE_UPDATE:
            return await self._rewrite(outgoing, view)
        erased, groups = case.erased_at is not None, case.playbooks[message.round].steps[message.sequence].groups
        if not erased and (unknown := [group for group in groups if group not in view.user_groups]):
            raise SendError(f"Slack has no user group in use called {unknown[0]}")
        told: dict[str, str | int] = {"about": case.id, "playbook": message.round, "step": message.sequence}
        posted = await self._post_once(outgoing, _told_now(outgoing, view), PLAYBOOK_EVENT, told)
        if erased and not posted.digest:  # an earlier try had worked, with the content
            await self._rewrite_at(outgoing, view, posted.channel, posted.ts)
        return Delivered()

    async def _rewrite(self, outgoing: Outgoing, view: View) -> Delivered:
        """Take the content out of what this row posted before it was erased, where that still stands."""
        place = await self._posted.conversation(await self._channels.id_of(outgoing.message.destination))
        until = outgoing.intent_at + LOOK_BACK if outgoing.intent_at is not None else None
        payload = {"about": outgoing.case_id, "deployment": self._deployment, "outbox": outgoing.id}
        ts = await self._posted.find(self._posted.history(place, outgoing.created_at, until), PLAYBOOK_EVENT, payload)
        if ts is not None:
            await self._rewrite_at(outgoing, view, place, ts)
        return Delivered()

    async def _rewrite_at(self, outgoing: Outgoing, view: View, channel: str, ts: str) -> None:
        here = Card(outgoing.case_id, outgoing.message.tier, channel, ts, "", "", outgoing.created_at)
        with suppress(MessageGoneError):  # then nothing stands there any more
            await self._redraw(here, _told_now(outgoing, view), wanted=False)

    async def _send_bulletin(self, outgoing: Outgoing, bulletin: Bulletin, posted: Card | None, root: Card | None) -> Delivered:
        """`root` is the message in whose thread it belongs, None where it stands by itself."""
        drawing = _checked(draw_bulletin(bulletin))
        if outgoing.message.kind is MessageKind.BULLETIN_UPDATE:
            if posted is None:
                return Delivered()
            if drawing.digest != posted.digest or outgoing.doubtful:
                await self._redraw(posted, drawing, wanted=not is_over(bulletin))
            return Delivered(posted.channel, posted.ts, digest=drawing.digest)
        if outgoing.message.kind is not MessageKind.BULLETIN:
            raise SendError(f"{outgoing.message.kind} is not for Slack about more than one case", permanent=True)
        if posted is not None:
            return Delivered()
        return await self._post_once(outgoing, drawing, BULLETIN_EVENT, {"subject": outgoing.case_id}, root=root)

    async def _post_card(self, outgoing: Outgoing, view: View) -> Delivered:
        return await self._post_once(outgoing, _checked(draw_card(view)), CARD_EVENT, {"case": outgoing.case_id}, view.case.face)

    async def _post_once(
        self, outgoing: Outgoing, drawing: Drawing, event: str, about: Mapping[str, str | int], face: str = "", *, root: Card | None = None
    ) -> Delivered:
        """Post, unless an earlier try may have worked and what it posted is found. `root`: into the thread of this message."""
        payload = {**about, "tier": outgoing.message.tier, "deployment": self._deployment, "outbox": outgoing.id}
        channel = root.channel if root is not None else await self._channels.id_of(outgoing.message.destination)
        if outgoing.doubtful:
            place = await self._posted.conversation(channel)
            there = self._posted.history(place, outgoing.created_at) if root is None else self._posted.replies(root, outgoing.created_at)
            if (ts := await self._posted.find(there, event, payload)) is not None:
                return Delivered(place, ts)  # what it shows is not known, so the next update is never skipped
        under = {"thread_ts": root.ts} if root is not None else {}
        posted = await self._post(channel, drawing, {"event_type": event, "event_payload": payload}, **under)
        self._saw(str(posted["channel"]), str(posted["ts"]))
        return Delivered(str(posted["channel"]), str(posted["ts"]), face, drawing.digest)

    async def _update_card(self, outgoing: Outgoing, view: View, card: Card | None) -> Delivered:
        drawing, erased = _checked(draw_card(view)), view.last(EventKind.CONTENT_ERASED)
        if erased is not None:
            for lost in _lost(outgoing, view):
                await self._wipe_notes(lost, view, erased.index)
        if card is None:
            return Delivered()
        try:
            if drawing.digest != card.digest or outgoing.doubtful:
                await self._redraw(card, drawing, wanted=_is_live(view))
        finally:
            if erased is not None:  # what was said under a card stays when the card is deleted
                await self._wipe_notes(card, view, erased.index)
        return Delivered(card.channel, card.ts, view.case.face, drawing.digest)

    async def _wipe_notes(self, card: Card, view: View, erased: int) -> None:
        """Replace what our notes in the thread say of events before the one with index `erased`. Once more changes nothing."""
        drawing, bot = _checked(draw_erased_note(view)), await self._posted.bot()
        try:
            replies = [message async for message in self._posted.replies(card, view.case.created_at)]
        except UnreadableError as error:
            if error.code in GONE:
                return
            raise
        for message in replies:
            told = told_by(message, bot, NOTE_EVENT)
            if told is not None and int(told.get("leaf", erased)) < erased and message.get("text") != drawing.text:
                with suppress(MessageGoneError):  # somebody was faster
                    await self._redraw(replace(card, ts=str(message["ts"])), drawing, wanted=False)

    async def _redraw(self, card: Card, drawing: Drawing, *, wanted: bool) -> None:
        """Change a message of ours. Raises MessageGoneError where there is nothing to change; `wanted`: then it is to be posted anew."""
        place = {"channel": card.channel, "ts": card.ts}
        try:
            await call(self._client, self._timeouts, "chat.update", **place, text=drawing.text, blocks=drawing.blocks)
            self._saw(card.channel, card.ts)
        except SendError as error:
            if error.reason in GONE:
                self._seen.pop((card.channel, card.ts), None)
                raise MessageGoneError(error.reason, card.channel, card.ts, again=wanted) from error
            raise

    async def _check_thread(self, card: Card, view: View, *, doubtful: bool) -> None:
        """Raises MessageGoneError where the card is gone: Slack takes answers to a deleted message, and nobody sees them.

        A card that was there within the last few minutes is not asked for, unless an earlier try is in doubt.
        """
        seen_at = self._seen.get((card.channel, card.ts))
        if not doubtful and seen_at is not None and self._clock() - seen_at < SEEN_FRESH:
            return
        try:
            page = await read(
                self._client, self._timeouts, "conversations.replies", channel=card.channel, ts=card.ts, limit="1", inclusive="true"
            )
        except UnreadableError as error:
            if error.code in GONE:
                raise MessageGoneError(error.code, card.channel, card.ts, again=_is_live(view)) from error
            return  # nobody can say; the answer is posted as it always was
        first: Mapping[str, Any] = next(iter(page.get("messages", [])), {})
        if first.get("subtype") == "tombstone":
            raise MessageGoneError("message_not_found", card.channel, card.ts, again=_is_live(view))
        if first:
            self._saw(card.channel, card.ts)

    def _saw(self, channel: str, ts: str) -> None:
        """A message of ours is there. What was seen too long ago is forgotten."""
        now = self._clock()
        self._seen.pop((channel, ts), None)
        self._seen[channel, ts] = now
        while now - self._seen[oldest := next(iter(self._seen))] >= SEEN_FRESH:
            del self._seen[oldest]

    async def _post_note(self, outgoing: Outgoing, view: View, card: Card | None) -> Delivered:
        happening = next((one for one in view.history if one.index == outgoing.leaf_idx), None)
        if card is None or happening is None:
            raise SendError("there is no card to say it under" if card is None else "the event is not in the history", permanent=True)
        drawing = _checked(draw_note(view, happening))
        payload = {"case": outgoing.case_id, "leaf": outgoing.leaf_idx, "deployment": self._deployment, "outbox": outgoing.id}
        # Before looking for an earlier try: under a card that is gone nothing can be found.
        await self._check_thread(card, view, doubtful=outgoing.doubtful)
        if outgoing.doubtful and await self._posted.find(self._posted.replies(card, outgoing.created_at), NOTE_EVENT, payload) is not None:
            return Delivered()
        try:
            await self._post(card.channel, drawing, {"event_type": NOTE_EVENT, "event_payload": payload}, thread_ts=card.ts)
        except SendError as error:
            if error.reason in GONE:
                raise MessageGoneError(error.reason, card.channel, card.ts, again=_is_live(view)) from error
            raise
        return Delivered()

    async def _post(self, channel: str, drawing: Drawing, metadata: Mapping[str, Any], **more: str) -> Mapping[str, Any]:
        quiet = {"unfurl_links": False, "unfurl_media": False}
        arguments = {"channel": channel, "text": drawing.text, "blocks": drawing.blocks, "metadata": metadata, **quiet, **more}
        return await call(self._client, self._timeouts, "chat.postMessage", **arguments)


def _draw_notice(view: View, event: int) -> Drawing:
    """What one person is told directly of the event at this leaf."""
    used = next((one for one in view.history if one.index == event and one.kind is EventKind.BREAK_GLASS_USED), None)
    return draw_unseen(view, event) if used is None else draw_break_glass_notice(view, used)


def _lost(outgoing: Outgoing, view: View) -> list[Card]:
    """Copies of the card that were deleted: what we answered to a deleted message stays."""
    tier, said = outgoing.message.tier, [one.fields for one in view.history if one.kind is EventKind.CARD_LOST]
    places = dict.fromkeys((str(one["channel"]), str(one["ts"])) for one in said if one.get("tier") == tier)
    return [Card(outgoing.case_id, tier, channel, ts, "", "", outgoing.created_at) for channel, ts in places]


def _told_now(outgoing: Outgoing, view: View) -> Drawing:
    """What the step of a playbook that this row carries out tells, of the case as it is."""
    playbook = view.case.playbooks[outgoing.message.round]
    return _checked(draw_told(view, playbook, playbook.steps[outgoing.message.sequence], view.user_groups))


def _taken(view: View) -> View:
    """As it is once Slack takes the card: then the case does not leave its tier for not being shown there."""
    case = view.case
    return replace(view, case=case.model_copy(update={"clocks": case.clocks.model_copy(update={"unseen": None})}))


def _is_live(view: View) -> bool:
    """Whether this is the copy that people look to: that of the tier the case is at, not erased."""
    return view.case.tier == view.tier and view.case.erased_at is None


def _checked(drawing: Drawing) -> Drawing:
    check_message(drawing.text, drawing.blocks)
    return drawing
