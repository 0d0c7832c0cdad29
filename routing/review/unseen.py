"""A case whose card Slack does not take where the case is: it goes where people can see it, well before its clock runs out.

Owns when, and where to: the next tier whose channel takes cards, else its owners directly. It does not know whether a channel takes cards.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from routing.authorize import refuse
from routing.canonical import Json
from routing.case.case import Case
from routing.change import SYSTEM, Change, Message, MessageKind, Refused, Subject
from routing.review.draft import Draft
from routing.review.ladder import move_up
from routing.vocabulary import EventKind, State

GRACE = timedelta(minutes=5)
"""How long the cause may take to be mended before the case goes elsewhere; half the time of the tier's first clock, if that is less."""


def goes_on_at(case: Case) -> datetime | None:
    """When a case whose card is not shown goes elsewhere; None where nobody has to see it at its tier, or its owners know already."""
    if case.state is not State.PENDING or case.tier_since is None or case.unseen or case.tied_to:
        return None
    clocks = (case.clocks.acknowledge, case.clocks.decide, case.clocks.total, case.clocks.deadline)
    first = min((at for at in clocks if at is not None), default=None)
    return case.tier_since + (GRACE if first is None else min(GRACE, (first - case.tier_since) / 2))


def go_where_seen(
    tier: int, error: str, *, dark: Collection[str], otherwise: tuple[str, ...]
) -> Callable[[Subject, datetime], Change | Refused]:
    """The step for a case whose card of `tier` Slack refused with `error`. `dark` are the channels that take no cards now, `otherwise`
    those who are told where the tier has no owner.
    """

    def step(subject: Subject, now: datetime) -> Change | Refused:
        case = subject.case
        due = goes_on_at(case)
        if case.tier != tier or due is None or due > now:
            return refuse("not_due")
        draft = Draft(subject, now)
        fields: dict[str, Json] = {"tier": case.tier + 1, "channel": case.rung.channel, "error": error}
        higher = range(case.tier + 1, len(case.route.tiers))
        seen_at = next((one for one in higher if case.route.tiers[one].channel not in {*dark, case.rung.channel}), None)
        if seen_at is not None:
            move_up(draft, seen_at, draft.record(EventKind.ESCALATED, SYSTEM, {"clock": "unseen", **fields, "to_tier": seen_at + 1}))
        else:
            told = tuple(dict.fromkeys(person for person in (case.rung.owner, case.rung.backup) if person)) or otherwise
            draft.put(unseen=True)
            event = draft.record(EventKind.NOT_SEEN, SYSTEM, {**fields, "told": list(told)})
            for person in told:
                draft.send(Message(MessageKind.NOTICE, person, tier=case.tier, event=event, urgent=True))
        return draft.change()

    return step
