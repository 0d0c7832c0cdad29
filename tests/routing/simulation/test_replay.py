"""A policy tried on cases of the past: where they would go, what that costs people, and where the model would have been wrong."""

from datetime import UTC, datetime
from typing import Any

from routing.authority import Automation
from routing.case.facts import Facts, Waived
from routing.case.submission import read_submission
from routing.evaluation.route import route
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from routing.simulation.replay import Replayed, replay, where

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TEXT = """
version: "{version}"
changes: "for tests of replays"
groups: {{frontline: {{usergroup: review-frontline}}, experts: {{users: [U0SENIOR]}}}}
ladders:
  standard:
    tiers:
      - {{channel: review-tier1, group: frontline, decide: 4h}}
      - {{channel: review-tier2, group: experts, decide: 1h}}
workflows:
  notes:
    ladder: standard
    template: auto
    caps: {{per_hour: 2}}
    rules:
      - {{name: vip, when: 'has(labels.vip) && labels.vip == "yes"', lane: {lane}, reason: "It is about an important customer."}}
"""


def a_policy(version: str = "1", lane: str = "expert", **changes: str) -> Policy:
    """Notes are filed automatically, but for important customers."""
    text = TEXT.format(version=version, lane=lane)
    for before, after in changes.items():
        text = text.replace(before, after)
    return load_policy(text.encode(), {})


def a_case(task_id: str = "t-1", *, label: bool | None = None, facts: Facts | None = None, **changes: Any) -> Replayed:
    """A note that a policy would let pass."""
    document = {
        "workflow": "notes",
        "task_id": task_id,
        "title": "A note",
        "action": {"type": "note.file", "params": {}, "reversible": True},
        "output": "The customer asked for a copy of the invoice of October.",
        "model": {"name": "scribe", "version": "1", "confidence": 0.97},
        "risk": {"impact": "low", "likelihood": 0.1, "recoverability": "easy"},
    }
    return Replayed(task_id, read_submission(document | changes), facts or Facts(), NOW, label)


VIP: dict[str, Any] = {"labels": {"vip": "yes"}}


def test_it_counts_lanes_steps_and_what_was_wrong() -> None:
    """A wrong one that nobody would see is a false approval; a right one that people are asked about a false escalation."""
    cases = [
        a_case("a", label=True),
        a_case("b", label=False),
        a_case("c", label=True, **VIP),
        a_case("d", label=False, **VIP),
        a_case("e"),
    ]
    report = replay(a_policy(), cases).json()
    assert report["lanes"] == {"auto": 3, "expert": 2}
    assert (report["cases"], report["reviews"], report["labelled"]) == (5, 2, 4)
    assert (report["false_approvals"], report["false_escalations"], report["false_rejections"]) == (1, 1, 0)
    assert (report["wrong"], report["right"]) == ({"auto": 1, "expert": 1}, {"auto": 1, "expert": 1})
    assert (report["changed"], report["moved"], report["before"]) == (0, [], None)


def test_a_page_at_opening_is_counted_whatever_asks_for_it() -> None:
    """What stops the line pages at once, and so does a tier that is paged again and again; nobody is paged where nobody is asked yet."""
    mailed = "group: experts, email: [x@a.example], "
    again = f"{mailed}repeat: {{every: 5m, most: 3}}, "
    stop: dict[str, Any] = {"risk": {"impact": "low", "likelihood": 0.1, "flags": ["prohibited_content"]}}
    cases = [a_case(), a_case(**VIP), a_case(**VIP)]

    def pages(tier: str, *cases: Replayed, template: str = "template: auto") -> object:
        return replay(a_policy(**{"group: experts, ": tier, "template: auto": template}), cases).json()["pages"]

    assert [pages(mailed, *cases), pages(again, *cases), pages(mailed, a_case(**stop))] == [0, 2, 1]
    assert pages(again, *cases, template="template: auto\n    required: [request]") == 0


def test_two_policies_side_by_side_say_which_cases_move_and_why() -> None:
    """Each case that goes elsewhere is named, with the reasons that came and those that went."""
    cases = [a_case("a", label=True), a_case("b", label=True, **VIP)]
    report = replay(a_policy("2", "review"), cases, a_policy("1", "expert")).json()
    assert (report["changed"], report["version"], report["against"]) == (1, "2", "1")
    assert report["before"]["lanes"] == {"auto": 1, "expert": 1}
    assert report["lanes"] == {"auto": 1, "review": 1}
    (moved,) = report["moved"]
    assert (moved["task_id"], moved["workflow"], moved["from"], moved["to"]) == (
        *("b", "notes"),
        "expert (approval, tier 2)",
        "review (approval, tier 1)",
    )
    assert report["workflows"]["notes"]["before"]["lanes"] == {"auto": 1, "expert": 1}


def test_the_rule_that_moves_a_case_is_its_reason() -> None:
    """A rule that is new names itself by its sentence; one that is gone says that it no longer holds."""
    without = a_policy("2", **{'labels.vip == "yes"': 'labels.vip == "never"'})
    (up,) = replay(a_policy(), [a_case(**VIP)], without).json()["moved"]
    assert up["why"][0] == "It is about an important customer."
    (down,) = replay(without, [a_case(**VIP)], a_policy()).json()["moved"]
    assert "no longer: It is about an important customer." in down["why"]


def test_a_policy_replayed_on_its_own_cases_moves_none() -> None:
    """Whatever was known then is known again: a brake, a cap that was reached, an exception, a drawn lot, a staged policy."""
    policy = a_policy()
    facts = [
        Facts(),
        Facts(automation=Automation.REVIEW_ALL),
        Facts(autos_hour=2),
        Facts(waived=(Waived(id="x_1", waives=("confidence_low",)),)),
        Facts(lot=0.001, sampling=2.0),
        Facts(lot=0.9, staged=True),
    ]
    low: dict[str, Any] = {"model": {"name": "scribe", "version": "1", "confidence": 0.9}}
    cases = [a_case(f"t-{at}", facts=known, **(low if known.waived else {})) for at, known in enumerate(facts)]
    routed = [
        Replayed(one.task_id, one.submission, one.facts, one.at, was=where(route(policy, one.submission, one.facts, one.at)))
        for one in cases
    ]
    report = replay(policy, routed).json()
    assert (report["changed"], report["moved"]) == (0, [])
    assert report["before"] == {"lanes": report["lanes"]}
    assert report["lanes"] == {"auto": 4, "review": 2}
    assert report["checks"] >= 1


def test_cases_of_unknown_workflows_are_left_out_and_said() -> None:
    """A policy without the workflow of a case says nothing about it; one that had it not before moves nothing."""
    report = replay(a_policy(), [a_case(workflow="gone"), a_case()]).json()
    assert (report["cases"], report["unknown"]) == (1, 1)
    other = load_policy(TEXT.format(version="0", lane="expert").replace("  notes:", "  others:").encode(), {})
    assert replay(a_policy(), [a_case()], other).json()["changed"] == 0


def test_progress_is_told_for_each_case() -> None:
    """Two policies side by side; whoever waits sees how far it is."""
    cases = [a_case(f"t-{at}", **(VIP if at % 7 == 0 else {})) for at in range(100)]
    told: list[int] = []
    report = replay(a_policy("2", "review"), cases, a_policy(), told.append)
    assert (report.after.cases, told) == (100, list(range(1, 101)))
