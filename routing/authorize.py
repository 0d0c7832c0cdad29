"""Who may do what to a case: one pure function, closed by default, and the one table of verbs it reads.

Owns every reason for which a press is refused and the sentence the person gets. It never fetches a fact: the person,
the group memberships and whether the card is known come in with the press.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from routing.authority import Role
from routing.case.address import is_address, names_of_address
from routing.case.case import Case
from routing.case.people import Person, Press, names_under
from routing.case.playbook import LegalHold
from routing.change import Refused
from routing.signals import Trigger
from routing.vocabulary import ApprovalCode, CaseKind, ReasonCode, State, Verb, Verdict

OPEN = frozenset({State.PENDING, State.NEEDS_INFO, State.HELD})
ENDED = frozenset({State.DECIDED, State.CLOSED})
ANY = frozenset(State)
RELEASERS = frozenset({Role.SUPERVISOR, Role.DUTY_OFFICER, Role.ADMIN})
"""Roles that put a case into quarantine and let it out again (G3)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one verb demands.

    `states`: in which states it means anything. `group`: `step` the group that answers now, `ladder` any group of the
    case's ladder, `reveal` the groups that may see what is masked, `break_glass` the one that the policy in force names for it, `undo`
    whoever may still take the decision back, `named` whoever a legal hold names, `` no group. `roles`: besides or instead, the groups of
    one of these roles; none: any. `impartial`: the requester and people of earlier steps are barred. `fresh`: the card pressed must show
    the case as it is. `held_off`: somebody else's claim bars it. `reason`/`text`: a reason code and free text are mandatory (V4);
    `confirm`: a form has to ask before. `of_any_kind`: it means something for checks and roll backs too, which are answered with yes or no.
    `tied`: it means something for a case that is decided with another.
    """

    states: frozenset[State]
    group: str
    impartial: bool = False
    fresh: bool = True
    held_off: bool = False
    reason: bool = False
    text: bool = False
    confirm: bool = False
    roles: frozenset[Role] = frozenset()
    of_any_kind: bool = True
    tied: bool = False


RULES: dict[Verb, Rule] = {
    Verb.APPROVE: Rule(frozenset({State.PENDING}), "step", impartial=True, held_off=True),
    Verb.REJECT: Rule(frozenset({State.PENDING}), "step", impartial=True, held_off=True, reason=True),
    Verb.MODIFY: Rule(frozenset({State.PENDING}), "step", impartial=True, held_off=True, reason=True, of_any_kind=False),
    Verb.ESCALATE: Rule(frozenset({State.PENDING}), "step", held_off=True, reason=True),
    Verb.ASK: Rule(frozenset({State.PENDING}), "step", held_off=True, text=True, of_any_kind=False),
    Verb.CLAIM: Rule(frozenset({State.PENDING}), "step", impartial=True, held_off=True),
    Verb.UNCLAIM: Rule(frozenset({State.PENDING}), "step"),
    Verb.TAKE_OVER: Rule(frozenset({State.PENDING}), "step", impartial=True, text=True),
    Verb.HAND_OVER: Rule(frozenset({State.PENDING}), "step", held_off=True, text=True),
    Verb.RESUME: Rule(frozenset({State.HELD}), "step"),
    Verb.COMMENT: Rule(ANY, "", fresh=False, text=True, tied=True),
    Verb.OPEN_EVIDENCE: Rule(ANY, "ladder", fresh=False, tied=True, roles=RELEASERS | {Role.AUDITOR, Role.BREAK_GLASS_HOLDER}),
    Verb.ROLL_BACK: Rule(ENDED, "ladder", reason=True, text=True, of_any_kind=False, tied=True),
    Verb.UNDO: Rule(frozenset({State.DECIDED}), "undo", fresh=False, of_any_kind=False, tied=True),
    Verb.SEPARATE: Rule(frozenset({State.PENDING, State.NEEDS_INFO}), "step", held_off=True, of_any_kind=False),
    Verb.REVEAL: Rule(ANY, "reveal", fresh=False, tied=True),
    Verb.BREAK_GLASS: Rule(OPEN, "break_glass", impartial=True, text=True, of_any_kind=False),
    Verb.QUARANTINE: Rule(OPEN, "", fresh=False, reason=True, text=True, roles=RELEASERS, tied=True),
    Verb.LEGAL_HOLD: Rule(ANY, "", fresh=False, text=True, roles=RELEASERS, tied=True),
    Verb.RELEASE_LEGAL_HOLD: Rule(ANY, "named", fresh=False, text=True, tied=True),
}

ON_DRILLS = frozenset({Verb.APPROVE, Verb.REJECT, Verb.ESCALATE, Verb.CLAIM, Verb.UNCLAIM, Verb.COMMENT, Verb.OPEN_EVIDENCE})
"""What anybody can do to a case of a drill: whatever shows that somebody is there."""

LETS_THROUGH = frozenset({Verb.APPROVE, Verb.MODIFY})
"""Verbs by which a person lets an action through; against a failed check they demand a reason code and free text (V4), against a warned one
a reason code."""

EXECUTABLE = frozenset({Verdict.APPROVED, Verdict.MODIFIED, Verdict.AUTO_APPROVED})
"""Verdicts after which the service may execute the action."""

REFUSALS: dict[str, str] = {
    "slack_unreachable": "Slack could not confirm who you are just now, so nothing was recorded. Please press again.",
    "deactivated": "This Slack account is deactivated.",
    "bot": "A bot cannot review a case.",
    "stranger": "Only members of this workspace can review its cases.",
    "guest": "Guests cannot review cases. A full member of the group can.",
    "unknown_card": "This message is not a card of this case here, so its buttons do nothing.",
    "replaced_card": "This card was replaced by a newer one in its channel, so its buttons do nothing. Please use the newer one.",
    "already_decided": "This case is already decided. The card shows by whom and when.",
    "too_late": "The service's deadline has passed, so this case can no longer be decided.",
    "not_now": "The case is in a state in which this cannot be done. The card shows what it waits for.",
    "stale": "The case has changed since this card was drawn, so nothing was recorded. Please look at it again.",
    "not_in_group": "You are not in the group that answers for this case now.",
    "requester": "You asked for this action, so somebody else has to decide it.",
    "email_unknown": "Only the requester's e-mail address is known and Slack does not tell yours, so somebody else has to decide this.",
    "already_voted": "You have already taken a step on this case. The next step needs another person.",
    "open_evidence_first": "Part of this case did not fit on the card. Please open its details before you decide.",
    "reason_required": "Please choose a reason from the list.",
    "text_required": "Please say in your own words why.",
    "confirm_first": "This is a large change, so nothing was recorded yet. Please press again and confirm it.",
    "claimed": "Somebody else has claimed this case, so nothing was recorded. If they are not on it, choose Take over in the card's menu"
    " and say why.",
    "not_claimed_by_another": "Nobody else has claimed this case, so there is nothing to take over. Please press Claim.",
    "not_handed": "Please name one person to hand this case to.",
    "handed_to_oneself": "This case is handed to somebody else than yourself. To keep it, press Claim.",
    "cannot_answer": "Whom you named cannot decide this case as it is, so nothing was recorded: {why}",
    "away": "You said that you are away until {until}, so no case is yours meanwhile. Type `/review back` first.",
    "they_are_away": "Whom you named is away until {until}, so nothing is handed to them.",
    "cap_open": "You have claimed {count} cases, which is as many as the policy lets one person hold. Decide, release or hand over one"
    " first.",
    "cap_hour": "You have taken {count} cases within the hour, which is as many as the policy lets one person. The next from {until}; until"
    " then leave it to the others, escalate it, or reject it.",
    "their_cap_open": "Whom you named has claimed {count} cases, which is as many as the policy lets one person hold.",
    "their_cap_hour": "Whom you named has taken {count} cases within the hour, which is as many as the policy lets one person.",
    "not_claimed": "You have not claimed this case.",
    "nothing_to_roll_back": "Nothing was approved here, so there is nothing to roll back.",
    "rollback_running": "A roll back of this case has already been requested.",
    "top_of_ladder": "This is already the highest tier.",
    "no_change": "The modification does not change anything.",
    "form_broken": "The modified action does not keep the form that the policy or the proposal gives it. The form says where.",
    "not_allowed": "The policy does not allow the modified action.",
    "not_open": "The case is decided, nothing can be added to it.",
    "not_due": "Nothing is due.",
    "unknown_page": "No open page of the case matches.",
    "erased": "The content of this case was erased, so nothing more can be done with it here.",
    "still_open": "The case is still open. Decide it, or let its service withdraw it, first.",
    "not_in_role": "This takes a role that you do not have. The policy names the groups of each role.",
    "yes_or_no": "This case only asks about another one: it is answered with yes or no.",
    "tied": "This case is decided together with an identical one that came before it. Open that one.",
    "nothing_tied": "No other case is decided with this one.",
    "checklist_required": "Please answer every item of the checklist: pass, fail or not applicable.",
    "prefill_only": "Here only the pre-filled fields can be corrected. If the action is wrong, escalate or reject the case.",
    "frozen": "The workflow is frozen. This case goes on when the workflow does.",
    "quarantined": "This case is in quarantine already.",
    "nothing_to_withhold": "There is no decision here that could be kept back.",
    "undo_over": "There is no approval here that can be taken back: its service has been told, or a pause has kept it back. *Roll back*"
    " asks to undo what was let through.",
    "not_yours_to_undo": "Only whoever gave this approval can take it back. Once the service has been told, *Roll back* asks to undo it.",
    "not_told_yet": "The service has not been told yet, so there is nothing to roll back. Whoever approved can still take it back.",
    "about_to_be_told": "People have approved this case, which its service is told in a moment. Only a withdrawal still counts before.",
    "not_withheld": "No decision of this case is kept back.",
    "took_part": "You asked for this action or took part in deciding it, so somebody else has to say whether that was right.",
    "no_break_glass": "The policy lets nobody decide by break-glass.",
    "not_break_glass": "Only the group that the policy names for break-glass may do this.",
    "policy_changed": "Another policy came into force meanwhile, so nothing was recorded. Please type it again.",
    "no_need": "Nothing keeps you from deciding this case in the normal way. Please use its card.",
    "braked": "The workflow is paused or frozen, and break-glass passes no brake. Whoever may resume it has to, first.",
    "in_quarantine": "This case is in quarantine, and break-glass does not lift one. Whoever may release it has to, first.",
    "stops_the_line": "This case stopped its workflow. Only those whom the policy names for that decide it.",
    "requester_unknown": "Nobody knows who asked for this action; it may have been you. Its service has to say who it was.",
    "known_wrong": "A check failed or somebody found a point of the checklist wrong. Break-glass passes over who decides and when,"
    " never over what is known to be wrong: reject it, or let it be decided on its card.",
    "choose_verdict": "Please choose whether you approve or reject it.",
    "reason_too_short": "Please say why in at least 20 letters: the supervisors read it and decide by it whether this was right.",
    "used_up": "Break-glass was used {most} times within {per} already, which is as often as the policy lets it.",
    "emergency_over": "You used break-glass more than {within} ago, and that has to be reviewed before you go on. Nobody has yet.",
    "nobody_reviews": "There is no supervisor who could review this afterwards, so it cannot be decided by break-glass.",
    "legal_hold": "A legal hold is on this case. Whoever is named for it has to release it first: `/review legal-release CASE REASON`.",
    "no_legal_hold": "There is no legal hold on this case.",
    "not_named": "You are not among those who may release this legal hold. The card names them.",
    "only_a_drill": "This is a drill: there is nothing here that this could be done to.",
    "drill_goes_on": "This drill shows whether a case reaches every tier, so it is not decided here. Press *Claim* to show that you are"
    " there: that is recorded, and it goes on to the next tier.",
    "drill_ends_here": "This drill ends with this tier, and nobody further is to be rung. Press *Claim* to show that you are there.",
    "already_erased": "The content of this case has already been erased.",
}
"""Code -> the sentence a person gets. A closed list: codes go to the audit log, sentences to people."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """The press may be carried out."""


def refuse(reason: str) -> Refused:
    """The refusal with the sentence that belongs to its code."""
    return Refused(reason, REFUSALS[reason])


def answering_groups(case: Case) -> frozenset[str]:
    """Names of the groups whose members answer now: the step's own group while the case is at its first tier, else the tier's."""
    own = case.route.steps[case.step].group if case.step < len(case.route.steps) else None
    return frozenset({own}) if own is not None and case.tier == case.route.start else frozenset({case.rung.group})


def authorize(press: Press, case: Case) -> Allowed | Refused:
    """Whether this person may do this to the case as it is. Closed by default; the first reason that applies is given."""
    person, rule = press.person, demands(Verb(press.verb), case)
    reason = outsider(person, press.team) or _out_of_place(press, rule, case) or _lacks_standing(press, rule, case)
    if reason is not None:
        return refuse(reason)
    if case.erased_at is not None:
        return refuse("erased")
    if rule.impartial and (reason := _partial(person, case)) is not None:
        return refuse(reason)
    if rule.reason and press.reason_code not in reason_codes(Verb(press.verb), case):
        return refuse("reason_required")
    if rule.text and not press.text.strip():
        return refuse("text_required")
    if rule.confirm and not press.confirmed:
        return refuse("confirm_first")
    return Allowed()


def outsider(person: Person, team: str) -> str | None:
    """The code for somebody who is no known full member of this workspace, None for a member."""
    if not person.known:
        return "slack_unreachable"
    if person.deleted:
        return "deactivated"
    if person.bot:
        return "bot"
    if person.stranger or person.team != team:
        return "stranger"
    return "guest" if person.guest else None


def demands(verb: Verb, case: Case) -> Rule:
    """What a verb demands of whoever presses on this case: its rule, with a reason where a check is overridden, and text where that failed,
    confirmed where a large change is approved, and with a role where a quarantine is lifted.
    """
    rule = replace(RULES[verb], confirm=verb is Verb.APPROVE and moves_far(case))
    if verb is Verb.RESUME and case.held_by == "quarantine":
        return replace(rule, group="", roles=RELEASERS, reason=True, text=True)
    if not overrides(verb, case):
        return rule
    return replace(rule, reason=True, text=rule.text or case.failed_checks > 0)


def held_off(press: Press, case: Case, now: datetime) -> bool:
    """Whether somebody else's claim keeps this person's press from counting at `now`. Never that of a supervisor, unless it is to claim the
    case or to pass it on: one that two people have, nobody has.
    """
    person, until = press.person, case.clocks.claim
    others = bool(case.claimed_by) and not person.was(case.claimed_by, case.people)
    if not (RULES[Verb(press.verb)].held_off and others and until is not None and now < until):
        return False
    supervises = bool(person.groups & {*case.route.roles.get(Role.SUPERVISOR, ())})
    return not supervises or press.verb in (Verb.CLAIM, Verb.HAND_OVER)


def overrides(verb: Verb, case: Case) -> bool:
    """Whether this verb lets an action through although a check failed or warned; a yes to a check or a roll back lets none through."""
    return verb in LETS_THROUGH and (case.failed_checks > 0 or case.warned_checks > 0) and case.kind is CaseKind.CASE


def drill_goes_on(case: Case) -> bool:
    """Whether it is a drill's case and below the tier that it is to reach: an answer sends it on to the next."""
    return case.drill is not None and case.tier < min(case.drill.to, len(case.route.tiers) - 1)


