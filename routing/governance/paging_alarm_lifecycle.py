"""The alarm about pages that do not get through: raised with the first, said again while nobody has them, ended once none waits.

Owns these events and who is told. One alarm for all pages: a PagerDuty that is gone must not fill a channel.
"""

from datetime import datetime, timedelta
from typing import Literal

from routing.canonical import Json
from routing.change import SYSTEM, Event, Message, MessageKind, Refused
from routing.governance.binding import channel_name
from routing.governance.paging_alarm import PagingAlarm
from routing.governance.permissions import refuse
from routing.governance.ruling import PAGES, Governed, GovernStep, Ruling
from routing.vocabulary import EventKind

PLACES = 8
"""Bulletins of one alarm at most, see `shown_alarm`."""

AGAIN = timedelta(minutes=15)
"""How often it is posted anew while there are pages that nobody has."""

REDRAWN = timedelta(minutes=1)
"""How often what it says is brought up to date at most."""


def told(governed: Governed, news: Literal["failed", "taken"], now: datetime) -> Ruling | None:
    """A route did not take a page, which raises the alarm, or took it after all; None where there is nothing to say."""
    known = governed.governance.paging
    if known is not None and not known.over:
        return Ruling(governed.governance, (), _redrawn(known))
    if news == "taken":
        return None
    alarm = PagingAlarm(since=now, posted=0, posted_at=now, drawn_at=now, waiting=1, unreached=1)
    return _posted(governed, alarm, now, EventKind.PAGING_FAILED, {"waiting": 1, "unreached": 1})


def counted(waiting: int, unreached: int) -> GovernStep:
    """So many pages wait for their first route, so many of them nobody has: what stands in Slack is redrawn, or said once more."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        known = governed.governance.paging
        if known is None or known.over:
            return refuse("not_due")
        figures: dict[str, Json] = {"waiting": waiting, "unreached": unreached}
        latest = known.model_copy(update={**figures, "drawn_at": now})
        if not waiting:
            over = latest.model_copy(update={"over_at": now})
            event = Event(EventKind.PAGING_RESTORED, SYSTEM, {"subject": PAGES, "number": known.posted, **figures})
            return Ruling(governed.governance.with_paging(over), (event,), _redrawn(known))
        if unreached and now >= known.posted_at + AGAIN:
            again = _posted(governed, latest, now, EventKind.PAGING_FAILED, figures)
            return Ruling(again.governance, again.events, (*_redrawn(known), *again.messages))
        if (known.waiting, known.unreached) == (waiting, unreached) or now < known.drawn_at + REDRAWN:
            return refuse("not_due")
        return Ruling(governed.governance.with_paging(latest), (), _redrawn(known))

    return step


def shown_alarm(tier: int) -> int:
    """The number of the alarm that a bulletin was posted for."""
    return tier // PLACES


def _posted(governed: Governed, alarm: PagingAlarm, now: datetime, kind: EventKind, figures: dict[str, Json]) -> Ruling:
    number, places = governed.governance.revision + 1, _places(governed)
    alarm = alarm.model_copy(update={"posted": number, "posted_at": now, "places": places})
    messages = tuple(
        Message(MessageKind.BULLETIN, where, number * PLACES + place, urgent=True, subject=PAGES) for place, where in enumerate(places)
    )
    event = Event(kind, SYSTEM, {"subject": PAGES, "number": number, **figures})
    return Ruling(governed.governance.with_paging(alarm), (event,), messages)


def _redrawn(alarm: PagingAlarm) -> tuple[Message, ...]:
    first = alarm.posted * PLACES
    return tuple(Message(MessageKind.BULLETIN_UPDATE, where, first + place, subject=PAGES) for place, where in enumerate(alarm.places))


def _places(governed: Governed) -> tuple[str, ...]:
    """The operations channel, else that of the owners, but those to which nothing can be sent; where there is none, the owners directly."""
    form, dark = governed.policy.form, governed.governance.dark
    said = [one for one in (form.channels.operations, form.channels.owners) if one is not None]
    found = [one for one in said if one not in dark and channel_name(one) not in dark][:1] or list(form.owners)
    return tuple(found)[:PLACES]
