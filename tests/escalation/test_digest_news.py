"""What PagerDuty tells of a digest, as the webhooks hand it on: first to the digest, then to each case that its answer names. In whatever
order it comes, what holds is what happened last; and nothing that still waits is ever without a page because of it.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from escalation.acknowledgements import DIGEST_STEPS, STEPS
from routing.case.case import Case
from routing.change import SYSTEM, Actor, Change, Event, Message, MessageKind, Subject
from routing.governance.digest import Digest
from routing.governance.digest_lifecycle import Desk, Paging, grouped
from routing.governance.governance import Governance
from routing.governance.ruling import Governed, Ruling
from routing.policy.form.ladders import Storm
from routing.review.page_news import PagerNews
from routing.review.timing import on_time
from routing.vocabulary import EventKind, PageRoute, State, Verdict
from tests.routing.factory import NOON, POLICY, a_case
from tests.routing.page_histories import heard, histories

PAGED = NOON + timedelta(minutes=15)
NUMBERS = count(1)
STORM = Storm.model_validate({"most": 1, "within": "10m"})
PAGING = Paging(STORM, lambda _case, _tier: Desk.of("R0KEY", None, ()), lambda: f"{next(NUMBERS):026d}")
RINGS = ("escalated", "unacknowledged", "reopened")


@dataclass
class Listing:
    """Three cases that paged at once, two of which a digest lists."""

    governance: Governance = field(default_factory=Governance)
    cases: dict[str, Case] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    now: datetime = PAGED

    @property
    def digest(self) -> Digest:
        """The digest."""
        [digest] = self.governance.digests
        return digest

    def change(self, before: Case, change: object) -> None:
        """What the ledger does with the change of a case."""
        assert isinstance(change, Change)
        change, ruling = grouped(self.governance, before, change, PAGING, self.now)
        self.cases[change.case.id] = change.case
        self.messages += change.messages
        if ruling is not None:
            self.rule(ruling)

    def rule(self, ruling: Ruling) -> None:
        """A ruling counts."""
        self.governance = ruling.governance
        self.messages += ruling.messages
        self.events += ruling.events

    def hear(self, minute: int, what: str) -> None:
        """One webhook."""
        for page in self.asked(minute, what):
            self.tell(minute, what, page)

    def asked(self, minute: int, what: str) -> list[dict[str, Any]]:
        """What it means for the digest. Gives the pages that it concerns."""
        at, who = PAGED + timedelta(minutes=minute), Actor("human", f"pagerduty:P{minute}")
        step = DIGEST_STEPS[f"incident.{what}"](self.digest.id, who, PageRoute.PAGERDUTY, at)
        ruling = step(Governed(self.governance, POLICY, "0" * 26), PAGED)
        if not isinstance(ruling, Ruling):
            return []
        again = self.digest.over and not ruling.governance.digests[0].over
        assert again <= (EventKind.DIGEST_REOPENED in {one.kind for one in ruling.events}), "open again, and nobody reads it"
        self.rule(ruling)
        answer: Any = ruling.answer
        return [*answer["pages"]]

    def tell(self, minute: int, what: str, page: dict[str, Any]) -> None:
        """And for one of them."""
        at, case = PAGED + timedelta(minutes=minute), self.cases[page["case"]]
        news = PagerNews(page["tier"], page["round"], f"P{minute}", how=what, rings=what in RINGS, at=at, digest=self.digest.id)
        change = STEPS[f"incident.{what}"](news)(Subject(case, POLICY), PAGED)
        if isinstance(change, Change):
            self.change(case, change)

    def standing(self) -> object:
        """Who has what, and what is listed where."""
        digest, pages = self.digest, {}
        for case in self.cases.values():
            pages[case.id] = [(page.round, page.acknowledged_by, bool(page.digest)) for page in case.pages]
        listed = {(one.case, one.round, one.taken) for one in digest.listed}
        return digest.over, digest.over or digest.acknowledged_by, listed, pages, {case.acknowledged_by for case in self.cases.values()}

    def judge(self) -> None:
        """What a digest lists are the pages that name it; it is open as long as there is one; whoever has it has them."""
        there = {(one.case, one.round) for one in self.digest.listed}
        assert there == {(case.id, page.round) for case in self.cases.values() for page in case.pages if page.digest}
        assert self.digest.over == (not there)


def told(happened: list[tuple[int, str]]) -> Listing:
    """After these news, in this order."""
    listing = Listing()
    for number in range(3):
        case = a_case(id=f"c_{number:026d}")
        listing.change(case, on_time(Subject(case, POLICY), PAGED))
    accepted(listing)
    for one in happened:
        listing.hear(*one)
        listing.judge()
    return listing


def accepted(listing: Listing) -> None:
    """PagerDuty took the digest as it stands."""
    digest = listing.digest
    listed = tuple(one.model_copy(update={"shown": True, "told": True}) for one in digest.listed)
    known = {"accepted": (PageRoute.PAGERDUTY,), "under_way": (), "next_at": None, "stale": False, "listed": listed}
    listing.governance = listing.governance.with_digest(digest.model_copy(update=known))
    for case in listing.cases.values():
        pages = tuple(page.model_copy(update={"accepted": (PageRoute.PAGERDUTY,)}) for page in case.pages)
        listing.cases[case.id] = case.model_copy(update={"pages": pages})
    listing.messages.clear()
    listing.events.clear()


def test_the_order_in_which_news_come_changes_nothing() -> None:
    """Whatever can happen to its incident, in every order, and with each of them twice."""
    for history in histories(longest=4):
        true = told(list(enumerate(history)))
        assert true.digest.over == (history[-1] == "resolved"), history
        for order in heard(history):
            assert told(order).standing() == true.standing(), order


def test_reopened_it_ends_with_the_last_that_still_waits() -> None:
    """Of what was listed when it was resolved, one was decided meanwhile: the other is listed again, and with that one it is settled."""
    listing = told([(0, "acknowledged"), (1, "resolved")])
    first, second = (case for case in list(listing.cases.values()) if case.id in {one.case for one in listing.digest.left})
    listing.change(first, Change(decided(first), ()))
    listing.hear(2, "reopened")
    assert [one.case for one in listing.digest.listed] == [second.id]
    assert listing.digest.wanted
    assert {one.kind for one in listing.events} >= {EventKind.DIGEST_REOPENED}
    listing.messages.clear()
    waiting = listing.cases[second.id]
    listing.change(waiting, Change(decided(waiting), ()))
    assert listing.digest.over
    assert [(one.kind, one.subject) for one in listing.messages] == [(MessageKind.PAGE_RESOLVE, listing.digest.id)]


def test_whoever_has_not_heard_that_it_was_reopened_hears_that_it_was_closed_again() -> None:
    """Else the late news that it was reopened would list a case in an incident that is closed."""
    listing = told([(0, "resolved")])
    first, second = listing.asked(1, "reopened")
    listing.tell(1, "reopened", first)
    listing.hear(2, "resolved")
    listing.tell(1, "reopened", second)
    assert not any(page.digest for case in listing.cases.values() for page in case.pages)
    listing.hear(3, "reopened")
    assert [one.case for one in listing.digest.listed] == [first["case"], second["case"]]


def decided(case: Case) -> Case:
    """The case, decided."""
    return case.model_copy(update={"pages": (), "state": State.DECIDED, "verdict": Verdict.APPROVED})


@pytest.mark.parametrize("meanwhile", ["decided", "paged anew"])
def test_reopened_where_nothing_waits_by_it_it_is_theirs(meanwhile: str) -> None:
    """Each was decided, or has a page of its own by now: the incident rings by the will of whoever opened it, and we leave it alone."""
    listing = told([(0, "resolved")])
    for case in list(listing.cases.values()):
        change = on_time(Subject(case, POLICY), PAGED + timedelta(minutes=15))
        assert isinstance(change, Change)
        listing.cases[case.id] = decided(case) if meanwhile == "decided" else change.case
    listing.messages.clear()
    listing.hear(1, "reopened")
    assert listing.digest.over
    assert {one.kind for one in listing.messages} <= {MessageKind.CARD_UPDATE, MessageKind.NOTE}


def test_what_we_resolve_ourselves_is_no_news() -> None:
    """The incident by the other key ends with this one, and PagerDuty tells of that later: it does not hide that this one was reopened."""
    listing = told([(0, "resolved")])
    echo = DIGEST_STEPS["incident.resolved"](listing.digest.id, SYSTEM, PageRoute.SECOND_KEY, PAGED + timedelta(minutes=3))
    ruling = echo(Governed(listing.governance, POLICY, "0" * 26), PAGED)
    assert isinstance(ruling, Ruling)
    listing.rule(replace(ruling, answer=None))
    listing.hear(2, "reopened")
    assert not listing.digest.over
