"""The face of a card: what a tired reviewer has to see in five seconds, and in which order."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest

from bot.slack.cards.card import draw_card
from bot.slack.cards.forms.details import details_modal
from bot.slack.cards.parts.confidence_bar import bar
from bot.slack.cards.parts.diff import relative
from routing.case.case import Clocks, Reason, Step
from routing.vocabulary import Risk, State, Verdict
from tests.bot.slack.cards.factory import ANA, BEN, NOW, REFUND, a_route, a_view, low
from tests.bot.slack.cards.test_card import SEAT, VOTE, buttons, card, words_of
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


def test_a_card_is_read_in_the_order_in_which_one_decides() -> None:
    """Until when, what, why, what speaks against it, what would be wrong, the buttons, one small line; nothing of the rest."""
    shown = card(a_view())
    command = ("Claim by", "nobody is on it yet", "Will execute", "cannot be undone", "The model wrote", "Tracking", "Why here")
    parts = (*command, "second-model", "If wrong:", "Confidence", "Approve", "Details", "Tier 1 of 2, frontline")
    places = [shown.index(part) for part in parts]
    assert places == sorted(places)
    for behind in ("My parcel never arrived", "The tracking shows", "Refund policy", "Case c_"):
        assert behind not in shown


def test_what_speaks_against_it_is_named_beside_the_action() -> None:
    """Checks by name with what they found, contradictions in the service's words; of a check that passed the card says nothing."""
    context = {"conflicts": ["Two phone numbers."], "stale": ["Stock is 9 hours old."]}
    warned = {"name": "margin", "result": "warn", "detail": "Below the cost."}
    shown = card(a_view(REFUND | {"checks": [*REFUND["checks"], warned], "context": context}))
    beside = shown[shown.index("Why here") : shown.index("If wrong")]
    for part in (
        "⛔ \nsecond-model\n: The amounts differ.",
        "⚠️ \nmargin\n: Below the cost.",
        ": Two phone numbers.",
        ": Stock is 9 hours old.",
    ):
        assert part in beside
    assert "passed: rules" not in shown


def test_the_winning_reason_is_bold_and_the_next_one_stands_beside_it() -> None:
    """The rule that won comes first; of more the card says how many; that people decide by template only where nothing else does."""
    template = Reason(code="template_people", text="The policy has people decide this case (approval).")
    rule = Reason(code="policy_rule", text="The amount is over 1,000.")
    money = Reason(code="money", text="The action moves money.")
    view = a_view(route=a_route(reasons=(template, money, rule), rule="large"))
    bold = [node["text"] for node in nodes(draw_card(view).blocks) if node.get("style") == {"bold": True}]
    assert "The amount is over 1,000." in bold
    assert "Also: The action moves money." in card(view)
    far = Reason(code="novel", text="Nothing like it was seen before.")
    assert "Also: The action moves money. · 1 more in the details" in card(a_view(route=a_route(reasons=(rule, money, far), rule="large")))
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
    assert shown.count("second-model") == 1
    assert "Checks that failed: 1" not in shown


def test_what_would_be_wrong_says_what_makes_it_worse_and_no_more() -> None:
    """What the title and the line of the action say already is not said again; in the details stands all of it."""
    risk = {"impact": "high", "recoverability": "easy", "likelihood": 0.1}
    view = a_view(REFUND | {"risk": risk, "action": {"type": "x", "reversible": True}}, route=a_route(risk=Risk.MEDIUM))
    assert "*Medium risk if wrong:* impact high · *Confidence*" in card(view)  # the title tells of the check that failed
    assert "*If wrong:* impact high · *Confidence*" in card(replace(view, case=view.case.model_copy(update={"failed_checks": 0})))
    said = "*Medium risk if this is wrong:* impact high, but the service can undo it, easy to recover from and 10 % likely to go wrong."
    assert said in words_of(details_modal(view, SEAT, tab="model")["blocks"])
    assert "*If wrong:* impact high, *hard to recover from* · " in card(a_view())
    assert "If wrong" not in card(a_view(REFUND | {"risk": {}}))


def test_the_reason_that_says_most_comes_first() -> None:
    """What the title and the line of the action tell anyway stands behind whatever else would bring the case to people."""
    undone = Reason(code="not_reversible", text="The action cannot be undone.")
    money = Reason(code="money", text="The action moves money.")
    assert "Why here  \nThe action moves money.\n" in card(a_view(route=a_route(reasons=(undone, money))))
    assert "Why here  \nThe action cannot be undone.\n" in card(a_view(route=a_route(reasons=(undone,))))
    low_sure = Reason(code="confidence_low", text="The confidence is low.")
    assert "Why here  \nThe action cannot be undone.\n" in card(a_view(route=a_route(reasons=(undone, low_sure))))


