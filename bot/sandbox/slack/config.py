"""What an installation of the app in a workspace is made of: the team, the app's identity and secrets, Slack's limits. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.sandbox.slack.people import Group, User

SCOPES = frozenset(
    {
        "channels:history",
        "channels:join",
        "channels:read",
        "chat:write",
        "commands",
        "groups:history",
        "groups:read",
        "im:history",
        "im:write",
        "team:read",
        "usergroups:read",
        "users:read",
        "users:read.email",
    }
)

EVENTS = frozenset(
    {
        "app_home_opened",
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
    }
)
"""Types of events that the app asked for. https://docs.slack.dev/reference/events"""

# https://docs.slack.dev/apis/web-api/rate-limits: calls a minute that Slack grants at least, by method
PER_MINUTE: Mapping[str, int] = {
    "apps.connections.open": 1000,  # unlisted; never the limit in practice
    "chat.delete": 50,
    "chat.postEphemeral": 100,
    "chat.postMessage": 300,  # "several hundred messages per minute" in a workspace, besides one a second in a channel
    "chat.update": 50,
    "conversations.history": 50,
    "conversations.info": 50,
    "conversations.join": 50,
    "conversations.list": 20,
    "conversations.members": 100,
    "conversations.replies": 50,
    "files.completeUploadExternal": 100,
    "files.getUploadURLExternal": 100,
    "files.info": 100,
    "team.info": 50,
    "usergroups.list": 20,
    "usergroups.users.list": 20,
    "users.info": 100,
    "users.lookupByEmail": 50,
    "users.profile.get": 100,
    "views.open": 100,
    "views.publish": 100,
    "views.push": 100,
    "views.update": 100,
}


TRIGGER_S = 3.0  # docs.slack.dev/interactivity/handling-user-interaction: "expire 3 seconds after being issued"


@dataclass(frozen=True, slots=True)
class Team:
    """A workspace."""

    id: str
    name: str
    domain: str


@dataclass(frozen=True, slots=True)
class AppIdentity:
    """The installed app: its ids, tokens and secrets. `bot_user_id` is also a person in `users`."""

    app_id: str
    bot_id: str
    bot_user_id: str
    bot_token: str = field(repr=False)
    app_token: str = field(repr=False)
    signing_secret: str = field(repr=False)
    verification_token: str = field(repr=False)
    scopes: frozenset[str] = SCOPES


@dataclass(frozen=True, slots=True)
class Shortcut:
    """An entry that the app adds to the menu of every message (features.shortcuts of its manifest, `type: message`)."""

    name: str
    callback_id: str


@dataclass(frozen=True, slots=True)
class ChannelSeed:
    """A channel to begin with. `members` are user ids; the bot is one of them or it cannot post."""

    id: str
    name: str
    members: tuple[str, ...]
    is_private: bool = False
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class SlackConfig:
    """One workspace with the app installed.

    `burst`: messages a channel takes at once before the pace of one a second holds. `per_minute`: calls a method grants in a minute
    ({}: no limit). `ack_timeout_s`: real seconds an app has to acknowledge (Slack: 3); None, as long as it takes: a slow machine is no slow
    app. `trigger_s`: how long a trigger_id is good, by the sandbox's clock.
    """

    team: Team
    app: AppIdentity
    users: tuple[User, ...]
    groups: tuple[Group, ...]
    channels: tuple[ChannelSeed, ...]
    burst: int = 1
    per_minute: Mapping[str, int] = field(default_factory=lambda: dict(PER_MINUTE))
    ack_timeout_s: float | None = None
    trigger_s: float = TRIGGER_S
    events: frozenset[str] = EVENTS
    shortcuts: tuple[Shortcut, ...] = ()
