"""Messages of ours that stand in Slack, found again by the metadata they were posted with. Owns the search; never changes one."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.calls import call, read
from bot.slack.people import Identity, SlackUnreachable
from bot.timeouts import Timeouts
from routing.governance.binding import is_person_id
from store.outbox.delivered_cards import Card
from store.outbox.delivery import SendError

LOOK_BACK = timedelta(seconds=60)
"""How far before the message was made we look for it: clocks differ. The latest try is no bound, an earlier one may be the one applied."""

PAGE_SIZE = 200


class PostedMessages:
    """Reads channels and threads. `identity` says who we are in Slack, so that only messages of our own are ever found."""

    def __init__(self, client: AsyncWebClient, identity: Callable[[], Awaitable[Identity]], timeouts: Timeouts) -> None:
        self._client = client
        self._identity = identity
        self._timeouts = timeouts

    async def find(self, messages: AsyncIterator[Mapping[str, Any]], event_type: str, payload: Mapping[str, Any]) -> str | None:
        """The `ts` of our own message with this metadata, None when there is none. Raises SendError when not all could be read."""
        bot = await self.bot()
        async for message in messages:
            told = told_by(message, bot, event_type)
            if told is not None and all(str(told.get(name)) == str(value) for name, value in payload.items()):
                return str(message["ts"])
        return None

    async def bot(self) -> str:
        """The bot that we are in Slack. Raises SendError."""
        try:
            return (await self._identity()).bot
        except SlackUnreachable as error:
            raise SendError("history: who we are is not known", ambiguous=True) from error

    def history(self, channel: str, since: datetime, until: datetime | None = None) -> AsyncIterator[Mapping[str, Any]]:
        """What a channel shows that was posted about `since` or later, at most `until`. Raises UnreadableError, a SendError."""
        latest = {"latest": f"{until.timestamp():.6f}"} if until is not None else {}
        return self._pages("conversations.history", "messages", channel=channel, include_all_metadata="true", **_oldest(since), **latest)

    def replies(self, card: Card, since: datetime) -> AsyncIterator[Mapping[str, Any]]:
        """The card and the answers to it. Raises UnreadableError, a SendError."""
        place = {"channel": card.channel, "ts": card.ts}
        return self._pages("conversations.replies", "messages", include_all_metadata="true", **place, **_oldest(since))

    async def conversation(self, channel: str) -> str:
        """The conversation that is meant: for a person the direct messages with them. Raises SendError."""
        if not is_person_id(channel):
            return channel
        try:
            opened = await call(self._client, self._timeouts, "conversations.open", users=channel)
        except SendError as error:
            raise SendError(f"history: {error.reason}", ambiguous=True) from error
        return str((opened.get("channel") or {}).get("id") or channel)

    async def _pages(self, method: str, what: str, **arguments: str) -> AsyncIterator[Mapping[str, Any]]:
        """Every item of a paged listing. Raises SendError."""
        cursor = ""
        while True:
            page = await read(
                self._client, self._timeouts, method, limit=str(PAGE_SIZE), **arguments, **({"cursor": cursor} if cursor else {})
            )
            for item in page.get(what, []):
                yield item
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return


def told_by(message: Mapping[str, Any], bot: str, event_type: str) -> Mapping[str, Any] | None:
    """What a message's metadata says, None where it is not ours or of another type."""
    metadata = message.get("metadata") or {}
    ours = message.get("bot_id") == bot and metadata.get("event_type") == event_type
    return metadata.get("event_payload") or {} if ours else None


def _oldest(since: datetime) -> dict[str, str]:
    return {"oldest": f"{(since - LOOK_BACK).timestamp():.6f}"}
