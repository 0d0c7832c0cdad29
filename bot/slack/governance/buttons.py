"""Bolt's listeners for buttons about more than one case and their forms. What changes anything is committed before it is acknowledged.

Owns the order of commit, acknowledgement and answer; decides nothing.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp

from bot.slack.actions.presses import Declined
from bot.slack.actions.replies import Replies
from bot.slack.answering import Acknowledgement, Answering
from bot.slack.cards.bulletins.governance_buttons import PREFIX
from bot.slack.channels import Channels
from bot.slack.governance.confirmations import confirmation
from bot.slack.governance.forms import FORMS, reason_form
from bot.slack.governance.pressed import GovernancePressed, pressed_on_bulletin
from bot.slack.governance.rulings import Asked, Rulings
from bot.slack.interaction import UnreadablePress, read_button, read_form
from bot.slack.people import People
from bot.slack.sender import BULLETIN_EVENT
from routing.authority import GovernanceVerb
from routing.governance.ruling import BINDING
from store.reads.cases import Reads

Ack = Callable[..., Awaitable[Any]]

_LOG = structlog.get_logger("tierline.governance")


class GovernanceButtons:
    """The listeners. `deployment` is the one whose bulletins are ours."""

    def __init__(
        self,
        rulings: Rulings,
        reads: Reads,
        people: People,
        replies: Replies,
        *,
        channels: Channels,
        deployment: str,
        answering: Answering,
    ) -> None:
        self._channels = channels
        self._rulings = rulings
        self._reads = reads
        self._people = people
        self._replies = replies
        self._deployment = deployment
        self._answering = answering

    def listen(self, bolt: AsyncApp) -> None:
        """Register with Bolt."""
        ours = re.compile(f"^{re.escape(PREFIX)}")
        bolt.action(ours)(self.on_button)
        bolt.view(ours)(self.on_form)

    async def on_button(self, ack: Ack, body: Mapping[str, Any]) -> None:
        """A button was pressed on a bulletin."""
        try:
            pressed = pressed_on_bulletin(read_button(body))
        except UnreadablePress:
            _LOG.warning("unreadable press")
            await ack()
            return
        said = Acknowledgement(ack)
        await self._answering.answered(self._press(said, pressed), said, partial(self._say, said, pressed))

    async def _press(self, ack: Acknowledgement, pressed: GovernancePressed) -> None:
        asked = await self._asked(pressed)
        if pressed.verb in FORMS:
            refused = await self._rulings.may_begin(asked)
            await ack()
            if refused is None:
                await self._replies.show(pressed.origin, reason_form(pressed))
            else:
                await self._replies.tell(pressed.origin, refused.text)
            return
        outcome = await self._rulings.carry_out(asked)
        await ack()
        if pressed.verb is GovernanceVerb.MOVE_NAME and not isinstance(outcome, Declined):
            await self._channels.moved(pressed.subject.removeprefix(BINDING))
        await self._replies.tell(pressed.origin, outcome.text if isinstance(outcome, Declined) else confirmation(asked, outcome))

    async def on_form(self, ack: Ack, body: Mapping[str, Any]) -> None:
        """A form was submitted."""
        try:
            pressed = pressed_on_bulletin(read_form(body))
        except UnreadablePress:
            _LOG.warning("unreadable form")
            await ack()
            return
        said = Acknowledgement(ack)
        await self._answering.answered(self._submit(said, pressed), said, partial(self._say, said, pressed))

    async def _submit(self, ack: Acknowledgement, pressed: GovernancePressed) -> None:
        asked = await self._asked(pressed)
        outcome = await self._rulings.carry_out(asked)
        if isinstance(outcome, Declined):
            await self._say(ack, pressed, outcome.text)
            return
        await ack(response_action="clear")
        await self._replies.tell(pressed.origin.beside_the_message(), confirmation(asked, outcome))

    async def _say(self, ack: Acknowledgement, pressed: GovernancePressed, text: str) -> None:
        """Beside the input of a form that still listens, else beside the message."""
        if pressed.origin.inputs and not ack.done:
            await ack(response_action="errors", errors={"text": text})
            return
        await ack()
        await self._replies.tell(pressed.origin.beside_the_message(), text)

    async def _asked(self, pressed: GovernancePressed) -> Asked:
        return Asked(
            verb=pressed.verb,
            subject=pressed.subject,
            user=pressed.origin.user,
            team=pressed.origin.team,
            key=pressed.origin.key,
            reason=pressed.reason,
            number=pressed.number,
            figure=pressed.figure,
            known=await self._is_ours(pressed),
        )

    async def _is_ours(self, pressed: GovernancePressed) -> bool:
        """Whether the message is a bulletin of this deployment: by the book, or, right after posting, by the mark it carries."""
        card = await self._reads.card_at(pressed.origin.channel, pressed.origin.ts)
        if card is not None:
            return not card.case_id.startswith("c_")
        mark, us = pressed.origin.seen.get("metadata") or {}, self._people.us
        told = mark.get("event_payload") or {}
        ours = us is not None and pressed.origin.seen.get("bot_id") == us.bot and mark.get("event_type") == BULLETIN_EVENT
        if not ours or told.get("deployment") != self._deployment:
            return False
        stands = await self._reads.cards(str(told.get("subject")))
        noted = any((one.channel, one.ts) == (pressed.origin.channel, pressed.origin.ts) for one in stands)  # since the book was asked
        return noted or all(str(one.tier) != str(told.get("tier")) for one in stands)  # else it was replaced by a newer message
