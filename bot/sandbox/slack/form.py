"""What a person fills in: the state of a surface's inputs, with the client's own rules (offered options, required, lengths). Pure; sends
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from bot.sandbox.slack.errors import ClientError, Json
from bot.sandbox.slack.limits_elements import NUMBER, offered_options

# element type -> (field of the state, field of the initial value); the state fields are those of view.state.values
_ONE = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
}
_FREE = frozenset({"external_select", "multi_external_select"})


def elements(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Every (block, element) a person can act on, in order."""
    for block in blocks:
        for element in (block.get("element"), block.get("accessory"), *(block.get("elements") or [])):
            if isinstance(element, dict) and "action_id" in element:
                yield block, element


def state_of(blocks: list[Json], values: Mapping[str, object]) -> Json:
    """`state.values` of stored blocks: initial values, then `values` by block id.

    A value is plain (a text, an option's value, a list of those), or `{action_id: plain}`, or `{action_id: {"type": …}}` as Slack
    has it. Raises ClientError for what the client does not show.
    """
    given = dict(values)
    state: Json = {}
    for block, element in elements(blocks):
        if element["type"] not in _ONE:
            continue
        block_id, action_id = block["block_id"], element["action_id"]
        field, initial = _ONE[element["type"]]
        chosen = element.get(initial, [] if field.endswith("s") else None)
        if block_id in given:
            value = given[block_id]
            if not isinstance(value, dict):
                chosen = _chosen(element, value)
            elif action_id in value:
                chosen = _chosen(element, value[action_id])
        state.setdefault(block_id, {})[action_id] = {"type": element["type"], field: chosen}
    for block_id, value in given.items():
        unknown = block_id not in state or (isinstance(value, dict) and value.keys() - state[block_id].keys())
        if unknown:
            raise ClientError(f"there is no input {block_id!r} {list(value) if isinstance(value, dict) else ''}; there are {sorted(state)}")
    return state


def require_complete(blocks: list[Json], state: Json) -> None:
    """Raise ClientError where the client would mark a field instead of sending: required and empty, too short, too long, no such number."""
    for block in blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        value = state[block["block_id"]][element["action_id"]][_ONE[element["type"]][0]]
        if not value and not block.get("optional"):
            raise ClientError(f"input {block['block_id']!r} is required")
        if isinstance(value, str) and value:
            if len(value) < element.get("min_length", 0):
                raise ClientError(f"input {block['block_id']!r} needs at least {element['min_length']} characters")
            if len(value) > element.get("max_length", 3000):
                raise ClientError(f"input {block['block_id']!r} takes at most {element.get('max_length', 3000)} characters")
            if element["type"] == "number_input" and not _is_number_for(element, value):
                raise ClientError(f"input {block['block_id']!r} does not take the number {value!r}")


def _is_number_for(element: Json, value: str) -> bool:
    if not NUMBER.fullmatch(value) or ("." in value and not element["is_decimal_allowed"]):
        return False
    least, most = element.get("min_value", value), element.get("max_value", value)
    return Decimal(least) <= Decimal(value) <= Decimal(most)


def selection(element: Json, value: object) -> Json:
    """The fields a `block_actions` action carries for what was chosen; a button carries its value."""
    kind = element["type"]
    if kind in ("button", "icon_button"):
        return {"value": element["value"]} if "value" in element else {}
    if kind == "feedback_buttons":
        chosen = [element[name] for name in ("positive_button", "negative_button") if element[name]["value"] == value]
        if not chosen:
            raise ClientError(f"{value!r} is neither of the two buttons of {element['action_id']!r}")
        return {"value": value, "text": chosen[0]["text"]}
    if kind == "overflow":
        return {"selected_option": _option(element, value)}
    if kind not in _ONE:
        return {}
    return {_ONE[kind][0]: _chosen(element, value)}


def _chosen(element: Json, value: object) -> object:
    field = _ONE[element["type"]][0]
    if isinstance(value, dict) and field in value:
        return value[field]
    if field == "selected_option":
        return None if value is None else _option(element, value)
    if field == "selected_options":
        wanted = [value] if isinstance(value, str) else value
        return [_option(element, item) for item in wanted] if isinstance(wanted, list | tuple) else []
    return list(value) if isinstance(value, tuple) else value


def _option(element: Json, value: object) -> Json:
    for option in offered_options(element):
        if value in (option.get("value"), option):
            return option
    if element["type"] in _FREE and isinstance(value, dict):
        return value
    raise ClientError(f"{value!r} is not offered; there are {[option.get('value') for option in offered_options(element)]}")
