"""A case whose card Slack does not show where the case is: it goes where people can see it, well before its clock runs out.

Owns when, and where to: the next tier whose channel takes cards, else its owners directly. When it goes is put on the case first, for
`routing.review.outlook` to announce, and never comes before that was done. It does not know whether a channel takes cards.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from routing.authorize import refuse
from routing.canonical import Json
from routing.case.case import Case
from routing.case.submission import moment_text
from routing.change import SYSTEM, Change, Message, MessageKind, Refused, Subject
from routing.review.draft import Draft
from routing.review.ladder import move_up
from routing.vocabulary import EventKind, State

GRACE = timedelta(minutes=5)
"""How long the cause may take to be mended before the case goes elsewhere; half the time of the tier's first clock, if that is less."""


def goes_on_at(case: Case, since: datetime | None = None) -> datetime | None:
    """When a case whose card is not shown since then (None: since it is at its tier) goes elsewhere; None where nobody has to see it at its
    tier, or its owners know already.
    """
    since = since or case.tier_since
    if case.state is not State.PENDING or since is None or case.tier_since is None or case.unseen or case.tied_to:
        return None
    clocks = (case.clocks.acknowledge, case.clocks.decide, case.clocks.total, case.clocks.deadline)
    first = min((at for at in clocks if at is not None), default=None)
    return since + (GRACE if first is None else min(GRACE, (first - since) / 2))


def go_where_seen(
    tier: int, error: str, *, dark: Collection[str], otherwise: tuple[str, ...]
) -> Callable[[Subject, datetime], Change | Refused]:
    """The step for a case whose card of `tier` Slack does not show, for the cause `error`: first it is announced when it goes on,
    and then it does. `dark` are the channels that take no cards now, `otherwise` those who are told where the tier has no owner.
    """

    def step(subject: Subject, now: datetime) -> Change | Refused:
        case, draft = subject.case, Draft(subject, now)
        at, announced = goes_on_at(case), case.clocks.unseen
        if case.tier != tier or at is None:
            return refuse("not_due")
        fields: dict[str, Json] = {"tier": case.tier + 1, "channel": case.rung.channel, "error": error}
        higher = range(case.tier + 1, len(case.route.tiers))
        seen_at = next((one for one in higher if case.route.tiers[one].channel not in {*dark, case.rung.channel}), None)
        if seen_at is None and at <= now:
            _tell_owners(draft, fields, otherwise)
        elif (announced is None) is (seen_at is not None):
            wanted = None if seen_at is None else at if at > now else goes_on_at(case, now)
            if wanted is not None and wanted <= now:
                return refuse("not_due")  # its clock has run out
            _announce(draft, wanted, fields)
        elif seen_at is None or announced is None or announced > now:
            return refuse("not_due")
        else:
            move_up(draft, seen_at, draft.record(EventKind.ESCALATED, SYSTEM, {"clock": "unseen", **fields, "to_tier": seen_at + 1}))
        return draft.change()

    return step


def stay_where_seen(subject: Subject, now: datetime) -> Change | Refused:
    """The card is shown after all, or nobody has to see it any more: the case does not go elsewhere."""
    if subject.case.clocks.unseen is None:
        return refuse("not_due")
    draft = Draft(subject, now)
    _announce(draft, None, {"tier": subject.case.tier + 1})
    return draft.change()


def _announce(draft: Draft, at: datetime | None, fields: dict[str, Json]) -> None:
    draft.put_clocks(unseen=at)
    draft.record(EventKind.CHANGED, SYSTEM, {**fields, "clock": "unseen", "at": None if at is None else moment_text(at)})


def _tell_owners(draft: Draft, fields: dict[str, Json], otherwise: tuple[str, ...]) -> None:
    case = draft.case
    told = tuple(dict.fromkeys(person for person in (case.rung.owner, case.rung.backup) if person)) or otherwise
    draft.put(unseen=True)
    draft.put_clocks(unseen=None)
    event = draft.record(EventKind.NOT_SEEN, SYSTEM, {**fields, "told": list(told)})
    for person in told:
        draft.send(Message(MessageKind.NOTICE, person, tier=case.tier, event=event, urgent=True))
