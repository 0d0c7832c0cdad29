"""The card of a proposed policy: an owner sees what it changes and what that means, and presses once."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.slack.cards.bulletins.proposed_policy import draw_proposal
from bot.slack.cards.text.block_kit import Drawing
from bot.slack.cards.text.limits import check_message
from bot.slack.cards.view import Bulletin, Happening
from routing.change import Actor
from routing.governance.proposal import Proposal
from routing.vocabulary import EventKind

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
FIGURES: dict[str, Any] = {
    "lanes": {"auto": 120, "review": 60, "expert": 20},
    "reviews": 80,
    "checks": 6,
    "pages": 2,
    "labelled": 50,
    "false_approvals": 1,
    "false_escalations": 9,
}
BACK = {"roll_back_policy": 0}
SUMMARY: dict[str, Any] = {
    "differences": [
        {
            "workflow": "refunds",
            "text": "confidence from which automation is possible (thresholds.auto): 0.92 → 0.9",
            "effect": "loosens",
            "raises": True,
        },
        {"workflow": "refunds", "text": "rule (rules.vip): not there → expert when true", "effect": "tightens", "raises": False},
    ],
    "more": 3,
    "replay": {
        "cases": 200,
        "changed": 12,
        "before": FIGURES,
        "after": FIGURES | {"lanes": {"auto": 132, "review": 50, "expert": 18}, "reviews": 68, "false_approvals": 2},
        "moved": [
            {"task_id": "t-17", "workflow": "refunds", "from": "review (approval, tier 1)", "to": "auto", "why": ["no longer: <!channel>"]}
        ],
    },
}


def a_proposal(**changes: Any) -> Proposal:
    """Proposed from the command line, lets the model do more, replayed."""
    values: dict[str, Any] = {
        "id": "p_01",
        "sha256": "a" * 64,
        "version": "2026-11-21.1",
        "changes": "Fewer refunds wait for people.",
        "base_sha256": "b" * 64,
        "by": "os:ada",
        "at": NOON,
        "raises": True,
        "needs": 2,
        "replayed": True,
        "reason": "the queue is long",
        "summary": SUMMARY,
        "workflows": ("refunds",),
    }
    return Proposal(**(values | changes))


def drawn(tier: int = 0, history: tuple[Happening, ...] = (), **changes: Any) -> Drawing:
    """The message, which Slack takes."""
    names = {"U0OWNER": "Olga Owner", "U0SECOND": "Sam Second"}
    drawing = draw_proposal(Bulletin("p_01", a_proposal(**changes), history, NOON, tier=tier, names=names))
    check_message(drawing.text, drawing.blocks)
    return drawing


def text_of(drawing: Drawing) -> str:
    """Everything on it."""
    return json.dumps(drawing.blocks, ensure_ascii=False)


def buttons(drawing: Drawing) -> dict[str, dict[str, Any]]:
    """What can be pressed, with what each says."""
    elements = [element for block in drawing.blocks if block["type"] == "actions" for element in block["elements"]]
    return {element["action_id"].removeprefix("tierline:g:"): json.loads(element["value"]) for element in elements}


def test_an_open_proposal_shows_what_it_changes_and_what_that_means() -> None:
    """Loosening first and marked, lanes before and after, people's work, wrong approvals, who proposed and how many have to accept."""
    drawing = drawn()
    said = text_of(drawing)
    assert "Policy 2026-11-21.1: proposed" in said
    assert "🔓 " in said
    assert said.index("thresholds.auto") < said.index("rules.vip")
    assert "3 more" in said
    assert "last 200 cases*, 50 of them labelled right or wrong: 12 go elsewhere" in said
    assert f"{'automatic':20}{120:>9}{132:>9}" in said
    assert f"{'false approvals':20}{1:>9}{2:>9}" in said
    assert "people's steps" in said
    assert "*2 more people have to accept it.*" in said
    assert "os:ada" in said
    assert buttons(drawing) == {"accept_policy": {"s": "p_01", "r": 0}, "decline_policy": {"s": "p_01", "r": 0}}


def test_one_of_two_has_accepted() -> None:
    """By name, and one more to go."""
    said = text_of(drawn(accepted_by=("U0OWNER",)))
    assert "*1 more person has to accept it.* Accepted by Olga Owner." in said


@pytest.mark.parametrize(
    ("changes", "stands", "offered"),
    [
        ({"state": "declined", "declined_by": "U0SECOND"}, "*Declined* by Sam Second", {}),
        ({"state": "superseded"}, "*Over*: another policy took its place", {}),
        ({"state": "accepted"}, "In force for every new case", {**BACK}),
        (
            {"state": "accepted", "stage": "share", "share": 10},
            "In force for 10 % of new cases",
            {"widen_policy": 25, **BACK},
        ),
        (
            {"state": "accepted", "stage": "share", "share": 50},
            "In force for 50 % of new cases",
            {"widen_policy": 100, **BACK},
        ),
        ({"state": "accepted", "stage": "shadow", "share": 0}, "In shadow: it routes", {"widen_policy": 10, **BACK}),
        ({"state": "accepted", "stage": "share", "share": 100}, "In force for every new case", {**BACK}),
        ({"state": "accepted", "origin": "roll_back", "by": "U0OWNER"}, "Rolled back by Olga Owner", {**BACK}),
    ],
)
def test_afterwards_it_says_how_it_ended_and_what_may_follow(changes: dict[str, Any], stands: str, offered: dict[str, int]) -> None:
    """No button outlives its use; a staged policy can be widened step by step."""
    drawing = drawn(**changes)
    assert stands in text_of(drawing)
    assert {verb: told.get("n", 0) for verb, told in buttons(drawing).items()} == offered


def test_a_raise_without_a_replay_says_that_nobody_can_accept_it() -> None:
    """It has to be proposed again with cases."""
    said = text_of(drawn(replayed=False, summary={"differences": [], "more": 0, "replay": {"cases": 0}}))
    assert "It was not replayed on any case" in said
    assert "No case of the past to try it on" in said


def test_a_channel_is_told_without_buttons() -> None:
    """The reviewers of a workflow read what changes for them and since when."""
    staged = Happening(EventKind.POLICY_STAGED, Actor("human", "U0OWNER"), NOON)
    drawing = drawn(tier=1, history=(staged,), state="accepted", stage="share", share=10, accepted_by=("U0OWNER",))
    said = text_of(drawing)
    assert "In force for 10 % of new cases* since <!date^" in said
    assert "treats cases of refunds differently" in said
    assert buttons(drawing) == {}


def test_the_longest_policy_fits_a_message() -> None:
    """A policy may be verbose and hostile; the card stays within Slack's limits and pings nobody."""
    long = "<!channel> & " * 400
    differences = [{"workflow": "w" * 80, "text": long, "effect": "loosens", "raises": True}] * 12
    moved = [{"task_id": long[:200], "workflow": "w" * 80, "from": long[:100], "to": long[:100], "why": [long]}] * 5
    summary = SUMMARY | {"differences": differences, "replay": SUMMARY["replay"] | {"moved": moved}}
    many = tuple(f"workflow-{number}" for number in range(200))
    for tier in (0, 1):
        drawing = drawn(tier, changes=long[:4000], reason=long[:300], version="v" * 80, summary=summary, workflows=many)
        assert "<!channel>" not in "".join(
            block["text"]["text"] for block in drawing.blocks if block.get("text", {}).get("type") == "mrkdwn"
        )
