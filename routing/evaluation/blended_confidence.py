"""The confidence a case is judged by: the model's score, pulled down by weak retrieval and by risk (R1). Owns the formula and its weights.

    0.6 × score + 0.25 × the smaller of score and retrieval quality + 0.15 × the smaller of score and (1 - risk score)

What is not given counts as much as the score itself: nothing lifts a score, and no fact that gets worse does either. A score or a retrieval
quality outside 0 to 1 counts as 0. In decimal, so that 0.92 reaches 0.92.
"""

from decimal import ROUND_FLOOR, Decimal

from routing.case.submission import Submission
from routing.policy.form.form import Workflow
from routing.policy.router_presets import router_of

SCORE, RETRIEVAL, RISK = Decimal("0.6"), Decimal("0.25"), Decimal("0.15")
"""The weights; their sum is 1."""

_DIGITS = Decimal("0.0001")


def blended(workflow: Workflow, submission: Submission) -> Decimal:
    """The blend, from 0 to 1. A score that is missing or invalid gives 0; one with nothing beside it gives itself."""
    score, retrieval, safety = _parts(workflow, submission)
    return SCORE * score + RETRIEVAL * min(score, retrieval) + RISK * min(score, safety)


def told(workflow: Workflow, submission: Submission) -> str:
    """The blend for people, with its parts where there is more than the score: `0.86 (0.6 × 0.95 + 0.25 × 0.59 + 0.15 × 0.95)`.

    Rounded down to four digits, so that nothing looks as if it reached a limit that it misses.
    """
    score, retrieval, safety = _parts(workflow, submission)
    if min(retrieval, safety) >= score:
        return str(score)
    shown = blended(workflow, submission).quantize(_DIGITS, ROUND_FLOOR).normalize()
    return f"{shown:f} ({SCORE} × {score} + {RETRIEVAL} × {min(score, retrieval)} + {RISK} × {min(score, safety)})"


def _parts(workflow: Workflow, submission: Submission) -> tuple[Decimal, Decimal, Decimal]:
    """Score, retrieval quality and what is left to 1 from the risk score; 1 where one is not given or has its own place."""
    score, retrieval, risk = submission.model.confidence, submission.model.retrieval_quality, submission.risk.score
    return (
        Decimal(str(score)) if score is not None and 0 <= score <= 1 else Decimal(0),
        Decimal(1) if retrieval is None else Decimal(str(retrieval)) if 0 <= retrieval <= 1 else Decimal(0),
        1 - Decimal(str(risk)) if risk is not None and router_of(workflow).blends_score else Decimal(1),
    )
