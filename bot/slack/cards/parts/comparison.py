"""What an action changes, value by value: lists by their elements, objects by their names, never one by the place of another.

Owns the comparison of two JSON values. It never writes anything: `diff` beside it draws what is found here.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.slack.cards.parts.alignment import aligned, rising
from bot.slack.cards.parts.spelling import joined, leaves, numbered, spelled
from routing.canonical import canonical

Kind = Literal["removed", "changed", "moved", "new", "same", "unnamed"]

_SHORT_KEY = 60
_ALIKE = 0.5
"""Share of equal members from which two objects in place of each other are one that changed."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs, or stays. `old` stands before, `new` after, where the kind has one; `note` says it where both do not."""

    kind: Kind
    path: str
    old: Any = None
    new: Any = None
    note: str = ""


def compare(before: Mapping[str, Any], after: Mapping[str, Any], *, whole: bool) -> list[Difference]:
    """Every difference between two sets of parameters, in their order. `whole`: what `after` does not name is removed by it.

    Else it is `unnamed`: state that the action says nothing about. What stands inside of a value that the action sets is set with it.
    """
    found = [one for name in after for one in _member(joined("", name), name, before, after)]
    kind: Kind = "removed" if whole else "unnamed"
    return found + [Difference(kind, joined("", name), old=before[name]) for name in before if name not in after]


def compare_values(old: object, new: object) -> list[Difference]:
    """The same for two values that stand by themselves."""
    return list(_values("", old, new))


