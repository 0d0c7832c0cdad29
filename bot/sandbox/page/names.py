"""What ids are called for one reader, and in which time zone they read. Looks things up; changes nothing."""

from __future__ import annotations

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from bot.sandbox.slack.people import User
from bot.sandbox.slack.workspace import Workspace


class Reader:
    """A person in front of the page; satisfies `text.Names`."""

    def __init__(self, workspace: Workspace, person: User) -> None:
        self.person = person
        self.timezone: tzinfo = ZoneInfo(person.tz)
        self.now = workspace.clock()
        self._workspace = workspace

    def user(self, user_id: str) -> str | None:
        """The name people see."""
        user = self._workspace.users.get(user_id)
        return user.real_name if user else None

    def channel(self, channel_id: str) -> str | None:
        """A channel's name; a private one only for its members."""
        channel = self._workspace.channels.get(channel_id)
        if channel is None or (channel.is_private and self.person.id not in channel.members):
            return None
        return channel.name

    def group(self, group_id: str) -> str | None:
        """A group's handle."""
        group = self._workspace.groups.get(group_id)
        return group.handle if group else None

    def time(self, at: float) -> str:
        """The time of day."""
        return datetime.fromtimestamp(at, self.timezone).strftime("%H:%M")

    def day(self, at: float) -> str:
        """The date a line of messages begins with."""
        return datetime.fromtimestamp(at, self.timezone).strftime("%A, %B %-d")
