"""What a policy would have done with cases that were there already: where each would have gone, and what that would have meant for people.

Owns the counting. Routes each case from its stored facts, its content and its own time, so a policy replayed on the cases that it routed
itself moves none. Never reads a store or a file, and decides nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from routing.canonical import Json
from routing.case.case import Route
from routing.case.facts import Facts
from routing.case.submission import Submission
from routing.evaluation.route import route
from routing.policy.policy import Policy
from routing.vocabulary import Lane, Template

Advance = Callable[[int], None]
"""Told how many cases are done."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where a case goes, as far as a replay compares it: two that are equal are the same to whoever waits and whoever works.

    `work` is the template people follow, `start` the tier it opens at, from 1; both say nothing where no person is asked.
    """

    lane: Lane
    work: str
    ladder: str
    start: int
    missing: tuple[str, ...] = ()
    reasons: tuple[str, ...] = field(default=(), compare=False)

    @property
    def short(self) -> str:
        """In a word or two; a case that is sent back for information says so, whatever its lane would be."""
        lane = f"information, then {self.lane}" if self.missing else str(self.lane)
        return f"{lane} ({self.work}, tier {self.start})" if self.start else lane


def where(chosen: Route) -> Where:
    """Where a route sends its case."""
    reasons = tuple(reason.text for reason in chosen.reasons)
    return placed(chosen.lane, chosen.template, chosen.ladder, chosen.start + 1, missing=chosen.missing, reasons=reasons)


def placed(
    lane: Lane, template: Template, ladder: str, start: int, *, missing: tuple[str, ...] = (), reasons: tuple[str, ...] = ()
) -> Where:
    """The same from what a route is made of. In a lane of people a template in which the model acts is worked on as an approval is."""
    acts = template in (Template.AUTO, Template.VERIFY_AFTER)
    if lane is Lane.REJECT or (lane is Lane.AUTO and acts):
        return Where(lane, template.value if lane is Lane.AUTO else "", "", 0, missing, reasons)
    return Where(lane, Template.APPROVAL.value if acts else template.value, ladder, start, missing, reasons)


@dataclass(frozen=True, slots=True)
class Replayed:
    """A case to be replayed: its content, and the facts and the time of its first routing.

    `label` says whether the model's action was right; None: nobody knows. `was` is where it went, where it went anywhere.
    """

    task_id: str
    submission: Submission
    facts: Facts
    at: datetime
    label: bool | None = None
    was: Where | None = None


@dataclass(slots=True)
class Tally:
    """What became of some cases under one policy.

    `reviews` are people's steps, `checks` automatic approvals drawn to be checked, `pages` those at opening. Of the labelled ones:
    `false_approvals` were wrong and would have been executed without a person, `false_escalations` were right and a person was asked,
    `false_rejections` were right and rejected without one; `wrong` and `right` say in which lane they were.
    """

    cases: int = 0
    lanes: Counter[str] = field(default_factory=Counter)
    information: int = 0
    reviews: int = 0
    checks: int = 0
    pages: int = 0
    labelled: int = 0
    false_approvals: int = 0
    false_escalations: int = 0
    false_rejections: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)

    def add(self, chosen: Route, case: "Replayed") -> None:
        """Count one case."""
        lane, label = chosen.lane, case.label
        self.cases += 1
        self.lanes[lane.value] += 1
        self.information += bool(chosen.missing)
        self.reviews += sum(step.people for step in chosen.steps)
        self.checks += bool(chosen.sampled)
        self.pages += _pages(chosen)
        if label is None:
            return
        self.labelled += 1
        (self.right if label else self.wrong)[lane.value] += 1
        self.false_approvals += not label and lane is Lane.AUTO and not chosen.missing
        self.false_escalations += label and lane not in (Lane.AUTO, Lane.REJECT)
        self.false_rejections += label and lane is Lane.REJECT

    def json(self) -> dict[str, Json]:
        """The figures; lanes in their fixed order."""
        figures: dict[str, Json] = {"cases": self.cases, "lanes": _lanes(self.lanes), "information": self.information}
        figures |= {"reviews": self.reviews, "checks": self.checks, "pages": self.pages, "labelled": self.labelled}
        figures |= {"false_approvals": self.false_approvals, "false_escalations": self.false_escalations}
        return figures | {"false_rejections": self.false_rejections, "wrong": _lanes(self.wrong), "right": _lanes(self.right)}


def _pages(chosen: Route) -> bool:
    """Whether its tier is paged as soon as the case is there: what stops the line, and a tier that is paged again and again."""
    seen = bool(chosen.steps) and not chosen.missing
    return chosen.page_at_start or (seen and chosen.tiers[chosen.start].repeat is not None)


@dataclass(frozen=True, slots=True)
class Moved:
    """A case that goes elsewhere. `why` holds the reasons that came and, marked so, those that went, the weightiest first."""

    task_id: str
    workflow: str
    before: str
    after: str
    why: tuple[str, ...]

    def json(self) -> dict[str, Json]:
        """As `policy replay --json` lists it."""
        return {"task_id": self.task_id, "workflow": self.workflow, "from": self.before, "to": self.after, "why": list(self.why)}


@dataclass(slots=True)
class Report:
    """What a replay found. `before` counts under the policy compared with; None where there was none."""

    version: str
    against: str = ""
    after: Tally = field(default_factory=Tally)
    before: Tally | None = None
    recorded: Counter[str] = field(default_factory=Counter)
    """Lanes that the cases went to at the time, where they were not routed anew for `before`."""
    changed: int = 0
    moved: list[Moved] = field(default_factory=list)
    workflows: dict[str, tuple[Tally, Tally | None]] = field(default_factory=dict)
    unknown: int = 0
    """Cases of workflows that the policy does not have; they are counted nowhere else."""

    def json(self) -> dict[str, Any]:
        """As `policy replay --json` gives it."""
        recorded = {"lanes": _lanes(self.recorded)} if self.recorded else None
        return {
            **self.after.json(),
            "version": self.version,
            "against": self.against,
            "changed": self.changed,
            "unknown": self.unknown,
            "before": self.before.json() if self.before else recorded,
            "workflows": {
                name: {**after.json(), "before": before.json() if before else None}
                for name, (after, before) in sorted(self.workflows.items())
            },
            "moved": [one.json() for one in self.moved],
        }


def replay(policy: Policy, cases: Iterable[Replayed], against: Policy | None = None, advance: Advance = lambda _done: None) -> Report:
    """Route every case with `policy` and count; a case has moved when it goes elsewhere than `against` sends it or, without one, than
    it went.
    """
    report = Report(policy.version, against.version if against else "", before=Tally() if against else None)
    for done, case in enumerate(cases, 1):
        _replay(report, policy, case, against)
        advance(done)
    return report


def _replay(report: Report, policy: Policy, case: Replayed, against: Policy | None) -> None:
    workflow = case.submission.workflow
    if policy.workflow(workflow) is None:
        report.unknown += 1
        return
    after, before = report.workflows.setdefault(workflow, (Tally(), Tally() if against else None))
    chosen = route(policy, case.submission, case.facts, case.at)
    there, was = where(chosen), case.was
    _count(chosen, case, report.after, after)
    if against is not None:
        known = against.workflow(workflow) is not None
        other = route(against, case.submission, case.facts, case.at) if known else None
        was = where(other) if other else None
        if other:
            _count(other, case, report.before, before)
    elif was is not None:
        report.recorded[was.lane.value] += 1
    if was is not None and was != there:
        report.changed += 1
        report.moved.append(Moved(case.task_id, workflow, was.short, there.short, _why(was, there)))


def _count(chosen: Route, case: Replayed, *tallies: Tally | None) -> None:
    for tally in tallies:
        if tally is not None:
            tally.add(chosen, case)


def _why(was: Where, there: Where) -> tuple[str, ...]:
    came = tuple(reason for reason in there.reasons if reason not in was.reasons)
    went = tuple(f"no longer: {reason}" for reason in was.reasons if reason not in there.reasons)
    found = (*came, *went) if there.lane.severity >= was.lane.severity else (*went, *came)
    return found or tuple(f"as before: {reason}" for reason in there.reasons[:1])


def _lanes(counted: Counter[str]) -> dict[str, Json]:
    return {lane.value: counted[lane.value] for lane in Lane if counted[lane.value]}
