"""A storm's digest while people press at PagerDuty, cases move here, webhooks come in any order and twice, and the process dies between two
cases that a webhook tells: what waits is never listed in an incident that is closed, and none rings on once all is decided.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from escalation.acknowledgements import DIGEST_STEPS, STEPS
from routing.case.case import Case
from routing.change import Actor, MessageKind, Subject
from routing.governance.digest import Digest
from routing.governance.digest_routes import digest_accepted
from routing.governance.ruling import Governed, Ruling
from routing.review.draft import Draft
from routing.review.ladder import acknowledge
from routing.review.page_news import PAGERDUTY, PagerNews
from routing.review.page_routes import page_accepted, page_untold
from routing.review.timing import on_time
from routing.review.verdict import conclude
from routing.vocabulary import EventKind, PageRoute, State, Verdict
from tests.escalation.test_digest_news import PAGED, RINGS, Listing, told
from tests.routing.factory import POLICY, SENIOR, a_case
from tests.routing.page_histories import NEXT

MOST = 5
"""Cases in a story."""

HERE = Actor("human", SENIOR)


@dataclass(frozen=True)
class Webhook:
    """An event of the digest's incident."""

    at: datetime
    what: str
    who: str


@dataclass
class Storm:
    """Two cases in a digest, whose incident PagerDuty has. What it tells waits until it is delivered; each case is told by itself."""

    here: Listing = field(default_factory=lambda: told([]))
    status: str = "triggered"
    now: datetime = PAGED
    out: list[Webhook] = field(default_factory=list)
    answers: dict[Webhook, Mapping[str, Any]] = field(default_factory=dict)
    owed: list[tuple[Webhook, str, Any]] = field(default_factory=list)
    counted: set[tuple[Webhook, str]] = field(default_factory=set)

    listed: set[tuple[str, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """The digest by its id, of which another may be opened later."""
        self.digest = self.here.digest.id
        self.listed |= {(one.case, one.round) for one in self.known.listed}

    def happens(self, number: int) -> None:
        """Somebody does something at PagerDuty."""
        self.arrives()
        what = sorted(NEXT[self.status])[number % len(NEXT[self.status])]
        self.status = NEXT[self.status][what]
        self.tells(what, f"P{number % 2}")

    def tells(self, what: str, who: str) -> None:
        """PagerDuty tells us, some time."""
        self.now += timedelta(seconds=1)
        self.out.append(Webhook(self.now, what, who))

    def arrives(self, _number: int = 0) -> None:
        """What we sent about the digest arrives; an acknowledgement that was given back meanwhile is not sent."""
        for message in self.here.messages:
            if message.subject != self.digest or self.status == "resolved":
                continue
            if message.kind is MessageKind.PAGE_RESOLVE:
                self.status = "resolved"
                self.tells("resolved", "")
            elif message.kind is MessageKind.PAGE and self.known.wanted:
                self.lists()
            elif message.kind is MessageKind.PAGE_ACKNOWLEDGE and self.known.acknowledged_by:
                self.status = "acknowledged"
        self.here.messages.clear()

    def lists(self) -> None:
        """PagerDuty has the digest as it is; of that we hear at once, or not before we send it again."""
        drawn = self.known.listed
        self.listed |= {(one.case, one.round) for one in drawn}
        if len(self.listed) % 2:
            return
        ruling = digest_accepted(self.digest, PageRoute.PAGERDUTY, drawn)(Governed(self.here.governance, POLICY, "0" * 26), self.now)
        assert isinstance(ruling, Ruling)
        self.here.rule(ruling)
        for one in drawn:
            case = self.here.cases[one.case]
            self.moved(case, page_accepted(one.round, PageRoute.PAGERDUTY)(Subject(case, POLICY), self.now))

    def joins(self, number: int) -> None:
        """Another case pages."""
        if number % 2 and len(self.here.cases) < MOST:
            self.now += timedelta(seconds=1)
            case = a_case(id=f"c_{len(self.here.cases):026d}")
            self.moved(case, on_time(Subject(case, POLICY), self.now))

    @property
    def known(self) -> Digest:
        """The digest as we know it."""
        found = self.here.governance.digest(self.digest)
        assert found is not None
        return found

    def delivered(self, number: int) -> None:
        """A webhook comes: the one before it has told each of its cases by then. Every third comes once more."""
        self.told_all()
        if not self.out:
            return
        one = self.out[number % len(self.out)] if number % 3 else self.out.pop(number % len(self.out))
        if one not in self.answers:
            step = DIGEST_STEPS[f"incident.{one.what}"](self.digest, self._by(one), PageRoute.PAGERDUTY, one.at)
            ruling = step(Governed(self.here.governance, POLICY, "0" * 26), self.now)
            self.answers[one] = {} if not isinstance(ruling, Ruling) else ruling.answer or {}
            if isinstance(ruling, Ruling):
                again = self.known.over and not next(two.over for two in ruling.governance.digests if two.id == self.digest)
                assert again <= (EventKind.DIGEST_REOPENED in {two.kind for two in ruling.events}), "open again, and nobody reads it"
                self.here.rule(ruling)
        self.owed += [(one, how, page) for how in ("pages", "untold") for page in self.answers[one].get(how, ())]

    def tells_one(self, number: int) -> None:
        """One of the cases that a webhook concerns is told, once."""
        if not self.owed:
            return
        webhook, how, page = self.owed.pop(number % len(self.owed))
        case = self.here.cases[page["case"]]
        rings = webhook.what in RINGS
        news = PagerNews(page["tier"], page["round"], webhook.who, how=webhook.what, rings=rings, at=webhook.at, digest=self.digest)
        step = STEPS[f"incident.{webhook.what}"](news) if how == "pages" else page_untold(page["round"])
        if (webhook, case.id) not in self.counted:
            self.counted.add((webhook, case.id))
            self.moved(case, step(Subject(case, POLICY), self.now))

    def told_all(self) -> None:
        """All cases that are still owed the last webhook."""
        while self.owed:
            self.tells_one(0)

    def dies(self, _number: int) -> None:
        """What was not told yet is told when PagerDuty delivers it again."""
        self.out += dict.fromkeys(webhook for webhook, _, _ in self.owed if webhook not in self.out)
        self.owed.clear()

    def waits(self, number: int) -> None:
        """Time passes."""
        self.now += timedelta(minutes=16 * (number % 2))
        for case in list(self.here.cases.values()):
            if case.due_at is not None and case.due_at <= self.now:
                self.moved(case, on_time(Subject(case, POLICY), self.now))

    def claimed(self, number: int) -> None:
        """Somebody takes a case here."""
        draft = Draft(Subject(self._case(number), POLICY), self.now)
        acknowledge(draft, HERE)
        self.moved(self._case(number), draft.change())

    def decided(self, number: int) -> None:
        """Or decides it."""
        if self._case(number).state is State.PENDING:
            draft = Draft(Subject(self._case(number), POLICY), self.now)
            conclude(draft, Verdict.REJECTED, HERE, reason_code="unsure")
            self.moved(self._case(number), draft.change())

    def moved(self, case: Case, change: object) -> None:
        """What the ledger does with it; a step that refuses changes nothing."""
        self.here.now = self.now
        if hasattr(change, "case"):
            self.here.change(case, change)

    def settled(self) -> None:
        """All that is under way arrives."""
        self.arrives()
        while self.out or self.owed:
            self.delivered(0)
            self.told_all()
            self.arrives()

    def _case(self, number: int) -> Case:
        return sorted(self.here.cases.items())[number % len(self.here.cases)][1]

    @staticmethod
    def _by(webhook: Webhook) -> Actor:
        return Actor("human", f"pagerduty:{webhook.who}") if webhook.who else PAGERDUTY


MOVES = {
    Storm.happens: 5,
    Storm.delivered: 5,
    Storm.tells_one: 6,
    Storm.dies: 1,
    Storm.waits: 1,
    Storm.claimed: 1,
    Storm.decided: 1,
    Storm.arrives: 3,
    Storm.joins: 1,
}
"""How often each of them comes."""


@pytest.mark.parametrize("seed", range(12))
def test_however_they_come(seed: int, *, full: bool) -> None:
    """What is listed are the pages that name the digest; where some are, its incident is open, and ends with the last of them."""
    drawn = random.Random(seed)  # noqa: S311 - no secret
    for _ in range(2_000 if full else 60):
        told_in(drawn.choices([*MOVES], [*MOVES.values()], k=drawn.randint(4, 25)), drawn)


def told_in(moves: Sequence[Callable[[Storm, int], None]], drawn: random.Random) -> None:
    """One story of these moves, and what is so in the end."""
    storm = Storm()
    if drawn.random() < 0.5:  # PagerDuty has it, and we have not heard that it took it
        storm.here.governance = storm.here.governance.with_digest(storm.known.model_copy(update={"accepted": ()}))
    for move in moves:
        move(storm, drawn.randrange(12))
    storm.settled()
    digest = storm.known
    named = {(case.id, page.round) for case in storm.here.cases.values() for page in case.pages if page.digest == digest.id}
    assert {(one.case, one.round) for one in digest.listed} == named
    assert digest.over == (not named)
    assert digest.over or storm.status != "resolved"
    there = {(case.id, page) for case in storm.here.cases.values() for page in case.pages if page.digest == digest.id}
    taken = {(case_id, page.round) for case_id, page in there if page.acknowledged_by.startswith("pagerduty:")}
    assert taken <= storm.listed, "whoever took the digest does not know of them"
    for case in storm.here.cases.values():
        waits = case.state is State.PENDING and case.tier == 1 and not case.acknowledged_by
        assert not waits or case.pages or case.clocks.page or case.clocks.acknowledge, f"nobody is asked about {case.id}"
    for number in range(MOST):
        storm.decided(number)
    storm.settled()
    assert not named or storm.status == "resolved"
