"""Circuit breakers: from counted facts about one workflow to a figure, and from the figure to trip, clear or neither (G1). Pure.

Owns the built-in breakers, what each of them measures and the hysteresis. It never counts (the store does) and never acts: what a tripped
breaker does to a workflow is `routing.governance.automation`'s.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import log
from statistics import fmean, median
from typing import Literal

from routing.authority import AlertLevel, Automation, Autonomy
from routing.policy.form.form import PolicyForm, Workflow
from routing.policy.form.guardrails import Breaker, Measured
from routing.vocabulary import Risk, Template

BUILT_IN: tuple[Breaker, ...] = (
    Breaker(name="override-rate", measure="override_rate", above=0.15),
    Breaker(name="false-positives", measure="false_positives", above=2, minimum=1),
    Breaker(name="critical-confidence", measure="critical_confidence", below=0.6, minimum=1, level=AlertLevel.INCIDENT),
    Breaker(name="confidence-drop", measure="mean_confidence_drop", above=0.20),
    Breaker(name="review-latency", measure="review_latency", above=1.5, action=Automation.ON).model_copy(update={"window": 1_800}),
    Breaker(name="drift", measure="drift", above=0.2, minimum=200, level=AlertLevel.INFO, action=Automation.SAMPLING_RAISED).model_copy(
        update={"window": 86_400}
    ),
    Breaker(name="stale-data", measure="stale_data", above=0.2),
    Breaker(name="violations", measure="violations", above=2, minimum=1, level=AlertLevel.INCIDENT, action=Automation.PAUSED),
    Breaker(name="model-latency", measure="model_latency", above=2.0, level=AlertLevel.INFO, action=Automation.ON),
    Breaker(name="audit-completeness", measure="audit_completeness", below=0.99, level=AlertLevel.INCIDENT),
    Breaker(name="queue-growth", measure="queue_growth", above=2.0, action=Automation.ON),
    Breaker(name="unowned", measure="unowned", above=5, minimum=1, action=Automation.ON),
    Breaker(name="review-time", measure="review_time", below=0.25),
    Breaker(name="approval-rate", measure="approval_rate", below=0.5),
    Breaker(name="budget", measure="budget", above=6.0),
)
"""The breakers of a policy that says nothing. Figures of G1; where it gives none: twice the usual for latencies and growth, a quarter of
the usual review time (nobody reads that fast), half the usual approval rate, and a burn of six times the budget (the page threshold of the
SRE workbook, chapter "Alerting on SLOs", for a window of hours)."""

SLO = 0.95
"""Share of decisions that shall be within the time their tier has (K3)."""

_AT_MOST_ONE = frozenset({"override_rate", "critical_confidence", "stale_data", "audit_completeness"})
"""Measures that no limit above 1 means anything for."""

_ANYWHERE: frozenset[Measured] = frozenset({"violations", "audit_completeness"})
"""Measures that are acted on whoever decides."""

BINS = 10
_STEPS = tuple(step / BINS for step in range(1, BINS))
_LEAST = 1e-4
"""In place of an empty bin, so that the logarithm exists."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was counted in one window of one scope: confidences of cases received, seconds of the reviews of cases that people decided."""

    cases: int = 0
    confidences: Sequence[float] = ()
    critical: Sequence[float] = ()
    latencies_ms: Sequence[float] = ()
    stale: int = 0
    violations: int = 0
    decided: int = 0
    approved: int = 0
    overridden: int = 0
    reviews_s: Sequence[float] = ()
    sla_parts: Sequence[float] = ()
    """For each of those: the part of its allowed time that it took; 1.0 is just in time."""
    found_wrong: int = 0
    open_now: int = 0
    open_before: int = 0
    unowned: int = 0
    events: int = 0
    complete: int = 0
    bins: Sequence[int] = field(default=(0,) * BINS)
    """Cases received by confidence, in ten equal steps from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One figure; None where it cannot be told. `count` is what it is made of, held against the breaker's minimum."""

    figure: float | None
    count: int
    usual: float | None = None


Verdict = Literal["trip", "clear", "neither"]


