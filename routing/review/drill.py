"""The cases of a drill (E10): what they say, how they are routed, and that an answer ends them. Owns these rules.

They go the ladder as every case does: the same cards, clocks, pages and mails. Nobody's service hears of them: they are of no service, and
everything that counts cases counts those of services. When a drill begins and ends is `routing.governance.drill_lifecycle`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from routing.authorize import drill_goes_on, refuse
from routing.canonical import Json
from routing.case.action import Action
from routing.case.case import Case, DrillPart, Reason, Route, Step
from routing.case.facts import Facts
from routing.case.submission import Model, RiskFacts, Submission
from routing.change import SYSTEM, Change, Opens, Refused, Subject
from routing.evaluation.route import route
from routing.evaluation.work_templates import start_of
from routing.policy.clocks.table import clocked
from routing.policy.form.form import Workflow
from routing.policy.policy import Policy
from routing.review.draft import Draft
from routing.review.event_fields import received
from routing.review.ladder import climb, total_clock
from routing.review.placement import place
from routing.review.press import PressStep
from routing.review.revision import content_facts
from routing.review.verdict import conclude
from routing.vocabulary import CaseKind, DrillEnd, DrillKind, EventKind, Exhausted, Lane, Mode, Risk, State, Template, Verdict

SERVICE = "@drill"
"""In place of the service: no service can be called so."""

MARK = "[DRILL]"
"""What the title of such a case begins with."""

CLIMBS = "drill"
"""The clock that an escalation names where an answer, and no clock, sent a case of a drill on."""

_TITLES = {
    DrillKind.NOBODY_AVAILABLE: "nobody is available for {workflow}",
    DrillKind.VOLUME_SPIKE: "case {number} of {count} at once for {workflow}",
    DrillKind.LOW_CONFIDENCE: "the model is not sure in {workflow}",
    DrillKind.VIOLATION: "a violation in {workflow}",
}


@dataclass(frozen=True, slots=True)
class Play:
    """The drill that cases are opened for: its id, what it plays in which workflow, and the tier (0-based) it is to reach."""

    drill: str
    kind: DrillKind
    workflow: str
    to: int


def open_cases(play: Play, policy: Policy, count: int, now: datetime, dark: Mapping[str, str]) -> tuple[Opens, ...]:
    """What opens its cases. The policy has the workflow; `dark` as in `routing.change.Subject`."""
    contents = [_submission(play, policy.workflows[play.workflow], number, count) for number in range(1, count + 1)]
    return tuple(_opens(play, content, _route(play, route(policy, content, Facts(), now), policy), now, dark) for content in contents)


def _opens(play: Play, content: Submission, chosen: Route, now: datetime, dark: Mapping[str, str]) -> Opens:
    to = max(play.to, chosen.start) if play.kind is DrillKind.NOBODY_AVAILABLE else 0

    def opens(case_id: str) -> Change:
        case = Case(
            id=case_id,
            service=SERVICE,
            workflow=play.workflow,
            task_id=content.task_id,
            kind=CaseKind.DRILL,
            parent=play.drill,
            drill=DrillPart(kind=play.kind, to=to),
            route=chosen,
            created_at=now,
            tier=chosen.start,
            **content_facts(content),
        )
        draft = Draft(Subject(case, submission=content, dark=dark), now)
        draft.put_clocks(total=total_clock(case, now))
        told: dict[str, Json] = {"kind": case.kind.value, "parent": play.drill}
        draft.record(EventKind.RECEIVED, SYSTEM, received(case, content) | told, submission=content)
        if chosen.lane in (Lane.AUTO, Lane.REJECT):
            conclude(draft, Verdict.WITHDRAWN, SYSTEM, reason_code=DrillEnd.NOT_ASKED)
        else:
            place(draft)
        return draft.change()

    return opens


def follow(change: Change, subject: Subject, now: datetime, *, stopped: bool = False) -> Change:
    """A change of a drill's case, carried on: whoever has taken it has answered, which ends it, or sends it on to the next tier; nowhere
    once the drill is `stopped`.
    """
    case = change.case
    if case.drill is None or case.state is not State.PENDING or not (case.acknowledged_by or stopped):
        return change
    draft = Draft.going_on(change, subject, now)
    if stopped:
        conclude(draft, Verdict.WITHDRAWN, SYSTEM, reason_code=DrillEnd.STOPPED)
    elif drill_goes_on(case):
        climb(draft, draft.record(EventKind.ESCALATED, SYSTEM, {"clock": CLIMBS, "tier": case.tier + 1}))
    else:
        conclude(draft, Verdict.WITHDRAWN, SYSTEM, reason_code=DrillEnd.ANSWERED)
    return draft.change()


def stopped() -> PressStep:
    """Close a case of a drill that was stopped."""

    def step(subject: Subject, now: datetime) -> Change | Refused:
        if not subject.case.open:
            return refuse("not_now")
        draft = Draft(subject, now)
        conclude(draft, Verdict.WITHDRAWN, SYSTEM, reason_code=DrillEnd.STOPPED)
        return draft.change()

    return step


def _submission(play: Play, workflow: Workflow, number: int, count: int) -> Submission:
    """What such a case says. It is of no customer and no model; what its kind is about is all that is given."""
    kind, limits = play.kind, workflow.thresholds
    unsure, flags = kind is DrillKind.LOW_CONFIDENCE, ("prohibited_content",) if kind is DrillKind.VIOLATION else ()
    return Submission(
        workflow=play.workflow,
        task_id=f"{play.drill}:{number}",
        title=f"{MARK} {_TITLES[kind].format(workflow=play.workflow, number=number, count=count)}",
        request="This is a drill: nothing is executed, and no service is told.",
        action=Action(type=next(iter(workflow.action_types), "drill"), params={"drill": play.drill}, reversible=True),
        model=Model(name="drill", confidence=round((limits.review + limits.auto) / 2, 4) if unsure else 1.0),
        risk=RiskFacts(impact=Risk.LOW, likelihood=0.0, recoverability="easy", flags=flags),
    )


def _route(play: Play, routed: Route, policy: Policy) -> Route:
    """As the policy routes it where that is what is tried; else to whoever reviews first. Nothing that concerns a service is left: none is
    asked, no playbook begins, at the ladder's end it expires; and whatever is real goes before it.
    """
    nothing = {
        "mode": Mode.ASYNC,
        "priority": 0,
        "requester": "optional",
        "exhausted": Exhausted.REJECT,
        "missing": (),
        "playbooks": (),
        "exceptions": (),
        "sampled": "",
        "sampling_rate": 0.0,
        "duplicates_s": None,
        "reveal": (),
    }
    if play.kind in (DrillKind.LOW_CONFIDENCE, DrillKind.VIOLATION):
        return routed.model_copy(update=nothing)
    workflow = policy.workflows[play.workflow]
    tiers = policy.tiers[workflow.ladder]
    plain = {
        "lane": Lane.REVIEW,
        "template": Template.APPROVAL,
        "steps": (Step(name="approve"),),
        "tiers": tiers,
        "start": start_of(workflow, Lane.REVIEW, Template.APPROVAL, len(tiers)),
        "page_at_start": False,
        "reasons": (Reason(code="drill", text="It is a drill."),),
        "rule": "",
        "lost": (),
    }
    return clocked(routed.model_copy(update=nothing | plain), policy.clock_tables(play.workflow))