def test_what_the_proposal_is_compared_with_stands_on_the_card() -> None:
    """The first two sources whose text is short, whole; what was asked where there is none, or where what was made of it is decided on."""

    def told(texts: Sequence[str], request: str = "Where is it?", step: Literal["triage", "approve"] = "approve") -> list[str]:
        evidence = [{"id": f"e-{number}", "kind": "record", "title": f"Source {number}", "text": text} for number, text in enumerate(texts)]
        view = a_view(REFUND | {"request": request, "evidence": evidence}, route=a_route(steps=(Step(name=step),)))
        return [said.replace("\n", "") for said in re.findall(r"(?:Request|Source \d)\n  “[^”]*”", card(view))]

    long = "x" * 121
    assert told(["One.", "Two.", "Three."]) == ["Source 0  “One.”", "Source 1  “Two.”"]
    assert told([long, "Two.", "Three."]) == ["Source 1  “Two.”", "Source 2  “Three.”"]
    assert told([]) == told([long]) == told(["Where is it?"]) == ["Request  “Where is it?”"]
    assert told([], request=long) == []
    assert told(["One.", "Two."], step="triage") == ["Request  “Where is it?”", "Source 0  “One.”", "Source 1  “Two.”"]
    assert told([], request=long, step="triage") == [f"Request  “{long}”"]


@pytest.mark.parametrize(
    ("results", "said"),
    [([], "no check ran"), (["pass"], "1 check passed"), (["pass", "pass"], "2 checks passed"), (["pass", "warn"], ""), (["fail"], "")],
)
def test_silence_about_checks_is_not_taken_for_an_answer(results: list[str], said: str) -> None:
    """Where nothing speaks against it, the card says whether anybody looked."""
    shown = card(a_view(REFUND | {"checks": [{"name": f"c{number}", "result": result} for number, result in enumerate(results)]}))
    assert [text for text in ("no check ran", "1 check passed", "2 checks passed") if text in shown] == ([said] if said else [])


def test_people_are_named_and_an_unknown_one_keeps_the_id() -> None:
    """The owner by name, the backup where the owner is away; who has claimed it."""
    assert "owner Ana Ruiz" in card(a_view())
    assert "backup" not in card(a_view())
    assert f"owner {ANA}" in card(replace(a_view(), names={}))
    away = card(replace(a_view(), away={ANA: NOW + timedelta(days=1)}))
    assert "owner Ana Ruiz *away until" in away
    assert "*Ben Ode stands in for the owner*" in away
    assert "*Ben Ode is on it*" in card(a_view(claimed_by=BEN))


def test_provenance_says_only_what_is_known() -> None:
    """No noise about what the service did not tell."""
    assert "support-llm 3.1 · 2 sources, oldest 3 days · action" in card(a_view())
    bare = card(a_view(REFUND | {"model": {"confidence": 0.5}, "evidence": []}))
    assert "model not named · no sources · action" in bare
    assert "unknown" not in bare
    assert "Prompt version: p-12" in words_of(details_modal(a_view(), SEAT, tab="model")["blocks"])


def test_a_clock_is_a_time_of_day_and_has_its_day_where_that_is_not_plain() -> None:
    """`by 15:15`, with the zone for clients that cannot show a local time; what is more than twelve hours off keeps its day."""
    assert "*Claim by <!date^1795187700^{time}|15:15 UTC>, decide by <!date^1795201200^{time}|19:00 UTC>* or" in card(a_view())
    later = Clocks(acknowledge=NOW + timedelta(minutes=15), decide=NOW + timedelta(hours=13))
    assert "ecide by <!date^1795233600^{date_short_pretty} at {time}|2026-11-21 04:00 UTC>* or" in card(a_view(clocks=later))


@pytest.mark.parametrize(("value", "drawn"), [(0.0, "▱▱▱▱▱▱▱▱▱│▱"), (0.9, "▰▰▰▰▰▰▰▰▰│▱"), (0.899, "▰▰▰▰▰▰▰▰▱│▱"), (1.0, "▰▰▰▰▰▰▰▰▰│▰")])
def test_a_bar_never_reaches_a_mark_the_value_missed(value: float, drawn: str) -> None:
    """The bar is rounded down and the mark stands where automation would begin."""
    assert bar(value, 0.9) == drawn


def test_the_bar_is_no_code() -> None:
    """Slack draws code in the colour of alarm; and a value just below the mark leaves a cell empty."""
    assert "*Confidence* ▰▰▰▰▰▰▰▰▱│▱ *91 %*, automation needs 92 %" in card(a_view(REFUND | {"model": {"confidence": 0.91}}))


def test_a_decided_card_says_what_became_of_the_action() -> None:
    """Before the service reports it may be executed, afterwards it was; what was refused is not. Roll back is no eye-catcher."""
    fields: dict[str, Any] = {"state": State.DECIDED, "verdict": Verdict.APPROVED, "decided_at": NOW, "votes": (VOTE,)}
    assert "May be executed" in card(a_view(**fields))
    assert "\nExecuted \n" in card(a_view(**fields, outcome="executed"))
    assert "\nExecution failed \n" in card(a_view(**fields, outcome="failed"))
    assert "\nNot executed \n" in card(a_view(**fields | {"verdict": Verdict.REJECTED}))
    assert "style" not in next(buttons(a_view(**fields)))
