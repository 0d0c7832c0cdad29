"""Several cases that change with one step: all of it is written, in one transaction, or nothing of it."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from routing.authority import Automation
from routing.case.case import Case
from routing.case.near_duplicate import likeness
from routing.case.people import Person
from routing.case.submission import RiskFacts
from routing.case.submission import Subject as Whom
from routing.change import SYSTEM, Actor, Arrival, Change, Event, Message, MessageKind, Opens, Stop, Subject
from routing.errors import TransitionError
from routing.review.opening import open_case
from routing.review.verbs import step_of
from routing.vocabulary import CaseKind, EventKind, State, Verdict
from store.ledger.answers import Changed, Conflict, Missing, Opened
from store.reads.cases import Reads
from store.schema import cases, leaves, outbox
from tests.store.a_store import SECRET, Books, a_delivery, a_press, a_submission, commenting, deciding, open_books, opening


def the_reads(books: Books) -> Reads:
    """Reads with the books' own keys."""
    return Reads(books.database, books.vault, books.policies)


async def kinds(books: Books, case_id: str) -> list[str]:
    """The events of a case, in order."""
    statement = select(leaves.c.kind).where(leaves.c.case_id == case_id).order_by(leaves.c.idx)
    return await books.database.read(lambda c: list(c.execute(statement).scalars()))


def child_of(parent: Case, name: str = "check", kind: CaseKind = CaseKind.CHECK) -> Opens:
    """Opens a case about another one, as `routing.review.related.child_case` does."""

    def opens(case_id: str) -> Change:
        content = a_submission(task_id=f"{parent.id}:{name}")
        case = parent.model_copy(update={"id": case_id, "kind": kind, "parent": parent.id, "task_id": content.task_id})
        return Change(case, (Event(EventKind.RECEIVED, SYSTEM, {}, submission=content),), (Message(MessageKind.CARD, "review-tier1"),))

    return opens


def doing(**what: Any) -> Callable[[Subject, datetime], Change]:
    """Records something on the case, and does what is said beside it."""

    def step(subject: Subject, _now: datetime) -> Change:
        said = {name: part(subject) if callable(part) else part for name, part in what.items()}
        return Change(subject.case, (Event(EventKind.REMINDED, SYSTEM),), **said)

    return step


async def test_a_case_opens_another_about_itself(database_url: str) -> None:
    """The child has a key, content, events and a card of its own; each names the other; its steps see its parent."""
    seen: list[Subject] = []

    def looking(subject: Subject, _now: datetime) -> Change:
        seen.append(subject)
        return Change(subject.case, ())

    async with open_books(database_url) as books:
        parent = await books.open()
        result = await books.ledger.change(parent.id, doing(opens=(child_of(parent),)))
        assert isinstance(result, Changed)
        [child_id] = result.case.children
        child = await the_reads(books).case(child_id)
        assert child is not None
        assert (child.kind, child.parent, child.task_id) == (CaseKind.CHECK, parent.id, f"{parent.id}:check")
        assert await the_reads(books).content(child_id) == a_submission(task_id=child.task_id)
        assert await kinds(books, child_id) == ["received"]
        columns = select(cases.c.kind, cases.c.parent, cases.c.webhook_id).where(cases.c.id == child_id)
        assert await books.database.read(lambda c: tuple(c.execute(columns).one())) == ("check", parent.id, "")
        await books.ledger.change(child_id, looking)
        await books.ledger.change(parent.id, looking)
        assert [set(subject.related) for subject in seen] == [{parent.id}, {child_id}]
        assert seen[0].related[parent.id].children == (child_id,)


async def test_no_service_takes_the_name_of_a_case_about_a_case(database_url: str) -> None:
    """Neither before it is opened, which would keep us from it, nor after."""
    async with open_books(database_url) as books:
        parent = await books.open()
        assert await books.ledger.open(a_delivery(f"{parent.id}:check"), opening(a_submission())) == Conflict("task", parent.id)
        assert isinstance(await books.ledger.change(parent.id, doing(opens=(child_of(parent),))), Changed)
        again = a_delivery(f"{parent.id}:check", webhook_id="m2")
        assert await books.ledger.open(again, opening(a_submission())) == Conflict("task", parent.id)


