"""The face of a card: what a tired reviewer has to see in five seconds, and in which order."""

from dataclasses import replace
from typing import Any

import pytest

from bot.slack.cards.card import draw_card
from bot.slack.cards.parts.confidence_bar import bar
from bot.slack.cards.parts.diff import relative
from routing.case.case import Reason
from routing.vocabulary import Risk, State, Verdict
from tests.bot.slack.cards.factory import ANA, BEN, NOW, REFUND, a_route, a_view, low
from tests.bot.slack.cards.test_card import VOTE, buttons, card
from tests.bot.slack.cards.test_hostile import nodes


def test_a_shifted_decimal_point_catches_the_eye() -> None:
    """The relative change stands behind both figures, in the preview of a change as well; what stays takes one line."""
    action = {"type": "price.change", "params": {"price": "11.90", "sku": "L-1", "shop": "all"}, "reversible": True}
    shown = card(a_view(REFUND | {"action": action | {"before": {"price": "129.00", "sku": "L-1", "shop": "all"}}}))
    assert '~ price: "129.00" → "11.90"   (−91 %)' in shown  # noqa: RUF001  # a minus sign
    assert '= sku: "L-1"   shop: "all"' in shown


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (100, 250, "(+150 %)"),
        ("100.00", "100.40", "(+0.4 %)"),
        (-10, -5, "(+50 %)"),
        (0, 5, ""),
        ("10115", "80331", ""),
        ("7.1", "8.0", ""),
        (True, False, ""),
        ("", "129.00", ""),
    ],
)
def test_only_figures_have_a_relative_change(before: object, after: object, said: str) -> None:
    """Postal codes, versions and what begins at nothing have none."""
    assert relative(before, after) == said


def test_the_legend_explains_only_marks_that_are_there() -> None:
    """No legend without a state before; no "new" where nothing is new."""
    assert "~ changes   + new   = stays" in card(a_view())
    assert "+ new" not in card(low())
    only_changes = {"type": "x", "params": {"a": 1}, "before": {"a": 2}, "reversible": True}
    assert "   ~ changes\n" in card(a_view(REFUND | {"action": only_changes}))


def test_the_decision_comes_before_what_it_can_be_checked_against() -> None:
    """Action, what speaks against it, the reason and the buttons stand above request, model's words, evidence and small print."""
    shown = card(a_view())
    command = ("Claim within", "Will execute", "cannot be undone", "second-model", "Why here", "Approve", "if this is wrong", "Confidence")
    places = [shown.index(part) for part in (*command, "Request", "The model's rationale", "Tracking", "Tier 1 of 2", "Case c_")]
    assert places == sorted(places)


def test_what_speaks_against_it_is_named_beside_the_action() -> None:
    """Checks by name with what they found, contradictions in the service's words; a check that passed is small print."""
    context = {"conflicts": ["Two phone numbers."], "stale": ["Stock is 9 hours old."]}
    warned = {"name": "margin", "result": "warn", "detail": "Below the cost."}
    shown = card(a_view(REFUND | {"checks": [*REFUND["checks"], warned], "context": context}))
    top = shown[: shown.index("Why here")]
    for part in (
        "⛔ \nsecond-model\n: The amounts differ.",
        "⚠️ \nmargin\n: Below the cost.",
        ": Two phone numbers.",
        ": Stock is 9 hours old.",
    ):
        assert part in top
    assert "✓ Passed: rules" in shown[shown.index("Why here") :]


def test_the_winning_reason_is_bold_and_the_others_are_small() -> None:
    """The rule that won comes first; that people decide by template is said only where nothing else is."""
    template = Reason(code="template_people", text="The policy has people decide this case (approval).")
    rule = Reason(code="policy_rule", text="The amount is over 1,000.")
    money = Reason(code="money", text="The action moves money.")
    view = a_view(route=a_route(reasons=(template, money, rule), rule="large"))
    bold = [node["text"] for node in nodes(draw_card(view).blocks) if node.get("style") == {"bold": True}]
    assert "The amount is over 1,000." in bold
    assert "Also here because: The action moves money" in card(view)
    assert "has people decide" not in card(view)
    assert "has people decide" in card(a_view(route=a_route(reasons=(template,))))


