"""Verification names the events that are incomplete, as if each were looked at alone."""

import copy
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cli.completeness import NAMED, incomplete_in, incompleteness
from routing.vocabulary import EventKind
from store.audit.verify import verify_export
from tests.examples_drawn import examples
from tests.routing.case.test_completeness import a_leaf as a_complete_leaf
from tests.store.audit.small_log import a_leaf, export
from tests.store.audit.test_shapes import shown

LEFT_OUT = "left out"
VALUES: list[Any] = [LEFT_OUT, None, "", 0, False, 0.0, "x", 1, True, 0.5, [], {}, ["x"], [[]], {"x": 1}, "human", "system"]
PLACES = [
    "actor",
    "actor kind",
    "actor id",
    "case",
    "service",
    "revision",
    "policy",
    "policy version",
    "policy sha256",
    "model",
    "model hash",
]
PLACES += ["event", "id", "time", "index", "fields", "sealed", "fields 0", "fields 1", "sealed 0"]
CHANGES = st.dictionaries(st.sampled_from(PLACES), st.sampled_from(VALUES), max_size=2)


def changed(kind: EventKind, changes: dict[str, object]) -> dict[str, Any]:
    """A complete event of this kind, in which some values are others or left out."""
    leaf: dict[str, Any] = copy.deepcopy(a_complete_leaf(kind)) | {"v": 1, "index": 5}
    for place, value in changes.items():
        first, _, second = place.partition(" ")
        part = leaf.get(first) if second else leaf
        if not isinstance(part, dict):
            continue
        names = sorted(part)
        name = (names[int(second)] if int(second) < len(names) else "") if second.isdigit() else second or first
        if value == LEFT_OUT:
            part.pop(name, None)
        else:
            part[name] = copy.deepcopy(value)  # else a later change would change it for every event
    return leaf


@settings(max_examples=examples(60))
@given(st.sampled_from(EventKind), st.lists(CHANGES, min_size=1, max_size=5), CHANGES)
def test_no_incomplete_event_is_taken_for_a_known_one(kind: EventKind, learnt: list[dict[str, object]], other: dict[str, object]) -> None:
    """Whatever was learnt of events of its kind, complete or not: what is known without looking has nothing that is worth a remark."""
    leaves = [changed(kind, changes) for changes in [*learnt, {}, other]]
    shapes = shown(*(rfc8785.dumps(leaf) for leaf in leaves[:-1] if not incompleteness(leaf)))
    for leaf in leaves:
        assert not incompleteness(leaf) or shapes.read(rfc8785.dumps(leaf)) is None
    assert shapes.read(rfc8785.dumps(changed(kind, {}))) is not None or kind is EventKind.KEY_ROTATED


@pytest.mark.parametrize("place", PLACES)
def test_no_value_stands_for_an_incomplete_one(place: str) -> None:
    """Each value where it makes an event complete is learnt; each value where it does not is not known by that."""
    for kind in (EventKind.DECIDED, EventKind.RECEIVED):
        leaves = [changed(kind, {place: value}) for value in VALUES]
        complete = [rfc8785.dumps(leaf) for leaf in leaves if not incompleteness(leaf)]
        for shapes in [shown(*complete), *map(shown, complete)]:
            assert not [leaf for leaf in leaves if incompleteness(leaf) and shapes.read(rfc8785.dumps(leaf))]


def test_incomplete_events_of_an_export_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many by name, the rest by number, in order, wherever among good ones they are."""
    monkeypatch.setattr("store.audit.shapes.LEARNT_OF", 1)
    good = changed(EventKind.STARTED, {})
    entries = [
        a_leaf(index, **good | {"id": f"e{index}", "index": index, "time": f"2026-11-20T00:00:{index % 60:02}Z"}) for index in range(60)
    ]
    for index in range(7, 7 + 2 * (NAMED + 5), 2):
        entries[index] = entries[index].replace(b'"version":', b'"virgin":')
    report = verify_export(export(tmp_path / "export", entries), examine=incompleteness)
    assert report.ok
    notes = incomplete_in(report)
    assert notes[0] == "event 7 (started) is incomplete: it lacks fields.version"
    assert len(notes) == NAMED + 1
    assert notes[-1] == "5 more events are incomplete"


@pytest.mark.parametrize("value", [[], {}, [[]], 1, None, True, 0.5])
def test_a_leaf_of_any_form_is_judged(value: object) -> None:
    """What stands where a word is expected is what is missing there, and never an error."""
    for place in ("event", "index", "actor", "actor kind", "policy", "model", "fields", "sealed"):
        assert isinstance(incompleteness(changed(EventKind.DECIDED, {place: value})), str)
    assert "actor.kind" in incompleteness(changed(EventKind.DECIDED, {"actor kind": value}))
