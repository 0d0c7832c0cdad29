"""Cases and views made by hand for drawing. Owns nothing but examples; routes nothing."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.slack.cards.forms.detail_tabs import TABS
from bot.slack.cards.forms.details import details_modal, details_pages
from bot.slack.cards.forms.fields import fields_of
from bot.slack.cards.forms.form_input import read_modification
from bot.slack.cards.forms.modals import Seat
from bot.slack.cards.forms.modify import modify_modal, preview_modal
from bot.slack.cards.forms.shapes import shape_of
from bot.slack.cards.text.safe_text import head
from bot.slack.cards.view import Happening, View
from routing.case.case import Case, Clocks, DrillPart, Group, Item, Page, Reason, Route, Step, Tier
from routing.case.submission import Submission
from routing.change import SYSTEM, Actor
from routing.vocabulary import CaseKind, DrillKind, EventKind, Lane, Mode, ReasonCode, Risk, State, Template, Verdict

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
PARENT = "c_01hxyz0123456789abcdparent"
ANA, BEN, KIM = "U0ANA", "U0BEN", "U0KIM"
NAMES = {ANA: "Ana Ruiz", BEN: "Ben Ode", KIM: "Kim Lund"}

TIERS = (
    Tier(channel="review-tier1", group="frontline", owner=ANA, backup=BEN, ack_s=900, decide_s=14_400),
    Tier(channel="review-tier2", group="experts", owner=KIM, ack_s=900, decide_s=1_800, page=Page(severity="error")),
)

REFUND: dict[str, Any] = {
    "workflow": "refunds",
    "task_id": "t-17",
    "title": "Refund 1,240.00 USD to customer 8841",
    "request": "My parcel never arrived. Please give me my money back.",
    "output": "Dear customer, we are sorry. We will refund the full price of your order today.",
    "action": {
        "type": "refund.create",
        "params": {"customer": "8841", "amount": "1240.00", "currency": "USD", "notify": True, "lines": [{"sku": "A-1", "count": 2}]},
        "before": {"amount": "0.00", "currency": "USD", "hold": True},
        "reversible": False,
    },
    "model": {
        "name": "support-llm",
        "version": "3.1",
        "prompt_version": "p-12",
        "confidence": 0.83,
        "retrieval_quality": 0.7,
        "trained_at": "2026-08-01",
        "rationale": "The tracking shows no scan after the depot, and the customer is a long-standing one.",
        "features": [{"name": "days_late", "value": 14, "weight": 0.41}, {"name": "tier", "value": "gold", "weight": 0.2}],
        "counterfactual": "the tracking showed a delivery scan",
    },
    "checks": [
        {"name": "rules", "result": "pass"},
        {"name": "second-model", "by": "judge-1", "result": "fail", "detail": "The amounts differ."},
    ],
    "evidence": [
        {
            "id": "trk-1",
            "kind": "record",
            "title": "Tracking",
            "text": "Last scan: depot, 6 November.",
            "updated_at": "2026-11-17T09:00:00Z",
        },
        {
            "id": "kb-9",
            "kind": "url",
            "title": "Refund policy",
            "url": "https://kb.example.com/refunds",
            "retrieved_at": "2026-11-20T14:00:00Z",
        },
    ],
    "risk": {
        "impact": "high",
        "likelihood": 0.2,
        "recoverability": "hard",
        "blast_radius": 0.1,
        "amount": "1240.00",
        "currency": "USD",
        "flags": ["financial"],
    },
    "subject": {"id": "cust-8841", "type": "customer", "tier": "gold"},
}


def read(document: dict[str, Any]) -> Submission:
    """A submission from its JSON form."""
    return Submission.model_validate_json(json.dumps(document))


def a_route(**changes: Any) -> Route:
    """One approval by the first of two tiers."""
    fields: dict[str, Any] = {
        "lane": Lane.REVIEW,
        "mode": Mode.ASYNC,
        "risk": Risk.HIGH,
        "priority": 50,
        "template": Template.APPROVAL,
        "steps": (Step(name="approve"),),
        "ladder": "standard",
        "tiers": TIERS,
        "start": 0,
        "reasons": (Reason(code="money", text="Money moves, so a person decides."), Reason(code="check_failed", text="A check failed.")),
        "reason_codes": tuple(code.value for code in ReasonCode),
        "policy_version": "2026-11-20.1",
        "policy_sha256": "ab" * 32,
    }
    return Route(**(fields | changes))


def a_case(submission: Submission, **changes: Any) -> Case:
    """A case that waits at the first tier."""
    fields: dict[str, Any] = {
        "id": "c_01hxyz0123456789abcdefghjk",
        "service": "refund-agent",
        "workflow": submission.workflow,
        "task_id": submission.task_id,
        "route": a_route(),
        "created_at": NOW,
        "action_sha256": submission.action.sha256,
        "input_sha256": "cd" * 32,
        "action_type": submission.action.type,
        "failed_checks": sum(check.result == "fail" for check in submission.checks),
        "warned_checks": sum(check.result == "warn" for check in submission.checks),
        "tier_since": NOW,
        "clocks": Clocks(acknowledge=NOW + timedelta(minutes=15), decide=NOW + timedelta(hours=4)),
    }
    return Case(**(fields | changes))


def a_view(
    document: dict[str, Any] | None = None, *, history: tuple[Happening, ...] = (), shown: int | None = None, **changes: Any
) -> View:
    """A view of a case made from `document`; `changes` are fields of the case, `shown` is the tier whose card is drawn."""
    submission = read(document if document is not None else REFUND)
    case = a_case(submission, **changes)
    link = "https://northwind.slack.com/archives/C0T2/p1"
    return View(case, submission, history, NOW, "1234/ab12cd", case.tier if shown is None else shown, {1: "Kim Lund"}, link, NAMES)


CHECKLIST = (
    Item(id="evidence", text="The evidence is there and supports the action."),
    Item(id="accurate", text="Figures, names and dates are right."),
    Item(id="wording", text="The wording fits whoever will read it."),
)


def a_check(**changes: Any) -> View:
    """Was this automatic approval right? With the parent that it is about."""
    drawn = Happening(EventKind.RECEIVED, SYSTEM, NOW, {"sampled": "lot", "rate": 0.05}, {}, 1)
    return _child(CaseKind.CHECK, a_route(steps=(Step(name="check", checklist=CHECKLIST),)), changes, (drawn,))


def a_rollback(text: str = "The parcel has arrived after all.", **changes: Any) -> View:
    """Shall it be undone? Asked by Ana."""
    said = Happening(EventKind.RECEIVED, SYSTEM, NOW, {"reason_code": "inaccurate"}, {"text": text}, 1)
    return _child(CaseKind.ROLLBACK, a_route(), {"requester": ANA, "reason_code": "inaccurate", **changes}, (said,))


def a_review(text: str = "Nobody of the night shift answered.", **changes: Any) -> View:
    """Was it right to decide by break-glass? Ben did."""
    told = {"by": BEN, "verdict": "approved", "passed_over": ["group", "people", "hold"]}
    said = Happening(EventKind.RECEIVED, SYSTEM, NOW, told, {"text": text, "name": "Ben Ode"}, 1)
    route = a_route()
    desk = route.tiers[0].model_copy(update={"channel": "ops", "group": "bosses"})
    asked = route.model_copy(update={"tiers": (desk,), "groups": {"bosses": Group(usergroup="S0BOSSES001")}})
    return _child(CaseKind.REVIEW, asked, changes, (said,))


def a_drill(kind: DrillKind = DrillKind.NOBODY_AVAILABLE, to: int = 1, **changes: Any) -> View:
    """Does a case reach every tier? Nothing of a service's."""
    view = a_view(kind=CaseKind.DRILL, parent="d_01m7x9f69v8dn7qfj5xa4pwhb1", drill=DrillPart(kind=kind, to=to), **changes)
    return replace(view, submission=view.submission.model_copy(update={"title": "[DRILL] nobody is available for refunds"}))


