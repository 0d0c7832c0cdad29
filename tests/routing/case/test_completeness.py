"""What each event has to say is declared, and what is not said is found."""

import pytest

from routing.case.completeness import EVERY, FORMS, MODEL, OF_A_CASE, POLICY, judged, missing
from routing.vocabulary import EventKind

REQUIRED = [
    "id",
    "index",
    "time",
    "case",
    "workflow",
    "task_id",
    "revision",
    "actor",
    "event",
    "model.name",
    "model.version",
    "model.hash",
    "model.prompt_version",
    "policy.version",
    "policy.sha256",
    "fields.action_type",
    "fields.verb",
    "fields.step",
    "fields.output_sha256",
    "fields.confidence",
    "fields.reasons",
    "fields.rule",
    "fields.gates",
    "fields.input_sha256",
    "fields.content_leaf",
    "fields.source_ids",
    "fields.flags",
    "fields.override",
    "fields.reason_code",
    "sealed.text",
    "sealed.reason",
    "fields.before_sha256",
    "fields.action_sha256",
    "fields.saw",
    "fields.face",
    "fields.sla_s",
    "fields.sla_used_s",
    "fields.turnaround_s",
    "fields.decided_by",
    "fields.executed_action_sha256",
    "fields.result",
]
"""What an audit has to find about a decision, from who proposed what to what came of it."""


def a_leaf(kind: EventKind) -> dict[str, object]:
    """A leaf that says everything that is declared for its kind."""
    form = FORMS[kind]
    fields = dict.fromkeys(form.fields | form.by_people)
    leaf: dict[str, object] = dict.fromkeys((*EVERY, *OF_A_CASE), "x")
    return leaf | {
        "event": kind.value,
        "actor": {"kind": "human", "id": "U0ANNA00001"},
        "fields": fields,
        "sealed": dict.fromkeys(form.sealed, "0" * 64),
        "policy": dict.fromkeys(POLICY, "x"),
        "model": dict.fromkeys(MODEL),
    }


def test_every_kind_of_event_is_declared() -> None:
    """A new kind of event cannot come without saying what it has to hold."""
    assert FORMS.keys() == set(EventKind)


def test_all_events_together_cover_what_an_audit_needs() -> None:
    """Nothing on the list is left to chance: some kind of event has to hold it."""
    held = {*EVERY, *OF_A_CASE, "actor", *(f"policy.{name}" for name in POLICY), *(f"model.{name}" for name in MODEL)}
    for form in FORMS.values():
        held |= {f"fields.{name}" for name in form.fields | form.by_people} | {f"sealed.{name}" for name in form.sealed}
    assert set(REQUIRED) <= held


@pytest.mark.parametrize("kind", list(EventKind))
def test_what_is_not_said_is_found(kind: EventKind) -> None:
    """A leaf that holds everything is complete; without any one name it lacks exactly that one."""
    leaf = a_leaf(kind)
    assert missing(kind, leaf) == ()
    form = FORMS[kind]
    for part, names in (("fields", form.fields), ("sealed", form.sealed), ("model", frozenset(MODEL) if form.of_a_case else frozenset())):
        for name in names:
            whole = leaf[part]
            assert isinstance(whole, dict)
            assert missing(kind, leaf | {part: {key: value for key, value in whole.items() if key != name}}) == (f"{part}.{name}",)


def test_clocks_have_seen_no_card() -> None:
    """What only a person can say is due only where a person acted."""
    escalated = a_leaf(EventKind.ESCALATED) | {"fields": {"tier": 1}}
    assert "fields.saw" in missing(EventKind.ESCALATED, escalated)
    assert missing(EventKind.ESCALATED, escalated | {"actor": {"kind": "system", "id": "tierline"}}) == ()


def test_an_actor_and_a_known_event_are_due() -> None:
    """Nobody, an unknown kind of actor, and an event that nobody declared are never complete."""
    assert missing(EventKind.CLAIMED, a_leaf(EventKind.CLAIMED) | {"actor": {"kind": "ghost"}}) == ("actor.kind", "actor.id")
    assert judged(a_leaf(EventKind.CLAIMED) | {"event": "frobnicated"}) == ("event",)