def moves_far(case: Case) -> bool:
    """Whether the action of a service's case changes a value beyond a limit of the policy, so that approving asks to confirm."""
    return case.kind is CaseKind.CASE and any(reason.code == Trigger.CHANGE_LARGE for reason in case.route.reasons)


def reason_codes(verb: Verb, case: Case) -> tuple[str, ...]:
    """The reasons that may be given for a verb: made for approving where it overrides a check, of rejecting and changing for all others. A
    modification that overrides may name either.
    """
    others = case.route.reason_codes or tuple(code.value for code in ReasonCode)
    if not overrides(verb, case):
        return others
    approving = tuple(code.value for code in ApprovalCode)
    return approving if verb is Verb.APPROVE else tuple(dict.fromkeys((*approving, *others)))


def is_requester(person: Person, case: Case) -> bool:
    """Whether this person asked for the action, or is barred as if they had, by any id or by e-mail address, however it is spelled."""
    known = person.names | names_of_address(person.email)
    return any(known & names_under(one, case.people) for named in requesters(case) for one in named.split())


def may_release(person: Person, hold: LegalHold, case: Case) -> bool:
    """Whether this person may release a legal hold: those it names, or by role where it names nobody."""
    if hold.released_by:
        return bool({person.id, *person.aliases} & set(hold.released_by))
    return bool(person.groups & {group for role in RELEASERS for group in case.route.roles.get(role, ())})


