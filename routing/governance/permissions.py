"""Who may decide about more than one case: one table of verbs and roles, closed by default (V6).

Owns that table, every reason for which such a press is refused and the sentence the person gets. It never fetches a fact: the person and
their groups come in with the press.
"""

from routing.authority import GovernanceVerb, Role
from routing.authorize import outsider
from routing.authorize import refuse as refuse_person
from routing.case.case import Group
from routing.case.people import GovernancePress, Person
from routing.change import Refused
from routing.policy.policy import Policy
from routing.problems import did_you_mean

BRAKES = frozenset({Role.SUPERVISOR, Role.DUTY_OFFICER, Role.POLICY_OWNER, Role.ADMIN})
LINE = frozenset({Role.SUPERVISOR, Role.DUTY_OFFICER, Role.ADMIN})
OWNERS = frozenset({Role.POLICY_OWNER})
RESTART = frozenset({Role.DUTY_OFFICER, Role.POLICY_OWNER})
"""Who may let a workflow go on that was stopped by a case or by an incident."""

DRILLS = frozenset(Role) - {Role.AUDITOR, Role.BREAK_GLASS_HOLDER}
"""Those of which `drills.roles` of the policy names the ones that may."""

MAY: dict[GovernanceVerb, frozenset[Role]] = {
    GovernanceVerb.PAUSE: BRAKES,
    GovernanceVerb.REVIEW_ALL: BRAKES,
    GovernanceVerb.FREEZE: LINE,
    GovernanceVerb.RESUME: BRAKES,
    GovernanceVerb.QUARANTINE: LINE,
    GovernanceVerb.PROPOSE_POLICY: OWNERS,
    GovernanceVerb.ACCEPT_POLICY: OWNERS,
    GovernanceVerb.DECLINE_POLICY: OWNERS,
    GovernanceVerb.WIDEN_POLICY: OWNERS,
    GovernanceVerb.ROLL_BACK_POLICY: OWNERS,
    GovernanceVerb.REQUEST_EXCEPTION: frozenset(Role) - {Role.AUDITOR, Role.BREAK_GLASS_HOLDER},
    GovernanceVerb.APPROVE_EXCEPTION: OWNERS,
    GovernanceVerb.END_EXCEPTION: BRAKES,
    GovernanceVerb.ACKNOWLEDGE_ALERT: BRAKES,
    GovernanceVerb.KEEP_NAME: OWNERS,
    GovernanceVerb.MOVE_NAME: OWNERS,
    GovernanceVerb.START_DRILL: DRILLS,
    GovernanceVerb.STOP_DRILL: DRILLS,
    GovernanceVerb.AWAY: frozenset(Role),
    GovernanceVerb.BACK: frozenset(Role),
    GovernanceVerb.NOTIFY: frozenset(Role),
    GovernanceVerb.NOTIFY_OFF: frozenset(Role),
}
"""Verb -> roles, each of which suffices. A role is the groups that the policy names for it; its `owners` are policy owners too."""

