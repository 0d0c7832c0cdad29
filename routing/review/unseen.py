"""A case whose card Slack does not show where the case is: it goes where people can see it, well before its clock runs out.

Owns where to: the next tier whose channel takes cards, else its owners directly. When is for `routing.review.departure` to say. It does not
know whether a card is shown.
"""

from collections.abc import Callable
from datetime import datetime

from routing.authorize import refuse
from routing.canonical import Json
from routing.change import SYSTEM, Change, Message, MessageKind, Refused, Subject
from routing.review.departure import announce, leaves_at, next_shown
from routing.review.draft import Draft
from routing.review.ladder import move_up
from routing.vocabulary import EventKind


def go_where_seen(tier: int, error: str, otherwise: tuple[str, ...]) -> Callable[[Subject, datetime], Change | Refused]:
    """The step for a case whose card of `tier` Slack does not show, for the cause `error`: first it is announced when it goes on,
    and then it does. `otherwise` are those who are told where it can go nowhere and the tier has no owner.
    """

    def step(subject: Subject, now: datetime) -> Change | Refused:
        case, draft = subject.case, Draft(subject, now)
        at, announced = leaves_at(case), case.clocks.unseen
        if case.tier != tier or at is None:
            return refuse("not_due")
        fields: dict[str, Json] = {"tier": case.tier + 1, "channel": case.rung.channel, "error": error}
        seen_at = next_shown(case, subject.dark)
        if seen_at is None and at <= now:
            _tell_owners(draft, fields, otherwise)
        elif seen_at is None and announced is not None:
            announce(draft, None, fields)
        elif seen_at is not None and announced is None:
            wanted = at if at > now else leaves_at(case, now)
            if wanted is None or wanted <= now:
                return refuse("not_due")  # its clock has run out
            announce(draft, wanted, fields)
        elif seen_at is not None and announced is not None and announced <= now:
            move_up(draft, seen_at, draft.record(EventKind.ESCALATED, SYSTEM, {"clock": "unseen", **fields, "to_tier": seen_at + 1}))
        else:
            return refuse("not_due")
        return draft.change()

    return step


def stay_where_seen(subject: Subject, now: datetime) -> Change | Refused:
    """The card is shown after all, or nobody has to see it any more: the case does not go elsewhere."""
    if subject.case.clocks.unseen is None:
        return refuse("not_due")
    draft = Draft(subject, now)
    announce(draft, None, {"tier": subject.case.tier + 1})
    return draft.change()


def _tell_owners(draft: Draft, fields: dict[str, Json], otherwise: tuple[str, ...]) -> None:
    case = draft.case
    told = tuple(dict.fromkeys(person for person in (case.rung.owner, case.rung.backup) if person)) or otherwise
    draft.put(unseen=True)
    draft.put_clocks(unseen=None)
    event = draft.record(EventKind.NOT_SEEN, SYSTEM, {**fields, "told": list(told)})
    for person in told:
        draft.send(Message(MessageKind.NOTICE, person, tier=case.tier, event=event, urgent=True))