async def test_a_parent_changes_with_its_child_and_gets_another_one(database_url: str) -> None:
    """What a check finds is recorded on the case that it checked, and the case that follows is that one's child."""

    def disagreeing(subject: Subject, _now: datetime) -> Change:
        parent = subject.related[subject.case.parent]
        told = Event(EventKind.CHECK_DISAGREED, SYSTEM, {"reason_code": "wrong_amount"}, {"rationale": SECRET})
        return Change(
            subject.case.model_copy(update={"state": State.DECIDED, "verdict": Verdict.REJECTED}),
            (Event(EventKind.DECIDED, Actor("human", "U0FRONT")),),
            along=(Change(parent.model_copy(update={"rollback": True}), (told,), (Message(MessageKind.NOTE, "review-tier1"),)),),
            opens=(child_of(parent, "rollback", CaseKind.ROLLBACK),),
            caught=True,
        )

    async with open_books(database_url) as books:
        first = await books.ledger.open(a_delivery("t-1"), opening(a_submission(task_id="t-1", risk=RiskFacts(segment="north"))))
        assert isinstance(first, Opened)
        parent = first.case
        result = await books.ledger.change(parent.id, doing(opens=(child_of(parent),)))
        assert isinstance(result, Changed)
        await books.ledger.change(result.case.children[0], disagreeing)
        found = await the_reads(books).case(parent.id)
        assert found is not None
        assert (len(found.children), found.rollback, found.content_at) == (2, True, parent.content_at)
        assert await kinds(books, parent.id) == ["received", "reminded", "check_disagreed"]
        assert (await the_reads(books).history(parent.id))[-1].opened == {"rationale": SECRET}
        control = (await the_reads(books).governance()).control("refunds")
        assert (control.sampling, control.automation, control.segments) == (2.0, Automation.SAMPLING_RAISED, ())


async def test_an_error_in_a_segment_has_the_segment_checked(database_url: str) -> None:
    """The segment is the one that the case's service put it in."""
    async with open_books(database_url) as books:
        result = await books.ledger.open(a_delivery("t-1"), opening(a_submission(task_id="t-1", risk=RiskFacts(segment="north"))))
        assert isinstance(result, Opened)
        assert result.case.segment == "north"
        await books.ledger.change(result.case.id, doing(caught=True))
        assert (await the_reads(books).governance()).control("refunds").segments == ("north",)


async def test_a_case_that_stops_the_line_pauses_the_workflow_at_once(database_url: str) -> None:
    """In its own transaction: the case after it, in the same one, is routed by the pause; what is sent goes first."""
    seen: list[Automation] = []

    def looking(subject: Subject, _now: datetime) -> Change:
        seen.append(subject.automation)
        return Change(subject.case, ())

    async with open_books(database_url, services={"refunds": ("refund-agent",)}) as books:
        case, other = await books.open("t-1"), await books.open("t-2")
        await asyncio.gather(
            books.ledger.change(case.id, doing(stop=Stop("refunds", "A safety flag is set."))), books.ledger.change(other.id, looking)
        )
        assert seen == [Automation.PAUSED]
        control = (await the_reads(books).governance()).control("refunds")
        assert (control.automation, control.cause, control.by) == (Automation.PAUSED, "stop", case.id)
        sent = select(outbox.c.callback, outbox.c.urgent, outbox.c.priority).where(
            outbox.c.case_id == "w_refunds", outbox.c.peer == "callback"
        )
        assert await books.database.read(lambda c: [tuple(row) for row in c.execute(sent)]) == [("workflow.paused", True, 2_000)]


async def test_new_versions_raise_sampling_once(database_url: str) -> None:
    """The first model version is what others are compared with; another one doubles the checks, however many cases it brings at once."""

    async def post(task_id: str, version: str) -> None:
        def step(arrival: Arrival) -> Change:
            change = opening(a_submission(task_id=task_id))(arrival)
            model = {"name": "triage", "version": version, "hash": None, "prompt_version": "p1"}
            return Change(change.case.model_copy(update={"model": model}), change.events, change.messages, change.answer)

        assert isinstance(await books.ledger.open(a_delivery(task_id), step), Opened)

    async with open_books(database_url) as books:
        await post("t-1", "1")
        assert (await the_reads(books).governance()).control("refunds").sampling == 1.0
        await asyncio.gather(*(post(f"t-2{number}", "2") for number in range(5)))
        control = (await the_reads(books).governance()).control("refunds")
        assert (control.sampling, control.automation) == (2.0, Automation.SAMPLING_RAISED)
        assert [one for one in control.known_versions if one.startswith("triage")] == ["triage 1 p1", "triage 2 p1"]
        changed = select(leaves.c.body).where(leaves.c.kind == "automation_changed")
        [body] = await books.database.read(lambda c: list(c.execute(changed).scalars()))
        assert json.loads(body)["fields"]["subject"] == "w_refunds"