def _child(kind: CaseKind, route: Route, changes: dict[str, Any], history: tuple[Happening, ...]) -> View:
    parent = a_case(read(REFUND), id=PARENT, state=State.DECIDED, verdict=Verdict.AUTO_APPROVED, decided_at=NOW, route=route)
    view = a_view(history=history, kind=kind, parent=PARENT, **{"route": route, **changes})
    return replace(view, related={PARENT: parent}, related_links={PARENT: view.links})


def low() -> View:
    """A small thing that is quickly seen to be right."""
    document = {
        "workflow": "support",
        "task_id": "t-3",
        "title": "Send the standard reply to ticket 511",
        "action": {"type": "reply.send", "params": {"ticket": 511, "template": "late_parcel"}, "reversible": True},
        "output": "Your parcel is on its way and should arrive tomorrow.",
        "model": {"name": "support-llm", "version": "3.1", "prompt_version": "p-12", "confidence": 0.9},
        "evidence": [{"id": "trk-1", "kind": "record", "title": "Tracking", "updated_at": "2026-11-20T13:00:00Z"}],
        "risk": {"impact": "low", "recoverability": "easy", "blast_radius": 0.01},
    }
    route = a_route(risk=Risk.LOW, reasons=(Reason(code="confidence", text="The model is less sure than automation demands."),))
    return a_view(document, route=route)


def dual_critical() -> View:
    """Two people's work at the second tier, after an escalation and a first step."""
    from_ana = Actor("human", ANA)
    history = (
        Happening(EventKind.COMMENTED, from_ana, NOW, {}, {"text": "The depot has lost parcels all week."}, 3),
        Happening(EventKind.ESCALATED, from_ana, NOW, {"reason_code": "needs_specialist"}, {"text": "Above my limit."}, 4),
    )
    steps = (Step(name="verify"), Step(name="approve", people=2))
    vote = {"step": 0, "by": BEN, "verb": "approve", "at": NOW}
    return a_view(
        REFUND,
        history=history,
        tier=1,
        route=a_route(
            risk=Risk.CRITICAL, lane=Lane.SPECIALIST, template=Template.DUAL, steps=steps, instructions="Compare the amount with the order."
        ),
        votes=(vote,),
        step=1,
        claimed_by=KIM,
        state=State.PENDING,
        clocks=Clocks(decide=NOW + timedelta(minutes=30), deadline=NOW + timedelta(hours=6)),
    )


def every_detail(view: View, seat: Seat) -> list[dict[str, Any]]:
    """The details of a case: every page of every tab, in their order."""
    return [details_modal(view, seat, page, tab) for tab in TABS for page in range(details_pages(view, tab))]


def preview_of(view: View, text: str, seat: Seat) -> dict[str, Any]:
    """The second step of a modification in which every text of the form's first page became this one."""
    on_page = {block.get("block_id") for block in modify_modal(view, seat)["blocks"]}
    fields = [field for field in fields_of(view).open if shape_of(field) == "text" and field.block_id in on_page]
    values = {field.block_id: {"value": {"type": "plain_text_input", "value": head(text, 2_000)}} for field in fields}
    return preview_modal(view, seat, read_modification(view, values).changes, values)
