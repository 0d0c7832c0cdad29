"""What Slack delivers when somebody presses a button about more than one case or submits its form, read into one value. Believes nothing of
it and asks nobody.

The forms of payloads: https://docs.slack.dev/reference/interaction-payloads
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.slack.actions.payload import UnreadablePress
from bot.slack.cards.bulletins.governance_buttons import PREFIX
from routing.authority import GovernanceVerb

SUBJECT_MOST = 100


@dataclass(frozen=True, slots=True)
class GovernancePressed:
    """One press. `subject`, `number` and `figure` as the button said; `channel` and `ts` of the message; `seen` the message itself.

    `key` names this one press for ever: the same payload delivered again has the same key. `view_id` is set for a form.
    """

    verb: GovernanceVerb
    subject: str
    number: int
    figure: int
    user: str
    team: str
    channel: str
    ts: str
    trigger_id: str
    key: str
    response_url: str = ""
    view_id: str = ""
    seen: Mapping[str, Any] = field(default_factory=dict)

    @property
    def case_id(self) -> str:
        """What it is about, as logs name it."""
        return self.subject


def read_governance_press(payload: Mapping[str, Any]) -> GovernancePressed:
    """A `block_actions` payload of a button on a bulletin. Raises UnreadablePress."""
    try:
        action, container = payload["actions"][0], payload["container"]
        channel, ts = str(container.get("channel_id") or ""), str(container.get("message_ts") or "")
        return _pressed(
            str(action["action_id"]),
            json.loads(action["value"]),
            payload,
            channel=channel,
            ts=ts,
            key=f"{channel}+{ts}+{action['action_ts']}",
            response_url=str(payload.get("response_url") or ""),
            seen=payload.get("message") or {},
        )
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise UnreadablePress(UnreadablePress.__doc__) from error


def read_governance_form(payload: Mapping[str, Any]) -> tuple[GovernancePressed, str]:
    """A `view_submission` payload: the press and the reason that was typed. Raises UnreadablePress."""
    try:
        view = payload["view"]
        told = json.loads(view["private_metadata"])
        pressed = _pressed(
            str(view["callback_id"]),
            told,
            payload,
            channel=str(told["ch"]),
            ts=str(told["ts"]),
            key=f"{view['id']}+{view['hash']}+{payload['trigger_id']}",
            view_id=str(view["id"]),
        )
        return pressed, str(view["state"]["values"]["text"]["value"].get("value") or "")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UnreadablePress(UnreadablePress.__doc__) from error


def metadata(pressed: GovernancePressed) -> str:
    """What the form of a press carries."""
    told = {"s": pressed.subject, "r": pressed.number, "n": pressed.figure, "ch": pressed.channel, "ts": pressed.ts}
    return json.dumps(told, separators=(",", ":"))


def _pressed(identifier: str, told: Mapping[str, Any], payload: Mapping[str, Any], **rest: Any) -> GovernancePressed:
    return GovernancePressed(
        verb=GovernanceVerb(identifier.removeprefix(PREFIX)),
        subject=str(told["s"])[:SUBJECT_MOST],
        number=int(told["r"]),
        figure=int(told.get("n", 0)),
        user=str(payload["user"]["id"]),
        team=str((payload.get("team") or payload["user"]).get("id" if payload.get("team") else "team_id") or ""),
        trigger_id=str(payload.get("trigger_id") or ""),
        **rest,
    )