def bin_of(confidence: float) -> int:
    """The step, from 0, that a confidence is in; one below 0 is in the first, one above 1 in the last."""
    return bisect_right(_STEPS, confidence)


def in_force(form: PolicyForm) -> tuple[Breaker, ...]:
    """The built-in breakers, each in the form the policy gives it, and the policy's own; those that are off are left out."""
    own = {breaker.name: breaker for breaker in form.breakers}
    named = {breaker.name for breaker in BUILT_IN}
    both = (*(own.get(breaker.name, breaker) for breaker in BUILT_IN), *(one for name, one in own.items() if name not in named))
    return tuple(breaker for breaker in both if not breaker.off)


def acts_alone(workflow: Workflow) -> bool:
    """Whether the model may act in a workflow before anybody looks, as far as the policy goes."""
    free = workflow.autonomy not in (Autonomy.HUMAN_APPROVED, Autonomy.HUMAN_EXECUTED) and workflow.confidence != "ignore"
    return free and workflow.template in (Template.AUTO, Template.VERIFY_AFTER)


def in_workflow(breaker: Breaker, workflow: Workflow) -> Breaker:
    """The breaker as it works in a workflow: it acts on what the model may do alone, and elsewhere only says what it found, paging nobody.

    What must not happen with people either, and the log itself, are acted on anywhere; so is whatever a policy writes a breaker for.
    """
    if acts_alone(workflow) or breaker not in BUILT_IN or breaker.measure in _ANYWHERE:
        return breaker
    return breaker.model_copy(update={"level": AlertLevel.INFO, "action": Automation.ON})


def read(measure: Measured, now: Sample, usual: Sample) -> Reading:
    """The figure of a measure in a window; `usual` is the same scope over the breaker's baseline."""
    return _READ[measure](now, usual)


def _confidence_drop(now: Sample, usual: Sample) -> Reading:
    kept = _ratio(now.confidences, usual.confidences)
    return Reading(None if kept is None else 1 - kept, len(now.confidences), _mean(usual.confidences))


def _review_time(now: Sample, usual: Sample) -> Reading:
    slow = median(usual.reviews_s) if usual.reviews_s else 0.0
    return Reading(median(now.reviews_s) / slow if now.reviews_s and slow else None, len(now.reviews_s), slow)


def _approval_rate(now: Sample, usual: Sample) -> Reading:
    before, since = _part(usual.approved, usual.decided), _part(now.approved, now.decided)
    return Reading(None if not before or since is None else since / before, now.decided, before)


def _budget(now: Sample, _usual: Sample) -> Reading:
    missed = _part(sum(part > 1 for part in now.sla_parts), len(now.sla_parts))
    return Reading(None if missed is None else missed / (1 - SLO), len(now.sla_parts))


_READ: dict[Measured, Callable[[Sample, Sample], Reading]] = {
    "override_rate": lambda now, _usual: Reading(_part(now.overridden, now.decided), now.decided),
    "false_positives": lambda now, _usual: Reading(float(now.found_wrong), now.found_wrong),
    "critical_confidence": lambda now, _usual: Reading(min(now.critical, default=None), len(now.critical)),
    "mean_confidence_drop": _confidence_drop,
    "review_latency": lambda now, _usual: Reading(median(now.sla_parts) if now.sla_parts else None, len(now.sla_parts)),
    "drift": lambda now, usual: Reading(psi(usual.bins, now.bins), sum(now.bins)),
    "stale_data": lambda now, _usual: Reading(_part(now.stale, now.cases), now.cases),
    "violations": lambda now, _usual: Reading(float(now.violations), now.violations),
    "model_latency": lambda now, usual: Reading(
        _ratio(now.latencies_ms, usual.latencies_ms), len(now.latencies_ms), _mean(usual.latencies_ms)
    ),
    "audit_completeness": lambda now, _usual: Reading(_part(now.complete, now.events), now.events),
    "queue_growth": lambda now, _usual: Reading(now.open_now / max(now.open_before, 1), now.open_now),  # an empty queue counts as one
    "unowned": lambda now, _usual: Reading(float(now.unowned), now.unowned),
    "review_time": _review_time,
    "approval_rate": _approval_rate,
    "budget": _budget,
}