async def test_identical_cases_are_decided_with_the_first(database_url: str) -> None:
    """One vote decides both, each with its own events and callback; all of it in one transaction."""
    whom = Whom(id="order-17")

    async def post(task_id: str) -> str:
        content = a_submission(task_id=task_id, subject=whom)
        alike = {"likeness": likeness("refund-agent", content), "action_sha256": content.action.sha256}
        result = await books.ledger.open(replace(a_delivery(task_id), **alike), open_case("refund-agent", content))
        assert isinstance(result, Opened)
        return result.case.id

    async with open_books(database_url) as books:
        first, second = await asyncio.gather(post("t-1"), post("t-2"))
        reads = the_reads(books)
        one, two = await reads.case(first), await reads.case(second)
        assert one is not None
        assert two is not None
        assert (one.tied, two.tied_to) == ((second,), first)
        press = replace(a_press(one), person=Person("U0FRONT", "T0HOME", groups=frozenset({"frontline"})))
        result = await books.ledger.change(first, step_of(press), press=press, content=True)
        assert isinstance(result, Changed), result
        one, two = await reads.case(first), await reads.case(second)
        assert one is not None
        assert two is not None
        assert (one.verdict, two.verdict) == (Verdict.APPROVED, Verdict.APPROVED)
        assert [case.decided_index for case in (one, two)] == [
            next(event.index for event in await reads.history(case) if event.kind is EventKind.DECIDED) for case in (first, second)
        ]
        promised = select(outbox.c.case_id).where(outbox.c.callback == "case.decided").order_by(outbox.c.id)
        assert await books.database.read(lambda c: list(c.execute(promised).scalars())) == [first, second]


async def test_a_change_of_another_case_that_is_impossible_undoes_all_of_it(database_url: str) -> None:
    """A decided case never reopens by way of another one, and nothing of what tried to is written."""

    def reopening(subject: Subject) -> tuple[Change, ...]:
        return (Change(subject.related[subject.case.parent].model_copy(update={"state": State.PENDING}), ()),)

    async with open_books(database_url) as books:
        parent = await books.open()
        result = await books.ledger.change(parent.id, doing(opens=(child_of(parent),)))
        assert isinstance(result, Changed)
        [child] = result.case.children
        await books.ledger.change(parent.id, deciding())
        with pytest.raises(TransitionError):
            await books.ledger.change(child, doing(along=reopening))
        assert await kinds(books, child) == ["received"]


async def test_no_case_changes_twice_in_one_change(database_url: str) -> None:
    """The second of two changes would not have seen the first."""
    async with open_books(database_url) as books:
        case = await books.open()
        with pytest.raises(ValueError, match="twice"):
            await books.ledger.change(case.id, doing(along=lambda subject: (Change(subject.case, ()),)))
        assert await kinds(books, case.id) == ["received"]


async def test_a_decision_that_was_kept_back_may_be_void_and_no_other(database_url: str) -> None:
    """Only what never left is reviewed afresh."""

    def setting(**fields: Any) -> Callable[[Subject, datetime], Change]:
        return lambda subject, _now: Change(subject.case.model_copy(update=fields), ())

    afresh: dict[str, Any] = {"state": State.PENDING, "verdict": None, "withheld": False}
    async with open_books(database_url) as books:
        case = await books.open()
        await books.ledger.change(case.id, deciding())
        with pytest.raises(TransitionError):
            await books.ledger.change(case.id, setting(**afresh))
        await books.ledger.change(case.id, setting(withheld=True))
        assert isinstance(await books.ledger.change(case.id, setting(**afresh)), Changed)
        assert await books.ledger.change("c_none", commenting()) == Missing("c_none")
