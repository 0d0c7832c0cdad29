"""A case has one published form, and a wrong one is told everything at once."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from routing.case.submission import moment_text, read_submission
from routing.errors import SubmissionError

LEAST: dict[str, Any] = {"workflow": "refunds", "task_id": "t-17", "title": "Refund", "action": {"type": "refund.create"}}


def test_four_fields_make_a_case() -> None:
    """Everything else may be absent."""
    submission = read_submission(LEAST)
    assert submission.model.confidence is None
    assert submission.action.reversible is None
    assert submission.evidence == ()


def test_every_wrong_field_is_named_at_once_with_the_nearest_known_one() -> None:
    """One 422 tells a service everything that is wrong with its case."""
    with pytest.raises(SubmissionError) as refused:
        read_submission(
            {
                "workflow": "Refunds",
                "tittle": "x",
                "action": {"type": "a", "reversible": "yes"},
                "risk": {"impact": "hihg", "amont": "1", "amount": 12.5},
                "evidence": [{"id": "1", "kind": "url", "url": "javascript:x", "updated_at": "2026-01-01T00:00:00"}],
                "deadline": "1700000000",
                "model": {"confidence": True},
            },
        )
    said = {problem.pointer: problem.message for problem in refused.value.problems}
    assert set(said) == {
        *("/workflow", "/task_id", "/title", "/tittle", "/action/reversible", "/risk/impact", "/risk/amont", "/risk/amount"),
        *("/evidence/0/url", "/evidence/0/updated_at", "/deadline", "/model/confidence"),
    }
    assert said["/tittle"] == 'unknown key; did you mean "title"?'
    assert said["/risk/amont"] == 'unknown key; did you mean "amount"?'
    assert said["/risk/impact"].endswith('did you mean "high"?')
    assert said["/task_id"] == "is required"


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30T00:00:00Z", "2026-01-01", "", 1700000000]
)
def test_a_time_nobody_can_show_is_refused(moment: object) -> None:
    """Times at the ends of the calendar break in some zone, numbers are no times."""
    with pytest.raises(SubmissionError):
        read_submission(LEAST | {"deadline": moment})


def test_times_are_kept_in_utc_and_written_one_way() -> None:
    """The same moment is the same text in leaves, answers and callbacks."""
    submission = read_submission(LEAST | {"deadline": "2026-12-01T13:00:00.5+01:00"})
    assert submission.deadline == datetime(2026, 12, 1, 12, 0, 0, 500_000, tzinfo=UTC)
    assert submission.deadline.utcoffset() == timedelta(0)
    assert moment_text(datetime(2026, 12, 1, 13, tzinfo=timezone(timedelta(hours=1)))) == "2026-12-01T12:00:00.000000Z"


def test_a_changed_copy_of_a_submission_has_other_texts() -> None:
    """What a reviewer modified is hashed and sealed as modified, though the texts of the original were written before."""
    original = read_submission(LEAST)
    assert original.texts["title"] == b'"Refund"'
    assert original.model_copy(update={"title": "Refund of half"}).texts["title"] == b'"Refund of half"'
    assert original.texts["title"] == b'"Refund"'


def test_an_absurd_confidence_is_kept_for_routing_to_judge() -> None:
    """A confidence outside 0 to 1 counts as 0 later; the case is still recorded."""
    assert read_submission(LEAST | {"model": {"confidence": 1.7}}).model.confidence == 1.7
