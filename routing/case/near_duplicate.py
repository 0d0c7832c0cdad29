"""What near-duplicates have in common, as one digest (I7). Owns that definition;
`routing.review.related.near_duplicates` owns what becomes of them.
"""

from functools import lru_cache

from routing.canonical import digest
from routing.case.submission import Submission


def likeness(service: str, submission: Submission) -> str:
    """Hex SHA-256 of service, workflow, action type and subject; empty for a case without a subject, which is like no other."""
    subject = submission.subject
    if subject is None:
        return ""
    return _likeness(service, submission.workflow, submission.action.type, subject.type, subject.id)


@lru_cache(maxsize=64)  # who takes a case in and who opens it ask for the same
def _likeness(*shared: str | None) -> str:
    return digest(shared)
