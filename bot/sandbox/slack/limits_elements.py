"""The limits of Block Kit's parts: text objects, buttons, menus, options, inputs, confirm dialogs. Pure; see `limits` for sources."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from bot.sandbox.slack.errors import Json
from bot.sandbox.slack.limits_fields import CONFIRM, FEEDBACK, OPTION, OPTION_GROUP, field_errors

_SELECTS = frozenset(f"{kind}_select" for kind in ("static", "external", "users", "conversations", "channels"))
_MULTI = frozenset(f"multi_{kind}" for kind in _SELECTS)
_CHOICES = frozenset({"checkboxes", "radio_buttons", "datepicker", "timepicker"})
SECTION = _SELECTS | _MULTI | _CHOICES | {"button", "image", "overflow", "workflow_button"}
ACTIONS = _SELECTS | _MULTI | _CHOICES | {"button", "datetimepicker", "overflow", "rich_text_input", "workflow_button"}
INPUT = (
    _SELECTS
    | _MULTI
    | _CHOICES
    | {"datetimepicker", "email_text_input", "file_input", "number_input", "plain_text_input", "rich_text_input", "url_text_input"}
)
CONTEXT = frozenset({"image", "mrkdwn", "plain_text"})
CONTEXT_ACTIONS = frozenset({"feedback_buttons", "icon_button"})
ICONS = ("trash",)
NUMBER = re.compile(r"-?\d+(\.\d+)?")
DATE, TIME = re.compile(r"\d{4}-\d{2}-\d{2}"), re.compile(r"([01]\d|2[0-3]):[0-5]\d")

_OPTION_COUNT = {"overflow": 5, "checkboxes": 10, "radio_buttons": 10, "static_select": 100, "multi_static_select": 100}
_RICH_OPTIONS = frozenset({"checkboxes", "radio_buttons"})  # the only options whose text may be mrkdwn
_CONFIRM = {"title": 100, "text": 300, "confirm": 30, "deny": 30}


def text_errors(text: object, at: str, most: int, *, plain: bool = False) -> Iterator[str]:
    """Everything wrong with a text object of at most `most` characters; `plain`: mrkdwn is not allowed."""
    if not isinstance(text, dict):
        yield f"missing required field: {at.rsplit('/', 1)[-1]} [json-pointer:{at.rsplit('/', 1)[0]}]"
        return
    kinds = ("plain_text",) if plain else ("plain_text", "mrkdwn")
    if text.get("type") not in kinds:
        yield f"unsupported type: {text.get('type')} [json-pointer:{at}/type]"
    else:
        yield from field_errors(text, at)
    yield from _length(text.get("text"), f"{at}/text", most)


def id_errors(node: Json, at: str, name: str) -> Iterator[str]:
    """A block_id or action_id has at most 255 characters."""
    if name in node:
        yield from _length(node[name], f"{at}/{name}", 255)


def element_errors(element: Json, at: str) -> Iterator[str]:
    """Everything wrong with one block element (or an image block, or a context's text)."""
    yield from id_errors(element, at, "action_id")
    if "confirm" in element:
        yield from _confirm_errors(element["confirm"], f"{at}/confirm")
    if element.get("placeholder") is not None:
        yield from text_errors(element["placeholder"], f"{at}/placeholder", 150, plain=True)
    if check := _CHECKS.get(str(element.get("type"))):
        yield from check(element, at)


def _words_errors(text: Json, at: str) -> Iterator[str]:
    yield from _length(text.get("text"), f"{at}/text", 3000)


def _image_errors(image: Json, at: str) -> Iterator[str]:
    yield from _length(image.get("alt_text"), f"{at}/alt_text", 2000)
    if not image.get("image_url") and not image.get("slack_file"):
        yield f"missing required field: image_url [json-pointer:{at}]"


def _icon_errors(button: Json, at: str) -> Iterator[str]:
    yield from _button_errors(button, at)
    if button.get("icon") not in ICONS:
        yield f"must be one of {', '.join(ICONS)} [json-pointer:{at}/icon]"


def _button_errors(button: Json, at: str) -> Iterator[str]:
    yield from text_errors(button.get("text"), f"{at}/text", 75, plain=True)
    if "value" in button:
        yield from _length(button["value"], f"{at}/value", 2000, least=0)
    if "url" in button:
        yield from _length(button["url"], f"{at}/url", 3000)
    if "style" in button and button["style"] not in ("primary", "danger"):
        yield f"must be one of primary, danger [json-pointer:{at}/style]"
    if "accessibility_label" in button:
        yield from _length(button["accessibility_label"], f"{at}/accessibility_label", 75)


def _feedback_errors(element: Json, at: str) -> Iterator[str]:
    for name in ("positive_button", "negative_button"):
        button = element.get(name)
        if not isinstance(button, dict):
            yield f"missing required field: {name} [json-pointer:{at}]"
            continue
        yield from field_errors(button, f"{at}/{name}", FEEDBACK)
        yield from _button_errors({"value": None, **button}, f"{at}/{name}")


def _menu_errors(menu: Json, at: str) -> Iterator[str]:
    kind = menu["type"]
    groups = menu.get("option_groups")
    if groups is None:
        yield from _options_errors(menu.get("options"), f"{at}/options", kind, _OPTION_COUNT[kind])
    elif not isinstance(groups, list) or not 0 < len(groups) <= 100 or "options" in menu:
        yield f"no more than 100 items allowed, and no options besides [json-pointer:{at}/option_groups]"
    else:
        for i, group in enumerate(groups):
            if not isinstance(group, dict):
                yield f"must be an object [json-pointer:{at}/option_groups/{i}]"
                continue
            yield from field_errors(group, f"{at}/option_groups/{i}", OPTION_GROUP)
            yield from text_errors(group.get("label"), f"{at}/option_groups/{i}/label", 75, plain=True)
            yield from _options_errors(group.get("options"), f"{at}/option_groups/{i}/options", kind, 100)
    initial = menu.get("initial_options") or [option for option in (menu.get("initial_option"),) if option]
    offered = offered_options(menu)
    for option in initial if isinstance(initial, list) else [initial]:
        if option not in offered:
            yield f"initial option is none of the options [json-pointer:{at}]"


def offered_options(menu: Json) -> list[Json]:
    """All options of a menu, grouped or not."""
    holders = [menu, *_list(menu.get("option_groups"))]
    return [option for holder in holders if isinstance(holder, dict) for option in _list(holder.get("options")) if isinstance(option, dict)]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _options_errors(options: object, at: str, kind: str, most: int) -> Iterator[str]:
    if not isinstance(options, list) or not options:
        yield f"must be an array of at least 1 item [json-pointer:{at}]"
        return
    if len(options) > most:
        yield f"no more than {most} items allowed [json-pointer:{at}]"
    for i, option in enumerate(options):
        if not isinstance(option, dict):
            yield f"must be an object [json-pointer:{at}/{i}]"
            continue
        yield from field_errors(option, f"{at}/{i}", OPTION | {"url"} if kind == "overflow" else OPTION)
        yield from text_errors(option.get("text"), f"{at}/{i}/text", 75, plain=kind not in _RICH_OPTIONS)
        yield from _length(option.get("value"), f"{at}/{i}/value", 150)
        if "url" in option and kind == "overflow":
            yield from _length(option["url"], f"{at}/{i}/url", 3000)
        if option.get("description") is not None:
            yield from text_errors(option["description"], f"{at}/{i}/description", 75, plain=kind not in _RICH_OPTIONS)


def _input_errors(element: Json, at: str) -> Iterator[str]:
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if not isinstance(least, int) or not 0 <= least <= 3000:
        yield f"must be between 0 and 3000 [json-pointer:{at}/min_length]"
    if not isinstance(most, int) or not 1 <= most <= 3000:
        yield f"must be between 1 and 3000 [json-pointer:{at}/max_length]"
    if "initial_value" in element:
        yield from _length(element["initial_value"], f"{at}/initial_value", most if isinstance(most, int) else 3000, least=0)


def _number_errors(element: Json, at: str) -> Iterator[str]:
    if not isinstance(element.get("is_decimal_allowed"), bool):
        yield f"missing required field: is_decimal_allowed [json-pointer:{at}]"
    for name in ("initial_value", "min_value", "max_value"):
        if name in element and not (isinstance(element[name], str) and NUMBER.fullmatch(element[name])):
            yield f"must be a number in a string [json-pointer:{at}/{name}]"


def _date_errors(element: Json, at: str) -> Iterator[str]:
    if "initial_date" in element and not DATE.fullmatch(str(element["initial_date"])):
        yield f"must be in the format YYYY-MM-DD [json-pointer:{at}/initial_date]"


def _time_errors(element: Json, at: str) -> Iterator[str]:
    if "initial_time" in element and not TIME.fullmatch(str(element["initial_time"])):
        yield f"must be in the format HH:mm [json-pointer:{at}/initial_time]"


def _confirm_errors(dialog: object, at: str) -> Iterator[str]:
    if not isinstance(dialog, dict):
        yield f"must be an object [json-pointer:{at}]"
        return
    yield from field_errors(dialog, at, CONFIRM)
    for name, most in _CONFIRM.items():
        yield from text_errors(dialog.get(name), f"{at}/{name}", most, plain=name != "text")


def _length(value: object, at: str, most: int, *, least: int = 1) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"missing required field: {at.rsplit('/', 1)[-1]} [json-pointer:{at.rsplit('/', 1)[0]}]"
    elif len(value) < least:
        yield f"must be more than {least - 1} characters [json-pointer:{at}]"
    elif len(value) > most:
        yield f"must be less than {most + 1} characters [json-pointer:{at}]"


_CHECKS: Mapping[str, Callable[[Json, str], Iterator[str]]] = {
    "button": _button_errors,
    "datepicker": _date_errors,
    "feedback_buttons": _feedback_errors,
    "icon_button": _icon_errors,
    "image": _image_errors,
    "mrkdwn": _words_errors,
    "number_input": _number_errors,
    "plain_text": _words_errors,
    "plain_text_input": _input_errors,
    "timepicker": _time_errors,
} | dict.fromkeys(_OPTION_COUNT, _menu_errors)
