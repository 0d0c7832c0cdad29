"""What an e-mail about a page says: the same as the page, in whole sentences, plain text. No content of a case: only what stands open in
the audit log. Pure.
"""

from datetime import datetime

from escalation.page_words import absolute, first_steps, one_line, summary_of
from routing.case.case import Case, OpenPage
from routing.review.pages import RUNG_BY_PAGERDUTY

SUBJECT_MOST = 180
"""Characters of a subject: what is longer is cut on every phone anyway."""


def subject_of(case: Case, tier: int) -> str:
    """One line, without anything that could end a header."""
    return _cut(f"[Tierline] {summary_of(case, tier)}", SUBJECT_MOST)


def body_of(case: Case, page: OpenPage, link: str, now: datetime, deployment: str) -> str:
    """The mail's text for a page: what waits, what to do first, why it waits, why it comes by mail, and as of when that holds."""
    tier = case.route.tiers[page.tier]
    reasons = [f"- {one_line(reason.text)}" for reason in case.route.reasons] or ["- The policy asks for people."]
    facts = [
        ("Case", case.id),
        ("Workflow", case.workflow),
        ("Action", case.action_type),
        ("Risk", case.route.risk.value),
        ("Tier", f"{page.tier + 1} of {len(case.route.tiers)}, channel {tier.channel}, group {tier.group}"),
        ("Page", f"number {page.round}"),
    ]
    parts = [
        [f"{summary_of(case, page.tier)}."],
        ["This is a drill: nothing is executed, no service is told, and nothing is counted."] if case.drill is not None else [],
        ["What to do first", *(f"{number}. {step}" for number, step in enumerate(first_steps(case, page.tier, link), 1))],
        ["Why people are asked", *reasons],
        [f"{name + ':':<10}{one_line(value)}" for name, value in facts],
        [_why_mail(case, page)],
        [f"True at {absolute(now)}. Tierline ({one_line(deployment)}). Answers to this mail are not read and decide nothing."],
    ]
    return "\n\n".join("\n".join(part) for part in parts if any(part)) + "\n"


def _why_mail(case: Case, page: OpenPage) -> str:
    """Why it comes by mail, as far as it is known to be true."""
    tier = case.route.tiers[page.tier]
    rings = any(route in RUNG_BY_PAGERDUTY for route in page.accepted)
    said = []
    if page.failed and tier.page is not None and not rings:
        said.append("PagerDuty was to ring for this and has not taken it, so this mail comes. It is still being tried there.")
    if rings:
        said.append("PagerDuty has the page too.")
    if tier.repeat is not None:
        often = f"{tier.repeat.every_s // 60:,} min" if tier.repeat.every_s % 60 == 0 else f"{tier.repeat.every_s:,} s"
        said.append(f"It is repeated every {often} until somebody has taken the case, {tier.repeat.most:,} times at most.")
    if tier.page is None:
        said.append("The policy has this tier paged by e-mail.")
    return " ".join(said)


def _cut(text: str, most: int) -> str:
    line = one_line(text)
    return line if len(line) <= most else f"{line[: most - 1]}…"
