"""Payloads as Slack sends them, and every way to damage one: what is missing, null, empty, of another kind, too long or not keepable."""

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import strategies as st

HOLLOW: tuple[Any, ...] = (None, "", 0, -1, True, 1.5, [], {}, [None], [[]], {"": None}, "x", "null", "[]", '{"c":null}')
"""What stands in a place instead."""

HEAVY: tuple[Any, ...] = ("\0", "\ud800", "x" * 70_000, 10**30, "9" * 5_000, "\u202e", "{" * 2_000)
"""What a database, a clock or a reader cannot take."""


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in a JSON value."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from places(item, (*path, name))


def without(payload: Mapping[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    """The payload without what stands there."""
    damaged: dict[str, Any] = copy.deepcopy(dict(payload))
    at: Any = damaged
    for name in path[:-1]:
        at = at[name]
    del at[path[-1]]
    return damaged


def instead(payload: Mapping[str, Any], path: tuple[Any, ...], value: object) -> dict[str, Any]:
    """The payload with something else there."""
    damaged: dict[str, Any] = copy.deepcopy(dict(payload))
    at: Any = damaged
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value
    return damaged


def told(payload: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """The paths of texts that are JSON themselves: what a button or a form carries."""
    for path in places(payload):
        at: Any = payload
        for name in path:
            at = at[name]
        if isinstance(at, str) and at.startswith("{"):
            yield path


@st.composite
def damage(draw: st.DrawFn, payloads: list[dict[str, Any]]) -> dict[str, Any]:
    """One of these payloads, damaged in one to three places, in its own JSON or in that which it carries."""
    damaged: dict[str, Any] = draw(st.sampled_from(payloads))
    for _ in range(draw(st.integers(1, 3))):
        carried = [(*path, "…") for path in told(damaged)]
        found = [*places(damaged), *carried, *carried]
        if not found:
            return damaged
        path = draw(st.sampled_from(found))
        if path[-1] == "…":
            damaged = _inside(draw, damaged, path[:-1])
        elif draw(st.booleans()) and draw(st.booleans()):
            damaged = without(damaged, path)
        else:
            damaged = instead(damaged, path, draw(st.sampled_from((*HOLLOW, *HEAVY))))
    return damaged


def _inside(draw: st.DrawFn, payload: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    at: Any = payload
    for name in path:
        at = at[name]
    try:
        carried = json.loads(at)
    except ValueError:
        return payload
    found = list(places(carried))
    if not found:
        return payload
    inner = draw(st.sampled_from(found))
    return instead(payload, path, json.dumps(instead(carried, inner, draw(st.sampled_from((*HOLLOW, *HEAVY))))))
