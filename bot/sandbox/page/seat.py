"""Who sits at the page and where, how far they have read, and what Slack would tell them went wrong. Draws nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack.conversations import Channel
from bot.sandbox.slack.slack import Slack

HOME = "home"


@dataclass(frozen=True, slots=True)
class Seat:
    """Who sits at the page and what they look at. `channel`: an id or `home`; `thread`: the timestamp of a parent, or empty."""

    user: str
    channel: str
    thread: str = ""


class Marks:
    """What the page alone knows of a person: how far they have read, and what Slack would tell them went wrong."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, str], str] = {}
        self._came: dict[str, tuple[str, str, str]] = {}
        self._threads: dict[tuple[str, str, str], str] = {}
        self._problems: dict[tuple[str, str], str] = {}
        self._errors: dict[str, dict[str, str]] = {}

    def read(self, user: str, channel: Channel) -> None:
        """Everything in `channel` has been seen; where they had stopped before they came stays known while they are there."""
        newest = max(channel.messages, default="")
        if self._came.get(user, ("",))[0] != channel.id:
            self._came[user] = channel.id, self._read.get((user, channel.id), ""), newest
        self._read[user, channel.id] = newest

    def stopped(self, user: str) -> str:
        """The newest message they had seen before they came to where they are; empty: they had never been there."""
        return self._came.get(user, ("", "", ""))[1]

    def read_thread(self, user: str, channel: Channel, parent: str) -> None:
        """Every reply under a message has been seen."""
        self._threads[user, channel.id, parent] = channel.messages[parent].get("latest_reply", "")

    def new_replies(self, user: str, channel: Channel, parent: str) -> int:
        """How many replies of others came since they saw the thread; never seen, since they were last in the channel, or came there."""
        _, stopped, arrived = self._came.get(user, ("", "", ""))
        since = self._threads.get((user, channel.id, parent)) or stopped or arrived
        if channel.messages[parent].get("latest_reply", "") <= since:
            return 0
        return sum(reply["ts"] > since and reply.get("user") != user for reply in channel.replies(parent)[1:])

    def unread(self, user: str, channel: Channel) -> int:
        """How many messages of others are new."""
        last = self._read.get((user, channel.id), "")
        return sum(message["ts"] > last and message.get("user") != user for message in channel.top_level())

    def complain(self, user: str, where: str, problem: str | None) -> None:
        """Note what went wrong at a message, view or channel; None: all is well again."""
        if problem is None:
            self._problems.pop((user, where), None)
        else:
            self._problems[user, where] = problem

    def correct(self, view: str, errors: dict[str, str]) -> None:
        """What the app found wrong with the inputs of a modal, by block id."""
        self._errors[view] = errors

    def errors(self, view: str) -> dict[str, str]:
        """What is still wrong with them."""
        return self._errors.get(view, {})

    def problem(self, user: str, where: str) -> str | None:
        """What went wrong there last."""
        return self._problems.get((user, where))


def take_seat(slack: Slack, given: Mapping[str, Any]) -> Seat:
    """The seat asked for, as far as it can be had: an unknown person is the first one, a channel they are not in their first one."""
    users, channels = slack.workspace.users, slack.workspace.channels
    user = str(given.get("user") or "")
    if user not in users or users[user].is_bot:
        user = next(user.id for user in users.values() if not user.is_bot)
    wanted = str(given.get("channel") or "")
    if wanted == HOME or (wanted in channels and user in channels[wanted].members):
        return Seat(user, wanted, str(given.get("thread") or ""))
    joined = [channel.id for channel in channels.values() if user in channel.members and not channel.is_archived and not channel.im_with]
    return Seat(user, joined[0] if joined else HOME)
