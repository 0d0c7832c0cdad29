"""What people with rights do to a workspace: rename, archive and delete channels, take the app in or out, delete messages; and to their own
profile. Owns these changes and the events by which Slack tells the app of them; it looks into no message.

Events: docs.slack.dev/reference/events. Names: a name belongs to one channel, also while that is archived.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from uuid import uuid4

from bot.sandbox.slack.conversations import Channel
from bot.sandbox.slack.errors import Json, SlackError
from bot.sandbox.slack.workspace import Workspace

Tell = Callable[[Json], Awaitable[object]]
"""Delivers one event to the app, if it asked for events of this type."""


class Administration:
    """Each method changes the workspace and tells the app what Slack would. Raises SlackError name_taken, KeyError for no such channel."""

    def __init__(self, workspace: Workspace, tell: Tell) -> None:
        self._workspace = workspace
        self._tell = tell

    async def rename_channel(self, ref: str, name: str) -> None:
        """Another name for a channel; the old one is free from then on."""
        channel = self._workspace.any_channel(ref)
        self._require_free(name)
        channel.previous_names.insert(0, channel.name)
        channel.name = name
        told = {
            "id": channel.id,
            "name": name,
            "name_normalized": name,
            "created": channel.created_at,
            "is_channel": not channel.is_private,
        }
        await self._say(channel, "rename", told | {"is_mpim": False})

    async def create_channel(self, name: str, members: Sequence[str], *, is_private: bool = False) -> str:
        """A new channel with these people (user ids; the app only if it is among them). Gives its id."""
        self._require_free(name)
        channel = Channel("C0" + uuid4().hex[:9].upper(), name, list(members), is_private)
        self._workspace.channels[channel.id] = channel
        if not is_private:
            created: Json = {"id": channel.id, "name": name, "created": channel.created_at, "creator": "U0ADMIN0001"}
            await self._tell({"type": "channel_created", "channel": created})
        return channel.id

    async def archive_channel(self, ref: str) -> None:
        """Nobody writes there any more; who was a member stays one."""
        channel = self._workspace.any_channel(ref)
        channel.is_archived = True
        await self._say(channel, "archive", channel.id, user="U0ADMIN0001")

    async def unarchive_channel(self, ref: str) -> None:
        """Open again."""
        channel = self._workspace.any_channel(ref)
        channel.is_archived = False
        await self._say(channel, "unarchive", channel.id, user="U0ADMIN0001")

    async def delete_channel(self, ref: str) -> None:
        """The channel and every message in it are gone for good."""
        channel = self._workspace.any_channel(ref)
        del self._workspace.channels[channel.id]
        await self._say(channel, "deleted", channel.id)

    async def invite_app(self, ref: str) -> None:
        """The app becomes a member."""
        channel, bot = self._workspace.any_channel(ref), self._workspace.app.bot_user_id
        if bot not in channel.members:
            channel.members.append(bot)
        kind = "G" if channel.is_private else "C"
        event: Json = {"type": "member_joined_channel", "user": bot, "channel": channel.id, "channel_type": kind}
        await self._tell(event | {"team": self._workspace.team.id, "inviter": "U0ADMIN0001"})

    async def remove_app(self, ref: str) -> None:
        """The app is no member any more: of a private channel it knows nothing from then on."""
        channel, bot = self._workspace.any_channel(ref), self._workspace.app.bot_user_id
        channel.members.remove(bot)
        await self._tell({"type": "group_left" if channel.is_private else "channel_left", "channel": channel.id, "actor_id": "U0ADMIN0001"})

    def delete_message(self, ref: str, ts: str) -> None:
        """A person with the right to, or the channel's retention, deletes a message. The app did not ask to hear of messages."""
        self._workspace.any_channel(ref).remove(ts)

    async def change_profile(self, ref: str, **fields: object) -> None:
        """A person changes their own language, zone or status (`locale`, `tz`, `status_text`, `status_emoji`, `status_until`)."""
        user = self._workspace.change_user(ref, **fields)
        at, sees_email = self._workspace.clock(), "users:read.email" in self._workspace.app.scopes
        shown = user.json(at, with_email=sees_email, with_locale=True)
        await self._tell({"type": "user_change", "user": shown, "cache_ts": int(at)})

    def _require_free(self, name: str) -> None:
        if any(channel.name == name for channel in self._workspace.channels.values()):
            raise SlackError("name_taken")

    async def _say(self, channel: Channel, what: str, told: Json | str, **more: str) -> None:
        """Of a private channel only members hear."""
        if channel.is_private and self._workspace.app.bot_user_id not in channel.members:
            return
        await self._tell({"type": f"{'group' if channel.is_private else 'channel'}_{what}", "channel": told, **more})
