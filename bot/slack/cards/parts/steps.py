"""How far a case has come: which step, who voted, what failed, why it climbed, who is on it. Small lines; never a button."""

from bot.slack.cards.parts.checklist import results, told_failed
from bot.slack.cards.parts.clock_line import moment
from bot.slack.cards.text.block_kit import Block, rich, run
from bot.slack.cards.text.block_kit import lines as paragraph
from bot.slack.cards.text.mentions import acted, named
from bot.slack.cards.text.safe_text import Cuts, brief, escaped, line
from bot.slack.cards.text.wording import DONE, LANE, code_label
from bot.slack.cards.view import Happening, View
from routing.case.case import Step
from routing.vocabulary import CaseKind, EventKind, PageRoute

_THEN = {"triage": "confirms it", "verify": "verifies it", "approve": "approves it", "check": "checks it"}


def steps(view: View) -> list[str]:
    """Mrkdwn: which step it is, what comes after it and who has voted; nothing where one person's yes decides and nobody has spoken."""
    case = view.case
    plan = case.route.steps
    if len(plan) == 1 and plan[0].people == 1 and not case.votes:
        return taken_back(view)
    now = plan[case.step]
    after = ", ".join(f"then {_others(step)} {_THEN[step.name]}" for step in plan[case.step + 1 :])
    votes = "; ".join(votes_of(view)) or "Nobody has voted yet"
    if len(plan) == 1:
        return [f"*{now.people} {'person has' if now.people == 1 else 'people have'} to agree.*  {votes}.", *taken_back(view)]
    first = f"*Step {case.step + 1} of {len(plan)}: {now.name}*{_people(view, now)}"
    nothing_yet = "  *One yes alone executes nothing.*" if case.kind is CaseKind.CASE and case.yes_missing > 1 else ""
    return [f"{first}{' — ' if after else ''}{after}.{nothing_yet}  {votes}.", *taken_back(view)]


def taken_back(view: View) -> list[str]:
    """Mrkdwn: that somebody took their approval back, until somebody says something else."""
    later = (EventKind.APPROVED, EventKind.MODIFIED, EventKind.INFORMATION_SUPPLIED, EventKind.VOIDED, EventKind.QUARANTINED)
    said = view.last(EventKind.UNDONE, *later)
    undone = said is not None and said.kind is EventKind.UNDONE
    return [f"{acted(said.actor.id, view)} took their approval back {moment(said.at)}."] if said is not None and undone else []


def _others(step: Step) -> str:
    if step.people > 1:
        return f"each of {step.people} other people"
    return "another person"


def _people(view: View, step: Step) -> str:
    given = sum(1 for vote in view.case.votes if vote.step == view.case.step)
    return f" ({given} of {step.people} people)" if step.people > 1 else ""


def votes_of(view: View) -> list[str]:
    """`Verified by Dana today at 16:00 (8 of 8 passed)`, one per vote."""
    plan = view.case.route.steps
    return [
        f"{DONE[plan[vote.step].name if vote.verb == 'approve' else vote.verb]} by {acted(vote.by, view)} {moment(vote.at)}"
        + (f" ({results(vote.checklist)})" if vote.checklist else "")
        for vote in view.case.votes
    ]


def verification_failed(view: View, cuts: Cuts) -> list[Block]:
    """What somebody found wrong item by item, in the content as it is; nothing where nobody did."""
    said = view.last(EventKind.VERIFICATION_FAILED, EventKind.MODIFIED, EventKind.INFORMATION_SUPPLIED)
    if said is None or said.kind is not EventKind.VERIFICATION_FAILED:
        return []
    text = line(str(said.opened.get("text") or ""))
    words_of = f": “{cuts.cut(text, 300)}”" if text else ""
    who = brief(view.known_as(said.actor.id) or said.actor.id, 80)
    return [rich(paragraph(run("✗ Verification failed ", "bold"), run(f"({told_failed(said)}) by {who}{words_of}")))]


