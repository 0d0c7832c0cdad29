"""The payloads Slack sends an app, field by field, from what a person did. Pure; shapes held to Slack's published samples (java-slack-sdk
json-logs, docs.slack.dev).
"""

from __future__ import annotations

from copy import deepcopy
from uuid import uuid4

from bot.sandbox.slack.config import SlackConfig
from bot.sandbox.slack.conversations import Channel
from bot.sandbox.slack.errors import Json
from bot.sandbox.slack.people import User


class Payloads:
    """Those of one installation."""

    def __init__(self, config: SlackConfig) -> None:
        self._team = config.team
        self._app = config.app

    def message_action(
        self, user: User, channel: Channel, message: Json, *, action: Json, state: Json, trigger_id: str, response_url: str
    ) -> Json:
        """block_actions from a message; an ephemeral one does not carry its message."""
        ephemeral = bool(message.get("is_ephemeral"))
        container: Json = {"type": "message", "message_ts": message["ts"], "channel_id": channel.id, "is_ephemeral": ephemeral}
        if "thread_ts" in message:
            container["thread_ts"] = message["thread_ts"]
        return self._action(user, container, action, state, trigger_id) | {
            "channel": {"id": channel.id, "name": _name(channel)},
            **({} if ephemeral else {"message": deepcopy(message)}),
            "response_url": response_url,
        }

    def message_shortcut(
        self, user: User, channel: Channel, message: Json, callback_id: str, *, at: float, trigger_id: str, response_url: str
    ) -> Json:
        """message_action: a shortcut of a message. It names no app: callback_id has to be enough."""
        payload = self._who("message_action", user)
        del payload["api_app_id"]
        return payload | {
            "callback_id": callback_id,
            "trigger_id": trigger_id,
            "response_url": response_url,
            "message_ts": message["ts"],
            "message": deepcopy(message),
            "channel": {"id": channel.id, "name": _name(channel)},
            "action_ts": f"{at:.6f}",
        }

    def view_action(self, user: User, view: Json, action: Json, state: Json, trigger_id: str) -> Json:
        """block_actions from a modal or the Home tab; the state is inside the view."""
        payload = self._action(user, {"type": "view", "view_id": view["id"]}, action, state, trigger_id)
        del payload["state"]
        return payload | {"view": deepcopy(view) | {"state": {"values": state}}}

    def view_submission(self, user: User, view: Json, state: Json, trigger_id: str) -> Json:
        """view_submission."""
        return self._who("view_submission", user) | {
            "trigger_id": trigger_id,
            "view": deepcopy(view) | {"state": {"values": state}},
            "response_urls": [],
        }

    def view_closed(self, user: User, view: Json, *, is_cleared: bool) -> Json:
        """view_closed."""
        return self._who("view_closed", user) | {"view": deepcopy(view), "is_cleared": is_cleared}

    def slash_command(self, user: User, channel: Channel, command: str, text: str, *, trigger_id: str, response_url: str) -> Json:
        """A slash command's form fields."""
        return {
            "token": self._app.verification_token,
            "team_id": self._team.id,
            "team_domain": self._team.domain,
            "channel_id": channel.id,
            "channel_name": _name(channel),
            "user_id": user.id,
            "user_name": user.name,
            "command": command,
            "text": text,
            "api_app_id": self._app.app_id,
            "is_enterprise_install": "false",
            "response_url": response_url,
            "trigger_id": trigger_id,
        }

    def app_home_opened(self, user: User, direct: Channel, view: Json | None, at: float, tab: str = "home") -> Json:
        """An app_home_opened event in its Events API envelope."""
        event: Json = {"type": "app_home_opened", "user": user.id, "channel": direct.id, "tab": tab, "event_ts": f"{at:.6f}"}
        if view is not None:
            event["view"] = deepcopy(view)
        return self.event(event, at)

    def event(self, event: Json, at: float) -> Json:
        """An event in its Events API envelope."""
        return {
            "token": self._app.verification_token,
            "team_id": self._team.id,
            "api_app_id": self._app.app_id,
            "event": {"event_ts": f"{at:.6f}", **event},
            "type": "event_callback",
            "event_id": "Ev0" + uuid4().hex[:8].upper(),
            "event_time": int(at),
            "event_context": f"4-{uuid4().hex}",
            "is_ext_shared_channel": False,
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": self._team.id,
                    "user_id": self._app.bot_user_id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
        }

    def _action(self, user: User, container: Json, action: Json, state: Json, trigger_id: str) -> Json:
        return self._who("block_actions", user) | {
            "container": container,
            "trigger_id": trigger_id,
            "state": {"values": state},
            "actions": [action],
        }

    def _who(self, kind: str, user: User) -> Json:
        return {
            "type": kind,
            "team": {"id": self._team.id, "domain": self._team.domain},
            "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
            "api_app_id": self._app.app_id,
            "token": self._app.verification_token,
            "enterprise": None,
            "is_enterprise_install": False,
        }


def action_of(block: Json, element: Json, chosen: Json, action_ts: str) -> Json:
    """One entry of `actions`: the element as shown, without its options, and what was chosen."""
    hidden = {"options", "option_groups", "confirm", "focus_on_load", "initial_value", "positive_button", "negative_button"}
    shown = {key: deepcopy(value) for key, value in element.items() if key not in hidden}
    return shown | {"block_id": block["block_id"], "action_ts": action_ts} | chosen


def _name(channel: Channel) -> str:
    if channel.im_with:
        return "directmessage"
    return "privategroup" if channel.is_private else channel.name
