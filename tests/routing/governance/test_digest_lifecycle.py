"""Whatever happens in whatever order: no page is silent, none is in two places, and a digest ends with the last that it lists."""

import random
from datetime import datetime, timedelta
from itertools import count

import pytest

from routing.case.case import Case, DrillPart, OpenPage
from routing.change import SYSTEM, Actor, Change, Event, Message, MessageKind
from routing.governance.digest import Digest
from routing.governance.digest_lifecycle import Desk, Paging, grouped
from routing.governance.digest_news import digest_acknowledged, digest_listed, digest_unacknowledged
from routing.governance.digest_routes import digest_failed
from routing.governance.governance import Governance
from routing.governance.ruling import Governed, Ruling
from routing.policy.form.ladders import Storm
from routing.vocabulary import DrillKind, EventKind, PageRoute, Risk, State, Verdict
from tests.routing.factory import NOON, POLICY, a_case, a_route

STORM = Storm.model_validate({"most": 3, "within": "10m"})
DESK = Desk.of("R0KEY", None, ())
DMITRI = Actor("human", "pagerduty:PDMITRI1")
FRESH, WITHIN = timedelta(seconds=30), timedelta(seconds=600)


class Desktop:
    """Cases at one desk, and the value of the guardrails, changed as the ledger would."""

    def __init__(self, seed: int) -> None:
        self.drawn = random.Random(seed)  # noqa: S311 - no secret
        self.governance, self.now = Governance(), NOON
        self.cases: dict[str, Case] = {}
        self.alone: list[datetime] = []
        self.sent: list[Message] = []
        self._numbers = count(1)

    def apply(self, before: Case, change: Change) -> Change:
        """What the ledger does with a change that pages or settles."""
        paging = Paging(STORM, lambda _case, _tier: DESK, lambda: f"{next(self._numbers):026d}")
        found, ruling = grouped(self.governance, before, change, paging, self.now)
        if ruling is not None:
            self.take(ruling)
        self.cases[found.case.id] = found.case
        self.sent += found.messages
        return found

    def take(self, ruling: Ruling) -> None:
        """A ruling counts."""
        self.governance = ruling.governance
        self.sent += ruling.messages

    def page(self) -> None:
        """A new case pages, or one pages anew in place of the page before."""
        waiting = [case for case in self.cases.values() if case.open]
        anew = self.drawn.random() < 0.2 and waiting
        before = self.drawn.choice(waiting) if anew else a_case(id=f"c_{len(self.cases):026d}", tier=1, route=a_route(risk=self.risk()))
        number = before.page_rounds + 1
        page = OpenPage(tier=1, round=number, since=self.now, next_at=self.now + timedelta(minutes=5))
        event = Event(EventKind.PAGED, SYSTEM, {"tier": 2, "round": number})
        message = Message(MessageKind.PAGE, "standard/2", tier=1, round=number, urgent=True)
        known = self.governance
        change = self.apply(before, Change(before.model_copy(update={"pages": (page,), "page_rounds": number}), (event,), (message,)))
        [after] = change.case.pages
        if after.digest:
            self.listed_loudly(known, before, after.digest, change)
        else:
            assert [one for one in change.messages if one.kind is MessageKind.PAGE] == [message]
            self.alone.append(self.now)
            assert sum(at > self.now - WITHIN for at in self.alone) <= STORM.most

    def listed_loudly(self, known: Governance, case: Case, digest_id: str, change: Change) -> None:
        """It rings by nothing of its own, and the digest that lists it rings: opened for it, or young and loud enough and nobody's yet."""
        assert not [one for one in change.messages if one.kind is MessageKind.PAGE]
        assert change.events[0].fields["digest"] == digest_id
        before = known.digest(digest_id)
        if before is None:
            assert [one.kind for one in self.sent if one.subject == digest_id] == [MessageKind.PAGE]
            return
        assert before.wanted
        assert before.at > self.now - WITHIN
        assert before.risk.level >= case.route.risk.level or before.at > self.now - FRESH
        for page in case.pages:
            assert page.digest != digest_id, "a repeated page rings anew"
            assert page.since is None or before.at >= page.since, "and by nothing that rang before the one that it repeats"

    def risk(self) -> Risk:
        """Some risk."""
        return self.drawn.choice(list(Risk))

    def settle(self) -> None:
        """Somebody decides, or takes, a case."""
        waiting = [case for case in self.cases.values() if case.open]
        if not waiting:
            return
        case = self.drawn.choice(waiting)
        if self.drawn.random() < 0.6:
            self.apply(case, Change(case.model_copy(update={"pages": (), "state": State.DECIDED, "verdict": Verdict.APPROVED}), ()))
        else:
            taken = tuple(page.model_copy(update={"acknowledged_by": "U0A"}) for page in case.pages)
            self.apply(case, Change(case.model_copy(update={"pages": taken}), ()))

    def acknowledge(self) -> None:
        """Somebody acknowledges a digest, and so what it lists."""
        ringing = [one for one in self.governance.digests if one.wanted]
        if not ringing:
            return
        digest = self.drawn.choice(ringing)
        ruling = digest_acknowledged(digest.id, DMITRI, PageRoute.PAGERDUTY)(self.governed(), self.now)
        assert isinstance(ruling, Ruling)
        self.take(ruling)
        for one in digest.listed:
            case = self.cases[one.case]
            pages = tuple(page.model_copy(update={"acknowledged_by": DMITRI.id}) for page in case.pages)
            self.apply(case, Change(case.model_copy(update={"pages": pages}), ()))

    def governed(self) -> Governed:
        """What a step sees."""
        return Governed(self.governance, POLICY, "0" * 26)

    def judge(self) -> None:
        """What holds at any moment."""
        there = {(one.case, one.round): digest.id for digest in self.governance.digests for one in digest.listed}
        kept = {(case.id, page.round): page.digest for case in self.cases.values() for page in case.pages if page.digest}
        assert there == kept
        assert sum(len(digest.listed) for digest in self.governance.digests) == len(there), "listed twice"
        for digest in self.governance.digests:
            assert digest.over == (not digest.listed)
            self.judge_messages(digest)
            for one in digest.listed:
                [page] = self.cases[one.case].pages
                assert one.taken == bool(page.acknowledged_by)
            if digest.listed and all(one.taken for one in digest.listed):
                assert digest.acknowledged_by

    def judge_messages(self, digest: Digest) -> None:
        """It is resolved once, with its end, and rung for by nothing after that."""
        kinds = [one.kind for one in self.sent if one.subject == digest.id]
        assert kinds.count(MessageKind.PAGE_RESOLVE) == digest.over
        if digest.over:
            assert kinds[-1] is MessageKind.PAGE_RESOLVE


