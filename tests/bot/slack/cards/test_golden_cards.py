"""Cards of many kinds of case as JSON, block by block: what a change of one part does to any of them is seen in its golden file."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.slack.cards.card import draw_card
from bot.slack.cards.text.limits import check_message
from bot.slack.cards.view import View
from routing.authority import Automation
from routing.case.case import Clocks, Reason, Step
from routing.case.playbook import LegalHold
from routing.vocabulary import DrillKind, Risk, State, Template, Verdict
from tests.bot.slack.cards.factory import (
    ANA,
    BEN,
    CHECKLIST,
    NOW,
    REFUND,
    a_check,
    a_drill,
    a_review,
    a_rollback,
    a_route,
    a_view,
    dual_critical,
    low,
)
from tests.routing.low_risk import golden

FINE = REFUND | {"checks": [{"name": "rules", "result": "pass"}]}
MAIL = FINE | {
    "title": "Answer a customer who asks where the parcel is",
    "output": "Dear customer,\n\nyour parcel comes tomorrow.\n\nKind regards",
    "action": {"type": "email.send", "params": {"to": "cust-8841"}, "reversible": False},
}
PREFILLED = FINE | {
    "action": {"type": "ticket.route", "params": {"ticket": 5}, "reversible": True},
    "prefill": {"category": "billing", "priority": "high", "summary": "Charged twice."},
}
ONE, TRIAGE, DUAL = Step(name="approve"), Step(name="triage"), (Step(name="verify", checklist=CHECKLIST), Step(name="approve"))
VOTES = ({"step": 0, "by": ANA, "verb": "approve", "at": NOW},)
DECIDED: dict[str, Any] = {"state": State.DECIDED, "decided_at": NOW, "clocks": Clocks(), "votes": VOTES}

KINDS: dict[str, Callable[[], View]] = {
    "low": low,
    "medium": lambda: a_view(FINE, route=a_route(risk=Risk.MEDIUM)),
    "high-with-a-failed-check": a_view,
    "critical": lambda: a_view(FINE, route=a_route(risk=Risk.CRITICAL)),
    "critical-second-of-two-steps": dual_critical,
    "first-of-two-steps": lambda: a_view(FINE, route=a_route(template=Template.DUAL, steps=DUAL)),
    "mail": lambda: a_view(MAIL),
    "triage": lambda: a_view(PREFILLED, route=a_route(template=Template.TRIAGE, steps=(TRIAGE,))),
    "facts-missing": lambda: a_view(FINE | {"context": {"missing": ["the tracking"], "conflicts": ["Two phone numbers."]}}),
    "no-confidence": lambda: a_view(FINE | {"model": {"name": "m", "version": "1"}, "evidence": []}),
    "too-long": lambda: a_view(FINE | {"request": "Please. " * 200, "output": "Dear customer. " * 100}),
    "masked": lambda: replace(a_view(FINE, route=a_route(reveal=("seniors",))), masked=("action.params.customer",)),
    "claimed": lambda: a_view(FINE, claimed_by=BEN),
    "identical-cases": lambda: a_view(FINE, tied=("c_01hxyz0123456789abcdefgtie",)),
    "workflow-paused": lambda: replace(a_view(FINE), automation=Automation.PAUSED),
    "legal-hold": lambda: a_view(FINE, legal_holds=(LegalHold(playbook="dispute", reason="A dispute.", by="tierline", at=NOW),)),
    "no-clock": lambda: a_view(FINE, clocks=Clocks(decide=NOW + timedelta(days=2))),
    "reasons": lambda: a_view(FINE, route=a_route(reasons=tuple(Reason(code=f"r{one}", text=f"Reason {one}.") for one in range(5)))),
    "sampled-check": a_check,
    "undo": a_rollback,
    "break-glass-review": a_review,
    "drill": lambda: a_drill(DrillKind.NOBODY_AVAILABLE),
    "waits-for-the-service": lambda: a_view(FINE, state=State.NEEDS_INFO, clocks=Clocks(information=NOW + timedelta(hours=1))),
    "held": lambda: a_view(FINE, state=State.HELD, held_by="ladder", clocks=Clocks()),
    "quarantined": lambda: a_view(FINE, state=State.HELD, held_by="quarantine", clocks=Clocks()),
    "approved": lambda: a_view(FINE, verdict=Verdict.APPROVED, **DECIDED),
    "rejected": lambda: a_view(FINE, verdict=Verdict.REJECTED, reason_code="wrong_amount", **DECIDED),
    "approved-by-itself": lambda: a_view(FINE, verdict=Verdict.AUTO_APPROVED, **(DECIDED | {"votes": ()})),
    "erased": lambda: a_view(FINE, verdict=Verdict.APPROVED, erased_at=NOW, **DECIDED),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_card_of_a_kind_is_as_it_was(kind: str) -> None:
    """Every block of it, within what Slack takes."""
    drawing = draw_card(KINDS[kind]())
    check_message(drawing.text, drawing.blocks)
    golden(f"cards/{kind}.json", json.dumps({"text": drawing.text, "blocks": drawing.blocks}, indent=1, ensure_ascii=False) + "\n")
