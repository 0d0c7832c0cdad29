"""What is decided about more than one case: one value, changed in the same one way as everything else, and on record."""

import asyncio
import json
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, select

from routing.authority import Automation, GovernanceVerb
from routing.canonical import Json
from routing.case.people import GovernancePress, Person
from routing.change import SYSTEM, Actor, Change, Event, Message, MessageKind, Refused, Subject
from routing.governance.governance import Governance
from routing.governance.ruling import Governed, GovernStep, Ruling
from routing.policy.file import load_policy
from routing.vocabulary import EventKind
from store.ledger.answers import Conflict, Repeated, Ruled
from store.ledger.ledger import NotRecordingError
from store.ledger.prefetch import InboxKey
from store.ledger.refusals import REFUSALS_A_MINUTE
from store.reads.cases import Reads
from store.schema import leaves, outbox
from tests.store.a_store import POLICY_TEXT, Books, commenting, open_books

OTHER = POLICY_TEXT.replace(b"2026-11-20.1", b"2026-11-20.2")


def braking(level: Automation = Automation.PAUSED, seen: list[Governed] | None = None) -> GovernStep:
    """Sets the brake, records it and says so to everybody; refuses to set it twice."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        if seen is not None:
            seen.append(governed)
        control = governed.governance.control("refunds")
        if control.automation is level:
            return Refused("safer_already", "It is held that far.")
        fields: dict[str, Json] = {"subject": "w_refunds", "workflow": "refunds", "before": control.automation.value, "after": level.value}
        return Ruling(
            governed.governance.with_control(control.model_copy(update={"automation": level, "since": now})),
            (Event(EventKind.AUTOMATION_CHANGED, Actor("human", "U0FRONT"), fields),),
            (
                Message(MessageKind.BULLETIN, "review-ops", subject="w_refunds"),
                Message(MessageKind.CALLBACK, "refund-agent", callback="workflow.paused", sequence=1, subject="w_refunds"),
            ),
            answer={"automation": level.value},
        )

    return step


def a_press(verb: GovernanceVerb = GovernanceVerb.PAUSE) -> GovernancePress:
    """Somebody pauses the workflow."""
    return GovernancePress(verb, Person("U0FRONT", "T0HOME"), "T0HOME", "w_refunds", "Too many refunds.")


def the_reads(books: Books) -> Reads:
    """Reads with the books' own keys."""
    return Reads(books.database, books.vault, books.policies)


async def logged(books: Books, kind: EventKind) -> list[dict[str, Any]]:
    """The leaves of a kind, in order."""
    statement = select(leaves.c.body).where(leaves.c.kind == kind.value).order_by(leaves.c.idx)
    return [json.loads(body) for body in await books.database.read(lambda c: list(c.execute(statement).scalars()))]


async def test_a_brake_is_set_recorded_and_told(database_url: str) -> None:
    """One call writes the value, a leaf that belongs to no case, and what is sent about the workflow."""
    async with open_books(database_url) as books:
        result = await books.ledger.govern(braking(), press=a_press())
        assert isinstance(result, Ruled)
        assert (result.answer, result.governance.revision) == ({"automation": "paused"}, 1)
        assert await the_reads(books).governance() == result.governance
        [leaf] = await logged(books, EventKind.AUTOMATION_CHANGED)
        assert (leaf["index"], leaf["fields"]["after"], "case" in leaf) == (result.indices[0], "paused", False)
        [event] = await the_reads(books).govern_events("w_refunds")
        assert (event.kind, event.fields, event.index) == (EventKind.AUTOMATION_CHANGED, leaf["fields"], leaf["index"])

        def sent(connection: Connection) -> list[tuple[Any, ...]]:
            columns = (outbox.c.case_id, outbox.c.peer, outbox.c.kind, outbox.c.priority, outbox.c.urgent, outbox.c.leaf_idx)
            return [tuple(row) for row in connection.execute(select(*columns).order_by(outbox.c.id))]

        assert await books.database.read(sent) == [
            ("w_refunds", "slack", "bulletin", 2_000, True, leaf["index"]),
            ("w_refunds", "callback", "callback", 2_000, True, leaf["index"]),
        ]


