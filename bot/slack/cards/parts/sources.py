"""What the case rests on: its sources, each with its title and its age. Never how good they are."""

from bot.slack.cards.parts.clock_line import age
from bot.slack.cards.text.safe_text import line
from bot.slack.cards.view import View
from routing.case.submission import Evidence


def source_title(evidence: Evidence) -> str:
    """`record crm-17: Customer record`."""
    title = line(evidence.title or "")
    return f"{evidence.kind} {line(evidence.id)}" + (f": {title}" if title else "")


def source_age(evidence: Evidence, view: View) -> str:
    """How old the source is: since it was updated, else since it was fetched."""
    if evidence.updated_at is not None:
        return age(evidence.updated_at, view.now)
    if evidence.retrieved_at is not None:
        return f"fetched copy, {age(evidence.retrieved_at, view.now)}"
    at = next((str(place) for place, one in enumerate(view.submission.evidence) if one is evidence), "")
    return (
        "age masked" if not {f"evidence.{at}.{name}" for name in ("updated_at", "retrieved_at")}.isdisjoint(view.masked) else "age unknown"
    )
