"""How much could go wrong, as a class, and how urgent a case is, as a number. Owns both formulas; never chooses a lane."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from routing.case.submission import Submission
from routing.policy.form.form import Priority, RiskMatrix
from routing.vocabulary import Lane, Risk

Recoverability = Literal["easy", "hard", "none"]

DEADLINE_NEAR_H = 72
"""Hours before its deadline from which a case gains priority."""

WAITING_PER_H = 10
"""Points for each full hour that a case waited."""

WAITING_MOST = 400
"""Points that waiting gives at most."""

_RISKS = tuple(Risk)
_RECOVERABILITY: tuple[Recoverability, ...] = ("easy", "hard", "none")


@dataclass(frozen=True, slots=True)
class Assessed:
    """The risk class and what it was made of; `why` says which facts were given and which assumed. `chance`: likelihood in per cent."""

    risk: Risk
    impact: Risk
    likelihood: Literal["unlikely", "possible", "likely"]
    recoverability: Recoverability
    chance: int
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
    chance = round(100 * (matrix.possible_from if facts.likelihood is None else facts.likelihood))
    return Assessed(_RISKS[min(max(level, least), 3)], impact, likelihood[column], recoverability, chance, why)


def priority(weights: Priority, assessed: Assessed, lane: Lane, submission: Submission, now: datetime) -> int:
    """How urgent, higher first (R6). All of it is arithmetic of whole numbers.

    With the default weights
    priority = 100 | 300 | 600 | 1000 for low | medium | high | critical risk
             + 500 in the stop lane
             + expected impact: 100 × (0 | 1 | 2 | 3 for low | medium | high | critical impact) × likelihood in per cent / 100, rounded
               down; an unknown likelihood counts as the least possible one
             + 200 × (1 - hours to the deadline / 72), from 0 at 72 h before to 200 at the deadline, rounded down
             + 25 per digit of the amount before the decimal point (123.45 gives 75)
             + 25 | 50 | 75 for a silver | gold | platinum customer

    Ties go by due time, then by id; when a case arrived never decides. Waiting is bounded twice: the queue's order by due time brings
    forward what is about to run out, and the clocks send up what nobody took; `waiting_priority` is what waiting is worth in between.
    """
    by_class = {Risk.LOW: weights.low, Risk.MEDIUM: weights.medium, Risk.HIGH: weights.high, Risk.CRITICAL: weights.critical}
    points = by_class[assessed.risk] + weights.expected * assessed.impact.level * assessed.chance // 100
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


def waiting_priority(priority: int, created_at: datetime, now: datetime) -> int:
    """What a priority is worth after waiting: 10 more for each full hour, at most 400.

    So a case of low risk passes a fresh one of medium risk within a day and never one of critical risk.
    """
    waited_h = int((now - created_at).total_seconds()) // 3_600
    return priority + min(max(waited_h, 0) * WAITING_PER_H, WAITING_MOST)
