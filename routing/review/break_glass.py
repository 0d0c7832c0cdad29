"""Break-glass (E9): one person of a named group decides a case outside the normal path. Owns what that passes over and what it never does.

It passes over who decides and when: the group that answers, further people, a checklist nobody went through, an answer that is waited
for, a ladder that ended in a hold. It never passes over what is known: the requester, somebody who took a step already, a decision, a
brake, a quarantine, a case that stops the line, a failed check, a card that has changed since. Who may, how often and how long says the
policy in force, not the one the case lives by.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from routing.authority import Automation
from routing.authorize import REFUSALS, Allowed, answering_groups, authorize, refuse, requesters
from routing.canonical import Json
from routing.case.break_glass import BreakGlassUse
from routing.case.case import Case, Vote
from routing.case.people import Person, Press, Standing, names_under
from routing.case.submission import moment_text
from routing.change import Actor, Message, MessageKind, Refused, Subject
from routing.policy.clocks.row import written
from routing.policy.form.break_glass import BreakGlass
from routing.policy.policy import Policy
from routing.review.draft import Draft
from routing.review.event_fields import pressed, words
from routing.review.press import PressStep, by_person
from routing.review.related.break_glass_review import open_review
from routing.review.verdict import conclude
from routing.vocabulary import EventKind, Lane, State, Verdict

LEAST_LETTERS, LEAST_DIFFERENT = 20, 8
"""Letters and digits that a reason has at least, and how many different ones: "asap!!!" explains nothing."""

TOLD_MOST = 30
"""Supervisors who are told directly; the message in the operations channel names their whole group."""

VERDICTS = {"approve": Verdict.APPROVED, "reject": Verdict.REJECTED}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a use of break-glass would be: which rules it passes over, who is told, and by when it has to be reviewed.

    `barred` says why the case cannot be approved so; "" where it can. `number` counts the uses within the time that the policy counts,
    this one with them.
    """

    rule: BreakGlass
    passed_over: tuple[str, ...]
    told: tuple[str, ...]
    review_by: datetime
    number: int
    barred: str


def break_glass(press: Press) -> PressStep:
    """The step. Needs the case's content."""

    def act(draft: Draft, actor: Actor) -> Refused | None:
        terms = weigh(press, draft.subject, draft.now)
        if isinstance(terms, Refused):
            return terms
        if (refused := _unfit(press, draft.case, terms)) is not None:
            return refused
        content, standing = draft.subject.submission, press.standing
        if content is None or standing is None or draft.subject.active is None:
            raise ValueError("break-glass needs the case's content, the policy in force and the standing of whoever uses it")
        case, verdict = draft.case, VERDICTS[press.verdict]
        if verdict is Verdict.APPROVED and case.modified_by:
            verdict = Verdict.MODIFIED
        mine = Vote(step=case.step, by=press.person.id, verb="break_glass", at=draft.now)
        draft.put(votes=(*case.votes, mine), people=press.person.known_with(case.people), break_glass=True)
        told: dict[str, Json] = {
            "verdict": verdict.value,
            "passed_over": list(terms.passed_over),
            "told": list(terms.told),
            "review_by": moment_text(terms.review_by),
            "number": terms.number,
            "policy": standing.policy_sha256,
        }
        used = draft.record(EventKind.BREAK_GLASS_USED, actor, pressed(press, case) | told, sealed=words(press))
        conclude(draft, verdict, actor, reason_code="break_glass", sealed=words(press))
        draft.note(used)
        for person in terms.told:
            draft.send(Message(MessageKind.NOTICE, person, event=used, urgent=True))
        draft.keep_use(
            BreakGlassUse(
                case=case.id,
                revision=case.revision,
                workflow=case.workflow,
                by=actor.id,
                people=press.person.known_with(()),
                at=draft.now,
                verdict=verdict,
                passed_over=terms.passed_over,
                review_by=terms.review_by,
            )
        )
        draft.open(
            open_review(draft, draft.subject.active, terms.rule, content, standing, passed_over=terms.passed_over, said=words(press))
        )
        return None

    return by_person(press, act, unless=_too_late)


def obstacle(press: Press, subject: Subject, now: datetime) -> Refused | Terms:
    """Why this press would be refused however well its form was filled in, else what it would come to."""
    verdict = authorize(press, subject.case)
    if not isinstance(verdict, Allowed):
        return verdict
    return _too_late(subject.case, now) or weigh(press, subject, now)


