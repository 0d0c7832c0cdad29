"""Triggers, modals and App Home as Slack keeps them: a stack of at most three views a person, hashes against races, triggers good for one
use within three seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from uuid import uuid4

from bot.sandbox.slack.config import SlackConfig
from bot.sandbox.slack.errors import Json, SlackError
from bot.sandbox.slack.stored_blocks import store_blocks

STACK = 3  # docs.slack.dev/surfaces/modals: "up to 3 views at a time"
_TRIGGER = re.compile(r"\d+\.\d+\.[0-9a-f]+")


@dataclass(slots=True)
class Trigger:
    """A permission to open a view for a person; `from_view`: it came out of a modal, so it may push."""

    user_id: str
    issued_at: float
    from_view: bool
    used: bool = False


class Modals:
    """Every view that is open or published. `clock`: unix seconds."""

    def __init__(self, config: SlackConfig, clock: Callable[[], float]) -> None:
        self._config = config
        self._clock = clock
        self._triggers: dict[str, Trigger] = {}
        self._stacks: dict[str, list[Json]] = {}
        self._homes: dict[str, Json] = {}

    def issue_trigger(self, user_id: str, *, from_view: bool = False) -> str:
        """A fresh trigger_id."""
        trigger_id = f"{int(self._clock() * 1000)}.{len(self._triggers) + 1}.{uuid4().hex}"
        self._triggers[trigger_id] = Trigger(user_id, self._clock(), from_view)
        return trigger_id

    def top(self, user_id: str) -> Json | None:
        """The modal this person sees now."""
        stack = self._stacks.get(user_id)
        return stack[-1] if stack else None

    def home(self, user_id: str) -> Json | None:
        """The Home tab published for this person."""
        return self._homes.get(user_id)

    def find(self, view_id: str, user_id: str) -> Json | None:
        """A view this person has open, or their Home tab."""
        candidates = [*self._stacks.get(user_id, ()), *([self._homes[user_id]] if user_id in self._homes else [])]
        return next((view for view in candidates if view["id"] == view_id), None)

    def open(self, trigger_id: object, view: Json) -> Json:
        """Open a modal in place of whatever the person had open. Raises SlackError."""
        trigger = self._check(trigger_id)
        self._require_unused(view)
        trigger.used = True
        opened = self._stored(view, None, None)
        self._stacks[trigger.user_id] = [opened]
        return opened

    def push(self, trigger_id: object, view: Json) -> Json:
        """Open a modal on top. Raises SlackError: not_found without one below, push_limit_reached above three."""
        trigger = self._check(trigger_id)
        stack = self._stacks.get(trigger.user_id, [])
        if not stack or not trigger.from_view:
            raise SlackError("not_found")
        self._require_unused(view)
        pushed = self.push_for(trigger.user_id, view)
        trigger.used = True
        return pushed

    def push_for(self, user_id: str, view: Json) -> Json:
        """Push without a trigger, as the answer `response_action: push` does."""
        stack = self._stacks.get(user_id, [])
        if not stack:
            raise SlackError("not_found")
        if len(stack) >= STACK:
            raise SlackError("push_limit_reached")
        pushed = self._stored(view, stack[0]["root_view_id"], stack[-1]["id"])
        stack.append(pushed)
        return pushed

    def update(self, view: Json, view_id: object = None, external_id: object = None, seen_hash: object = None) -> Json:
        """Replace an open view in place. Raises SlackError not_found, hash_conflict."""
        for stack in self._stacks.values():
            for place, old in enumerate(stack):
                if (view_id and old["id"] == view_id) or (not view_id and external_id and old["external_id"] == external_id):
                    if seen_hash and seen_hash != old["hash"]:
                        raise SlackError("hash_conflict")
                    self._require_unused(view, besides=old["id"])
                    new = self._stored(view, old["root_view_id"], old["previous_view_id"], old["id"])
                    stack[place] = new
                    return new
        raise SlackError("not_found")

    def publish(self, user_id: str, view: Json, seen_hash: object = None) -> Json:
        """Show a Home tab to a person. Raises SlackError hash_conflict."""
        old = self._homes.get(user_id)
        if old is not None and seen_hash and seen_hash != old["hash"]:
            raise SlackError("hash_conflict")
        self._require_unused(view, besides=old["id"] if old else None)
        self._homes[user_id] = self._stored(view, None, None, old["id"] if old else None)
        return self._homes[user_id]

    def close(self, user_id: str, *, everything: bool = False) -> list[Json]:
        """Close the view on top, or the whole stack. Returns what was closed, topmost first."""
        stack = self._stacks.get(user_id, [])
        closed = stack[::-1] if everything else stack[-1:]
        del stack[len(stack) - len(closed) :]
        return closed

    def submitted(self, user_id: str, view_id: str) -> None:
        """Close a view whose submission was acknowledged with nothing more."""
        stack = self._stacks.get(user_id, [])
        stack[:] = [view for view in stack if view["id"] != view_id]

    def _check(self, trigger_id: object) -> Trigger:
        if not isinstance(trigger_id, str) or not trigger_id:
            raise SlackError("invalid_arguments", ["missing required field: trigger_id [json-pointer:/trigger_id]"])
        trigger = self._triggers.get(trigger_id)
        if trigger is None or not _TRIGGER.fullmatch(trigger_id):
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if self._clock() - trigger.issued_at > self._config.trigger_s:
            raise SlackError("expired_trigger_id")
        return trigger

    def _require_unused(self, view: Json, besides: object = None) -> None:
        external_id = view.get("external_id")
        views = [*(view for stack in self._stacks.values() for view in stack), *self._homes.values()]
        if external_id and any(other["external_id"] == external_id and other["id"] != besides for other in views):
            raise SlackError("duplicate_external_id")

    def _stored(self, view: Json, root_view_id: object, previous_view_id: object, view_id: object = None) -> Json:
        new_id = view_id or "V0" + uuid4().hex[:9].upper()
        blocks = store_blocks(deepcopy(view["blocks"]))
        title: Json = {name: _text(view.get(name)) for name in ("title", "close", "submit")}
        return {
            "id": new_id,
            "team_id": self._config.team.id,
            "type": view["type"],
            "blocks": blocks,
            "private_metadata": view.get("private_metadata", ""),
            "callback_id": view.get("callback_id", ""),
            "state": {"values": {}},
            "hash": f"{int(self._clock())}.{uuid4().hex[:8]}",
            **title,
            "clear_on_close": bool(view.get("clear_on_close", False)),
            "notify_on_close": bool(view.get("notify_on_close", False)),
            "submit_disabled": False,
            "root_view_id": root_view_id or new_id,
            "previous_view_id": previous_view_id,
            "app_id": self._config.app.app_id,
            "external_id": view.get("external_id", ""),
            "app_installed_team_id": self._config.team.id,
            "bot_id": self._config.app.bot_id,
        }


def _text(text: object) -> Json | None:
    return {"emoji": True, **text} if isinstance(text, dict) else None
