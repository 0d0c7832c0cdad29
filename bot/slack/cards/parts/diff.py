"""The exact action to execute, and what it changes: removals first, then changes. Never rendered from what a model says of the action.

Owns the rows and what of them a card has room for. What differs is found by `comparison` and spelled by `spelling` beside it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.slack.cards.parts.comparison import Difference, Kind, compare, compare_values
from bot.slack.cards.parts.spelling import BAR, Leaf, leaves, row_lines, spelled, unfolded, written
from bot.slack.cards.parts.text_difference import text_difference, twin_note
from bot.slack.cards.text.block_kit import Block, typewriter
from bot.slack.cards.text.percentages import change
from bot.slack.cards.text.safe_text import Cuts, weight
from routing.case.action import Action
from routing.privacy.spans import HIDDEN

_VALUE_MOST = 400
_INLINE_MOST = 200
_PATH_MOST = 160
_TOTAL_MOST = 2_400
_ROWS_MOST = 40
_SHORT = 40
_GAP = "   "
_LINE = 80
"""Characters of a line on a desktop."""
_BLOCK_LINES, _BLOCK_MOST = 6, 300
"""What a value of many lines gets at least, however many there are."""

_MARK: dict[Kind, str] = {"removed": "- ", "changed": "~ ", "moved": "↕ ", "new": "+ ", "same": "= ", "unnamed": "  now: "}
"""In the order in which they are said."""
_LEGEND: dict[Kind, str] = {"removed": "- removed", "changed": "~ changes", "moved": "↕ moves", "new": "+ new", "same": "= stays"}
_FEW: dict[Kind, int] = {"removed": 10, "changed": 12, "moved": 3, "new": 8, "same": 4, "unnamed": 3}
"""How many of a kind a card names where there are more than it has room for, so that none crowds out the others."""

_FIGURE = re.compile(r"-?[0-9]{1,18}\.[0-9]{2,18}", re.ASCII)
"""A text that is a figure with decimals, as amounts are sent; other texts of digits are names of things."""

_MASKED = re.compile(rf"{HIDDEN}(?: \([0-9]+\))?")
"""A value that is masked entirely; the number tells two of them apart."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of one kind: its first line and those below it."""

    kind: Kind
    lines: tuple[str, ...]


def relative(old: object, new: object) -> str:
    """`(-91 %)`, with a minus sign of its own, for two figures, "" where that says nothing: one is no figure, or the old one is 0."""
    before, after = _figure(old), _figure(new)
    return "" if before is None or after is None else change(before, after)


def differences(action: Action) -> list[Difference]:
    """What the action changes in the state before, and what of it stays; nothing where no state before was given."""
    return [] if action.before is None else compare(action.before, action.params or {}, whole=False)


def legend(found: Sequence[Difference]) -> str:
    """What the marks of `action_block` mean, only those that stand there."""
    kinds = {one.kind for one in found}
    return "   ".join(mark for kind, mark in _LEGEND.items() if kind in kinds)


def action_block(action: Action, found: Sequence[Difference], cuts: Cuts, most: int = _TOTAL_MOST) -> Block:
    """The parameters as they will be executed, as one preformatted part; with `before` given, its `differences`, removals first."""
    params = action.params or {}
    if action.before is None:
        rows = [_Row("same", row_lines(_cut(leaf, cuts))) for leaf in _of(params)]
        return typewriter(_within(sorted(rows, key=lambda row: len(row.lines) > 1), cuts, most, plain=True) or "(no parameters)")
    shown = _within(_rows(found, cuts), cuts, most)
    silent = "" if params else "(no parameters: what becomes of this state, the action does not say)\n"
    return typewriter(f"{silent}{shown}" or "(no parameters)")


def change_block(before: Mapping[str, Any], after: Mapping[str, Any], cuts: Cuts, most: int = _TOTAL_MOST) -> Block:
    """A modification: what it leaves out, changes and adds."""
    found = [one for one in compare(before, after, whole=True) if one.kind != "same"]
    return typewriter(_within(_rows(found, cuts), cuts, most) or "(nothing is changed)")


def changes_in_full(action: Action) -> str:
    """The same as on the card with nothing left out: each pair of values, with what changes in them marked; "" without a state before."""
    rows = _rows([one for one in differences(action) if one.kind != "same"], None)
    return "\n".join(line for row in rows for line in _marked(row))


