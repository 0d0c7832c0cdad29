"""A case that comes back with what it lacked meets the limits as they are then, not as they were when it first came."""

from datetime import datetime, timedelta

from routing.case.case import Case
from routing.case.facts import Facts
from routing.case.followup import Information
from routing.case.near_duplicate import likeness
from routing.case.submission import read_submission
from routing.governance.ruling import Governed, Ruling
from routing.governance.waiver import Waiver
from routing.review.followups import supply
from routing.review.opening import open_case
from routing.vocabulary import Lane, State, Verdict
from store.ledger.answers import Changed, Delivery, Opened
from tests.store.a_store import NOON, POLICY_TEXT, Books, a_delivery, open_books

AUTO = POLICY_TEXT.replace(b"template: approval}", b"template: auto, requester: optional, caps: {per_hour: 2}}")
WAIVED = POLICY_TEXT.replace(b"template: approval}", b"template: auto, requester: optional}")


async def incomplete(books: Books, number: int, confidence: float = 0.99) -> Case:
    """A case that would be automatic, were a source not missing."""
    submission = read_submission(
        {
            "workflow": "refunds",
            "task_id": f"t-{number}",
            "title": "Summary of the ticket",
            "request": "I was charged twice.",
            "output": "Both charges are on the statement.",
            "action": {"type": "note.write", "params": {"case": number}, "reversible": True},
            "model": {"name": "m", "version": "1", "confidence": confidence},
            "evidence": [{"id": "src-1", "kind": "record", "title": "Statement", "text": "Two charges."}],
            "risk": {"impact": "low", "likelihood": 0.1, "recoverability": "easy"},
            "context": {"missing": ["the second charge"]},
        }
    )
    plain = a_delivery(f"t-{number}")
    alike = likeness(plain.service, submission)
    delivery = Delivery(
        plain.service, plain.webhook_id, plain.digest, "refunds", plain.task_id, plain.input_sha256, alike, submission.action.sha256
    )
    opened = await books.ledger.open(delivery, open_case(plain.service, submission))
    assert isinstance(opened, Opened)
    assert opened.case.state is State.NEEDS_INFO
    return opened.case


async def complete(books: Books, case: Case) -> Case:
    """Its service supplies the source."""
    followup = Information(type="case.information", case_id=case.id, case={"context": {"missing": []}})
    changed = await books.ledger.change(case.id, supply(followup), content=True)
    assert isinstance(changed, Changed)
    return changed.case


async def test_cases_that_come_back_count_against_the_cap(database_url: str) -> None:
    """Three waited for a source while nothing was automatic yet; once they have it, the limit of the hour holds."""
    async with open_books(database_url, policy=AUTO) as books:
        waiting = [await incomplete(books, number) for number in range(3)]
        back = [await complete(books, case) for case in waiting]
        assert [case.verdict for case in back] == [Verdict.AUTO_APPROVED, Verdict.AUTO_APPROVED, None]
        assert back[2].route.lane is Lane.REVIEW
        assert "cap_reached" in [reason.code for reason in back[2].route.reasons]


async def test_an_exception_that_ended_meanwhile_is_not_used(database_url: str) -> None:
    """It was in force when both came: one may use it, and after its end nobody."""

    def granting(governed: Governed, _now: datetime) -> Ruling:
        waiver = Waiver(
            id="x_1",
            workflow="refunds",
            waives=("confidence_low",),
            reason="The new form is live.",
            requested_by="U0FRONT",
            requested_at=NOON,
            until=NOON + timedelta(hours=1),
            most=1,
            state="in_force",
        )
        return Ruling(governed.governance.with_waiver(waiver), ())

    async with open_books(database_url, policy=WAIVED) as books:
        await books.ledger.govern(granting)
        first, second = [await incomplete(books, number, confidence=0.85) for number in range(2)]
        assert [waived.id for waived in Facts.model_validate(first.facts).waived] == ["x_1"]
        assert (await complete(books, first)).verdict is Verdict.AUTO_APPROVED
        assert (await complete(books, second)).verdict is None