def test_reasons_that_count_name_what_they_count() -> None:
    """Failed checks and contradictions are named, not numbered; what the first reason says stands there once."""
    failed = Reason(code="check_failed", text="Checks that failed: 1.")
    conflict = Reason(code="context_conflict", text="Facts that contradict each other: 1.")
    document = REFUND | {"context": {"conflicts": ["Two phone numbers."]}}
    shown = card(a_view(document, route=a_route(reasons=(conflict, failed))))
    assert "Contradiction: Two phone numbers." in shown
    assert shown.count("Two phone numbers.") == 1
    assert "Also here because: Failed check: second-model" in shown
    assert "Checks that failed: 1" not in shown


def test_the_risk_is_said_in_one_sentence_that_makes_sense() -> None:
    """What makes a mistake worse comes first, and "but" what makes it bearable."""
    risk = {"impact": "high", "recoverability": "easy", "likelihood": 0.1}
    view = a_view(REFUND | {"risk": risk, "action": {"type": "x", "reversible": True}}, route=a_route(risk=Risk.MEDIUM))
    said = "*Medium risk if this is wrong:* impact high, but the service can undo it, easy to recover from and 10 % likely to go wrong."
    assert said in card(view)
    assert "*High risk if this is wrong:* impact high, *cannot be undone*, *hard to recover from*, but" in card(a_view())


def test_people_are_named_and_an_unknown_one_keeps_the_id() -> None:
    """Owner and backup by name."""
    assert "owner Ana Ruiz · backup Ben Ode" in card(a_view())
    assert f"owner Ana Ruiz · backup {BEN}" in card(replace(a_view(), names={ANA: "Ana Ruiz"}))


def test_provenance_says_only_what_is_known() -> None:
    """No noise about what the service did not tell."""
    assert "Model support-llm 3.1 · prompt p-12 · last trained 2026-08-01" in card(a_view())
    bare = card(a_view(REFUND | {"model": {"name": "m", "confidence": 0.5}}))
    assert "Model m · 2 sources" in bare
    assert "unknown" not in bare


def test_a_short_clock_says_how_long_and_the_time_of_day() -> None:
    """`within 15 min, by 15:15`, with the zone for clients that cannot show a local time; a long clock keeps its date."""
    shown = card(a_view())
    assert "Claim within 15 min, by <!date^1795187700^{time}|15:15 UTC>, decide by <!date^1795201200^{date_short_pretty} at" in shown


@pytest.mark.parametrize(("value", "drawn"), [(0.0, "▱▱▱▱▱▱▱▱▱│▱"), (0.9, "▰▰▰▰▰▰▰▰▰│▱"), (0.899, "▰▰▰▰▰▰▰▰▱│▱"), (1.0, "▰▰▰▰▰▰▰▰▰│▰")])
def test_a_bar_never_reaches_a_mark_the_value_missed(value: float, drawn: str) -> None:
    """The bar is rounded down and the mark stands where automation would begin."""
    assert bar(value, 0.9) == drawn


def test_the_bar_is_no_code() -> None:
    """Slack draws code in the colour of alarm; and a value just below the mark leaves a cell empty."""
    assert "*Confidence*  ▰▰▰▰▰▰▰▰▱│▱  *91 %* · automation needs 92 %" in card(a_view(REFUND | {"model": {"confidence": 0.91}}))


def test_a_decided_card_says_what_became_of_the_action() -> None:
    """Before the service reports it may be executed, afterwards it was; what was refused is not. Roll back is no eye-catcher."""
    fields: dict[str, Any] = {"state": State.DECIDED, "verdict": Verdict.APPROVED, "decided_at": NOW, "votes": (VOTE,)}
    assert "May be executed" in card(a_view(**fields))
    assert "\nExecuted \n" in card(a_view(**fields, outcome="executed"))
    assert "\nExecution failed \n" in card(a_view(**fields, outcome="failed"))
    assert "\nNot executed \n" in card(a_view(**fields | {"verdict": Verdict.REJECTED}))
    assert "style" not in next(buttons(a_view(**fields)))
