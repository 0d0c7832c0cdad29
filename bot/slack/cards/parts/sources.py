"""What the case rests on: its sources, each with its title and its age. Never how good they are."""

from bot.slack.cards.parts.clock_line import age
from bot.slack.cards.text.block_kit import Block, bullets, lines, run
from bot.slack.cards.text.safe_text import Cuts, address, line, weight
from bot.slack.cards.view import View
from routing.case.submission import Evidence


def sources(view: View, cuts: Cuts) -> list[Block]:
    """Parts of rich text: the first few sources with their age; a short text stands there, a long one waits in the details."""
    if not view.submission.evidence:
        return [lines(run("Evidence  ", "bold"), run("none was given"))]
    some, more = cuts.few(view.submission.evidence, 4)
    return [bullets([_source(evidence, view, cuts) for evidence in some] + ([[run(more)]] if more else []))]


def _source(evidence: Evidence, view: View, cuts: Cuts) -> list[Block]:
    runs = [run(cuts.cut(source_title(evidence), 120), "bold"), run(f" · {source_age(evidence, view)}")]
    text = line(evidence.text or "")
    if text and weight(text) <= 160:
        runs.append(run(f" · “{text}”"))
    elif text:
        runs.append(run(f" · {len(text):,} characters in the details"))
    if evidence.url is not None:
        runs.append(run(" · " + cuts.cut(address(evidence.url), 160)))
    return runs


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
