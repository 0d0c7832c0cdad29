"""What a Slack workspace holds: people, groups, channels, messages, what one person alone was shown. State and its rules of access; no
HTTP, no limits on content.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from uuid import uuid4

from bot.sandbox.slack.config import SlackConfig
from bot.sandbox.slack.conversations import Channel
from bot.sandbox.slack.errors import ClientError, Json, SlackError
from bot.sandbox.slack.people import Group, User


class Workspace:
    """One workspace with one app in it. `clock`: unix seconds."""

    def __init__(self, config: SlackConfig, clock: Callable[[], float]) -> None:
        self.team = config.team
        self.url = f"https://{config.team.domain}.slack.com/"
        self.app = config.app
        self.users: dict[str, User] = {user.id: user for user in config.users}
        self.groups: dict[str, Group] = {group.id: group for group in config.groups}
        self.channels: dict[str, Channel] = {
            seed.id: Channel(seed.id, seed.name, list(seed.members), seed.is_private, seed.is_archived) for seed in config.channels
        }
        self.ephemerals: dict[str, list[Json]] = {}
        self.clock = clock

    # People

    def user(self, ref: str) -> User:
        """A person by id or by name, as seen from outside the app. Raises KeyError."""
        for user in self.users.values():
            if ref in (user.id, user.name):
                return user
        raise KeyError(ref)

    def change_user(self, ref: str, **fields: object) -> User:
        """Change a person (`deleted=True` deactivates)."""
        user = replace(self.user(ref), **fields)  # type: ignore[arg-type]  # the caller names User's own fields
        self.users[user.id] = user
        return user

    def change_group(self, group_id: str, **fields: object) -> Group:
        """Change a group (`users=(…)`, `disabled_at=…`)."""
        self.groups[group_id] = replace(self.groups[group_id], **fields)  # type: ignore[arg-type]  # the caller names Group's own fields
        return self.groups[group_id]

    # Channels

    def any_channel(self, ref: str) -> Channel:
        """A channel by id, name or #name, as seen from outside the app. Raises KeyError."""
        for channel in self.channels.values():
            if ref in (channel.id, channel.name, f"#{channel.name}") and ref:
                return channel
        raise KeyError(ref)

    def channel(self, ref: object, *, by_name: bool = False) -> Channel:
        """A channel the app may know of: public, or one it is in. Names and people's ids only `by_name`. Raises channel_not_found."""
        wanted = str(ref or "")
        if by_name and wanted in self.users:
            return self.direct(wanted)
        try:
            channel = self.any_channel(wanted)
        except KeyError as error:
            raise SlackError("channel_not_found") from error
        hidden = channel.is_private and self.app.bot_user_id not in channel.members
        if hidden or (channel.id != wanted and not by_name):
            raise SlackError("channel_not_found")
        return channel

    def joined(self, ref: object, *, by_name: bool = False) -> Channel:
        """A channel the app is a member of. Raises not_in_channel."""
        channel = self.channel(ref, by_name=by_name)
        if self.app.bot_user_id not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def direct(self, user_id: str) -> Channel:
        """The direct message between the app and a person, opened when there is none."""
        for channel in self.channels.values():
            if channel.im_with == user_id:
                return channel
        both = [self.app.bot_user_id, user_id]
        channel = Channel("D0" + uuid4().hex[:9].upper(), "directmessage", both, is_private=True, im_with=user_id)
        self.channels[channel.id] = channel
        return channel

    def require_sight(self, user: User, channel: Channel) -> None:
        """Raise ClientError unless this person can see the channel: a member, or it is public and they are no guest or stranger."""
        outsider = user.is_restricted or user.is_ultra_restricted or user.is_stranger
        if user.deleted:
            raise ClientError(f"{user.name} is deactivated and cannot use Slack")
        if user.id not in channel.members and (channel.is_private or outsider):
            raise ClientError(f"{user.name} cannot see #{channel.name}")

    # Messages

    def post(self, channel: Channel, content: Json, thread_ts: str | None = None, *, broadcast: bool = False) -> Json:
        """Keep a message of the app's; `content` holds text, blocks, attachments, metadata as far as given. Returns it as stored."""
        message = self._message(channel, content, thread_ts)
        if thread_ts and broadcast:
            message["subtype"] = "thread_broadcast"
        channel.add(message)
        return message

    def say(self, user: User, channel: Channel, text: str, thread_ts: str | None = None) -> Json:
        """Keep a message a person wrote."""
        message: Json = {"type": "message", "user": user.id, "team": user.team_id, "text": text, "ts": channel.next_ts(self.clock())}
        if thread_ts:
            message["thread_ts"] = thread_ts
        channel.add(message)
        return message

    def whisper(self, channel: Channel, user_id: str, content: Json, thread_ts: str | None = None) -> Json:
        """Show a message to one person only; no history ever returns it."""
        message = self._message(channel, content, thread_ts) | {"is_ephemeral": True, "channel": channel.id}
        self.ephemerals.setdefault(user_id, []).append(message)
        return message

    def edit(self, channel: Channel, ts: str, content: Json) -> Json:
        """Change a message in place. Blocks left out stay, unless text is given; metadata left out stays; `{}` removes it.

        Source: chat.update, arguments blocks and metadata. Only a change of text alone shows as edited.
        """
        message = channel.messages[ts]
        if "blocks" in content or "text" in content:
            message.pop("blocks", None)
        message |= content
        if not message.get("metadata", True):
            del message["metadata"]
        if "blocks" not in content:
            message["edited"] = {"user": self.app.bot_user_id, "ts": f"{self.clock():.6f}"}
        return message

    def own_message(self, channel: Channel, ts: object, otherwise: str) -> Json:
        """A message the app itself posted. Raises message_not_found, or `otherwise` when somebody else wrote it."""
        message = channel.messages.get(str(ts))
        if message is None:
            raise SlackError("message_not_found")
        if message.get("app_id") != self.app.app_id:
            raise SlackError(otherwise)
        return message

    def shown_to(self, user_id: str, channel: Channel, ts: str) -> Json | None:
        """What a person sees under that timestamp: a message, or one only they were shown."""
        own = [message for message in self.ephemerals.get(user_id, ()) if message["ts"] == ts and message["channel"] == channel.id]
        return own[0] if own else channel.messages.get(ts)

    def _message(self, channel: Channel, content: Mapping[str, object], thread_ts: str | None) -> Json:
        message: Json = {
            "type": "message",
            "user": self.app.bot_user_id,
            "bot_id": self.app.bot_id,
            "app_id": self.app.app_id,
            "team": self.team.id,
            "text": "",
            "ts": channel.next_ts(self.clock()),
        } | deepcopy(dict(content))
        if thread_ts:
            message["thread_ts"] = thread_ts
        return message
