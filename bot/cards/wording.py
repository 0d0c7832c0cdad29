"""The words people read for the codes of the vocabulary. Owns labels and icons; never a sentence about one case."""

from decimal import Decimal

from bot.cards.text import line
from routing.submission import RiskFacts
from routing.vocabulary import Lane, Risk, Verdict

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

DONE = {"approve": "Approved", "reject": "Rejected", "modify": "Modified", "verify": "Verified", "check": "Checked"}
"""A vote in the past tense, by verb or by name of the step."""

VOTE = {"verify": "Verified", "approve": "Approve", "check": "Checked"}
"""What the approving button says at a step of this name."""


def code_label(code: str) -> str:
    """`Wrong amount` for `wrong_amount`; codes of a policy are treated alike."""
    return line(code).replace("_", " ").capitalize()


def amount_text(risk: RiskFacts) -> str:
    """`1,240.00 USD`, "" where the case names no amount."""
    if risk.amount is None:
        return ""
    return f"{Decimal(risk.amount):,f} {risk.currency or '(no currency given)'}"
