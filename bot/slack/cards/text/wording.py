"""The words people read for the codes of the vocabulary. Owns labels and icons; never a sentence about one case."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from bot.slack.cards.text.safe_text import line
from routing.case.case import Case
from routing.case.submission import RiskFacts
from routing.vocabulary import CaseKind, Lane, Risk, Verdict

RISK = {Risk.LOW: "🟢 Low risk", Risk.MEDIUM: "🟡 Medium risk", Risk.HIGH: "🟠 High risk", Risk.CRITICAL: "🔴 Critical risk"}

LANE = {
    Lane.AUTO: "automatic",
    Lane.REVIEW: "review",
    Lane.SPECIALIST: "specialist review",
    Lane.EXPERT: "expert review",
    Lane.REJECT: "not allowed",
    Lane.STOP: "stop the line",
}

VERDICT = {
    Verdict.APPROVED: "✅ Approved",
    Verdict.MODIFIED: "✏️ Approved with changes",
    Verdict.REJECTED: "⛔ Rejected",
    Verdict.AUTO_APPROVED: "✅ Approved automatically",
    Verdict.AUTO_REJECTED: "⛔ Rejected automatically",
    Verdict.EXPIRED: "⌛ Expired, nobody decided",
    Verdict.WITHDRAWN: "↩️ Withdrawn by the service",
}

DONE = {
    "approve": "Approved",
    "reject": "Rejected",
    "modify": "Modified",
    "triage": "Confirmed",
    "verify": "Verified",
    "check": "Checked",
    "break_glass": "Decided alone",
}
"""A vote in the past tense, by verb or by name of the step."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What the deciding buttons and their forms say, at most 24 characters each; `modify` is "" where there is nothing to modify."""

    approve: str
    reject: str = "Reject"
    modify: str = "Modify"


_AT_STEP = {
    "triage": Labels("Confirm", modify="Correct"),
    "verify": Labels("Verified"),
    "approve": Labels("Approve"),
    "check": Labels("Checked"),
}
_OF_KIND = {
    CaseKind.CHECK: Labels("It was right", "It was wrong", ""),
    CaseKind.REVIEW: Labels("It was right", "It was wrong", ""),
    CaseKind.ROLLBACK: Labels("Undo it", "Leave it", ""),
    CaseKind.DRILL: Labels("Approve", "Reject", ""),
}


def labels(case: Case) -> Labels:
    """The words of the case's kind, else those of the step it is at."""
    name = case.route.steps[case.step].name if case.step < len(case.route.steps) else "approve"
    return _OF_KIND.get(case.kind) or _AT_STEP[name]


def code_label(code: str) -> str:
    """`Wrong amount` for `wrong_amount`; codes of a policy are treated alike."""
    return line(code).replace("_", " ").capitalize()


def amount_text(risk: RiskFacts, tied: Collection[str]) -> str:
    """`1,240.00 USD`, "" where the case names no amount. What is not `tied` to the action is said to be the service's word."""
    if risk.amount is None:
        return ""
    figure, currency = f"{Decimal(risk.amount):,f}", risk.currency or "(no currency given)"
    if "amount" not in tied:
        return f"{figure} {currency}, says the service"
    return f"{figure} {currency}" if "currency" in tied or risk.currency is None else f"{figure} ({currency}, says the service)"
