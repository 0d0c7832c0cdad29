"""What of a case can be changed, value by value: the parameters of its action as the policy's schema has them, else as they are, and what
the model pre-filled. Owns which values there are, in which order, by which names; `inputs` beside it draws and reads them.

Objects are taken apart into their values down to `DEPTH`; what is masked or locked is named and has no field.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from bot.slack.cards.parts.checklist import confirming
from bot.slack.cards.parts.proposed_action import proposed_params
from bot.slack.cards.text.safe_text import deceptive, exact, head, weight
from bot.slack.cards.view import View
from routing.canonical import digest
from routing.policy.params_outline import ANYTHING, Outline, Outliner
from routing.review.modification import locked_paths
from routing.strict_json import pointer

DEPTH = 3
"""Objects inside of objects that are taken apart; what is deeper is typed as JSON."""

LABEL_MOST = 80
_BLOCK_ID_MOST = 255
_AMOUNT = re.compile(r"-?[0-9]+\.[0-9]+")

Path = tuple[str, ...]


class Absent:
    """In the place of a value where there is none; null is a value."""

    def __repr__(self) -> str:
        """As it is read in a failing test."""
        return "ABSENT"


ABSENT: Final = Absent()


@dataclass(frozen=True, slots=True)
class Field:
    """One value that a person can change.

    `path` leads to it below the parameters or the pre-filled fields; `value` is what stands there, ABSENT where nothing does; `required`:
    it cannot be left out; `labels` are the names of what it is in and its own, `about` the schema's sentence on it; `now` is what holds
    before the action and `proposed` what the service proposed.
    """

    part: Literal["params", "prefill"]
    path: Path
    value: Any
    outline: Outline = ANYTHING
    required: bool = True
    labels: tuple[str, ...] = ()
    abouts: tuple[str, ...] = ()
    now: Any = ABSENT
    proposed: Any = ABSENT

    @property
    def block_id(self) -> str:
        """`param:<JSON pointer>` or `prefill:<name>`."""
        return f"param:{pointer(*self.path)}" if self.part == "params" else f"prefill:{self.path[0]}"

    @property
    def label(self) -> str:
        """Its own name."""
        return self.labels[-1]

    @property
    def full_label(self) -> str:
        """Its name with the names of what it is in: `Shipping, Street`."""
        return _cut(", ".join(self.labels), 2 * LABEL_MOST)


@dataclass(frozen=True, slots=True)
class Fields:
    """Everything of a case: what can be changed, in order, and the names of what stays as it is because it is `locked` or `masked`."""

    open: tuple[Field, ...]
    locked: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()


def fields_of(view: View) -> Fields:
    """The fields of a case at its present step: in triage those that the model pre-filled only."""
    whole = view.original or view.submission
    found = _Search(view)
    if not confirming(view.case):
        schema = view.workflow.action_schemas.get(view.submission.action.type) if view.workflow is not None else None
        outliner = Outliner(schema) if schema is not None else None
        outline = outliner.of(schema) if outliner is not None else ANYTHING
        top = _Place((), view.submission.action.params or {}, whole.action.params or {}, outline, outliner, required=True)
        params = sorted(found.inside(top), key=lambda field: _rank(view, field))
    else:
        params = []
    prefill = [
        Field("prefill", (name,), value, labels=(f"{_name(name).capitalize()} (filled in by the model)",), proposed=value)
        for name, value in view.submission.prefilled.items()
        if value is not None and _same(value, whole.prefilled.get(name))
    ]
    shown = view.submission.prefilled
    hidden = [_name(name).capitalize() for name, value in shown.items() if not _same(value, whole.prefilled.get(name))]
    return Fields((*params, *prefill), tuple(found.locked), (*found.masked, *hidden))


@dataclass(frozen=True, slots=True)
class _Place:
    """An object of the parameters, as it is shown and as it really is."""

    path: Path
    shown: Mapping[str, Any]
    whole: Mapping[str, Any]
    outline: Outline
    outliner: Outliner | None
    required: bool
    labels: tuple[str, ...] = ()
    abouts: tuple[str, ...] = ()


class _Search:
    """Goes through the parameters of one case, and notes what cannot be changed."""

    def __init__(self, view: View) -> None:
        self.locked: list[str] = []
        self.masked: list[str] = []
        self._locks = locked_paths(view.workflow)
        self._before = view.submission.action.before or {}
        self._proposed = proposed_params(view)

    def inside(self, place: _Place) -> Iterator[Field]:
        """The fields of an object: first what its schema names, in that order, then whatever else stands there."""
        known = place.outline.inner if place.outline.kind == "object" else {}
        for name in dict.fromkeys((*known, *place.shown)):
            yield from self._field(place, name, known)

    def _field(self, place: _Place, name: str, known: Mapping[str, Any]) -> Iterator[Field]:
        path = (*place.path, name)
        inner = place.outliner.of(known[name]) if place.outliner is not None and name in known else ANYTHING
        shown, whole = place.shown.get(name, ABSENT), place.whole.get(name, ABSENT)
        labels = (*place.labels, _cut(exact(inner.title), LABEL_MOST) or _name(name))
        if path in self._locks:
            if shown is not ABSENT:
                self.locked.append(", ".join(labels))
            return
        needed = name in place.outline.needed if place.outliner is not None and place.outline.kind == "object" else True
        required = place.required and needed
        if _taken_apart(path, inner, shown, schema=place.outliner is not None) and (isinstance(whole, Mapping) or whole is ABSENT):
            here = shown if isinstance(shown, Mapping) else {}
            really = whole if isinstance(whole, Mapping) else {}
            outliner = place.outliner if inner.kind == "object" else None
            demanded = required or isinstance(shown, Mapping)
            yield from self.inside(_Place(path, here, really, inner, outliner, demanded, labels, (*place.abouts, inner.about)))
        elif not _same(shown, whole):
            self.masked.append(", ".join(labels))
        else:
            beside = {"now": _at(self._before, path), "proposed": _at(self._proposed, path)}
            yield Field("params", path, shown, inner, required, labels, (*place.abouts, inner.about), **beside)


def _taken_apart(path: Path, outline: Outline, value: object, *, schema: bool) -> bool:
    """Whether a value is asked for piece by piece: an object that the schema describes or, where there is none, that is one."""
    if len(path) > DEPTH or not (isinstance(value, Mapping) or value is ABSENT):
        return False
    if outline.kind == "object":
        return not outline.nullable
    return not schema and isinstance(value, Mapping) and bool(value)


def _rank(view: View, field: Field) -> int:
    """What the action changes comes first, then what looks like an amount, what is not there yet last; a vault keeps no order."""
    action, name = view.submission.action, field.path[0]
    old, new = (action.before or {}).get(name), (action.params or {}).get(name, ABSENT)
    if action.before is not None and new is not ABSENT and not _same(old, new):
        return 0
    if new is ABSENT:
        return 3
    return 1 if isinstance(new, str) and _AMOUNT.fullmatch(new) is not None else 2


def changed_params(params: Mapping[str, Any], changes: Mapping[Path, Any]) -> dict[str, Any]:
    """The parameters with some values changed, added, or left out (ABSENT); nothing else in them moves."""
    found = dict(params)
    for path, value in changes.items():
        _put(found, path, value)
    return found


def _put(holder: dict[str, Any], path: Path, value: Any) -> None:  # noqa: ANN401  # any JSON value
    name, rest = path[0], path[1:]
    if rest:
        inner = holder.get(name)
        inside = dict(inner) if isinstance(inner, Mapping) else {}
        _put(inside, rest, value)
        holder[name] = inside
    elif value is ABSENT:
        holder.pop(name, None)
    else:
        holder[name] = value


def fits(field: Field) -> bool:
    """Whether Slack can hold the name of its input, and nobody is deceived by it."""
    return len(field.block_id) <= _BLOCK_ID_MOST and not any(map(deceptive, field.path))


def _at(holder: Mapping[str, Any], path: Path) -> Any:  # noqa: ANN401  # whatever stands there
    found: Any = holder
    for name in path:
        if not isinstance(found, Mapping) or name not in found:
            return ABSENT
        found = found[name]
    return found


def _same(one: object, other: object) -> bool:
    """Compared as JSON, which tells 1 from true."""
    if isinstance(one, Absent) or isinstance(other, Absent):
        return one is other
    return digest([one]) == digest([other])


def _name(key: str) -> str:
    """A name that the service gave, as it is."""
    return _cut(exact(key), LABEL_MOST) or "(empty name)"


def _cut(text: str, most: int) -> str:
    return text if weight(text) <= most else head(text, most - 1) + "…"
