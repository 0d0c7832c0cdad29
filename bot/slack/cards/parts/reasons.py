"""Why a case is here, and what speaks for and against it: reasons, checks, flags. Never what to decide."""

from bot.slack.cards.text.block_kit import Block, lines, run
from bot.slack.cards.text.safe_text import Cuts, line, suspicious, weight
from bot.slack.cards.view import View
from routing.case.case import Case, Reason
from routing.case.submission import Check, Submission
from routing.signals import FIGURES, Trigger

_MARK = {"fail": "✗ failed", "warn": "! warning", "pass": "✓ passed"}


_NAMED = {
    Trigger.CHECK_FAILED: "Failed check",
    Trigger.CHECK_WARNED: "Check with a warning",
    Trigger.CONTEXT_MISSING: "Missing",
    Trigger.CONTEXT_CONFLICT: "Contradiction",
    Trigger.CONTEXT_STALE: "Out of date",
}
"""Reasons that count something which the service named; on a card it is named."""

_FLAGS = {
    Trigger.SCHEMA_BROKEN: "⛔ ",
    Trigger.FORBIDDEN_TERM: "⛔ ",
    Trigger.ENTITY_MISMATCH: "⛔ ",
    Trigger.REQUIRED_TERM_MISSING: "⚠️ ",
    Trigger.CITATION_MISSING: "⚠️ ",
    Trigger.CITATION_UNKNOWN: "⚠️ ",
    Trigger.GENERIC_ANSWER: "⚠️ ",
    Trigger.CHANGE_LARGE: "⚠️ ",
    Trigger.INSTRUCTIONS_IN_INPUT: "⚠️ ",
}
"""What the policy's own checks of the proposal found (`routing.evaluation.postcheck`); it stands beside the action, as the service's
checks do."""


_PLAIN = frozenset({Trigger.RISK_MEDIUM, Trigger.RISK_HIGH, Trigger.RISK_CRITICAL, Trigger.NOT_REVERSIBLE, Trigger.REVERSIBILITY_UNKNOWN})
"""Reasons that the title tells, or the line of the action: another one says more."""

_ELSEWHERE = frozenset(
    {
        *(*_FLAGS, *_NAMED),
        *(Trigger.CONFIDENCE_MISSING, Trigger.CONFIDENCE_INVALID, Trigger.CONFIDENCE_LOW, Trigger.CONFIDENCE_VERY_LOW),
        *_PLAIN,
    }
)
"""Reasons that another line of the card tells: the title, that of the action, the checks, how sure the model is."""


_ONE_LINE = 75
"""Characters of reasons that stand on one line of a desktop, beside their labels."""


def why_here(view: View, cuts: Cuts) -> Block:
    """The reason that brought the case here: that of the winning rule, else the one that demands most; then those that are not told
    beside the action anyway, as far as they fit on its line. How many more there are is said; the details have them all.
    """
    reason, others = _reasons(view)
    text = reason_text(reason, view)
    also = [reason_text(other, view) for other in others if other.code not in _ELSEWHERE]
    told = next(some for some in (also[:2], also[:1], []) if weight("".join([text, *some])) <= _ONE_LINE or not some)
    left = len(also) - len(told)
    beside = ["  Also: ", " ".join(told)] if told else []
    beside += [f" · {left} more in the details"] if left else []
    return lines(run("Why here  "), run(cuts.cut(text, 240), "bold"), *([run("".join(beside))] if beside else []))


def _reasons(view: View) -> tuple[Reason, tuple[Reason, ...]]:
    """The first and the others; first the one that demands most, of those that say more than the card says anyway.

    That the policy wants people says nothing where anything else does that would bring the case here too; a figure below its limit would
    not: without it the policy would still want them.
    """
    given = view.case.route.reasons
    wanted = next((reason for reason in given if reason.code == Trigger.TEMPLATE_PEOPLE), None)
    if wanted is not None and given[0] is wanted and all(reason.code in FIGURES for reason in given[1:]):
        return wanted, given[1:]
    telling = [reason for reason in given if reason.code != Trigger.TEMPLATE_PEOPLE] or list(given)
    if not telling:
        return Reason(code="", text="The policy sends every case of this workflow to people."), ()
    by_rule = (reason for reason in telling if view.case.route.rule and reason.code == Trigger.POLICY_RULE)
    saying_more = (reason for reason in telling if reason.code not in _PLAIN and reason.code not in FIGURES)
    first = next(by_rule, next(saying_more, telling[0]))
    return first, tuple(reason for reason in telling if reason is not first)