def climbed(view: View, cuts: Cuts) -> list[Block]:
    """Why the case is no longer where it began, in the words of whoever or whatever moved it."""
    moved = view.last(EventKind.ESCALATED)
    clock = str(moved.fields.get("clock", "")) if moved is not None else ""
    began_here = view.case.tier == view.case.first_tier and clock != "closed"
    if moved is None or began_here or _led_to(moved) not in (None, view.case.tier + 1):
        return []  # what moved it further since, a modification for example, says so itself
    who = (
        f"by {brief(view.known_as(moved.actor.id) or moved.actor.id, 80)}"
        if moved.actor.kind == "human"
        else _MOVED_BY.get(clock, "because nobody decided in time").format(tier=moved.fields.get("tier"))
    )
    code = str(moved.fields.get("reason_code") or "")
    why = f" ({brief(code_label(code), 80)})" if code else ""
    text = line(str(moved.opened.get("text") or ""))
    said = f": “{cuts.cut(text, 300)}”" if text else ""
    return [rich(paragraph(run("Escalated ", "bold"), run(f"to tier {view.case.tier + 1} {who}{why}{said}")))]


_MOVED_BY = {
    "acknowledge": "because nobody took it in time",
    "drill": "because it is a drill that is to reach this tier as well; somebody answered at tier {tier}",
    "unseen": "because its card could not be shown where it was",
    "closed": "because tier {tier} was closed and a case of this risk does not wait",
}
"""Why a case climbed by itself, by the clock that the event names, but for the one of the decision."""


def _led_to(moved: Happening) -> int | None:
    """The tier, counted from 1, that an escalation led to; None where it does not say."""
    left, to = moved.fields.get("tier"), moved.fields.get("to_tier")
    return to if isinstance(to, int) else left + 1 if isinstance(left, int) else None


def _named_people(view: View) -> list[str]:
    """The owner and the backup of a tier, who of them is away, and who stands in."""
    rung, away = view.rung, view.away
    parts = []
    for role, person in (("owner", rung.owner), ("backup", rung.backup)):
        if person:
            parts.append(f"{role} {named(person, view)}{f' *away until {moment(away[person])}*' if person in away else ''}")
    there = rung.answering(away)
    if there and rung.owner in away:
        parts.append(f"*{named(there, view)} stands in for the owner*")
    elif there is None and parts:
        parts.append(f"*nobody stands in, group {escaped(rung.group)} answers*")
    return parts


def _on_call(view: View) -> list[str]:
    """Who is on call for the tier, as far as PagerDuty was asked."""
    if view.tier not in view.on_call:
        return []
    name = escaped(view.on_call[view.tier])
    return [f"on call (PagerDuty) {name}" if name else "*nobody is on call (PagerDuty)*"]


def _paged(view: View) -> list[str]:
    """That the tier is paged; where the first route failed, which way the newest page has come, or that nobody has it."""
    page = next((one for one in reversed(view.case.pages) if one.tier == view.tier), None)
    if page is None:
        return []
    if not page.failed or PageRoute.PAGERDUTY in page.accepted:
        return ["*paged*"]
    if not page.accepted:
        return ["*its page has reached nobody yet*"]
    return [f"*paged by {' and '.join(_ROUTE[route] for route in page.accepted)}, PagerDuty has not taken it*"]


_ROUTE = {PageRoute.PAGERDUTY: "PagerDuty", PageRoute.SECOND_KEY: "the second routing key", PageRoute.EMAIL: "e-mail"}


def whose_tier(view: View) -> str:
    """Mrkdwn, in few words: which tier, who answers for it, who is missing there, whether it is paged."""
    case, rung = view.case, view.rung
    tier = "Supervisors" if case.kind is CaseKind.REVIEW else f"Tier {view.tier + 1} of {len(case.route.tiers)}"
    parts = [f"{tier}, {escaped(rung.group)}"]
    owners = [person for person in (rung.owner, rung.backup) if person]
    if any(person in view.away for person in owners):
        parts += _named_people(view)
    elif rung.owner:
        parts.append(f"owner {named(rung.owner, view)}")
    parts += _on_call(view)
    return " · ".join([*parts, *_paged(view)])


def people(view: View) -> str:
    """Mrkdwn: who answers, who owns the tier, who is on call, who is on it. Nobody named here is rung."""
    case, rung = view.case, view.rung
    tier = f"Tier {view.tier + 1} of {len(case.route.tiers)}, {LANE[case.route.lane]}"
    parts = [f"{'Supervisors' if case.kind is CaseKind.REVIEW else tier}, group {escaped(rung.group)}"]
    parts += _named_people(view)
    parts += _on_call(view)
    parts += _paged(view)
    if case.claimed_by:
        parts.append(f"*claimed by {acted(case.claimed_by, view)}*")
    elif case.acknowledged_by:
        parts.append(f"acknowledged by {acted(case.acknowledged_by, view)}")
    else:
        parts.append("nobody is on it yet")
    return " · ".join(parts)
