"""What one person sees of Slack: sidebar, channel, thread, Home, modal, as plain values for the templates.

Reads the workspace; sends nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from jinja2 import Environment

from bot.sandbox.page.blocks import Drawing
from bot.sandbox.page.names import Reader
from bot.sandbox.page.seat import HOME, Marks, Seat
from bot.sandbox.slack.conversations import Channel
from bot.sandbox.slack.people import User
from bot.sandbox.slack.slack import Slack

PREVIEWED = 12  # lines of a file
SHOWN = 100  # messages drawn; who needs more reads the history by API

LANGUAGES = {"en-US": "English", "de-DE": "Deutsch"}

Json = dict[str, Any]


class SlackScene:
    """One person's view at one moment."""

    def __init__(self, slack: Slack, seat: Seat, marks: Marks, environment: Environment) -> None:
        self._slack = slack
        self._workspace = slack.workspace
        self._seat = seat
        self._marks = marks
        self.me: User = slack.workspace.user(seat.user)
        self.team = slack.workspace.team.name
        self.reader = Reader(slack.workspace, self.me)
        people = [(user.id, user.real_name) for user in slack.workspace.users.values() if not user.deleted]
        channels = [(channel.id, "#" + channel.name) for channel in self._joined()]
        self.ui = Drawing(environment, self.reader, people, channels, reader=self.me.id)
        if self._place is not None:
            marks.read(self.me.id, self._place)
            if seat.thread in self._place.messages:
                marks.read_thread(self.me.id, self._place, seat.thread)

    # Sidebar

    @property
    def people(self) -> list[Json]:
        """Everybody one can be, with what is special about them."""
        return [
            {"id": user.id, "real_name": user.real_name, "note": _standing(user)}
            for user in self._workspace.users.values()
            if not user.is_bot
        ]

    @property
    def languages(self) -> dict[str, str]:
        """The languages one can set Slack to, by locale."""
        return LANGUAGES

    @property
    def channels(self) -> list[Json]:
        """The channels this person is in."""
        return [
            {
                "id": channel.id,
                "name": channel.name,
                "private": channel.is_private,
                "unread": self._marks.unread(self.me.id, channel),
                "active": channel is self._place,
            }
            for channel in self._joined()
        ]

    @property
    def apps(self) -> list[Json]:
        """The app's Home tab and its direct messages."""
        if self.me.deleted:
            return []
        app = self._workspace.users[self._workspace.app.bot_user_id].real_name
        direct = self._workspace.direct(self.me.id)
        unread = self._marks.unread(self.me.id, direct)
        return [
            {"id": HOME, "tab": "home", "name": f"{app} · Home", "sigil": "⌂", "unread": 0, "active": self._seat.channel == HOME},
            {
                "id": direct.id,
                "tab": "messages",
                "name": f"{app} · Messages",
                "sigil": "✉",
                "unread": unread,
                "active": direct is self._place,
            },
        ]

    @property
    def unread(self) -> int:
        """How many new messages there are in all, elsewhere."""
        return sum(int(place["unread"]) for place in (*self.channels, *self.apps))

    # The middle

    @property
    def heading(self) -> str:
        """The title of the middle."""
        if self._place is None:
            return "Home" if self._seat.channel == HOME else self.team
        return "Messages from the app" if self._place.im_with else "#" + self._place.name

    @property
    def subheading(self) -> str:
        """The line under it."""
        if self._place is None:
            return f"What the app shows {self.me.real_name} alone" if self._seat.channel == HOME else ""
        if self._place.im_with:
            return "Only you and the app read this"
        people = [self._workspace.users[member].real_name for member in self._place.members if member in self._workspace.users]
        return f"{len(people)} members: {', '.join(people)}"

    @property
    def days(self) -> list[tuple[str, list[Json]]]:
        """The messages of the channel, by day."""
        if self._place is None:
            return []
        alone = [message for message in self._whispers() if "thread_ts" not in message]
        messages = sorted([*self._place.top_level(), *alone], key=lambda message: str(message["ts"]))[-SHOWN:]
        dated = groupby(messages, key=lambda message: self.reader.day(float(message["ts"])))
        return [(day, [self._message(message) for message in found]) for day, found in dated]

    @property
    def first_new(self) -> str:
        """The message above which a line says that what follows is new; empty where there is none."""
        stopped = self._marks.stopped(self.me.id)
        if self._place is None or not stopped:
            return ""
        return next((m["ts"] for m in self._place.top_level() if m["ts"] > stopped and m.get("user") != self.me.id), "")

    @property
    def earlier(self) -> int:
        """How many older messages are not drawn."""
        return max(0, len(self._place.top_level()) - SHOWN) if self._place else 0

    @property
    def place_problem(self) -> str | None:
        """What went wrong with the last slash command here."""
        return self._marks.problem(self.me.id, self._place.id) if self._place else None

    @property
    def home(self) -> Json | None:
        """The Home tab, when it is looked at."""
        if self._seat.channel != HOME:
            return None
        view = self._slack.home(self.me.id)
        if view is None:
            return {"id": "", "drawn": "", "problem": None}
        return {"id": view["id"], "drawn": self.ui.blocks(view["blocks"]), "problem": self._marks.problem(self.me.id, view["id"])}

    @property
    def thread(self) -> list[Json] | None:
        """The open thread, parent first."""
        if self._place is None or self._seat.thread not in self._place.messages:
            return None
        alone = [message for message in self._whispers() if message.get("thread_ts") == self._seat.thread]
        parent, *replies = self._place.replies(self._seat.thread)
        return [self._message(message) for message in (parent, *sorted([*replies, *alone], key=lambda message: str(message["ts"])))]

    def find_card(self, channel: str, words: str) -> str:
        """The newest message of a channel with these words in it, whoever may see it; empty where there is none."""
        place = self._workspace.channels.get(channel)
        found = [message["ts"] for message in place.top_level() if words in json.dumps(message, ensure_ascii=False)] if place else []
        return str(found[-1]) if found else ""

    # The modal

    @property
    def view(self) -> Json | None:
        """The modal this person has open."""
        view = self._slack.open_view(self.me.id)
        if view is None:
            return None
        return {
            "id": view["id"],
            "hash": view["hash"],
            "title": (view["title"] or {}).get("text", ""),
            "close": (view["close"] or {}).get("text", ""),
            "submit": (view["submit"] or {}).get("text", ""),
            "drawn": self.ui.blocks(view["blocks"], self._marks.errors(view["id"])),
            "problem": self._marks.problem(self.me.id, view["id"]),
        }

    # Inside

    @property
    def _place(self) -> Channel | None:
        if self.me.deleted or self._seat.channel == HOME:
            return None
        return self._workspace.channels.get(self._seat.channel)

    def _joined(self) -> list[Channel]:
        if self.me.deleted:
            return []
        return [
            channel
            for channel in self._workspace.channels.values()
            if self.me.id in channel.members and not channel.is_archived and not channel.im_with
        ]

    def _new_replies(self, message: Mapping[str, Any]) -> int:
        if self._place is None or message["ts"] not in self._place.messages:  # what only they were shown has no thread
            return 0
        return self._marks.new_replies(self.me.id, self._place, str(message["ts"]))

    def _file(self, file_id: str) -> Json:
        file = self._slack.files.file(file_id)
        content = file.content if file else None
        if file is None or content is None:
            raise KeyError(file_id)
        lines = content.decode(errors="replace").splitlines() if b"\0" not in content else []
        preview = "\n".join(lines[:PREVIEWED])
        return {
            "id": file_id,
            "title": file.title,
            "name": file.name,
            "size": len(content),
            "preview": preview,
            "more": len(lines) > PREVIEWED,
        }

    def _whispers(self) -> list[Json]:
        place = self._place
        return [message for message in self._slack.ephemerals(self.me.id) if place is not None and message["channel"] == place.id]

    def _message(self, message: Mapping[str, Any]) -> Json:
        author = self._workspace.users.get(str(message.get("user")))
        return {
            "ts": message["ts"],
            "thread": message.get("thread_ts", message["ts"]),
            "author": message.get("username") or (author.real_name if author else "Slackbot"),
            "is_app": bool(message.get("bot_id")),
            "time": self.reader.time(float(message["ts"])),
            "edited": "edited" in message,
            "ephemeral": bool(message.get("is_ephemeral")),
            "deleted": message.get("subtype") == "tombstone",
            "replies": message.get("reply_count", 0),
            "new_replies": self._new_replies(message),
            "drawn": self.ui.message(message),
            "files": [self._file(file["id"]) for file in message.get("files") or ()],
            "shortcuts": () if message.get("is_ephemeral") or message.get("subtype") else self._slack.config.shortcuts,
            "problem": self._marks.problem(self.me.id, str(message["ts"])),
        }


def _standing(user: User) -> str:
    if user.deleted:
        return "deactivated"
    if user.is_stranger:
        return "another workspace"
    return "guest" if user.is_restricted or user.is_ultra_restricted else ""