def judge(breaker: Breaker, reading: Reading, *, tripped: bool, aged: bool = False) -> Verdict:
    """Whether it trips, or clears if it has tripped; between limit and reset it stays as it is.

    Below its minimum it never trips, and it clears once nothing of what tripped it is left in the window: that is empty, or it tripped
    longer ago than the window reaches (`aged`).
    """
    figure = reading.figure
    if figure is None or reading.count < breaker.minimum:
        return "clear" if tripped and (aged or not reading.count) else "neither"
    if breaker.above is not None:
        if not tripped:
            return "trip" if figure > breaker.above else "neither"
        return "clear" if figure <= breaker.above * breaker.reset else "neither"
    limit = breaker.below or 0.0
    if not tripped:
        return "trip" if figure < limit else "neither"
    return "clear" if figure >= _back(breaker, limit) else "neither"


def _back(breaker: Breaker, limit: float) -> float:
    """From where on a figure that fell below its limit is back to normal: at most half-way from the limit to 1, which is all of a share and
    the usual of a ratio.
    """
    if limit < 1:
        return min(limit / breaker.reset, (1 + limit) / 2)
    return limit if breaker.measure in _AT_MOST_ONE else limit / breaker.reset


def said(breaker: Breaker, reading: Reading) -> str:
    """One sentence with the figure and its limit, for the alert."""
    limit, side = (breaker.above, "above") if breaker.above is not None else (breaker.below, "below")
    hours = f"{breaker.window // 60} minutes" if breaker.window < 7_200 else f"{breaker.window // 3_600} hours"
    return f"{WORDS[breaker.measure]} is {_figure(reading.figure, limit)}, {side} {_figure(limit)} (last {hours}, {reading.count} counted)."


WORDS: dict[Measured, str] = {
    "override_rate": "The share of proposals that people rejected or modified",
    "false_positives": "The number of approvals found wrong",
    "critical_confidence": "The lowest confidence of a critical case",
    "mean_confidence_drop": "The drop of the mean confidence against its baseline",
    "review_latency": "The median review, as part of the time allowed,",
    "drift": "The population stability index of the confidence",
    "stale_data": "The share of cases with stale sources",
    "violations": "The number of prohibited or forbidden proposals",
    "model_latency": "The mean latency of the model against its baseline",
    "audit_completeness": "The share of complete audit events",
    "queue_growth": "The queue against its length a window ago",
    "unowned": "The number of escalated cases that nobody has taken",
    "review_time": "The median time of a review against its baseline",
    "approval_rate": "The approval rate against its baseline",
    "budget": "The burn of the latency budget (1 is all of it)",
}


def psi(expected: Sequence[int], actual: Sequence[int]) -> float | None:
    """Population stability index of two histograms; None while either is empty. Above 0.2 counts as drift (R8)."""
    whole, part = sum(expected), sum(actual)
    if not whole or not part:
        return None
    pairs = [(max(one / whole, _LEAST), max(other / part, _LEAST)) for one, other in zip(expected, actual, strict=True)]
    return sum((new - old) * log(new / old) for old, new in pairs)


def covers(breaker: Breaker, workflow: str) -> bool:
    """Whether a breaker watches a workflow."""
    return not breaker.workflows or workflow in breaker.workflows


def scopes(breaker: Breaker, models: Sequence[str]) -> tuple[tuple[Risk | None, str], ...]:
    """What it is judged for by itself: (class of risk or None, model or "")."""
    return tuple((breaker.impact, model) for model in models) if breaker.by_model else ((breaker.impact, ""),)


def _part(some: int, of: int) -> float | None:
    return some / of if of else None


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _ratio(now: Sequence[float], usual: Sequence[float]) -> float | None:
    before = _mean(usual)
    return fmean(now) / before if now and before else None


def _figure(value: float | None, limit: float | None = None) -> str:
    """With three digits, or as many as keep it from looking like its limit, or like all or nothing."""
    if value is None:
        return "unknown"
    others = [other for other in (0.0, 1.0, limit) if other is not None and other != value]
    return next(shown for digits in range(3, 18) if (shown := f"{value:.{digits}g}") and float(shown) not in others)