@pytest.mark.parametrize("seed", range(8))
def test_no_page_is_silent_and_none_is_in_two_places(seed: int) -> None:
    """A few hundred things that happen, in an order of chance."""
    desk = Desktop(seed)
    for _ in range(250):
        desk.now += timedelta(seconds=desk.drawn.choice((0, 0, 0, 1, 7, 31, 200)))
        desk.drawn.choice((desk.page, desk.page, desk.page, desk.settle, desk.settle, desk.acknowledge))()
        desk.judge()
    assert desk.governance.digests
    for case in list(desk.cases.values()):
        if case.open:
            desk.apply(case, Change(case.model_copy(update={"pages": (), "state": State.DECIDED, "verdict": Verdict.APPROVED}), ()))
    desk.judge()
    assert all(one.over for one in desk.governance.digests)


def test_what_a_digest_lists_is_told_without_a_change() -> None:
    """A note at its incident goes to each of its cases."""
    desk = Desktop(1)
    for _ in range(6):
        desk.page()
    [digest] = [one for one in desk.governance.digests if one.listed][:1]
    ruling = digest_listed(digest.id)(desk.governed(), desk.now)
    assert isinstance(ruling, Ruling)
    assert (ruling.governance, ruling.events, ruling.messages) == (desk.governance, (), ())
    assert ruling.answer is not None
    assert len(list(ruling.answer["pages"])) == len(digest.listed)  # type: ignore[arg-type]


