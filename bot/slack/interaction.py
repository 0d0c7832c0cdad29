"""What Slack delivers when somebody presses a button or submits a form: who, where, and what our button or form carried.
Believes nothing of it, asks nobody, and knows no verb.

The forms of payloads: https://docs.slack.dev/reference/interaction-payloads
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

SUBJECT_MOST = 100
"""Characters; no id or name of ours is longer."""

ID_MOST = 255
"""Characters; no id of Slack's is longer, and the database would not take one as a key."""

_UNFIT = re.compile(r"[\0\ud800-\udfff]")
"""What JSON can say and no database keeps: NUL, and halves of characters."""


class UnreadablePress(ValueError):
    """What was pressed is not one of our buttons as we make them."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """One press or submission. `action` is our action_id or callback_id, `told` what it carried; `channel` and `ts` are the message's.

    `key` names this one press for ever: the same payload delivered again has the same key. `view_id` is set for what happened in a modal,
    `inputs` for a form that was sent, `typed` for a button in a modal: what stood in its inputs then. `home` for what happened on a Home
    tab, `seen` is the message as Slack showed it.
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
    home: bool = False
    typed: Mapping[str, Any] = field(default_factory=dict)

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
    """A `block_actions` payload of a button or a menu on a message, in a modal or on a Home tab. Raises
    UnreadablePress.
    """
    try:
        payload = _fit(payload)
        action, container, view = payload["actions"][0], payload["container"], payload.get("view") or {}
        told = _told(action["value"] if "value" in action else action["selected_option"]["value"])
        at_home = view.get("type") == "home"
        if view:  # in a modal and on a Home tab there is no message: the button carries which is meant
            channel, ts, place = _id(told.get("ch")), _id(told.get("ts")), _id(view["id"])
        else:
            channel, ts = _id(container.get("channel_id")), _id(container.get("message_ts"))
            place = f"{channel}+{ts}"
        return Interaction(
            action=str(action["action_id"]),
            told=told,
            channel=channel,
            ts=ts,
            key=f"{place}+{_id(action['action_ts'])}",
            response_url=_text(payload.get("response_url")),
            view_id="" if at_home else _id(view.get("id")),
            home=at_home,
            seen=_message(payload.get("message")),
            typed=_inputs((view.get("state") or {}).get("values") or {}),
            **_who(payload),
        )
    except _MISSHAPEN as error:
        raise UnreadablePress(UnreadablePress.__doc__) from error


def read_shortcut(payload: Mapping[str, Any]) -> Interaction:
    """A `message_action` payload: a shortcut in the menu of a message. Raises UnreadablePress."""
    try:
        payload = _fit(payload)
        channel, ts = _id(payload["channel"]["id"]), _id(payload["message_ts"])
        return Interaction(
            action=str(payload["callback_id"]),
            told={},
            channel=channel,
            ts=ts,
            key=f"{channel}+{ts}+{_id(payload['trigger_id'])}",
            response_url=_text(payload.get("response_url")),
            seen=_message(payload.get("message")),
            **_who(payload),
        )
    except _MISSHAPEN as error:
        raise UnreadablePress(UnreadablePress.__doc__) from error


def read_form(payload: Mapping[str, Any]) -> Interaction:
    """A `view_submission` payload. Raises UnreadablePress.

    Its key holds the trigger, not only view id and hash: after an error the same form is submitted again, and that is another press.
    """
    try:
        payload = _fit(payload)
        view = payload["view"]
        told = _told(view["private_metadata"])
        return Interaction(
            action=str(view["callback_id"]),
            told=told,
            channel=_id(told["ch"]),
            ts=_id(told["ts"]),
            key=f"{_id(view['id'])}+{_id(view['hash'])}+{_id(payload['trigger_id'])}",
            view_id=_id(view["id"]),
            inputs=_inputs(view["state"]["values"]),
            **_who(payload),
        )
    except _MISSHAPEN as error:
        raise UnreadablePress(UnreadablePress.__doc__) from error


_MISSHAPEN = (KeyError, IndexError, TypeError, AttributeError, ValueError, OverflowError, RecursionError)
"""What reading raises where something is missing, or of another kind than Slack's reference says."""


def _who(payload: Mapping[str, Any]) -> dict[str, Any]:
    team = payload["team"].get("id") if payload.get("team") else payload["user"].get("team_id")
    return {"user": _id(payload["user"]["id"]), "team": _id(team), "trigger_id": _id(payload.get("trigger_id"))}


def _told(text: str) -> dict[str, Any]:
    told = _fit(json.loads(text))
    if not isinstance(told, dict):
        raise UnreadablePress(UnreadablePress.__doc__)
    return told


def _fit(value: Any) -> Any:  # noqa: ANN401 - JSON
    """The same JSON in texts that a database keeps."""
    match value:
        case str():
            return _UNFIT.sub("\ufffd", value)
        case dict():
            return {_fit(name): _fit(item) for name, item in value.items()}
        case list():
            return [_fit(item) for item in value]
        case _:
            return value


def _id(value: object) -> str:
    """An id, a time or a name of Slack's, "" where there is none."""
    text = _text(value)
    if len(text) > ID_MOST:
        raise UnreadablePress(UnreadablePress.__doc__)
    return text


def _text(value: object) -> str:
    if value is not None and not isinstance(value, str):
        raise UnreadablePress(UnreadablePress.__doc__)
    return value or ""


def _message(message: Any) -> Mapping[str, Any]:  # noqa: ANN401 - JSON
    """The message as Slack showed it, "metadata" of the form {"event_type", "event_payload": {…}} or missing."""
    shown: dict[str, Any] = dict(message or {})
    mark = dict(shown.get("metadata") or {})
    return {**shown, "metadata": {**mark, "event_payload": dict(mark.get("event_payload") or {})}}


def _inputs(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """`{block_id: {"value": element state}}`, where a text, a number and a chosen option are texts."""
    return {
        block_id: {**elements, "value": _state(elements["value"])} if "value" in elements else {} for block_id, elements in values.items()
    }


def _state(state: Any) -> dict[str, Any] | None:  # noqa: ANN401 - JSON
    if state is None:
        return None
    option = dict(state.get("selected_option") or {})
    return {**state, "value": _text(state.get("value")), "selected_option": {**option, "value": _text(option.get("value"))}}