def values_in_full(value: object) -> str:
    """Every value with its place, line by line where it has lines, with nothing left out."""
    return "\n".join(line for leaf in leaves(value) for line in row_lines(leaf, whole=True))


def _of(params: Mapping[str, Any]) -> tuple[Leaf, ...]:
    return leaves(params) if params else ()


def _rows(found: Sequence[Difference], cuts: Cuts | None) -> list[_Row]:
    """In the order of the marks; without `cuts` nothing is left out, else so much of each kind that none crowds out the others."""
    drawn: list[_Row] = []
    limits = _FEW if cuts is not None and len(found) > _ROWS_MOST else {}
    lost = (leaf.value for one in found if one.kind in ("removed", "changed") and not one.note for leaf in leaves(one.old))
    gone = [text for text in lost if _is_name(text)]
    rows = {kind: _of_kind(kind, found, cuts, limits.get(kind), gone) for kind in _MARK}
    if cuts is not None and sum(len(row.lines) for some, _ in rows.values() for row in some) > _ROWS_MOST:
        rows = {kind: (some[: _FEW[kind]], left + max(len(some) - _FEW[kind], 0)) for kind, (some, left) in rows.items()}
    for kind, (some, left) in rows.items():
        drawn += some
        if left and cuts is not None:
            cuts.made = True
            drawn.append(_Row(kind, (f"… {left:,} more: open Details",)))
    return drawn


def _of_kind(kind: Kind, found: Sequence[Difference], cuts: Cuts | None, most: int | None, gone: Sequence[str]) -> tuple[list[_Row], int]:
    """The rows of one kind, and how many more there are. `gone`: texts that are removed, for which a new one could be taken."""
    ones = [one for one in found if one.kind == kind]
    if most is not None and len(ones) > most:  # what is said of a whole list stands before its entries, so that none crowds out another
        ones.sort(key=lambda one: not one.note)
    return [row for one in ones[:most] for row in _drawn(one, cuts, gone)], len(ones) - len(ones[:most])


def _drawn(one: Difference, cuts: Cuts | None, gone: Sequence[str]) -> Iterable[_Row]:
    whole = cuts is None
    match one.kind:
        case "removed" if one.note:
            yield _Row(one.kind, (f"{_path(one.path, cuts)}: {one.note}",))
        case "removed" if len(spelled(one.old)) <= _INLINE_MOST:
            yield _Row(one.kind, row_lines(Leaf(_path(one.path, cuts), one.old), whole=whole))
        case "removed":
            yield from (_Row(one.kind, row_lines(_cut(leaf, cuts), whole=whole)) for leaf in leaves(one.old, one.path))
        case "changed":
            yield _Row(one.kind, _changed(one, cuts))
        case "moved":
            yield _Row(one.kind, (f"{_path(one.path, cuts)}: {one.note}{spelled(one.new)}",))
        case "new":
            yield from (_Row(one.kind, _added(_cut(leaf, cuts), gone, whole=whole)) for leaf in leaves(one.new, one.path))
        case "same":
            yield from (_Row(one.kind, row_lines(_cut(leaf, cuts), whole=whole)) for leaf in leaves(one.new, one.path))
        case "unnamed":
            for leaf in leaves(one.old, one.path):
                first, *rest = written(leaf.value, whole=whole)
                said = first if cuts is None else cuts.cut(first, _VALUE_MOST)
                yield _Row(one.kind, (f"{_path(leaf.path, cuts)} = {said}, not named by this action", *rest))


def _added(leaf: Leaf, gone: Sequence[str], *, whole: bool) -> tuple[str, ...]:
    """A new value, and whether it could be taken for one that is `gone`."""
    first, *rest = row_lines(leaf, whole=whole)
    return (f"{first}{twin_note(leaf.value, gone) if _is_name(leaf.value) else ''}", *rest)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _INLINE_MOST


def _path(path: str, cuts: Cuts | None) -> str:
    return path if cuts is None else cuts.cut(path, _PATH_MOST)


def _cut(leaf: Leaf, cuts: Cuts | None) -> Leaf:
    return Leaf(_path(leaf.path, cuts), leaf.value)