@pytest.mark.parametrize("by", ["there", "here"])
def test_given_back_there(by: str) -> None:
    """Acknowledged there, it waits for somebody again; with each case taken here it is acknowledged once more."""
    desk = Desktop(1)
    for _ in range(5):
        desk.page()
    [digest] = desk.governance.digests
    if by == "there":
        desk.acknowledge()
    else:
        for one in digest.listed:
            case = desk.cases[one.case]
            pages = tuple(page.model_copy(update={"acknowledged_by": "U0A"}) for page in case.pages)
            desk.apply(case, Change(case.model_copy(update={"pages": pages}), ()))
    ruling = digest_unacknowledged(digest.id, DMITRI)(desk.governed(), desk.now)
    assert isinstance(ruling, Ruling)
    desk.sent.clear()
    desk.take(ruling)
    for one in digest.listed:  # as each case hears of it: given back, or it says who has it here
        case = desk.cases[one.case]
        pages = tuple(page.model_copy(update={"acknowledged_by": "" if by == "there" else "U0A"}) for page in case.pages)
        desk.apply(case, Change(case.model_copy(update={"pages": pages}), ()))
    [after] = desk.governance.digests
    assert after.wanted == (by == "there")
    assert [one.kind for one in desk.sent] == ([] if by == "there" else [MessageKind.PAGE_ACKNOWLEDGE])


def test_who_is_written_to_too_is_not_listed_where_nobody_is() -> None:
    """A page that goes to PagerDuty and by mail at once opens a digest that does so."""
    desk = Desktop(1)
    for _ in range(4):
        desk.page()
    case = a_case(id=f"c_{99:026d}", tier=1, route=a_route(risk=Risk.LOW))
    routes = (PageRoute.PAGERDUTY, PageRoute.EMAIL)
    page = OpenPage(tier=1, round=1, routes=routes, since=desk.now, next_at=desk.now + timedelta(minutes=5))
    sent = tuple(Message(kind, "standard/2", tier=1, round=1, urgent=True) for kind in (MessageKind.PAGE, MessageKind.EMAIL))
    desk.sent.clear()
    desk.apply(case, Change(case.model_copy(update={"pages": (page,)}), (), sent))
    assert [one.kind for one in desk.sent] == [MessageKind.PAGE, MessageKind.EMAIL]
    assert desk.governance.digests[-1].routes == routes
    assert len(desk.governance.digests) == 2


@pytest.mark.parametrize("final", [True, False])
def test_the_first_routes_have_their_time(final: bool) -> None:
    """A mail that goes out beside PagerDuty and hangs for a moment wakes nobody else; one that is refused does."""
    desk = Desktop(1)
    for _ in range(4):
        desk.page()
    [digest] = desk.governance.digests
    desk.governance = desk.governance.with_digest(digest.model_copy(update={"routes": (PageRoute.PAGERDUTY, PageRoute.EMAIL)}))
    ruling = digest_failed(digest.id, PageRoute.EMAIL, "greylisted", 1, final=final)(desk.governed(), desk.now)
    assert isinstance(ruling, Ruling) == final


@pytest.mark.parametrize("kind", [kind for kind in DrillKind if kind is not DrillKind.VOLUME_SPIKE])
def test_a_page_of_a_drill_rings_by_itself(kind: DrillKind) -> None:
    """Whether a phone rings is what it asks; and it takes no real page's place."""
    desk = Desktop(1)
    part = DrillPart(kind=kind, to=1)
    for number in range(6):
        page, message = OpenPage(tier=1, round=1), Message(MessageKind.PAGE, "standard/2", tier=1, round=1)
        case = a_case(id=f"c_{number:026d}", tier=1, drill=part)
        change = Change(case.model_copy(update={"pages": (page,)}), (), (message,))
        assert desk.apply(case, change) == change
    assert desk.governance == Governance()