def took_part(person: Person, case: Case) -> bool:
    """Whether this person has modified the case or voted on it, under whatever id."""
    recorded = {vote.by for vote in case.votes} | {case.modified_by} - {""}
    return any(person.was(one, case.people) for one in recorded)


def requesters(case: Case) -> tuple[str, ...]:
    """Everybody who never decides the case: each the names of one (Slack ids, digests of addresses), blanks between."""
    current = f"{case.requester} {case.requester_email_sha256}".strip()
    return tuple(dict.fromkeys(named for named in (current, *case.barred) if named))


def is_digest(named: str) -> bool:
    """Whether this is the digest of an address; Slack ids are in capitals."""
    return re.fullmatch("[0-9a-f]{64}", named) is not None


def _out_of_place(press: Press, rule: Rule, case: Case) -> str | None:
    """Why the verb means nothing for the case as it is, or for the card that was pressed."""
    if not press.card_known:
        return "replaced_card" if press.card_replaced else "unknown_card"
    if case.kind is CaseKind.DRILL and press.verb not in ON_DRILLS:
        return "only_a_drill"
    if case.kind is not CaseKind.CASE and not rule.of_any_kind:
        return "yes_or_no"
    if case.state not in rule.states and not (press.verb == Verb.QUARANTINE and case.undo is not None):
        return "already_decided" if case.state in ENDED else "not_now"
    if case.open and case.tied_to and not rule.tied:
        return "tied"
    if press.verb == Verb.QUARANTINE and case.held_by == "quarantine":
        return "quarantined"
    if press.verb == Verb.TAKE_OVER and (not case.claimed_by or press.person.was(case.claimed_by, case.people)):
        return "not_claimed_by_another"
    if drill_goes_on(case) and press.verb in (Verb.APPROVE, Verb.REJECT):
        return "drill_goes_on"
    if case.kind is CaseKind.DRILL and press.verb == Verb.ESCALATE and not drill_goes_on(case):
        return "drill_ends_here"
    return "stale" if rule.fresh and press.face != case.face else None


