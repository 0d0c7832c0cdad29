"""What happens at PagerDuty and comes back: acknowledged, resolved or annotated there. PagerDuty never decides a case."""

from dataclasses import dataclass
from datetime import datetime

from routing.authorize import refuse
from routing.canonical import Json
from routing.change import Actor, Change, MessageKind, Refused, Subject
from routing.clock import after
from routing.review.draft import Draft
from routing.review.ladder import acknowledge, tier_clocks
from routing.review.pages import follow_up
from routing.review.press import PressStep
from routing.vocabulary import ClockName, EventKind, PageRoute, State


@dataclass(frozen=True, slots=True)
class PagerNews:
    """One event of an incident: its tier (0-based) and round from our dedup key, and who did it there (id; the name is content)."""

    tier: int
    round: int
    who: str
    name: str = ""
    text: str = ""


def page_acknowledged(news: PagerNews) -> PressStep:
    """Somebody acknowledged the incident: only the acknowledge clock stops."""

    def step(subject: Subject, now: datetime) -> Change | Refused:
        case = subject.case
        if not any((page.tier, page.round) == (news.tier, news.round) for page in case.pages):
            return refuse("unknown_page")
        draft = Draft(subject, now)
        actor = Actor("human", f"pagerduty:{news.who}")
        seen = {"acknowledged_by": actor.id, "next_at": None}
        pages = tuple(page.model_copy(update=seen) if (page.tier, page.round) == (news.tier, news.round) else page for page in case.pages)
        draft.put(pages=pages)
        event = draft.record(EventKind.PAGE_ACKNOWLEDGED, actor, _where(news), sealed=_words(news))
        if case.tier == news.tier:
            acknowledge(draft, actor, tell_pager=False)
        draft.update_cards()
        draft.note(event)
        return draft.change()

    return step


def page_resolved(news: PagerNews) -> PressStep:
    """Resolved there with the case open is a comment here: the case stays open and the next round pages."""

    def step(subject: Subject, now: datetime) -> Change | Refused:
        case = subject.case
        if not any((page.tier, page.round) == (news.tier, news.round) for page in case.pages):
            return refuse("unknown_page")
        draft = Draft(subject, now)
        [page] = [one for one in case.pages if (one.tier, one.round) == (news.tier, news.round)]
        if PageRoute.SECOND_KEY in page.routes:  # an incident there may ring on
            follow_up(draft, page, MessageKind.PAGE_RESOLVE)
        draft.put(pages=tuple(one for one in case.pages if one is not page))
        event = draft.record(EventKind.PAGE_RESOLVED, Actor("human", f"pagerduty:{news.who}"), _where(news), sealed=_words(news))
        if case.state is State.PENDING and case.tier == news.tier and case.rung.repeat is not None:
            draft.put(acknowledged_by="", clocks=case.clocks if not case.acknowledged_by else tier_clocks(case, now))
        elif case.state is State.PENDING and case.tier == news.tier:
            wait_s, clock = (case.decide_s, ClockName.DECIDE) if case.rung.ack_s is None else (case.rung.ack_s, ClockName.ACKNOWLEDGE)
            draft.put(acknowledged_by="")
            draft.put_clocks(page=after(case.calendar(clock), now, wait_s), acknowledge=None)
        draft.update_cards()
        draft.note(event)
        return draft.change()

    return step


def page_noted(news: PagerNews) -> PressStep:
    """A responder's note comes back into the case."""

    def step(subject: Subject, now: datetime) -> Change | Refused:
        draft = Draft(subject, now)
        draft.note(draft.record(EventKind.PAGE_NOTED, Actor("human", f"pagerduty:{news.who}"), _where(news), sealed=_words(news)))
        draft.update_cards()
        return draft.change()

    return step


def _where(news: PagerNews) -> dict[str, Json]:
    return {"tier": news.tier + 1, "round": news.round}


def _words(news: PagerNews) -> dict[str, Json]:
    return {key: value for key, value in {"name": news.name, "text": news.text}.items() if value}
