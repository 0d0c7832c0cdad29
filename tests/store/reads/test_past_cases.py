"""Cases of the past, read back as a replay wants them: a policy replayed on what it routed itself moves nothing, whatever held then."""

import json
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select

from routing.authority import Automation
from routing.case.submission import Submission, moment_text, read_submission
from routing.change import SYSTEM, Actor, Change, Event, Message, MessageKind, Refused, Subject
from routing.evaluation.route import route
from routing.governance.control import Control
from routing.governance.proposal import Rollout
from routing.governance.ruling import Governed, GovernStep, Ruling
from routing.governance.waiver import Waiver
from routing.policy.file import load_policy
from routing.review.opening import open_case
from routing.simulation.replay import replay
from routing.vocabulary import EventKind, Lane, State, Verdict
from store.ledger.answers import Changed, Opened
from store.ledger.items import Step
from store.reads.past_cases import Stored, stored_cases
from store.schema import leaves
from tests.store.a_store import SECRET, Books, a_delivery, deciding, open_books

TEXT = b"""
version: "1"
changes: "for tests of replays"
defaults: {undo: 0s}
groups: {frontline: {users: [U0FRONT]}, experts: {users: [U0SENIOR]}}
ladders:
  standard:
    tiers:
      - {channel: review-tier1, group: frontline, decide: 4h}
      - {channel: review-tier2, group: experts, decide: 1h}
workflows:
  refunds:
    ladder: standard
    template: auto
    requester: optional
    required: [request]
    sampling: {rate: 0.5}
    caps: {per_hour: 4}
    models: [{name: scribe, version: "1", share: 0.5}]
    duplicates: {tie: false}
"""
POLICY = load_policy(TEXT, {})
STRICTER = TEXT.replace(b'"1"\nchanges', b'"2"\nchanges').replace(b"template: auto", b"template: approval")


def a_note(task_id: str, **changes: Any) -> Submission:
    """One that the policy lets pass, if nothing else holds it back."""
    document = {
        "workflow": "refunds",
        "task_id": task_id,
        "title": f"A note: {SECRET}",
        "request": SECRET,
        "output": "The customer asked for a copy of the invoice of October.",
        "action": {"type": "note.file", "params": {}, "reversible": True},
        "model": {"name": "scribe", "version": "1", "confidence": 0.99},
        "risk": {"impact": "low", "likelihood": 0.1, "recoverability": "easy"},
    }
    return read_submission(document | changes)


async def post(books: Books, task_id: str, **changes: Any) -> Opened:
    """Open a case as intake does."""
    books.clock.forward(60)
    result = await books.ledger.open(a_delivery(task_id), open_case("refund-agent", a_note(task_id, **changes)))
    assert isinstance(result, Opened)
    return result


def putting(**changes: Any) -> GovernStep:
    """Sets parts of the governance as if their verbs had."""

    def step(governed: Governed, _now: datetime) -> Ruling | Refused:
        fields = {"subject": "w_refunds", "workflow": "refunds"}
        return Ruling(governed.governance.model_copy(update=changes), (Event(EventKind.AUTOMATION_CHANGED, SYSTEM, fields),))

    return step


async def past(books: Books, limit: int = 1_000) -> list[Stored]:
    """What a replay is given."""
    return await books.database.read(partial(stored_cases, vault=books.vault, limit=limit))


async def test_a_policy_replayed_on_its_own_cases_changes_nothing(database_url: str) -> None:
    """Staged, sampled, under an exception, over a cap, reviewed in full, sent back: every case goes where it went."""
    async with open_books(database_url, policy=TEXT) as books:
        for number in range(40):  # half of them are drawn to be automatic, and more than four an hour are over the cap
            await post(books, f"plain-{number}")
        await post(books, "lacking", request=None)
        await books.ledger.govern(putting(controls={"refunds": Control(workflow="refunds", automation=Automation.REVIEW_ALL)}))
        await post(books, "reviewed")
        waiver = Waiver(
            id="x_1",
            workflow="refunds",
            waives=("confidence_low",),
            reason="A test.",
            requested_by="U0FRONT",
            requested_at=books.clock.now,
            until=books.clock.now + timedelta(days=1),
            state="in_force",
        )
        await books.ledger.govern(putting(controls={"refunds": Control(workflow="refunds", sampling=2.0)}, waivers=(waiver,)))
        books.clock.forward(7_200)
        for number in range(6):
            await post(books, f"unsure-{number}", model={"name": "scribe", "version": "1", "confidence": 0.9})
        staged = load_policy(STRICTER, {})
        rollout = Rollout(sha256=staged.sha256, version="2", percent=99, since=books.clock.now, proposal="p_1")
        await books.ledger.govern(putting(rollout=rollout), keep=staged)
        for number in range(6):
            await post(books, f"staged-{number}")
        stored = await past(books)
        assert [one.replayed.task_id for one in stored][:2] == ["plain-0", "plain-1"]
        assert len(stored) == 54
        facts = [one.replayed.facts for one in stored]
        assert any(one.staged for one in facts)
        assert any(one.waived for one in facts)
        assert any(one.autos_hour >= 4 for one in facts)
        assert any(one.automation is Automation.REVIEW_ALL for one in facts)
        for policy in (POLICY, staged):
            own = [one.replayed for one in stored if one.policy_sha256 == policy.sha256]
            report = replay(policy, own)
            assert own
            assert (report.changed, report.moved, report.after.lanes) == (0, [], report.recorded)
        others = [one.replayed for one in stored if one.policy_sha256 == POLICY.sha256]
        assert replay(staged, others).changed == replay(POLICY, others).after.lanes[Lane.AUTO]


