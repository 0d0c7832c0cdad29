"""What happens at PagerDuty and comes back: acknowledged and given back, resolved and reopened, handed on to others, annotated. PagerDuty
never decides a case. What it tells may come in another order than it happened: what holds is what happened last.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from routing.authorize import refuse
from routing.canonical import Json
from routing.case.case import Case, OpenPage
from routing.change import Actor, Change, MessageKind, Refused, Subject
from routing.clock import after
from routing.review.draft import Draft
from routing.review.ladder import acknowledge, in_pagerduty, tier_clocks
from routing.review.pages import follow_up, put_page
from routing.review.press import PressStep
from routing.vocabulary import ClockName, EventKind, PageRoute, State

PAGERDUTY = Actor("system", "pagerduty")


@dataclass(frozen=True, slots=True)
class PagerNews:
    """One event of an incident: its tier (0-based), round and route from our dedup key, and who did it there (id, "" for PagerDuty itself;
    the name is content). `how` it went to others, `to` whom it asks now, by name; `rings`: nobody has it there at that moment; `at`, by
    PagerDuty's clock: what it tells may come in another order than it happened; `digest`: the one whose incident it is.
    """

    tier: int
    round: int
    who: str
    route: PageRoute = PageRoute.PAGERDUTY
    name: str = ""
    text: str = ""
    how: str = ""
    to: tuple[str, ...] = ()
    rings: bool = False
    at: datetime | None = None
    digest: str = ""

    @property
    def actor(self) -> Actor:
        """The person there, else PagerDuty by its own rules."""
        return Actor("human", f"pagerduty:{self.who}") if self.who else PAGERDUTY


def page_acknowledged(news: PagerNews) -> PressStep:
    """Somebody acknowledged the incident: only the acknowledge clock stops. Where the page rings by another key too, it stops there."""

    def step(subject: Subject, now: datetime) -> Change | Refused:
        draft = Draft(subject, now)
        page = _page(subject.case, news) or _must_be_open_again(draft, news)
        if page is None:
            return refuse("unknown_page")
        case, actor = draft.case, news.actor
        put_page(draft, _heard(page, news, acknowledged_by=actor.id, next_at=None))
        event = draft.record(EventKind.PAGE_ACKNOWLEDGED, actor, _where(news) | _listed(page), sealed=_words(news))
        if not page.acknowledged_by:
            follow_up(draft, page, MessageKind.PAGE_ACKNOWLEDGE, but=news.route)
        if case.tier == news.tier:
            acknowledge(draft, actor)
            if case.state is State.PENDING and not _taken_here(case):  # somebody else there had it until now
                draft.put(acknowledged_by=actor.id)
        draft.update_cards()
        draft.note(event)
        return draft.change()

    return step


def page_resolved(news: PagerNews) -> PressStep:
    """Resolved there with the case open is a comment here: the case stays open and the next round pages."""

    def step(subject: Subject, now: datetime) -> Change | Refused:
        case = subject.case
        page = _page(case, news)
        draft = Draft(subject, now)
        ends = case.closed_there | ({news.round: news.at} if news.at is not None else {})
        if page is None:
            if not (news.who and _since_its_end(case, news)):  # not by a person: what we resolved by another key
                return refuse("unknown_page")
            draft.put(closed_there=ends)  # opened again between the two, of which we shall hear too late
            return draft.change()
        follow_up(draft, page, MessageKind.PAGE_RESOLVE, but=news.route)  # an incident there may ring on
        draft.put(pages=tuple(one for one in case.pages if one is not page), closed_there=ends)
        told = _where(news) | _listed(page)
        event = draft.record(EventKind.PAGE_RESOLVED, news.actor, told, sealed=_words(news))
        if case.state is State.PENDING and case.tier == news.tier:
            page_anew(draft)
        draft.update_cards()
        draft.note(event)
        return draft.change()

    return step


def page_anew(draft: Draft) -> None:
    """Nobody has the incident of the tier any more, and it is over: the tier is paged again in its time."""
    case, now = draft.case, draft.now
    if case.rung.repeat is not None:
        draft.put(acknowledged_by="", clocks=case.clocks if not case.acknowledged_by else tier_clocks(case, now))
        return
    wait_s, clock = (case.decide_s, ClockName.DECIDE) if case.rung.ack_s is None else (case.rung.ack_s, ClockName.ACKNOWLEDGE)
    draft.put(acknowledged_by="")
    draft.put_clocks(page=after(case.calendar(clock), now, wait_s), acknowledge=None)


def page_noted(news: PagerNews) -> PressStep:
    """A responder's note comes back into the case."""

    def step(subject: Subject, now: datetime) -> Change | Refused:
        draft = Draft(subject, now)
        draft.note(draft.record(EventKind.PAGE_NOTED, news.actor, _where(news), sealed=_words(news)))
        draft.update_cards()
        return draft.change()

    return step


def page_reassigned(news: PagerNews) -> PressStep:
    """PagerDuty asks somebody else now, by a person's doing or because nobody answered there in time."""

    def step(subject: Subject, now: datetime) -> Change | Refused:
        if not 0 < news.round <= subject.case.page_rounds:
            return refuse("unknown_page")
        draft = Draft(subject, now)
        fields: dict[str, Json] = {**_where(news), "how": news.how}
        event = draft.record(EventKind.PAGE_REASSIGNED, news.actor, fields, sealed={**_words(news), "to": list(news.to)})
        if news.rings and (_page(draft.case, news) or _must_be_open_again(draft, news)):
            _given_back(draft, news)
        draft.update_cards()
        draft.note(event)
        return draft.change()

    return step