async def test_two_at_once_are_one_after_the_other(database_url: str) -> None:
    """The second of two racing changes sees the first one's, though both are in one transaction."""
    seen: list[Governed] = []
    async with open_books(database_url) as books:
        results = await asyncio.gather(
            books.ledger.govern(braking(), press=a_press()),
            books.ledger.govern(braking(seen=seen), press=a_press()),
            books.ledger.govern(braking(Automation.FROZEN)),
        )
        assert [type(result) for result in results] == [Ruled, Refused, Ruled]
        assert seen[0].governance.revision == 1
        assert (await the_reads(books).governance()).revision == 2
        [refused] = await logged(books, EventKind.GOVERNANCE_REFUSED)
        assert refused["fields"] == {"subject": "w_refunds", "verb": "pause", "reason": "safer_already"}
        assert [event.kind for event in await the_reads(books).govern_events("w_refunds")] == [
            EventKind.AUTOMATION_CHANGED,
            EventKind.GOVERNANCE_REFUSED,
            EventKind.AUTOMATION_CHANGED,
        ]


async def test_a_repeated_press_gets_the_first_answer(database_url: str) -> None:
    """Slack may deliver a press twice; it counts once, a refusal too, and another press under the same key is a conflict."""
    async with open_books(database_url) as books:
        key, late = InboxKey("govern", "T0", "k1"), InboxKey("govern", "T0", "k2")
        await books.ledger.govern(braking(), press=a_press(), key=key, digest="d")
        assert await books.ledger.govern(braking(), press=a_press(), key=key, digest="d") == Repeated({"automation": "paused"}, "w_refunds")
        assert await books.ledger.govern(braking(), press=a_press(), key=key, digest="e") == Conflict("webhook_id", "w_refunds")
        assert isinstance(await books.ledger.govern(braking(), press=a_press(), key=late, digest="d"), Refused)
        again = await books.ledger.govern(braking(), press=a_press(), key=late, digest="d")
        assert again == Repeated({"refused": {"reason": "safer_already", "text": "It is held that far."}}, "w_refunds")
        assert len(await logged(books, EventKind.GOVERNANCE_REFUSED)) == 1


async def test_refused_presses_cannot_fill_the_log(database_url: str) -> None:
    """They share the limit with refused presses on cases."""
    async with open_books(database_url) as books:
        await books.ledger.govern(braking())
        for _ in range(REFUSALS_A_MINUTE + 5):
            assert isinstance(await books.ledger.govern(braking(), press=a_press()), Refused)
        assert len(await logged(books, EventKind.GOVERNANCE_REFUSED)) == REFUSALS_A_MINUTE


async def test_a_policy_is_kept_before_it_is_active_and_activated_by_a_step(database_url: str) -> None:
    """A proposal's bytes are stored at once; accepting it makes new cases follow it; a refused proposal leaves nothing behind."""
    other = load_policy(OTHER, {})

    def proposing(governed: Governed, _now: datetime) -> Ruling | Refused:
        return Ruling(governed.governance, (Event(EventKind.POLICY_PROPOSED, SYSTEM, {"subject": "p_1"}),))

    def refusing(_governed: Governed, _now: datetime) -> Ruling | Refused:
        return Refused("no", "No.")

    def accepting(governed: Governed, _now: datetime) -> Ruling | Refused:
        assert governed.policy.version == "2026-11-20.1"
        return Ruling(governed.governance, (), activate=governed.wanted[other.sha256])

    async with open_books(database_url) as books:
        stored = the_reads(books)
        await books.ledger.govern(refusing, keep=other)
        assert await stored.policy(other.sha256) is None
        await books.ledger.govern(proposing, keep=other)
        assert (await books.open("t-1")).route.policy_version == "2026-11-20.1"
        await books.ledger.govern(accepting, wanted=(other.sha256, "0" * 64))
        assert (await books.open("t-2")).route.policy_version == "2026-11-20.2"
        active = await stored.active_policy()
        assert active is not None
        assert active.sha256 == other.sha256