async def test_what_people_said_later_is_the_label(database_url: str) -> None:
    """Approved is right, rejected is wrong, what the service found out beats both; a case nobody judged has no label."""

    def finding(outcome: str) -> Step:
        def step(subject: Subject, _now: datetime) -> Change:
            after = subject.case.model_copy(update={"outcome": outcome, "state": State.CLOSED})
            return Change(after, (Event(EventKind.OUTCOME_REPORTED, Actor("service", "refund-agent"), {"result": outcome}),))

        return step

    async with open_books(database_url, policy=STRICTER) as books:
        ids = {name: (await post(books, name)).case.id for name in ("right", "wrong", "found", "nobody")}
        for name, verdict in (("right", Verdict.APPROVED), ("wrong", Verdict.REJECTED), ("found", Verdict.APPROVED)):
            assert isinstance(await books.ledger.change(ids[name], deciding(verdict)), Changed)
        assert isinstance(await books.ledger.change(ids["found"], finding("found_wrong")), Changed)
        assert {one.replayed.task_id: one.replayed.label for one in await past(books)} == {
            "right": True,
            "wrong": False,
            "found": False,
            "nobody": None,
        }


async def test_a_revised_case_is_replayed_as_it_came(database_url: str) -> None:
    """The content and the time are those of the first routing, whatever became of the case."""

    def revising(subject: Subject, _now: datetime) -> Change:
        event = Event(EventKind.MODIFIED, SYSTEM, {}, submission=a_note("t-1", output="Something else altogether was written here."))
        return Change(subject.case.model_copy(update={"revision": 2}), (event,), (Message(MessageKind.CARD_UPDATE, "review-tier1"),))

    async with open_books(database_url, policy=STRICTER) as books:
        opened = await post(books, "t-1")
        books.clock.forward(600)
        assert isinstance(await books.ledger.change(opened.case.id, revising), Changed)
        [one] = await past(books)
        assert one.replayed.submission.output == "The customer asked for a copy of the invoice of October."
        assert one.replayed.at == opened.case.created_at


async def test_only_the_newest_are_read_oldest_first(sqlite_url: str) -> None:
    """A limit keeps a start from waiting for a long history."""
    async with open_books(sqlite_url, policy=STRICTER) as books:
        for number in range(5):
            await post(books, f"t-{number}")
        assert [one.replayed.task_id for one in await past(books, limit=2)] == ["t-3", "t-4"]


async def test_a_case_is_replayed_at_the_moment_it_was_routed(database_url: str) -> None:
    """Which is a little before its event where its turn came late; by then its source was out of date. The event says that moment."""
    text = (
        TEXT.replace(b"caps: {per_hour: 4}", b"freshness: {record: 1h}")
        .replace(b"rate: 0.5", b"rate: 0")
        .replace(b"share: 0.5", b"share: 1")
    )
    policy = load_policy(text, {})
    async with open_books(database_url, policy=text) as books:
        retrieved = books.clock.now - timedelta(hours=1) + timedelta(milliseconds=400)
        note = a_note("t-1", evidence=[{"id": "e1", "kind": "record", "title": "x", "retrieved_at": retrieved.isoformat()}])
        step, delivery = open_case("refund-agent", note), a_delivery("t-1")
        foreseen = books.ledger.foresee(delivery, step)
        books.clock.forward(0.9)
        opened = await books.ledger.open(delivery, step, foreseen)
        assert isinstance(opened, Opened)
        assert opened.case.route.lane is Lane.AUTO
        (stored,) = await books.database.read(partial(stored_cases, vault=books.vault, limit=10))
        again = route(policy, stored.replayed.submission, stored.replayed.facts, stored.replayed.at)
        assert (again.lane, again.reasons) == (Lane.AUTO, opened.case.route.reasons)
        body = await books.database.read(lambda c: c.execute(select(leaves.c.body).where(leaves.c.kind == "received")).scalar_one())
        received = json.loads(body)
        assert received["fields"]["routed_at"] == moment_text(stored.replayed.at) < received["time"]