def page_unacknowledged(news: PagerNews) -> PressStep:
    """Nobody has the incident any more: somebody has to take the case up again, in the time that the tier has for that. Where somebody took
    it here, the incident is acknowledged once more.
    """

    def step(subject: Subject, now: datetime) -> Change | Refused:
        draft = Draft(subject, now)
        page = _page(subject.case, news) or _must_be_open_again(draft, news)
        if page is None:
            return refuse("unknown_page")
        case = draft.case
        event = draft.record(EventKind.PAGE_UNACKNOWLEDGED, news.actor, _where(news), sealed=_words(news))
        if case.tier == news.tier and _taken_here(case):  # also while its service is asked: nobody has to come for that
            put_page(draft, _heard(page, news, acknowledged_by=case.acknowledged_by))
            follow_up(draft, page, MessageKind.PAGE_ACKNOWLEDGE)
            return draft.change()
        _given_back(draft, news)
        draft.update_cards()
        draft.note(event)
        return draft.change()

    return step


def page_reopened(news: PagerNews) -> PressStep:
    """Resolved there, and reopened: while the case is at that tier, the incident is its page again instead of a further one."""

    def step(subject: Subject, now: datetime) -> Change | Refused:
        case = subject.case
        if not 0 < news.round <= case.page_rounds or _is_late(case, news):
            return refuse("unknown_page")
        draft = Draft(subject, now)
        _given_back(draft, news)  # where it stands as open here, that it was resolved comes too late
        event = _reopened(draft, news, news.actor, wanted=_wanted(case, news))
        draft.update_cards()
        draft.note(event)
        return draft.change()

    return step


def _wanted(case: Case, news: PagerNews) -> bool:
    """Whether an incident that is open again is what the case waits by."""
    return case.state is State.PENDING and case.tier == news.tier and not case.pages


def _reopened(draft: Draft, news: PagerNews, by: Actor, *, wanted: bool) -> int:
    """Its incident was opened again; where that is `wanted` it is the page of the case. Gives the position of the event."""
    case, listed = draft.case, {"digest": news.digest} if news.digest else {}
    event = draft.record(EventKind.PAGE_REOPENED, by, {**_where(news), "wanted": wanted, **listed}, sealed=_words(news))
    if wanted:
        page = OpenPage(tier=news.tier, round=news.round, accepted=(news.route,), since=draft.now, heard_at=news.at, digest=news.digest)
        page = page.model_copy(update={"routes": () if news.digest else (news.route,)})
        ends = {number: at for number, at in case.closed_there.items() if number != news.round}
        draft.put(pages=(page,), closed_there=ends)
        if case.rung.repeat is None and case.clocks.page is not None:
            draft.put_clocks(page=None, acknowledge=tier_clocks(case, draft.now).acknowledge)
    return event


def _must_be_open_again(draft: Draft, news: PagerNews) -> OpenPage | None:
    """The page whose incident somebody resolved there, of which we hear what happened to it after that: it was opened again. None where
    that is not so, or nobody waits by it.
    """
    if not (_since_its_end(draft.case, news) and _wanted(draft.case, news)):
        return None
    _reopened(draft, replace(news, name="", text=""), PAGERDUTY, wanted=True)  # who did it is not known
    return _page(draft.case, news)


def _since_its_end(case: Case, news: PagerNews) -> bool:
    """Whether we know when somebody resolved its incident there, and these news happened later."""
    end = case.closed_there.get(news.round)
    return end is not None and news.at is not None and news.at > end


def _is_late(case: Case, news: PagerNews) -> bool:
    """Whether something that happened to its incident later is known."""
    heard = (page.heard_at for page in case.pages if (page.tier, page.round) == (news.tier, news.round))
    known = next(heard, case.closed_there.get(news.round))
    return known is not None and news.at is not None and news.at < known


def _given_back(draft: Draft, news: PagerNews) -> None:
    """Whoever acknowledged the page there has it no longer. Who took the case here still has it."""
    case, page = draft.case, _page(draft.case, news)
    if page is None:
        return
    put_page(draft, _heard(page, news, acknowledged_by=""))
    if page.acknowledged_by and case.state is State.PENDING and case.tier == news.tier and not _taken_here(case):
        fresh = tier_clocks(case, draft.now)
        draft.put(acknowledged_by="")
        draft.put_clocks(acknowledge=fresh.acknowledge, page=fresh.page)


def _taken_here(case: Case) -> bool:
    return bool(case.acknowledged_by) and not in_pagerduty(case.acknowledged_by)


def _page(case: Case, news: PagerNews) -> OpenPage | None:
    """The page that the news are of; None where it is over, or where what came before happened later."""
    page = next((page for page in case.pages if (page.tier, page.round) == (news.tier, news.round)), None)
    return None if _is_late(case, news) else page


def _heard(page: OpenPage, news: PagerNews, **changes: object) -> OpenPage:
    return page.model_copy(update={"heard_at": news.at or page.heard_at, **changes})


def _where(news: PagerNews) -> dict[str, Json]:
    return {"tier": news.tier + 1, "round": news.round}


def _listed(page: OpenPage) -> dict[str, Json]:
    """The digest whose incident it was, where the page had none of its own."""
    return {"digest": page.digest} if page.digest else {}


def _words(news: PagerNews) -> dict[str, Json]:
    return {key: value for key, value in {"name": news.name, "text": news.text}.items() if value}