def _changed(one: Difference, cuts: Cuts | None) -> tuple[str, ...]:
    """A value that becomes another: both on one line, or below each other where they are long."""
    path, old, new = _path(one.path, cuts), one.old, one.new
    if isinstance(old, str) and isinstance(new, str):
        if _MASKED.fullmatch(old) is not None and _MASKED.fullmatch(new) is not None:
            return (f"{path}: {spelled(HIDDEN)} → another value, masked as well",)
        return _text_changed(path, old, new, cuts)
    by = relative(old, new) or _other_type(old, new)
    first, second = written(old), written(new)
    if len(first) == len(second) == 1 and max(len(first[0]), len(second[0])) <= _INLINE_MOST:
        return (f"{path}: {first[0]} → {second[0]}{f'   {by}' if by else ''}",)
    sides = [f"{BAR}{sign} {line}" for sign, side in (("-", first), ("+", second)) for line in _some(side, cuts)]
    return (f"{path}: {by}", *sides)


def _some(lines: Sequence[str], cuts: Cuts | None) -> list[str]:
    """The lines of one of two values, so few on a card that the other one has room."""
    if cuts is None:
        return list(lines)
    some, more = cuts.few(tuple(lines), _BLOCK_LINES)
    return [*(cuts.cut(line, _VALUE_MOST) for line in some), *([more] if more else [])]


def _text_changed(path: str, old: str, new: str, cuts: Cuts | None) -> tuple[str, ...]:
    before, after = unfolded(old), unfolded(new)
    if before is not None and after is not None and before.faithful and after.faithful:
        inside = [one for one in compare_values(before.value, after.value) if one.kind != "same"]
        rows = [line for row in _rows(inside, cuts) for line in _marked(row)]
        if rows:
            return (f"{path}: the JSON inside of this text", *(BAR + line for line in rows))
    said, left_out = text_difference(old, new, whole=cuts is None)
    if cuts is not None and left_out:
        cuts.made = True
    by = relative(old, new)
    return (f"{path}: {said[0]}{f'   {by}' if by else ''}", *said[1:])


def _other_type(old: object, new: object) -> str:
    names = [next((name for kind, name in _TYPES if isinstance(value, kind)), "") for value in (old, new)]
    return f"({names[0]} → {names[1]})" if all(names) and names[0] != names[1] else ""


_TYPES: tuple[tuple[Any, str], ...] = (
    (bool, "yes or no"),
    (str, "text"),
    (int | float, "number"),
    (list | tuple, "list"),
    (Mapping, "object"),
)


def _figure(value: object) -> Decimal | None:
    if isinstance(value, str):
        return Decimal(value) if _FIGURE.fullmatch(value) is not None else None
    return Decimal(repr(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _marked(row: _Row, *, plain: bool = False) -> tuple[str, ...]:
    first, *rest = row.lines
    return (f"{'' if plain else _MARK[row.kind]}{first}", *rest)


def _within(rows: Sequence[_Row], cuts: Cuts, most: int, *, plain: bool = False) -> str:
    """The rows in so much room: what has one line first gets its room, the others share what is left."""
    shown = [_marked(row, plain=plain) for row in rows]
    single = [cuts.cut(one[0], _PATH_MOST + _VALUE_MOST) if len(one) == 1 else "" for one in shown]
    blocks = single.count("") or 1
    room, height = (most - sum(map(weight, single))) // blocks, (_ROWS_MOST - len(rows) + single.count("")) // blocks
    parts: list[str] = []
    short: list[str] = []
    for row, one, text in zip(rows, shown, single, strict=True):
        if short and (row.kind != "same" or not text):
            parts, short = [*parts, *_together(short, plain=plain)], []
        if not text:
            parts.append(cuts.cut("\n".join(one), max(room, _BLOCK_MOST), lines=max(height, _BLOCK_LINES)))
        elif row.kind == "same":
            short.append(text)
        else:
            parts.append(text)
    return cuts.cut("\n".join([*parts, *_together(short, plain=plain)]), most, lines=_ROWS_MOST)


def _together(rows: list[str], *, plain: bool) -> list[str]:
    """What is short, several to a line: nothing old stands beside it that it has to be held against. Where there is nothing else to be
    looked at, each object has lines of its own.
    """
    found = list[str]()
    before = ""
    for row in rows:
        text = row.removeprefix(_MARK["same"])
        fits = max(len(before), len(text)) <= _SHORT and not (plain and _object(before) != _object(text))
        if found and fits and len(found[-1]) + len(text) <= _LINE:
            found[-1] += f"{_GAP}{text}"
        else:
            found.append(row)
        before = text
    return found


def _object(row: str) -> str:
    """The place of the object that a row's value is in: `flights[0]` of `flights[0].date: "2026-12-01"`, "" at the top."""
    return row.partition(": ")[0].rpartition(".")[0]
