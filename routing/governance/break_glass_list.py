"""The weekly list of decisions by break-glass, put before the operation. Owns when it is due and what stands on it; reviews nothing."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from routing.canonical import Json
from routing.case.break_glass import BreakGlassList, BreakGlassUse
from routing.change import SYSTEM, Event, Message, MessageKind, Refused
from routing.governance.permissions import refuse
from routing.governance.ruling import BREAK_GLASS, Governed, GovernStep, Ruling
from routing.governance.waiver_lifecycle import LISTED_FROM
from routing.vocabulary import EventKind

WEEKLY = BREAK_GLASS + "week_"
"""What the subject of a weekly list begins with; its week follows."""


def list_weekly(week: str) -> GovernStep:
    """Say what was used in the week before, and what is not reviewed yet; nothing where there is neither. Once a week, by the inbox key of
    whoever calls it.
    """

    def step(governed: Governed, _now: datetime) -> Ruling | Refused:
        channel, listed = governed.policy.form.channels.operations, of_week(governed.governance.break_glass, week).uses
        if channel is None or not listed:
            return refuse("not_due")
        subject = WEEKLY + week
        every: list[Json] = [use.id for use in listed]
        waiting: list[Json] = [use.id for use in listed if not use.over]
        event = Event(EventKind.BREAK_GLASS_LISTED, SYSTEM, {"subject": subject, "uses": every, "not_reviewed": waiting})
        return Ruling(governed.governance, (event,), (Message(MessageKind.BULLETIN, channel, subject=subject),))

    return step


def of_week(uses: Iterable[BreakGlassUse], week: str) -> BreakGlassList:
    """What stands on the list that comes in a week: uses since the list before it, and older ones that nobody has reviewed."""
    until = datetime.strptime(f"{week}-1 +0000", "%G-W%V-%u %z") + LISTED_FROM
    since = until - timedelta(days=7)
    found = [use for use in uses if use.at < until and (since <= use.at or not use.over)]
    return BreakGlassList(week=week, uses=not_reviewed_first(found))


def not_reviewed_first(uses: Iterable[BreakGlassUse]) -> tuple[BreakGlassUse, ...]:
    """What somebody still has to review, most urgent first; then the others, newest first."""
    newest = sorted(uses, key=lambda use: use.at, reverse=True)
    return (*sorted((use for use in newest if not use.over), key=lambda use: use.review_by), *(use for use in newest if use.over))
