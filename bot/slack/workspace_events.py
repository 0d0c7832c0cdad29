"""Bolt's listeners for what Slack says of channels and user groups: that they changed, or that we were let in. Owns which events these are.

Each is also found out without its event, only later. Events: https://docs.slack.dev/reference/events
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp

from bot.failures import failure
from bot.slack.answering import Answering
from bot.slack.channels import Channels
from bot.slack.people import Identity

EVENTS = (
    "channel_archive",
    "channel_created",
    "channel_deleted",
    "channel_left",
    "channel_rename",
    "channel_unarchive",
    "group_archive",
    "group_deleted",
    "group_left",
    "group_rename",
    "group_unarchive",
    "member_joined_channel",
    "subteam_updated",
)

_LOG = structlog.get_logger("tierline.channels")


class WorkspaceEvents:
    """The listeners. `identity` says who we are in Slack: people join channels all day, and only that we did concerns us."""

    def __init__(self, channels: Channels, identity: Callable[[], Awaitable[Identity]], answering: Answering) -> None:
        self._channels = channels
        self._identity = identity
        self._answering = answering

    def listen(self, bolt: AsyncApp) -> None:
        """Register with Bolt."""
        for kind in EVENTS:
            bolt.event(kind)(self.on_event)

    async def on_event(self, event: Mapping[str, Any]) -> None:
        """Something changed. Slack is answered at once."""
        _ = self._answering.begin(self._heed(event))

    async def _heed(self, event: Mapping[str, Any]) -> None:
        """Look at it. What cannot be looked at now is looked at later, without the event."""
        try:
            if event.get("type") == "member_joined_channel" and event.get("user") != (await self._identity()).user:
                return
            await self._channels.heard(event)
        except Exception:  # noqa: BLE001 - Slack would send it again and again, and nothing hangs on it
            _LOG.error("event not heard", event_type=str(event.get("type")), **failure())
