"""The three gates every case passes: confidence, context, impact (REQUIREMENTS R1, R3). Owns what is held against what.

Each gate is a list of signals; each signal demands a lane; the worst wins. No signal ever speaks for a lower lane, so no
fact made worse, and no rule, brings a case back towards automation.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from operator import attrgetter

from routing.case.submission import Evidence, Submission
from routing.evaluation.blended_confidence import blended, told
from routing.evaluation.risk import Assessed
from routing.policy.form.checks import Kind
from routing.policy.form.form import HARD_FLAGS, PROHIBITED_FLAGS, Flags, Thresholds, Workflow
from routing.policy.router_presets import router_of
from routing.signals import Outcome, Signal, Trigger, fired, passed
from routing.vocabulary import Lane, Risk

AHEAD_S = 300
"""Seconds by which the clock of a service may be ahead of ours before a time counts as being in the future."""


def confidence_gate(workflow: Workflow, submission: Submission) -> tuple[Signal, ...]:
    """How sure the model is, and whoever looked at it: the blend of score, retrieval quality and risk score, each alone, blast radius,
    checks.
    """
    limits, model, risk = workflow.thresholds, submission.model, submission.risk
    results = [check.result for check in submission.checks]
    return (
        _confidence(workflow, submission),
        _retrieval(limits, model.retrieval_quality),
        _risk_score(limits, risk.score, router_of(workflow).unscored),
        _blast_radius(limits, risk.blast_radius),
        _counted("failed_checks", results.count("fail"), Trigger.CHECK_FAILED),
        _counted("warned_checks", results.count("warn"), Trigger.CHECK_WARNED),
    )


def context_gate(workflow: Workflow, submission: Submission, now: datetime) -> tuple[Signal, ...]:
    """What the service knows to be missing, contradictory or out of date, and how old its sources are; contradictions ask for an expert."""
    context = submission.context
    return (
        _counted("missing", len(context.missing), Trigger.CONTEXT_MISSING),
        _counted("conflicts", len(context.conflicts), Trigger.CONTEXT_CONFLICT, Lane.EXPERT),
        _counted("stale", len(context.stale), Trigger.CONTEXT_STALE),
        _fresh(workflow.freshness, submission.evidence, now),
    )


def impact_gate(workflow: Workflow, submission: Submission, assessed: Assessed) -> tuple[Signal, ...]:
    """What if this is wrong: the risk class, whether it can be undone, money, flags."""
    return (
        _risk(assessed, router_of(workflow).by_class[assessed.risk]),
        _reversible(submission.action.reversible),
        _money(submission),
        *_flags(workflow.flags, submission.risk.flags),
    )


def worst(signals: tuple[Signal, ...]) -> Outcome:
    """What a gate says as a whole."""
    return max([signal.outcome for signal in signals], key=attrgetter("level"), default=Outcome.PASS)


def moves_money(submission: Submission) -> bool:
    """Whether an amount or a flag says that money moves."""
    amount = submission.risk.amount
    return (amount is not None and Decimal(amount) != 0) or bool(
        {"financial", "money_movement", "payment"} & flag_names(submission.risk.flags)
    )


def _confidence(workflow: Workflow, submission: Submission) -> Signal:
    limits, score = workflow.thresholds, submission.model.confidence
    if workflow.confidence == "ignore":
        return fired("confidence", Trigger.CONFIDENCE_NOT_USED, Lane.REVIEW, "not used")
    if score is None:
        return fired("confidence", Trigger.CONFIDENCE_MISSING, _below(limits, 0.0), "none", limits.auto)
    if not 0 <= score <= 1:
        return fired("confidence", Trigger.CONFIDENCE_INVALID, _below(limits, 0.0), score, limits.auto)
    blend, said = blended(workflow, submission), told(workflow, submission)
    if blend >= Decimal(str(limits.auto)):
        return passed("confidence", said, "reaches the threshold of automation", limits.auto)
    if blend >= Decimal(str(limits.review)):
        return fired("confidence", Trigger.CONFIDENCE_LOW, Lane.REVIEW, said, limits.auto)
    return fired("confidence", Trigger.CONFIDENCE_VERY_LOW, Lane.EXPERT, said, limits.review)


def _below(limits: Thresholds, score: float) -> Lane:
    """The lane of a score that does not reach automation, missing ones included, however low the thresholds are set."""
    return Lane.REVIEW if score >= limits.review else Lane.EXPERT


def _retrieval(limits: Thresholds, quality: float | None) -> Signal:
    if quality is None:
        return passed("retrieval_quality", "none", "nothing was retrieved", limits.retrieval_quality)
    if not limits.retrieval_quality <= quality <= 1:
        return fired("retrieval_quality", Trigger.RETRIEVAL_WEAK, Lane.REVIEW, quality, limits.retrieval_quality)
    return passed("retrieval_quality", quality, "reaches the threshold", limits.retrieval_quality)


def _risk_score(limits: Thresholds, score: float | None, unscored: Lane) -> Signal:
    name = "risk_score"
    if score is None and unscored is not Lane.AUTO:
        return fired(name, Trigger.RISK_SCORE_MISSING, unscored, "none", limits.risk_score)
    if score is None:
        return passed(name, "none", "not given", limits.risk_score)
    if score >= limits.risk_score_stop:
        return fired(name, Trigger.RISK_SCORE_HIGH, Lane.EXPERT, score, limits.risk_score_stop)
    if score >= limits.risk_score:
        return fired(name, Trigger.RISK_SCORE_RAISED, Lane.REVIEW, score, limits.risk_score)
    return passed(name, score, "below the threshold", limits.risk_score)


def _blast_radius(limits: Thresholds, share: float | None) -> Signal:
    name = "blast_radius"
    if share is None:
        return passed(name, "none", "not given", limits.blast_radius)
    if share > limits.blast_radius_stop:
        return fired(name, Trigger.BLAST_RADIUS_EXTREME, Lane.EXPERT, share, limits.blast_radius_stop)
    if share > limits.blast_radius:
        return fired(name, Trigger.BLAST_RADIUS_WIDE, Lane.REVIEW, share, limits.blast_radius)
    return passed(name, share, "not above the threshold", limits.blast_radius)


def _counted(name: str, count: int, trigger: Trigger, lane: Lane = Lane.REVIEW) -> Signal:
    return fired(name, trigger, lane, count, 0) if count else passed(name, 0, "none", 0)


def _fresh(limits: Mapping[Kind, int], evidence: tuple[Evidence, ...], now: datetime) -> Signal:
    """How many sources are older than their kind may be. Age counts from `updated_at`, else from `retrieved_at`; a source that gives
    neither, or a time in the future, is as good as old.
    """
    if not limits:
        return passed("sources", len(evidence), "the policy limits no source's age")
    old = 0
    for source in evidence:
        since, longest_s = source.updated_at or source.retrieved_at, limits.get(source.kind)
        if longest_s is not None and (since is None or not -AHEAD_S <= (now - since).total_seconds() <= longest_s):
            old += 1
    return fired("sources", Trigger.SOURCE_STALE, Lane.REVIEW, old, 0) if old else passed("sources", 0, "none is too old", 0)


def _risk(assessed: Assessed, lane: Lane) -> Signal:
    if lane is Lane.AUTO:
        return passed("risk", assessed.risk, assessed.why)
    trigger = {Risk.HIGH: Trigger.RISK_HIGH, Risk.CRITICAL: Trigger.RISK_CRITICAL}.get(assessed.risk, Trigger.RISK_MEDIUM)
    return fired("risk", trigger, lane, assessed.risk)


def _reversible(reversible: bool | None) -> Signal:  # noqa: FBT001  # the submission's own three values
    if reversible is None:
        return fired("reversible", Trigger.REVERSIBILITY_UNKNOWN, Lane.REVIEW, "unknown")
    if not reversible:
        return fired("reversible", Trigger.NOT_REVERSIBLE, Lane.REVIEW, "no")
    return passed("reversible", "yes", "the service can undo it")


def _money(submission: Submission) -> Signal:
    if moves_money(submission):
        return fired("money", Trigger.MONEY, Lane.REVIEW, "yes")
    return passed("money", "no", "no amount and no flag says so")


def flag_names(flags: tuple[str, ...]) -> frozenset[str]:
    """One spelling of flags, for those of the policy as for those of a case."""
    return frozenset(flag.strip().lower().replace("-", "_").replace(" ", "_") for flag in flags)


def _flags(meaning: Flags, given: tuple[str, ...]) -> tuple[Signal, ...]:
    """A flag can mean several things; each is a signal. Those that no list knows are counted, not quoted."""
    names = flag_names(given)
    if not names:
        return (passed("flags", "none", "no flags"),)
    prohibited = names & PROHIBITED_FLAGS.union(flag_names(meaning.prohibited))
    specialist = names & flag_names(meaning.specialist)
    never = names & HARD_FLAGS.union(flag_names(meaning.never_auto))
    unknown = names - prohibited - specialist - never - flag_names(meaning.harmless)
    found = (
        *(fired("flags", Trigger.PROHIBITED, Lane.STOP, name) for name in sorted(prohibited)),
        *(fired("flags", Trigger.SPECIALIST_NEEDED, Lane.SPECIALIST, name) for name in sorted(specialist)),
        *(fired("flags", Trigger.NEVER_AUTOMATIC, Lane.REVIEW, name) for name in sorted(never - specialist - prohibited)),
        *([fired("flags", Trigger.FLAG_UNKNOWN, Lane.REVIEW, len(unknown))] if unknown else []),
    )
    return found or (passed("flags", ", ".join(sorted(names)), "harmless by the policy"),)
