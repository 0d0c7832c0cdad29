"""What a menu of the form to change a case offers, and what each option stands for. Owns their keys and labels; draws nothing."""

from dataclasses import dataclass
from typing import Any

from bot.slack.cards.forms.fields import Absent, Field
from bot.slack.cards.parts.spelling import spelled
from bot.slack.cards.text.safe_text import exact, head, weight
from routing.canonical import digest
from routing.policy.params_outline import Choice

LEFT_OUT = "#none"
"""The option that stands for nothing, since a menu cannot be emptied."""

_OPTIONS_MOST, _OPTIONS_WEIGHT, _OPTION_MOST, _OPTION_VALUE_MOST = 100, 3_000, 75, 150

_YES_NO = {True: "Yes", False: "No"}


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a menu: what Slack sends back, what people read, what it stands for."""

    key: str
    label: str
    value: Any


def several(field: Field) -> bool:
    """Whether a field takes several of its choices."""
    return field.outline.kind == "choices"


def may_be_nothing(field: Field) -> bool:
    """Whether null, or no value at all, may stand there."""
    return field.outline.nullable or not field.required


def options_of(field: Field) -> list[Option]:
    """Everything that can be chosen: what is allowed, what stands there though it is not, and nothing where that is possible."""
    allowed = [*field.outline.choices] or [Choice(value=True), Choice(value=False)]
    known = {digest([one.value]) for one in allowed}
    there = field.value if isinstance(field.value, list | tuple) and several(field) else [field.value]
    strange = [Choice(one) for one in there if not isinstance(one, None | Absent) and digest([one]) not in known]
    found: dict[str, Option] = {}
    for number, one in enumerate((*allowed, *strange)):
        said = exact(one.title) or _YES_NO.get(one.value is True, "") if isinstance(one.value, bool) else exact(one.title)
        label = said or (exact(one.value) if isinstance(one.value, str) else spelled(one.value)) or "(empty text)"
        key = _key(one.value, number)
        key = f"#{number}" if key in found else key
        found[key] = Option(key, _short(label), one.value)
    if field.outline.kind != "choices" and may_be_nothing(field):
        found[LEFT_OUT] = Option(LEFT_OUT, "Nothing" if field.outline.nullable else "(left out)", None)
    return [*found.values()]


def _key(value: object, number: int) -> str:
    """What stands for a value in a menu: a text itself, anything else its JSON; a number where Slack could not hold that."""
    key = value if isinstance(value, str) else spelled(value)
    return key if 0 < len(key) <= _OPTION_VALUE_MOST and key.isprintable() and not key.startswith("#") else f"#{number}"


def key_of(field: Field, value: object) -> str:
    """What stands for a value in the menu of a field, "" where nothing does."""
    same = digest([value])
    return next((one.key for one in options_of(field) if one.key != LEFT_OUT and digest([one.value]) == same), "")


def named(field: Field, value: object) -> str:
    """A value as people know it: by the name that the schema has for it, yes or no, else as JSON."""
    if several(field) and isinstance(value, list | tuple) and value:
        return ", ".join(_named(field, one) for one in value)
    return _named(field, value)


def _named(field: Field, value: object) -> str:
    if isinstance(value, bool) and not any(one.title for one in field.outline.choices):
        return _YES_NO[value]
    same = digest([value])
    title = next((one.title for one in field.outline.choices if one.title and digest([one.value]) == same), "")
    return exact(title) or spelled(value)


def offerable(field: Field) -> bool:
    """Whether what can be chosen has room in a menu, and what stands there can be one of it."""
    there = field.value if several(field) and isinstance(field.value, list | tuple) else [field.value]
    if len(field.outline.choices) + len(there) >= _OPTIONS_MOST or any(isinstance(one, list | dict) for one in there):
        return False
    return sum(weight(one.label) for one in options_of(field)) <= _OPTIONS_WEIGHT


def different(value: object) -> bool:
    """Whether no value of a list stands in it twice, nor null."""
    items = value if isinstance(value, list | tuple) else []
    return len({digest([one]) for one in items}) == len(items) and None not in items


def _short(label: str) -> str:
    return label if weight(label) <= _OPTION_MOST else head(label, _OPTION_MOST - 1) + "…"
