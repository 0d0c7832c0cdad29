"""What a digest of pages says, on a phone at night and by e-mail: how many wait, the worst first, what to do first. No content of a case:
only what stands open in the audit log. Pure.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from escalation.page_words import DRILL, absolute, due_words, one_line, waits_words
from routing.case.case import Case
from routing.governance.digest import Digest
from routing.review.outlook import upcoming
from routing.vocabulary import Risk

SHOWN = 20
"""Cases that are listed one by one; the others are counted."""


NOTHING = "This is a drill: nothing is the matter, and nothing is executed."

LINE_MOST = 200
"""Characters of what a service or a policy calls something, in a line of a list."""


def waiting(digest: Digest, cases: Sequence[Case]) -> tuple[Case, ...]:
    """Those of its cases for which somebody still has to come, the highest risk first, then what is due first."""
    open_pages = {(one.case, one.round) for one in digest.listed if not one.taken}
    found = [case for case in cases if case.open and any((case.id, page.round) in open_pages for page in case.pages)]
    return tuple(sorted(found, key=lambda case: (-case.route.risk.level, *_due_key(case), case.id)))


def digest_summary(digest: Digest, cases: Sequence[Case]) -> str:
    """`35 cases wait for people: 2 critical, 33 high risk; first due 21:08 UTC, else escalated`: one line of a phone."""
    there, mark = waiting(digest, cases), f"{DRILL} " if digest.drill else ""
    if not there:
        return f"{mark}Nobody has to come any more for {_cases(digest.count)} listed in one page"
    levels = Counter(case.route.risk for case in there)
    risks = ", ".join(f"{levels[risk]:,} {risk.value}" for risk in reversed(Risk) if levels[risk])
    first = min(there, key=_due_key)
    due = due_words(first)
    wait = "wait" if len(there) != 1 else "waits"
    return f"{mark}{_cases(len(there))} {wait} for people, listed in one page: {risks} risk{f'; first {due}' if due else ''}"


def digest_lines(digest: Digest, cases: Sequence[Case]) -> list[str]:
    """A line for each case that waits, the worst first; beyond twenty they are counted."""
    there = waiting(digest, cases)
    lines = [_line(case) for case in there[:SHOWN]]
    return [*lines, *([f"and {len(there) - SHOWN:,} more"] if len(there) > SHOWN else [])]


def digest_steps(digest: Digest, cases: Sequence[Case], *, by_mail: bool = False) -> tuple[str, ...]:
    """What whoever is woken does first; who reads it in a mail has no incident to acknowledge."""
    there = waiting(digest, cases)
    if not there:
        return ("Nothing: nobody has to come for these cases any more.",)
    channels = list(dict.fromkeys(_cut(case.rung.channel) for case in there))
    where = f"channel {channels[0]}" if len(channels) == 1 else f"the channels {', '.join(channels[:5])}"
    first = "Acknowledge this incident once you are on it: you then have every case that it lists, and the next ones ring again."
    if digest.drill:
        return (NOTHING, f"{'Press Claim on each case' if by_mail else 'Acknowledge this incident'}: that answers the drill.")
    return (
        "Press Claim on each case that you take on, so that nobody else is woken for it." if by_mail else first,
        f"Open Slack, {where}, and type /review next: it offers the most urgent case.",
        "Get help if they are too many for one person: each that nobody decides goes on by its own clock.",
    )


def digest_settled(digest: Digest) -> str:
    """Why the incident of a digest is over."""
    return f"nobody is waited for by it any more; each of {_cases(digest.count)} that it listed says on its card how it goes on"


def digest_mail(digest: Digest, cases: Sequence[Case], now: datetime, deployment: str) -> tuple[str, str]:
    """Subject and body of the mail."""
    parts: list[Sequence[str]] = [
        [f"{digest_summary(digest, cases)}."],
        ["What to do first", *(f"{number}. {step}" for number, step in enumerate(digest_steps(digest, cases, by_mail=True), 1))],
        ["The cases, the highest risk first", *(f"- {line}" for line in digest_lines(digest, cases))],
        ["There were more pages at once than the policy lets ring one by one, so these are listed together."],
        [_why_mail(digest)],
        [f"True at {absolute(now)}. Tierline ({one_line(deployment)}). Answers to this mail are not read and decide nothing."],
    ]
    return f"[Tierline] {digest_summary(digest, cases)}"[:180], "\n\n".join("\n".join(part) for part in parts if any(part)) + "\n"


def digest_details(digest: Digest, cases: Sequence[Case]) -> Mapping[str, Any]:
    """The same for the details of an incident."""
    return {
        "digest": digest.id,
        "do_first": list(digest_steps(digest, cases)),
        "cases": digest_lines(digest, cases),
        "waiting": len(waiting(digest, cases)),
        "ladder": digest.ladder,
        "tier": digest.tier + 1,
        "risk": digest.risk.value,
    }


def _why_mail(digest: Digest) -> str:
    rings = any(route.value != "email" for route in digest.accepted)
    if rings:
        return "PagerDuty has this page too."
    return (
        "PagerDuty was to ring for this and has not taken it, so this mail comes. It is still being tried there." if digest.failed else ""
    )


def _cases(count: int) -> str:
    return f"{count:,} case{'s' if count != 1 else ''}"


def _line(case: Case) -> str:
    due = due_words(case)
    return f"{_cut(waits_words(case))} ({case.id}{f', {due}' if due else ''})"


def _cut(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= LINE_MOST else f"{line[: LINE_MOST - 1]}…"


def _due_key(case: Case) -> tuple[bool, float]:
    first = upcoming(case)
    return (first is None, first.at.timestamp() if first is not None else 0.0)
