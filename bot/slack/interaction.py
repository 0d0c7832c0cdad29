"""What Slack delivers when somebody presses a button or submits a form: who, where, and what our button or form carried.
Believes nothing of it, asks nobody, and knows no verb.

The forms of payloads: https://docs.slack.dev/reference/interaction-payloads
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

SUBJECT_MOST = 100
"""Characters; no id or name of ours is longer."""


class UnreadablePress(ValueError):
    """What was pressed is not one of our buttons as we make them."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """One press or submission. `action` is our action_id or callback_id, `told` what it carried; `channel` and `ts` are the message's.

    `key` names this one press for ever: the same payload delivered again has the same key. `view_id` is set for what happened in a modal,
    `inputs` for a form, `seen` is the message as Slack showed it.
    """

    action: str
    told: Mapping[str, Any]
    user: str
    team: str
    channel: str
    ts: str
    trigger_id: str
    key: str
    response_url: str = ""
    view_id: str = ""
    seen: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def verb(self) -> str:
        """The last part of our id."""
        return self.action.rpartition(":")[2]

    @property
    def subject(self) -> str:
        """The case, or whatever else it is about."""
        return str(self.told.get("c") or self.told.get("s") or "")[:SUBJECT_MOST]

    @property
    def scope(self) -> str:
        """Who pressed, for the inbox."""
        return f"{self.team}/{self.user}"

    def beside_the_message(self) -> "Interaction":
        """The same once its modal is gone: what is told now stands beside the message."""
        return replace(self, view_id="")


def read_button(payload: Mapping[str, Any]) -> Interaction:
    """A `block_actions` payload of a button or a menu on a message or in a modal. Raises UnreadablePress."""
    try:
        action, container, view = payload["actions"][0], payload["container"], payload.get("view") or {}
        told = _told(action["value"] if "value" in action else action["selected_option"]["value"])
        if view:  # in a modal there is no message: the button carries where the modal was opened
            channel, ts, place = str(told.get("ch") or ""), str(told.get("ts") or ""), str(view["id"])
        else:
            channel, ts = str(container.get("channel_id") or ""), str(container.get("message_ts") or "")
            place = f"{channel}+{ts}"
        return Interaction(
            action=str(action["action_id"]),
            told=told,
            channel=channel,
            ts=ts,
            key=f"{place}+{action['action_ts']}",
            response_url=str(payload.get("response_url") or ""),
            view_id=str(view.get("id") or ""),
            seen=payload.get("message") or {},
            **_who(payload),
        )
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise UnreadablePress(UnreadablePress.__doc__) from error


def read_form(payload: Mapping[str, Any]) -> Interaction:
    """A `view_submission` payload. Raises UnreadablePress.

    Its key holds the trigger, not only view id and hash: after an error the same form is submitted again, and that is another press.
    """
    try:
        view = payload["view"]
        told = _told(view["private_metadata"])
        return Interaction(
            action=str(view["callback_id"]),
            told=told,
            channel=str(told["ch"]),
            ts=str(told["ts"]),
            key=f"{view['id']}+{view['hash']}+{payload['trigger_id']}",
            view_id=str(view["id"]),
            inputs=view["state"]["values"],
            **_who(payload),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UnreadablePress(UnreadablePress.__doc__) from error


def _who(payload: Mapping[str, Any]) -> dict[str, Any]:
    team = payload["team"].get("id") if payload.get("team") else payload["user"].get("team_id")
    return {"user": str(payload["user"]["id"]), "team": str(team or ""), "trigger_id": str(payload.get("trigger_id") or "")}


def _told(text: str) -> dict[str, Any]:
    told = json.loads(text)
    if not isinstance(told, dict):
        raise UnreadablePress(UnreadablePress.__doc__)
    return told
