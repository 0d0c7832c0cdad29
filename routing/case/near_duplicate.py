"""What near-duplicates have in common, as one digest (I7). Owns that definition;
`routing.review.related.near_duplicates` owns what becomes of them.
"""

from routing.canonical import digest
from routing.case.submission import Submission


def likeness(service: str, submission: Submission) -> str:
    """Hex SHA-256 of service, workflow, action type and subject; empty for a case without a subject, which is like no other."""
    subject = submission.subject
    if subject is None:
        return ""
    return digest([service, submission.workflow, submission.action.type, subject.type, subject.id])
