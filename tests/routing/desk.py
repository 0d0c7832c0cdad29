"""A ledger in memory for tests of the review core: applies changes as the real one does, and keeps what was said and promised."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from routing.authority import Automation
from routing.case.case import Case, check_transition
from routing.case.facts import Facts
from routing.case.near_duplicate import likeness
from routing.case.submission import Submission
from routing.change import Arrival, Change, Event, MessageKind, Opens, Refused, Stop, Subject
from routing.policy.policy import Policy
from routing.review.opening import open_case
from routing.review.related.near_duplicates import follow
from routing.vocabulary import EventKind
from tests.routing.factory import NOON

SERVICE = "refund-agent"
Step = Callable[[Subject, datetime], Change | Refused]


@dataclass
class Desk:
    """Every case of one workflow under one policy."""

    policy: Policy
    now: datetime = NOON
    automation: Automation = Automation.ON
    cases: dict[str, Case] = field(default_factory=dict)
    contents: dict[str, Submission] = field(default_factory=dict)
    events: dict[str, list[Event]] = field(default_factory=dict)
    callbacks: list[tuple[str, str]] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)
    caught: int = 0

    def post(self, submission: Submission, **facts: object) -> Case:
        """A service posts a case."""
        alike = likeness(SERVICE, submission)
        first = next((case for case in self.cases.values() if alike and case.likeness == alike and case.open and not case.tied_to), None)
        known = {"automation": self.automation, "first": first.id if first else "", **facts}
        step = open_case(SERVICE, submission)
        return self._opened(lambda name: step(Arrival(name, self.policy, Facts.model_validate(known), self.now, first)))

    def do(self, case: Case | str, step: Step) -> Change | Refused:
        """Take one step on a case as it is now; what it changes is kept."""
        before = self.cases[case if isinstance(case, str) else case.id]
        named = (before.parent, before.tied_to, *before.children, *before.tied)
        related = {name: self.cases[name] for name in named if name}
        subject = Subject(before, self.policy, self.contents[before.id], related, self.automation)
        result = step(subject, self.now)
        if isinstance(result, Refused):
            return result
        change = follow(before, result, subject, self.now) if before.tied else result
        self._keep(change)
        return change

    def now_of(self, case: Case) -> Case:
        """A case as it has become."""
        return self.cases[case.id]

    def children(self, case: Case) -> list[Case]:
        """The checks and roll backs of a case, in order."""
        return [self.cases[name] for name in self.cases[case.id].children]

    def kinds(self, case: Case) -> list[EventKind]:
        """Everything recorded of a case, in order."""
        return [event.kind for event in self.events[case.id]]

    def said(self, case: Case, kind: EventKind) -> Mapping[str, object]:
        """The open fields of the last event of a kind."""
        return next(event.fields for event in reversed(self.events[case.id]) if event.kind is kind)

    def told(self, case: Case) -> list[str]:
        """The callbacks that were promised about a case, in order."""
        return [kind for name, kind in self.callbacks if name == case.id]

    def _opened(self, opens: Opens) -> Case:
        name = f"c_{len(self.cases) + 1:02}"
        change = opens(name)
        self.cases[name] = change.case
        self._keep(change)
        if change.case.parent:
            parent = self.cases[change.case.parent]
            self.cases[parent.id] = parent.model_copy(update={"children": (*parent.children, name)})
        return self.cases[name]

    def _keep(self, change: Change) -> None:
        case = change.case
        check_transition(self.cases[case.id].state, case.state)
        self.cases[case.id] = case
        self.events.setdefault(case.id, []).extend(change.events)
        for event in change.events:
            if event.submission is not None:
                self.contents[case.id] = event.submission
        self.callbacks += [(case.id, message.callback) for message in change.messages if message.kind is MessageKind.CALLBACK]
        self.stops += [change.stop] if change.stop is not None else []
        self.caught += change.caught
        names = [case.id, *(along.case.id for along in change.along)]
        assert len(names) == len(set(names)), "a case changes twice in one change"
        for along in change.along:
            self._keep(along)
        for opens in change.opens:
            self._opened(opens)
