"""What one person is told about what they just did, seen by nobody else. Owns the ways to say it; records nothing."""

from collections.abc import Awaitable, Callable

import aiohttp
import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.calls import call, error_code
from bot.slack.cards.command_answers import draw_answer
from bot.slack.cards.forms.modals import modal
from bot.slack.cards.text.block_kit import Block, Drawing
from bot.slack.cards.text.limits import check_view
from bot.slack.interaction import Interaction
from bot.timeouts import REAL, Timeouts
from store.outbox.delivery import SendError

TRIGGER_LOST = "Slack closed the door before the form could open. Nothing was recorded. Please press again."
TIMEOUT_S = 5.0

_LOG = structlog.get_logger("tierline.replies")


SayAtHome = Callable[[str, Drawing | None], Awaitable[None]]
"""Draw a person's Home tab anew, with this in front of it."""


class Replies:
    """Answers to presses. They are no messages of a case: their trigger dies in 3 s, they change no state and are not tried again."""

    def __init__(
        self, client: AsyncWebClient, session: aiohttp.ClientSession, timeouts: Timeouts = REAL, *, at_home: SayAtHome | None = None
    ) -> None:
        self._at_home = at_home
        self._client = client
        self._session = session
        self._timeouts = timeouts

    async def tell(self, origin: Interaction, said: str | Drawing) -> None:
        """Say one sentence to the person who pressed, beside the card or, for a press in a modal, in that modal. A text is escaped here."""
        drawing = draw_answer(said) if isinstance(said, str) else said
        if origin.home:
            shown = await self._call(origin, "views.open", trigger_id=origin.trigger_id, view=sentence_modal(drawing))
            await self._draw_home(origin, None if shown else drawing)
        elif origin.view_id:
            await self._call(origin, "views.update", view_id=origin.view_id, view=sentence_modal(drawing))
        elif not await self._use_response_url(origin, drawing):
            place = {"channel": origin.channel, "user": origin.user}
            await self._call(origin, "chat.postEphemeral", **place, text=drawing.text, blocks=drawing.blocks)

    async def confirm(self, origin: Interaction, said: str) -> None:
        """As `tell`, that something counts: on a Home tab in front of it, so that whoever goes on there has nothing to close."""
        if origin.home:
            await self._draw_home(origin, draw_answer(f"✅ {said}"))
        else:
            await self.tell(origin, said)

    async def _draw_home(self, origin: Interaction, said: Drawing | None) -> None:
        if self._at_home is not None:
            await self._at_home(origin.user, said)

    async def show(self, origin: Interaction, view: Block) -> None:
        """Open a modal for this press, or turn the one it came from into it. Says so where Slack would not open it."""
        if not await self.opened(origin, view) and not origin.view_id:
            await self.tell(origin, TRIGGER_LOST)

    async def opened(self, origin: Interaction, view: Block) -> bool:
        """The same, and whether it worked; says nothing."""
        check_view(view)
        if origin.view_id:
            return await self._call(origin, "views.update", view_id=origin.view_id, view=view)
        return await self._call(origin, "views.open", trigger_id=origin.trigger_id, view=view)

    async def _use_response_url(self, origin: Interaction, drawing: Drawing) -> bool:
        """Slack takes these for people who may not be asked for by id (strangers, people outside the channel), 5 times in 30 minutes."""
        if not origin.response_url:
            return False
        body = {"response_type": "ephemeral", "replace_original": False, "text": drawing.text, "blocks": drawing.blocks}
        try:
            async with (
                self._timeouts.within(TIMEOUT_S),
                self._session.post(origin.response_url, json=body, allow_redirects=False) as response,
            ):
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            _LOG.warning("response_url not usable", cause=error_code(error))
            return False

    async def _call(self, origin: Interaction, method: str, **arguments: object) -> bool:
        try:
            await call(self._client, self._timeouts, method, **arguments)
        except SendError as error:
            _LOG.warning("reply not shown", method=method, verb=origin.verb, case=origin.subject, cause=error.reason)
            return False
        return True


def sentence_modal(said: Drawing) -> Block:
    """A modal that says one sentence and can only be closed."""
    return modal("Tierline", "tierline:sentence", "", said.blocks)