def _member(path: str, name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    if name in before:
        yield from _values(path, before[name], after[name])
    else:
        yield Difference("new", path, new=after[name])


def _values(path: str, old: object, new: object) -> Iterator[Difference]:
    if canonical(old) == canonical(new):
        yield from (Difference("same", leaf.path, leaf.value, leaf.value) for leaf in leaves(new, path))
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _objects(path, old, new)
    elif isinstance(old, list | tuple) and isinstance(new, list | tuple):
        yield from _lists(path, old, new)
    else:
        yield Difference("changed", path, old, new)


def _objects(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    gone = [name for name in old if name not in new]
    if not new:
        yield Difference("removed", path, note=f"{_all(len(old), 'field')} removed, {{}} is left")
    yield from (Difference("removed", joined(path, name), old=old[name]) for name in gone)
    for name in new:
        yield from _member(joined(path, name), name, old, new)


def _lists(path: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Difference]:
    key = _key(old, new)
    yield from _by_key(path, key, old, new) if key else _by_place(path, old, new)


def _count(path: str, gone: int, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Difference]:
    """How many entries are removed, where it is not one that says it itself."""
    if not new:
        yield Difference("removed", path, note=f"{_all(len(old), 'entry')} removed, [] is left")
    elif gone > 1:
        yield Difference("removed", path, note=f"{gone:,} of {len(old):,} entries removed")


def _all(count: int, thing: str) -> str:
    many = {"entry": "entries"}.get(thing, f"{thing}s")
    return f"the only {thing}" if count == 1 else f"all {count:,} {many}"


def _key(old: Sequence[Any], new: Sequence[Any]) -> str:
    """The name under which every element of both lists has an id of its own; "" where they have none, or where one side is empty."""
    if not old or not new or not all(isinstance(one, Mapping) for one in (*old, *new)):
        return ""
    named = [name for name in old[0] if _names_it(name) and all(name in one and _is_id(one[name]) for one in (*old, *new))]
    for name in sorted(named, key=lambda name: (name.lower() not in {"id", "uuid", "key"}, name)):
        if all(max(Counter(spelled(one[name]) for one in side).values()) == 1 for side in (old, new)):
            return str(name)
    return ""


def _names_it(name: str) -> bool:
    return name.lower() in {"id", "uuid", "guid", "key", "name", "sku", "code", "ref"} or name.endswith(("_id", "Id", "ID", "-id"))


def _is_id(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and len(str(value)) <= _SHORT_KEY


def _by_key(path: str, key: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Difference]:
    """Elements that are the same one by their id, wherever they stand."""
    before, after = ({spelled(one[key]): (place, one) for place, one in enumerate(side)} for side in (old, new))
    gone = [one for one in before if one not in after]
    yield from _count(path, len(gone), old, new)
    yield from (Difference("removed", numbered(path, before[one][0]), old=before[one][1]) for one in gone)
    stays = [one for one in after if one in before]
    for one in after:
        if one not in before:
            yield Difference("new", numbered(path, after[one][0]), new=after[one][1])
        else:
            yield from _values(f"{path}[{joined('', key)} {one}]", before[one][1], after[one][1])
    yield from _moves(path, [(before[one][0], after[one][0]) for one in stays], new)


def _by_place(path: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Difference]:
    """Elements that are the same one by being equal; what stands between the same ones, in equal number, became what stands there now."""
    before, after = ([_known_by(one) for one in side] for side in (old, new))
    pairs = aligned(before, after)
    left, right = sorted(set(range(len(old))) - {i for i, _ in pairs}), sorted(set(range(len(new))) - {j for _, j in pairs})
    moved = list(_elsewhere(before, after, left, right))
    left, right = (sorted(set(side) - {pair[at] for pair in moved}) for at, side in ((0, left), (1, right)))
    became = list(_became(old, new, pairs, left, right))
    gone = sorted(set(left) - {i for i, _ in became})
    yield from _count(path, len(gone), old, new)
    yield from (Difference("removed", numbered(path, place), old=old[place]) for place in gone)
    for i, j in became:
        yield from _values(numbered(path, j), old[i], new[j])
    yield from (Difference("new", numbered(path, place), new=new[place]) for place in sorted(set(right) - {j for _, j in became}))
    for _, j in pairs:
        yield from (Difference("same", leaf.path, leaf.value, leaf.value) for leaf in leaves(new[j], numbered(path, j)))
    yield from _moves(path, sorted([*pairs, *moved], key=lambda pair: pair[1]), new, {j for _, j in moved})


def _known_by(value: object) -> str:
    """A text that is the same for the same value only; quickly, since lists may be long."""
    if isinstance(value, str):
        return f'"{value}'
    return str(value) if type(value) is int else canonical(value).decode()


def _elsewhere(before: Sequence[str], after: Sequence[str], left: Sequence[int], right: Sequence[int]) -> Iterator[tuple[int, int]]:
    """What is gone from one place and stands at another."""
    waiting: dict[str, list[int]] = {}
    for j in reversed(right):
        waiting.setdefault(after[j], []).append(j)
    for i in left:
        if waiting.get(before[i]):
            yield i, waiting[before[i]].pop()


def _became(
    old: Sequence[Any], new: Sequence[Any], pairs: Sequence[tuple[int, int]], left: Sequence[int], right: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """What changed in its place: as many on either side between the same neighbours, or objects that have most members in common."""
    gaps: dict[int, tuple[list[int], list[int]]] = {}
    for side, at in ((left, 0), (right, 1)):
        edges = [pair[at] for pair in pairs]
        gap = 0
        for place in side:
            while gap < len(edges) and edges[gap] < place:
                gap += 1
            gaps.setdefault(gap, ([], []))[at].append(place)
    for here, there in gaps.values():
        if len(here) == len(there):
            yield from zip(here, there, strict=True)
        elif len(here) * len(there) <= 400:
            free = list(there)
            for i in here:
                best = max(free, key=lambda j: _alike(old[i], new[j]), default=None)
                if best is not None and _alike(old[i], new[best]) >= _ALIKE:
                    free.remove(best)
                    yield i, best


def _alike(old: object, new: object) -> float:
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return 0.0
    return sum(name in new and canonical(old[name]) == canonical(new[name]) for name in old) / max(len(old), len(new), 1)


def _moves(path: str, pairs: Sequence[tuple[int, int]], new: Sequence[Any], moved: set[int] | None = None) -> Iterator[Difference]:
    """The elements that others did not only make room for; many of them are said at once. `pairs` in the order of `new`."""
    if moved is None:
        stays = rising([i for i, _ in pairs])
        moved = {j for position, (_, j) in enumerate(pairs) if position not in stays}
    if len(moved) > 3:
        yield Difference("moved", path, new=new, note="in another order: ")
        return
    for i, j in pairs:
        if j in moved:
            yield Difference("moved", f"{numbered(path, i)} → [{j}]", new=new[j])