REFUSALS: dict[str, str] = {
    "not_in_role": "This is not yours to decide. It takes {roles}; the policy names who they are.",
    "reason_required": "Please say why, in one sentence of at most 300 characters. It will stand open in the audit log.",
    "unknown_workflow": "The policy has no workflow “{name}”{hint}",
    "safer_already": "The workflow is already held at least that far.",
    "not_braked": "Nothing holds this workflow back, so there is nothing to resume.",
    "stale": "This has changed since the message was drawn, so nothing was recorded. Please look at it again.",
    "stop_case_open": "The case {case} stopped this workflow and is still open. Decide it first.",
    "unknown_alert": "There is no such alert any more.",
    "alert_over": "This alert is over already.",
    "alert_paged": "That page of the alert is open already.",
    "alert_not_paged": "No page about this alert is open.",
    "alert_news_late": "Something that happened later at PagerDuty is known already.",
    "not_acknowledged_there": "Nobody has acknowledged this alert in PagerDuty.",
    "already_acknowledged": "Somebody has acknowledged this alert already.",
    "unknown_exception": "There is no such exception.",
    "not_waivable": "An exception may waive only these: {codes}. Hard rules, money, failed checks and what stops the line never.",
    "bad_end": "An exception lasts at least an hour and at most 90 days.",
    "bad_limit": "An exception is used at least once.",
    "exception_ended": "This exception has ended.",
    "exception_in_force": "This exception is in force already.",
    "own_request": "You asked for this exception, so somebody else has to approve it.",
    "unknown_message": "This message is none of Tierline's here, so its buttons do nothing.",
    "not_due": "Nothing is due.",
    "bound_already": "The name stands for something already.",
    "unknown_name": "The policy has no such name.",
    "bad_return": "Please give a day that is still to come, at most 90 days from now.",
    "not_away": "You are not away, as far as is recorded here.",
    "told_already": "You are told directly what you owe already: at most once an hour.",
    "not_told_already": "You are not told directly what you owe, as you wished.",
    "unknown_incident": "There is no such incident. `tierline incident list` shows those that there are.",
    "incident_closed": "This incident is closed already.",
    "incident_words": "Please say what caused it and what was done, in at most 1,000 characters each. They stand open in the audit log.",
    "unknown_example": "The policy in force has no example “{name}” in the workflow {workflow}. Add one that would have caught this, and"
    " have the policy accepted first.",
    "no_example": "Please name a new example case in the workflow {workflow} that would have caught this.",
    "workflow_gone": "The policy in force has neither the workflow {workflow} any more nor an example “{name}”. Leave the example out, or"
    " name one of another workflow.",
    "old_example": "The example “{name}” was in the policy when the incident was opened. It is closed with a new one only.",
    "failing_example": "The example “{name}” does not go where it says: {wrong}",
    "unknown_drill": "There is no such drill. `/review drill list` shows those that there are.",
    "drill_over": "This drill is over already.",
    "drill_running": "A drill of this kind runs in the workflow {workflow} already: {drill}.",
    "drill_without_channel": "The policy names no channels.operations, so there is nowhere that this alarm could be said.",
    "drill_tier": "Only nobody-available climbs to a tier, and the ladder of {workflow} has {tiers}, of which cases begin at {start}.",
    "drill_cases": "Only volume-spike has a number of cases, from 2 to 50.",
    "names_agree": "Name and id agree, so there is nothing to confirm.",
}
"""Code -> the sentence a person gets. A closed list, besides what `routing.authorize` says of persons: codes go to the audit log."""

REASON_MOST = 300
"""Characters of a reason: one sentence, which anybody may read in the audit log and on a card."""

_ARTICLE = {Role.ADMIN: "an", Role.APPROVER: "an", Role.AUDITOR: "an"}


def roles_of(person: Person, policy: Policy) -> frozenset[Role]:
    """The roles of a person: those whose groups they are in, and policy owner where the policy names them by id."""
    held = {role for role, groups in policy.form.roles.items() if person.groups & set(groups)}
    return frozenset(held | {Role.POLICY_OWNER} if person.id in policy.form.owners else held)


def role_groups(policy: Policy) -> dict[str, Group]:
    """The groups by which anybody has a role, to be looked up in Slack with the press."""
    named = sorted({name for groups in policy.form.roles.values() for name in groups})
    return {name: policy.groups[name] for name in named if name in policy.groups}


def obstacle(press: GovernancePress, policy: Policy, roles: frozenset[Role] | None = None) -> Refused | None:
    """Why this person may not do this; None when they may. `roles` narrow the table where the present state demands more."""
    if (code := outsider(press.person, press.team)) is not None:
        return refuse_person(code)
    needed = MAY[press.verb] if roles is None else MAY[press.verb] & roles
    if not roles_of(press.person, policy) & needed:
        return refuse("not_in_role", roles=_named(needed))
    return None


def refuse(code: str, **words: str) -> Refused:
    """The refusal with the sentence that belongs to its code."""
    return Refused(code, REFUSALS[code].format(**words))


def no_such_workflow(name: str, policy: Policy) -> Refused:
    """The refusal for a workflow that the policy does not have; names the nearest, or those that there are."""
    hint = did_you_mean(name, list(policy.workflows))
    return refuse("unknown_workflow", name=name[:100], hint=hint if hint.endswith("?") else f"{hint}.")


def reason_given(press: GovernancePress) -> str:
    """The reason on one line; "" where there is none that counts."""
    reason = " ".join(press.reason.split())
    return reason if len(reason) <= REASON_MOST else ""


def _named(roles: frozenset[Role]) -> str:
    """`a supervisor, a duty officer or an admin`, in the order of the list of roles."""
    names = [f"{_ARTICLE.get(role, 'a')} {role.value.replace('_', ' ')}" for role in Role if role in roles]
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