def weigh(press: Press, subject: Subject, now: datetime) -> Refused | Terms:
    """Everything but who presses and what was typed: the case, the policy in force, the uses so far."""
    case, active, standing = subject.case, subject.active, press.standing
    rule = active.form.break_glass if active is not None else None
    if rule is None or active is None or standing is None:
        return refuse("no_break_glass")
    if standing.policy_sha256 != active.sha256:
        return refuse("policy_changed")
    if (code := _never(case, subject)) is not None:
        return refuse(code)
    if (refused := _limited(rule, subject.break_glass, press.person, now)) is not None:
        return refused
    told = tuple(one for one in standing.supervisors if not press.person.names & {one})
    if not any(_may_review(one, case) for one in told):
        return refuse("nobody_reviews")
    passed_over = rules_passed_over(press.person, case, subject.dark)
    if not passed_over:
        return refuse("no_need")
    number = len(_within(rule, subject.break_glass, now)) + 1
    barred = "known_wrong" if case.failed_checks or press.found_wrong else ""
    return Terms(rule, passed_over, told[:TOLD_MOST], now + timedelta(seconds=rule.review_within), number, barred)


def rules_passed_over(person: Person, case: Case, dark: Collection[str] = ()) -> tuple[str, ...]:
    """What keeps this person from deciding the case alone and now, as codes. `dark` are the channels that show no card."""
    left = case.route.steps[case.step :]
    found = {
        "group": not person.groups & answering_groups(case),
        "people": case.yes_missing > 1,
        "checklist": any(step.checklist for step in left),
        "hold": case.state is State.HELD,
        "information": case.state is State.NEEDS_INFO,
        "claim": bool(case.claimed_by) and not person.was(case.claimed_by, case.people),
        "not_shown": case.unseen or case.rung.channel in dark,
    }
    return tuple(code for code, applies in found.items() if applies)


def _never(case: Case, subject: Subject) -> str | None:
    """What of the case break-glass does not pass over, whoever uses it."""
    if case.held_by == "quarantine":
        return "in_quarantine"
    if subject.automation.level >= Automation.PAUSED.level or case.held_by == "frozen":
        return "braked"
    if case.route.lane is Lane.STOP:
        return "stops_the_line"
    if not case.route.steps:
        return "not_now"
    return "requester_unknown" if case.route.requester == "required" and not requesters(case) else None


def _limited(rule: BreakGlass, uses: Sequence[BreakGlassUse], person: Person, now: datetime) -> Refused | None:
    """The limits in number, of everybody together, and in time, of this person."""
    if len(_within(rule, uses, now)) >= rule.most:
        return Refused("used_up", REFUSALS["used_up"].format(most=rule.most, per=written(rule.per)))
    mine = [use for use in uses if not use.over and person.was(use.by, use.people)]
    if any(now - use.at > timedelta(seconds=rule.within) for use in mine):
        return Refused("emergency_over", REFUSALS["emergency_over"].format(within=written(rule.within)))
    return None


def _within(rule: BreakGlass, uses: Sequence[BreakGlassUse], now: datetime) -> list[BreakGlassUse]:
    return [use for use in uses if now - use.at < timedelta(seconds=rule.per)]


def _may_review(supervisor: str, case: Case) -> bool:
    """Whether a supervisor neither asked for the action nor took a step on it, as far as their id tells."""
    took_part = {name for vote in case.votes for name in names_under(vote.by, case.people)} | {case.modified_by}
    asked = {name for one in requesters(case) for part in one.split() for name in names_under(part, case.people)}
    return supervisor not in took_part | asked


def _unfit(press: Press, case: Case, terms: Terms) -> Refused | None:
    """Why what was typed does not do."""
    if press.verdict not in VERDICTS:
        return refuse("choose_verdict")
    letters = [char.casefold() for char in press.text if char.isalnum()]
    if len(letters) < LEAST_LETTERS or len(set(letters)) < LEAST_DIFFERENT:
        return refuse("reason_too_short")
    if press.verdict == "approve" and terms.barred:
        return refuse(terms.barred)
    if press.verdict == "approve" and press.cut and press.person.id not in case.opened_by:
        return refuse("open_evidence_first")
    return None


def _too_late(case: Case, now: datetime) -> Refused | None:
    """Nobody decides after the service's deadline, in whatever way."""
    late = case.clocks.deadline is not None and case.clocks.deadline <= now
    return refuse("too_late") if late else None


def standing_of(policy: Policy, person: Person, supervisors: Sequence[str], handle: str) -> Standing:
    """What was looked up: whether `person`, with the groups of the policy in force they are in, may; and who its supervisors are."""
    rule = policy.form.break_glass
    return Standing(policy.sha256, rule is not None and rule.group in person.groups, tuple(sorted(supervisors)), handle)