def _lacks_standing(press: Press, rule: Rule, case: Case) -> str | None:
    """Why this person is not among those whose press counts."""
    person = press.person
    in_role = {name for role in rule.roles for name in case.route.roles.get(role, ())}
    if person.groups & in_role:
        return None
    match rule.group:
        case "step":
            return None if person.groups & answering_groups(case) else "not_in_group"
        case "ladder":
            return None if person.groups & _ladder_groups(case) else "not_in_group"
        case "undo":
            if case.undo is None:
                return "undo_over"
            return None if person.was(case.undo.by, case.people) else "not_yours_to_undo"
        case "named":
            ours = any(may_release(person, one, case) for one in case.legal_holds)
            return None if ours else "not_named" if case.legal_holds else "no_legal_hold"
        case "reveal":
            return None if person.groups.intersection(case.route.reveal) else "not_in_role"
        case "break_glass":
            if press.standing is None:
                return "no_break_glass"
            return None if press.standing.holder else "not_break_glass"
        case _:
            return "not_in_role" if rule.roles else None


def _partial(person: Person, case: Case) -> str | None:
    if is_requester(person, case):
        return "requester" if case.kind is not CaseKind.REVIEW else "took_part"
    by_address_only = any(is_digest(named) for named in requesters(case))
    if by_address_only and not is_address(person.email):
        return "email_unknown"
    return "already_voted" if took_part(person, case) else None


def _ladder_groups(case: Case) -> frozenset[str]:
    named = {tier.group for tier in case.route.tiers} | {step.group for step in case.route.steps if step.group is not None}
    return frozenset(named)