async def test_what_one_process_decides_the_other_sees(postgres_url: str) -> None:
    """A replica keeps the value in memory, and still never acts on one that is out of date."""
    seen: list[Governed] = []
    async with open_books(postgres_url) as one, open_books(postgres_url) as other:
        await one.ledger.govern(braking())
        assert isinstance(await other.ledger.govern(braking()), Refused)
        await other.ledger.govern(braking(Automation.FROZEN))
        await one.ledger.govern(braking(Automation.ON, seen))
        assert seen[0].governance.control("refunds").automation is Automation.FROZEN
        assert (await the_reads(other).governance()).control("refunds").automation is Automation.ON


async def test_a_brake_survives_a_restart(database_url: str) -> None:
    """The process that comes after reads what the one before decided."""
    async with open_books(database_url) as books:
        await books.ledger.govern(braking())
    async with open_books(database_url) as books:
        assert (await the_reads(books).governance()).control("refunds").automation is Automation.PAUSED
        subjects: list[Automation] = []

        def looking(subject: Subject, now: datetime) -> Change | Refused:
            subjects.append(subject.automation)
            return commenting()(subject, now)

        case = await books.open()
        await books.ledger.change(case.id, looking)
        assert subjects == [Automation.PAUSED]


async def test_guardrails_go_on_where_the_log_cannot_be_signed_and_people_wait(database_url: str) -> None:
    """A breaker must be able to pause then; nobody can raise authority then."""
    async with open_books(database_url) as books:
        books.ledger.stop_recording("The database is behind.")
        with pytest.raises(NotRecordingError):
            await books.ledger.govern(braking(), press=a_press())
        assert isinstance(await books.ledger.govern(braking()), Ruled)


async def test_a_step_knows_who_posts_to_a_workflow(database_url: str) -> None:
    """Callbacks about a workflow go to every service of it; each step gets an id that nobody else got."""
    seen: list[Governed] = []
    async with open_books(database_url, services={"refunds": ("refund-agent", "other-agent")}) as books:
        await books.ledger.govern(braking(seen=seen))
        await books.ledger.govern(braking(seen=seen))
        assert seen[0].services == {"refunds": ("refund-agent", "other-agent")}
        assert len({governed.draw for governed in seen}) == len(seen)
        assert {len(governed.draw) for governed in seen} == {26}


async def test_an_event_about_something_that_is_no_case_is_filed_under_it(database_url: str) -> None:
    """A bulletin that could not be delivered is on record beside what it was about, and what is written beside that is."""
    done: list[bool] = []
    async with open_books(database_url) as books:
        event = Event(EventKind.NOT_DELIVERED, SYSTEM, {"error": "channel_not_found"})
        assert await books.ledger.record(event, case_id="a_1", also=lambda _connection, _now: done.append(True)) == 1
        [found] = await the_reads(books).govern_events("a_1")
        assert (found.kind, found.fields["subject"], done) == (EventKind.NOT_DELIVERED, "a_1", [True])
        assert await books.ledger.record(event, case_id="c_none") is None


async def test_a_step_that_changes_nothing_leaves_the_revision(database_url: str) -> None:
    """Presses are bound to what people saw: only what they could see another of makes them stale."""

    def noting(governed: Governed, _now: datetime) -> Ruling | Refused:
        return Ruling(governed.governance, (Event(EventKind.ALERT_ACKNOWLEDGED, SYSTEM, {"subject": "a_1"}),))

    async with open_books(database_url) as books:
        result = await books.ledger.govern(noting)
        assert isinstance(result, Ruled)
        assert result.governance == Governance()
