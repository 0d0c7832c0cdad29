"""A case with nothing against it, and comparing with golden files: what the tests of routing begin with."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from routing.case.submission import Submission, read_submission
from tests.checkout import GOLDEN

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CLEAR: dict[str, Any] = {
    "workflow": "summaries",
    "task_id": "t-1",
    "title": "Summary of ticket 5",
    "action": {"type": "ticket.summarize", "params": {}, "reversible": True},
    "model": {"confidence": 0.95},
    "risk": {"impact": "low", "likelihood": 0.1, "recoverability": "easy"},
}


def a_submission(**parts: Any) -> Submission:
    """A case with nothing against it; each part named is merged in, None takes one out."""
    document = json.loads(json.dumps(CLEAR))
    for name, part in parts.items():
        document[name] = {**document.get(name, {}), **part} if isinstance(part, dict) else part
    return read_submission({name: part for name, part in document.items() if part is not None})


def golden(name: str, text: str) -> None:
    """Compare with the file under tests/golden; to write it anew, delete it and run once."""
    path = GOLDEN / name
    if not path.exists():
        path.write_text(text)
        pytest.fail(f"{path} was missing and is now written; look at it")
    assert text == path.read_text()