def reason_text(reason: Reason, view: View) -> str:
    """What a reason says in full, with the names of what it counts."""
    named = ", ".join(_named(reason.code, view.submission))
    return f"{_NAMED[Trigger(reason.code)]}: {named}" if named else line(reason.text) or line(reason.code) or "(unnamed reason)"


def _named(code: str, submission: Submission) -> list[str]:
    """What a reason counts: names of checks, or what the service knows of its facts; empty for other reasons."""
    context = submission.context
    match code:
        case Trigger.CHECK_FAILED | Trigger.CHECK_WARNED:
            result = "fail" if code == Trigger.CHECK_FAILED else "warn"
            return [line(check.name) for check in submission.checks if check.result == result]
        case Trigger.CONTEXT_MISSING:
            return list(map(line, context.missing))
        case Trigger.CONTEXT_CONFLICT:
            return list(map(line, context.conflicts))
        case Trigger.CONTEXT_STALE:
            return list(map(line, context.stale))
        case _:
            return []


def checks_against(case: Case) -> str:
    """`A check failed`, `2 checks warned`: the worst of what the checks of the content found; "" where all passed."""
    for count, word in ((case.failed_checks, "failed"), (case.warned_checks, "warned")):
        if count:
            return f"A check {word}" if count == 1 else f"{count} checks {word}"
    return ""


def nothing_against(view: View) -> str:
    """`2 checks passed` where none failed or warned, so that silence is not taken for it; `no check ran` where there was none."""
    checks, case = view.submission.checks, view.case
    if case.failed_checks or case.warned_checks:
        return ""
    return f"{len(checks)} {'check' if len(checks) == 1 else 'checks'} passed" if checks else "no check ran"


def speaks_against(view: View) -> bool:
    """Whether anything found speaks against it or is flagged, wherever the card says so."""
    return any(reason.code in _FLAGS or reason.code in _NAMED for reason in view.case.route.reasons) or bool(alerts(view, Cuts()))


def alerts(view: View, cuts: Cuts) -> list[Block]:
    """What speaks against it, to stand beside the action: checks that failed or warned, contradictions, what is missing or out of date.

    What the first reason says in full is not said twice.
    """
    submission, context = view.submission, view.submission.context
    failed = [("⛔ ", check) for check in submission.checks if check.result == "fail"]
    warned = [("⚠️ ", check) for check in submission.checks if check.result == "warn"]
    some, more = cuts.few((*failed, *warned), 4)
    found = [
        lines(run(mark), run(cuts.cut(line(check.name), 120) or "(unnamed check)", "bold"), run(cuts.cut(_detail(check), 220)))
        for mark, check in some
    ]
    found += [lines(run(more))] if more else []
    facts = (
        (Trigger.CONTEXT_CONFLICT, "Contradiction", context.conflicts),
        (Trigger.CONTEXT_MISSING, "Missing", context.missing),
        (Trigger.CONTEXT_STALE, "Out of date", context.stale),
    )
    first, others = _reasons(view)
    flagged = (reason for reason in others if reason.code in _FLAGS)
    found += [lines(run(_FLAGS[Trigger(reason.code)]), run(cuts.cut(reason_text(reason, view), 240), "bold")) for reason in flagged]
    for code, name, texts in facts:
        if texts and first.code != code:
            found.append(lines(run("⚠️ "), run(name, "bold"), run(cuts.cut(f": {', '.join(map(line, texts))}", 240))))
    if submission.urgency_reason:
        found.append(lines(run("⏰ "), run("Urgent", "bold"), run(cuts.cut(f": {line(submission.urgency_reason)}", 240))))
    hiding = [name for name, text in _texts(submission) if suspicious(text)]
    if hiding:
        told = f" were taken out of: {', '.join(hiding)}; Details spell them out"
        found.append(lines(run("⚠️ "), run("Hidden characters", "bold"), run(told)))
    return found


def _detail(check: Check) -> str:
    """`: The amounts differ.`, or what came out where the service told no more."""
    return f": {line(check.detail)}" if check.detail and line(check.detail) else " failed" if check.result == "fail" else " gave a warning"


def _texts(submission: Submission) -> list[tuple[str, str]]:
    model = submission.model
    sources = " ".join(evidence.text or "" for evidence in submission.evidence)
    told = {"title": submission.title, "request": submission.request, "output": submission.output}
    return [(name, text) for name, text in (told | {"rationale": model.rationale, "sources": sources}).items() if text]


def check_text(check: Check) -> str:
    """`✗ failed: second-model (gpt-x): amounts differ`."""
    by = f" ({line(check.by)})" if check.by else ""
    detail = f": {line(check.detail)}" if check.detail else ""
    return f"{_MARK[check.result]}: {line(check.name)}{by}{detail}"
