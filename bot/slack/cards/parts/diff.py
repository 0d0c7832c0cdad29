"""The exact action to execute, and what it changes: before → after, changes first. Never rendered from what a model says of the action.

Values are spelled as JSON, so that a string cannot pass for a number or forge a line; characters that draw nothing are spelled out.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.slack.cards.text.block_kit import Block, typewriter
from bot.slack.cards.text.safe_text import Cuts, exact
from bot.slack.cards.view import View
from routing.case.action import Action
from routing.privacy.spans import HIDDEN
from routing.vocabulary import EventKind

_VALUE_MOST = 400
_PATH_MOST = 160
_TOTAL_MOST = 2_400
_ROWS_MOST = 40
_SHORT = 40
_TOGETHER_MOST = 240

_FIGURE = re.compile(r'(-?[0-9]{1,18}(?:\.[0-9]{1,9})?)|"(-?[0-9]{1,18}\.[0-9]{2,9})"')
"""A number, or a text that is a figure with decimals, as amounts are sent; other texts of digits are names of things."""


_MASKED = re.compile(rf'"{HIDDEN}(?: \([0-9]+\))?"')
"""A value that is masked entirely; the number tells two of them apart."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of the parameters: where it is (`flights[0].date`) and its JSON spelling."""

    path: str
    value: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What stands before and after, by path. `only_before` is state that the action does not name."""

    changed: tuple[tuple[Leaf, Leaf], ...] = ()
    new: tuple[Leaf, ...] = ()
    same: tuple[Leaf, ...] = ()
    only_before: tuple[Leaf, ...] = ()


def spelled(value: object) -> str:
    """One line of JSON in which every character can be seen."""
    return exact(json.dumps(value, ensure_ascii=False, separators=(", ", ": ")))


def leaves(value: object, path: str = "") -> tuple[Leaf, ...]:
    """Every scalar (and every empty list or object) under `value`, in the order of the document."""
    if isinstance(value, Mapping) and value:
        return tuple(leaf for key, inner in value.items() for leaf in leaves(inner, _joined(path, str(key))))
    if isinstance(value, list | tuple) and value:
        return tuple(leaf for position, inner in enumerate(value) for leaf in leaves(inner, f"{path}[{position}]"))
    return (Leaf(path, spelled(value)),)


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference:
    """Compare two sets of parameters leaf by leaf."""
    old = {leaf.path: leaf for leaf in _of(before)}
    new = {leaf.path: leaf for leaf in _of(after)}
    return Difference(
        changed=tuple((old[path], leaf) for path, leaf in new.items() if path in old and old[path].value != leaf.value),
        new=tuple(leaf for path, leaf in new.items() if path not in old),
        same=tuple(leaf for path, leaf in new.items() if path in old and old[path].value == leaf.value),
        only_before=tuple(leaf for path, leaf in old.items() if path not in new),
    )


def relative(old: Leaf, new: Leaf) -> str:
    """`(-91 %)`, with a minus sign of its own, for two figures, "" where that says nothing: one is no figure, or the old one is 0."""
    before, after = (_FIGURE.fullmatch(leaf.value) for leaf in (old, new))
    if before is None or after is None:
        return ""
    was, becomes = Decimal(before[1] or before[2]), Decimal(after[1] or after[2])
    if was == 0:
        return ""
    change = (becomes - was) / abs(was) * 100
    figure = f"{abs(change):,.0f}" if abs(change) >= 1 else f"{abs(change):.1g}"
    return f"({'+' if change > 0 else '−'}{figure} %)"  # noqa: RUF001  # a minus sign


def proposed_params(view: View) -> Mapping[str, Any]:
    """The parameters as the service last proposed them, whatever people have made of them since."""
    told = next((one for one in reversed(view.history) if one.kind is not EventKind.MODIFIED and "action" in one.opened), None)
    action = told.opened["action"] if told is not None else None
    params = action.get("params") if isinstance(action, Mapping) else (view.submission.action.params if told is None else None)
    return params if isinstance(params, Mapping) else {}


def legend(action: Action) -> str:
    """What the marks of `action_block` mean, only those that stand there."""
    if action.before is None:
        return ""
    found = difference(action.before, action.params or {})
    marks = (("~ changes", found.changed), ("+ new", found.new), ("= stays", found.same))
    return "   ".join(mark for mark, leaves_so_marked in marks if leaves_so_marked)


def action_block(action: Action, cuts: Cuts, most: int = _TOTAL_MOST) -> Block:
    """The parameters as they will be executed, as one preformatted part; with `before` given, changes first."""
    return typewriter(_within(_rows(action, cuts), cuts, most))


def change_block(before: Mapping[str, Any], after: Mapping[str, Any], cuts: Cuts, most: int = _TOTAL_MOST) -> Block:
    """A modification: what it changes, adds and leaves out."""
    found = difference(before, after)
    rows = [
        *(_change(old, new, cuts) for old, new in found.changed),
        *(f"+ {_row(leaf, cuts)}" for leaf in found.new),
        *(f"- {_row(leaf, cuts)}" for leaf in found.only_before),
    ]
    return typewriter(_within(rows or ["(nothing is changed)"], cuts, most))


def _rows(action: Action, cuts: Cuts) -> list[str]:
    params = action.params or {}
    if action.before is None:
        return [_row(leaf, cuts) for leaf in _of(params)] or ["(no parameters)"]
    found = difference(action.before, params)
    rows = [_change(old, new, cuts) for old, new in found.changed]
    rows += [f"+ {_row(leaf, cuts)}" for leaf in found.new]
    rows += [f"= {row}" for row in _together([_row(leaf, cuts) for leaf in found.same])]
    rows += [f"  now: {_path(leaf, cuts)} = {_value(leaf, cuts)}, not touched by this action" for leaf in found.only_before]
    return rows or ["(no parameters)"]


def _together(rows: list[str]) -> list[str]:
    """What stays, on one line where that is short: it is not what a reviewer has to look at."""
    joined = "   ".join(rows)
    return [joined] if rows and len(joined) <= _TOGETHER_MOST and all(len(row) <= _SHORT for row in rows) else rows


def _change(old: Leaf, new: Leaf, cuts: Cuts) -> str:
    by = relative(old, new)
    if _MASKED.fullmatch(old.value) is not None and _MASKED.fullmatch(new.value) is not None:
        return f"~ {_path(old, cuts)}: {spelled(HIDDEN)} → another value, masked as well"
    return f"~ {_path(old, cuts)}: {_value(old, cuts)} → {_value(new, cuts)}{f'   {by}' if by else ''}"


def _of(params: Mapping[str, Any]) -> tuple[Leaf, ...]:
    return leaves(params) if params else ()


def _within(rows: list[str], cuts: Cuts, most: int) -> str:
    return cuts.cut("\n".join(rows), most, lines=_ROWS_MOST)


def _row(leaf: Leaf, cuts: Cuts) -> str:
    return f"{_path(leaf, cuts)}: {_value(leaf, cuts)}"


def _path(leaf: Leaf, cuts: Cuts) -> str:
    return cuts.cut(leaf.path, _PATH_MOST)


def _value(leaf: Leaf, cuts: Cuts) -> str:
    return cuts.cut(leaf.value, _VALUE_MOST)


def _joined(path: str, key: str) -> str:
    """A key of plain letters and digits follows a dot, any other stands quoted in brackets, so that no two paths look alike."""
    if key.isascii() and key.replace("_", "a").replace("-", "a").isalnum():
        return f"{path}.{key}" if path else key
    return f"{path}[{spelled(key)}]"
