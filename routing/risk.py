"""How much could go wrong, as a class, and how urgent a case is, as a number. Owns both formulas; never chooses a lane."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from routing.policy_form import Priority, RiskMatrix
from routing.submission import Submission
from routing.vocabulary import Lane, Risk

Recoverability = Literal["easy", "hard", "none"]

DEADLINE_NEAR_H = 72
"""Hours before its deadline from which a case gains priority."""

_RISKS = tuple(Risk)
_RECOVERABILITY: tuple[Recoverability, ...] = ("easy", "hard", "none")


@dataclass(frozen=True, slots=True)
class Assessed:
    """The risk class and what it was made of; `why` says which facts were given and which assumed."""

    risk: Risk
    impact: Risk
    likelihood: Literal["unlikely", "possible", "likely"]
    recoverability: Recoverability
    why: str


def assess(matrix: RiskMatrix, submission: Submission) -> Assessed:
    """Likelihood × impact × recoverability -> class (R2).

    The table gives a class for impact and likelihood; one class less where recovery is easy, one more where there is none.
    The class is never more than one below the impact. Unknown is not low: an unknown impact counts as medium and is never
    low, an unknown likelihood as possible, an unknown recoverability as easy only where the action is said to be reversible,
    else as hard; an action that cannot be undone is never easy to recover from. So no fact made worse gives a lower class.
    """
    facts = submission.risk
    impact = facts.impact or Risk.MEDIUM
    column = 1 if facts.likelihood is None else (facts.likelihood >= matrix.possible_from) + (facts.likelihood >= matrix.likely_from)
    undone = submission.action.reversible
    recoverability: Recoverability = facts.recoverability or ("easy" if undone else "hard")
    if undone is False and recoverability == "easy":
        recoverability = "hard"
    rows = {Risk.LOW: matrix.low, Risk.MEDIUM: matrix.medium, Risk.HIGH: matrix.high, Risk.CRITICAL: matrix.critical}
    level = rows[impact][column].level + _RECOVERABILITY.index(recoverability) - 1
    least = max(impact.level - 1, 1 if facts.impact is None else 0)
    likelihood: tuple[Literal["unlikely", "possible", "likely"], ...] = ("unlikely", "possible", "likely")
    why = ", ".join(
        (
            f"impact {impact}{'' if facts.impact else ' (assumed)'}",
            f"{likelihood[column]}{' (assumed)' if facts.likelihood is None else ''}",
            f"recovery {recoverability}{'' if facts.recoverability else ' (assumed)'}",
        ),
    )
    return Assessed(_RISKS[min(max(level, least), 3)], impact, likelihood[column], recoverability, why)


def priority(weights: Priority, risk: Risk, lane: Lane, submission: Submission, now: datetime) -> int:
    """How urgent, higher first (R6).

    With the default weights
    priority = 100 | 300 | 600 | 1000 for low | medium | high | critical risk
             + 500 in the stop lane
             + 200 × (1 - hours to the deadline / 72), from 0 at 72 h before to 200 at the deadline, rounded down
             + 25 per digit of the amount before the decimal point (123.45 gives 75)
             + 25 | 50 | 75 for a silver | gold | platinum customer
    """
    points = {Risk.LOW: weights.low, Risk.MEDIUM: weights.medium, Risk.HIGH: weights.high, Risk.CRITICAL: weights.critical}[risk]
    if lane is Lane.STOP:
        points += weights.stop
    if submission.deadline is not None:
        near_s = DEADLINE_NEAR_H * 3_600
        left_s = min(max(int((submission.deadline - now).total_seconds()), 0), near_s)
        points += weights.deadline * (near_s - left_s) // near_s
    if submission.risk.amount is not None:
        points += weights.amount * len(submission.risk.amount.lstrip("-").partition(".")[0].lstrip("0"))
    if submission.subject is not None and submission.subject.tier is not None:
        points += weights.customer.get(submission.subject.tier.lower(), 0)
    return points
