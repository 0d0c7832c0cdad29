"""What Slack delivers when somebody presses a button or submits a form, read into one value. Believes nothing of it and asks nobody.

The forms of payloads: https://docs.slack.dev/reference/interaction-payloads
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.slack.cards.forms.modals import Seat
from routing.vocabulary import Verb

PREFIX = "tierline:"


class UnreadablePress(ValueError):
    """What was pressed is not one of our buttons as we make them."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """One press. `face`, `tier` (0-based) and `cut` as the button said; `channel` and `ts` of the card; `seen` the message.

    `key` names this one press for ever: the same payload delivered again has the same key. `view_id` is set for what happened in a modal.
    """

    verb: Verb
    case_id: str
    face: str
    tier: int
    cut: bool
    user: str
    team: str
    channel: str
    ts: str
    trigger_id: str
    key: str
    response_url: str = ""
    view_id: str = ""
    page: int = 0
    shown_change: str = ""
    seen: Mapping[str, Any] = field(default_factory=dict)

    @property
    def scope(self) -> str:
        """Who pressed, for the inbox."""
        return f"{self.team}/{self.user}"

    @property
    def seat(self) -> Seat:
        """Where a modal that belongs to this press sits."""
        return Seat(self.channel, self.ts, self.cut)


def read_press(payload: Mapping[str, Any]) -> Pressed:
    """A `block_actions` payload of a button or a menu on a card, or of a button in the evidence modal. Raises UnreadablePress."""
    try:
        action = payload["actions"][0]
        container = payload["container"]
        view = payload.get("view") or {}
        told = _told(action["value"] if "value" in action else action["selected_option"]["value"])
        channel = str(told.get("ch") or container.get("channel_id") or "")
        ts = str(told.get("ts") or container.get("message_ts") or "")
        place = f"{view['id']}" if view else f"{channel}+{ts}"
        return _pressed(
            str(action["action_id"]),
            told,
            payload,
            channel=channel,
            ts=ts,
            key=f"{place}+{action['action_ts']}",
            response_url=str(payload.get("response_url") or ""),
            view_id=str(view.get("id") or ""),
            seen=payload.get("message") or {},
        )
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise UnreadablePress(UnreadablePress.__doc__) from error


def read_form(payload: Mapping[str, Any]) -> tuple[Pressed, Mapping[str, Any]]:
    """A `view_submission` payload: the press and the state of its inputs. Raises UnreadablePress.

    Its key holds the trigger, not only view id and hash: after an error the same form is submitted again, and that is another press.
    """
    try:
        view = payload["view"]
        told = _told(view["private_metadata"])
        pressed = _pressed(
            str(view["callback_id"]),
            told,
            payload,
            channel=str(told["ch"]),
            ts=str(told["ts"]),
            key=f"{view['id']}+{view['hash']}+{payload['trigger_id']}",
            view_id=str(view["id"]),
        )
        return pressed, view["state"]["values"]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UnreadablePress(UnreadablePress.__doc__) from error


def _pressed(identifier: str, told: Mapping[str, Any], payload: Mapping[str, Any], **rest: Any) -> Pressed:
    return Pressed(
        verb=Verb(identifier.removeprefix(PREFIX)),
        case_id=str(told["c"]),
        face=str(told["f"]),
        tier=int(told["t"]),
        cut=bool(told["cut"]),
        page=int(told.get("p", 0)),
        shown_change=str(told.get("d", "")),
        user=str(payload["user"]["id"]),
        team=str((payload.get("team") or payload["user"]).get("id" if payload.get("team") else "team_id") or ""),
        trigger_id=str(payload.get("trigger_id") or ""),
        **rest,
    )


def _told(text: str) -> dict[str, Any]:
    told = json.loads(text)
    if not isinstance(told, dict):
        raise UnreadablePress(UnreadablePress.__doc__)
    return told
