"""When a case leaves a tier whose channel does not show its card, and for which: put on the case first, for `routing.review.outlook` to
announce, and never done before that. Owns those moments; it does not move the case.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from routing.canonical import Json
from routing.case.case import Case
from routing.case.submission import moment_text
from routing.change import SYSTEM
from routing.review.draft import Draft
from routing.vocabulary import EventKind, State

GRACE = timedelta(minutes=5)
"""How long the cause may take to be mended before the case goes elsewhere; half the time of the tier's first clock, if that is less."""

CLOSED = frozenset({"is_archived", "channel_not_found"})
"""Trouble with a channel in which nobody acts on a card that stands there, either."""


def leaves_at(case: Case, since: datetime | None = None) -> datetime | None:
    """When a case whose card is not shown since then (None: since it is at its tier) goes elsewhere; None where nobody has to see it at its
    tier, or its owners know already.
    """
    since = since or case.tier_since
    if case.state is not State.PENDING or since is None or case.tier_since is None or case.unseen or case.tied_to:
        return None
    clocks = (case.clocks.acknowledge, case.clocks.decide, case.clocks.closed, case.clocks.total, case.clocks.deadline)
    first = min((at for at in clocks if at is not None), default=None)
    return since + (GRACE if first is None else min(GRACE, (first - since) / 2))


def next_shown(case: Case, dark: Collection[str]) -> int | None:
    """The next tier whose channel takes cards; None where there is none. `dark` are the channels that take none now."""
    higher = range(case.tier + 1, len(case.route.tiers))
    return next((tier for tier in higher if case.route.tiers[tier].channel not in {*dark, case.rung.channel}), None)


def announce(draft: Draft, at: datetime | None, fields: dict[str, Json]) -> None:
    """The case leaves its tier at `at`; None: it stays."""
    draft.put_clocks(unseen=at)
    draft.record(EventKind.CHANGED, SYSTEM, {**fields, "clock": "unseen", "at": None if at is None else moment_text(at)})


def announce_where_dark(draft: Draft, *, posted: bool) -> None:
    """Announce it at once where it is known already that the channel of the tier shows no card: none that is still to be posted, or none
    that was `posted`, either.
    """
    case, dark = draft.case, draft.subject.dark
    error = dark.get(case.rung.channel, "")
    if not error or (posted and error not in CLOSED):
        return
    at = leaves_at(case, draft.now)
    if at is not None and next_shown(case, dark) is not None:
        announce(draft, at, {"tier": case.tier + 1, "channel": case.rung.channel, "error": error})
