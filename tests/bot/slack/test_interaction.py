"""What Slack delivers is read strictly: where a press was made is what Slack says, and what is none of our buttons is unreadable."""

import json
from typing import Any

import pytest

from bot.slack.actions.pressed import pressed_on_case
from bot.slack.governance.pressed import pressed_on_bulletin
from bot.slack.interaction import SUBJECT_MOST, UnreadablePress, read_button, read_form

CASE = {"c": "c_1", "f": "face", "t": 0, "cut": 0}
BULLETIN = {"s": "w_refunds", "r": 4}


def a_button(told: object, action_id: str, **more: Any) -> dict[str, Any]:
    """A `block_actions` payload."""
    return {
        "user": {"id": "U0ANNA", "team_id": "T0HOME"},
        "actions": [{"action_id": action_id, "value": json.dumps(told), "action_ts": "5.5"}],
        "container": {"channel_id": "C0HERE", "message_ts": "1.1"},
        **more,
    }


def a_form(told: object, callback_id: str, values: object) -> dict[str, Any]:
    """A `view_submission` payload."""
    view = {"id": "V1", "hash": "h", "callback_id": callback_id, "private_metadata": json.dumps(told), "state": {"values": values}}
    return {"user": {"id": "U0ANNA"}, "team": {"id": "T0HOME"}, "trigger_id": "t1", "view": view}


def test_a_press_was_made_where_slack_says() -> None:
    """What a button carries moves no press to another message; in a modal there is no message, so there it does."""
    elsewhere = {"ch": "C0OTHER", "ts": "9.9"}
    on_card = read_button(a_button(CASE | elsewhere, "tierline:approve"))
    assert (on_card.channel, on_card.ts, on_card.key, on_card.scope) == ("C0HERE", "1.1", "C0HERE+1.1+5.5", "T0HOME/U0ANNA")
    on_bulletin = pressed_on_bulletin(read_button(a_button(BULLETIN | elsewhere, "tierline:g:pause")))
    assert (on_bulletin.origin.channel, on_bulletin.origin.ts, on_bulletin.reason) == ("C0HERE", "1.1", "")
    in_modal = read_button(a_button(CASE | elsewhere, "tierline:open_evidence", view={"id": "V1"}))
    assert (in_modal.channel, in_modal.ts, in_modal.key, in_modal.view_id) == ("C0OTHER", "9.9", "V1+5.5", "V1")


@pytest.mark.parametrize(
    "told", [{}, [], "x", 7, None, CASE | {"t": float("inf")}, CASE | {"t": "first"}, {name: CASE[name] for name in ("c", "f", "t")}]
)
def test_what_is_no_press_on_a_case_is_unreadable(told: object) -> None:
    """Whatever a button carries, it is read or it is unreadable: nothing else is raised."""
    with pytest.raises(UnreadablePress):
        pressed_on_case(read_button(a_button(told, "tierline:approve")))


@pytest.mark.parametrize("told", [{}, [], None, BULLETIN | {"r": float("inf")}, BULLETIN | {"n": "many"}, {"s": "w_refunds"}])
def test_what_is_no_press_on_a_bulletin_is_unreadable(told: object) -> None:
    """The same for buttons about more than one case."""
    with pytest.raises(UnreadablePress):
        pressed_on_bulletin(read_button(a_button(told, "tierline:g:pause")))


@pytest.mark.parametrize("values", [None, {}, {"text": {}}, {"text": {"value": None}}])
def test_a_form_without_its_input_is_unreadable(values: object) -> None:
    """A decision about more than one case says why: a form that holds no such input is none of ours."""
    with pytest.raises(UnreadablePress):
        pressed_on_bulletin(read_form(a_form(BULLETIN | {"ch": "C0OPS", "ts": "1.2"}, "tierline:g:pause", values)))


def test_a_form_is_another_press_each_time_it_is_sent() -> None:
    """Its key holds the trigger; what was typed comes along, and an empty input is an empty reason."""
    values = {"text": {"value": {"type": "plain_text_input", "value": "Too many errors."}}}
    pressed = pressed_on_bulletin(read_form(a_form(BULLETIN | {"ch": "C0OPS", "ts": "1.2"}, "tierline:g:pause", values)))
    assert (pressed.reason, pressed.subject, pressed.number, pressed.origin.key) == ("Too many errors.", "w_refunds", 4, "V1+h+t1")
    empty = {"text": {"value": {"type": "plain_text_input", "value": None}}}
    assert pressed_on_bulletin(read_form(a_form(BULLETIN | {"ch": "C", "ts": "1"}, "tierline:g:pause", empty))).reason == ""


def test_a_name_that_is_none_is_cut_before_it_is_logged() -> None:
    """No id of ours is longer."""
    pressed = pressed_on_bulletin(read_button(a_button({"s": "x" * 300, "r": 0}, "tierline:g:pause")))
    assert len(pressed.subject) == len(pressed.origin.subject) == SUBJECT_MOST
