"""One conversation and its messages: timestamps, threads, pages of history. Owns the order; it never checks who asks."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

from bot.sandbox.slack.errors import Json, SlackError

TIMESTAMP = re.compile(r"\d{1,12}(\.\d{1,6})?")


@dataclass(slots=True)
class Channel:
    """A channel, or with `im_with` a direct message. `members`: user ids. `messages`: by timestamp, oldest first."""

    id: str
    name: str
    members: list[str]
    is_private: bool = False
    is_archived: bool = False
    im_with: str = ""
    created_at: int = 1_700_000_000
    messages: dict[str, Json] = field(default_factory=dict)
    previous_names: list[str] = field(default_factory=list)
    _last_microsecond: int = 0

    def next_ts(self, now: float) -> str:
        """A timestamp nobody in this conversation has had, never going back."""
        self._last_microsecond = max(round(now * 1_000_000), self._last_microsecond + 1)
        return f"{self._last_microsecond // 1_000_000}.{self._last_microsecond % 1_000_000:06d}"

    def add(self, message: Json) -> None:
        """Keep a message (its `ts` from `next_ts`); a reply counts on its parent."""
        self.messages[message["ts"]] = message
        self._recount(message.get("thread_ts"))

    def remove(self, ts: str) -> None:
        """Delete a message; a parent with replies leaves a tombstone, as in Slack."""
        message = self.messages.pop(ts)
        if message.get("reply_count"):
            kept = ("ts", "thread_ts", "reply_count", "reply_users", "reply_users_count", "latest_reply")
            self.messages[ts] = {key: message[key] for key in kept} | {
                "type": "message",
                "subtype": "tombstone",
                "hidden": True,
                "user": "USLACKBOT",
                "text": "This message was deleted.",
            }
            self.messages = dict(sorted(self.messages.items()))
        self._recount(message.get("thread_ts"))

    def _recount(self, thread_ts: str | None) -> None:
        parent = self.messages.get(thread_ts or "")
        if parent is None or thread_ts is None:
            return
        replies = self.replies(thread_ts)[1:]
        users = list(dict.fromkeys(reply["user"] for reply in replies))
        if replies:
            parent |= {
                "thread_ts": thread_ts,
                "reply_count": len(replies),
                "reply_users": users,
                "reply_users_count": len(users),
                "latest_reply": replies[-1]["ts"],
            }

    def top_level(self) -> list[Json]:
        """What the channel shows, oldest first: no replies, save those also sent to the channel."""
        return [
            message
            for message in self.messages.values()
            if message.get("thread_ts", message["ts"]) == message["ts"] or message.get("subtype") == "thread_broadcast"
        ]

    def replies(self, thread_ts: str) -> list[Json]:
        """The parent and its replies, oldest first; only the message itself when it is no parent; empty when there is none."""
        if thread_ts not in self.messages:
            return []
        return [message for message in self.messages.values() if message["ts"] == thread_ts or message.get("thread_ts") == thread_ts]

    def json(self, bot_user_id: str, *, with_count: bool = False) -> Json:
        """The `channel` object of conversations.info."""
        if self.im_with:
            return {"id": self.id, "created": self.created_at, "is_im": True, "is_archived": False, "user": self.im_with}
        empty = {"value": "", "creator": "", "last_set": 0}
        channel: Json = {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": not self.is_private,
            "is_group": self.is_private,
            "is_im": False,
            "is_mpim": False,
            "is_private": self.is_private,
            "is_archived": self.is_archived,
            "is_general": False,
            "is_shared": False,
            "is_ext_shared": False,
            "is_org_shared": False,
            "is_pending_ext_shared": False,
            "is_member": bot_user_id in self.members,
            "created": self.created_at,
            "updated": self.created_at * 1000,
            "creator": "U0ADMIN0001",
            "unlinked": 0,
            "shared_team_ids": [],
            "pending_shared": [],
            "pending_connected_team_ids": [],
            "previous_names": list(self.previous_names),
            "topic": empty,
            "purpose": empty,
        }
        return channel | {"num_members": len(self.members)} if with_count else channel


def window(messages: list[Json], args: Json, *, newest_first: bool, most: int = 999) -> Json:
    """One page of `messages` (oldest first) by oldest, latest, inclusive, limit, cursor, as conversations.history and .replies give it.

    Bounds are exclusive unless `inclusive`. Metadata is left out unless `include_all_metadata`. Raises SlackError.
    """
    oldest, latest = _bound(args, "oldest"), _bound(args, "latest")
    inclusive = truth(args.get("inclusive"))
    chosen = [
        message
        for message in messages
        if (oldest is None or oldest < micro(message["ts"]) or (inclusive and oldest == micro(message["ts"])))
        and (latest is None or micro(message["ts"]) < latest or (inclusive and latest == micro(message["ts"])))
    ]
    if newest_first:
        chosen.reverse()
    page = paged(chosen, args, most)
    hidden = () if truth(args.get("include_all_metadata")) else ("metadata",)
    shown = [{key: value for key, value in message.items() if key not in hidden} for message in page.items]
    return {"messages": shown, "has_more": bool(page.next_cursor), "response_metadata": {"next_cursor": page.next_cursor}}


@dataclass(frozen=True, slots=True)
class Page:
    """Some items and the cursor of the next page (empty: the last one)."""

    items: list[Json]
    next_cursor: str


def paged(items: list[Json], args: Json, most: int = 1000) -> Page:
    """A page by `limit` (100 when not given) and `cursor`, which names the first item of the page. Raises SlackError invalid_cursor."""
    limit = number(args.get("limit"), 100)
    if not 0 < limit <= most:
        raise SlackError("invalid_limit")
    keys = [str(item.get("ts", item.get("id"))) for item in items]
    start = 0
    if cursor := args.get("cursor"):
        try:
            start = keys.index(base64.b64decode(str(cursor), validate=True).decode().removeprefix("next:"))
        except (binascii.Error, UnicodeDecodeError, ValueError) as error:
            raise SlackError("invalid_cursor") from error
    more = keys[start + limit : start + limit + 1]
    return Page(items[start : start + limit], base64.b64encode(f"next:{more[0]}".encode()).decode() if more else "")


def truth(value: object) -> bool:
    """A boolean argument as Slack takes it from JSON, forms and query strings."""
    return str(value).lower() in ("true", "1")


def number(value: object, default: int) -> int:
    """An integer argument; raises SlackError invalid_arguments."""
    if value in (None, ""):
        return default
    try:
        return int(str(value))
    except ValueError as error:
        raise SlackError("invalid_arguments") from error


def micro(ts: str) -> int:
    """A timestamp in microseconds."""
    seconds, _, rest = ts.partition(".")
    return int(seconds) * 1_000_000 + int(rest.ljust(6, "0") or 0)


def _bound(args: Json, name: str) -> int | None:
    value = args.get(name)
    if value in (None, "", 0, "0"):
        return None
    if not TIMESTAMP.fullmatch(str(value)):
        raise SlackError(f"invalid_ts_{name}")
    return micro(str(value))
