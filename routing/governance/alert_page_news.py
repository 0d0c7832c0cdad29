"""What people at PagerDuty do with the page of an alert and what of it comes back: it is looked after, given back, handed on, closed there
or opened again.

PagerDuty never ends an alert: that is for its figure, or for whoever lets the workflow go on.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from routing.canonical import Json
from routing.change import SYSTEM, Actor, Event, Refused
from routing.governance.alert import Alert
from routing.governance.alert_lifecycle import alert_redrawn, drill_answered, page_acknowledged
from routing.governance.permissions import refuse
from routing.governance.ruling import Governed, GovernStep, Ruling
from routing.vocabulary import EventKind


@dataclass(frozen=True, slots=True)
class AlertNews:
    """One event of an alert's incident: its alert and round from our dedup key, and the id of who did it there, "" for PagerDuty itself;
    `rings`: nobody has it there at that moment; `at`, by PagerDuty's clock: what it tells may come in another order than it happened.
    """

    alert_id: str
    round: int
    who: str = ""
    rings: bool = False
    at: datetime | None = None

    @property
    def person(self) -> str:
        """As it stands in the log: `pagerduty:<id>`."""
        return f"pagerduty:{self.who}" if self.who else ""


def alert_acknowledged(news: AlertNews) -> GovernStep:
    """Somebody there looks after the alert, as if they had pressed Acknowledge here; its incident knows already."""

    def change(governed: Governed, alert: Alert, now: datetime) -> Ruling | Refused:
        if _taken_here(alert) or alert.acknowledged_by == news.person:
            return _unchanged(governed, alert)
        known = alert.model_copy(update={"acknowledged_by": news.person, "unpaged": ""})
        return _told(governed, known, EventKind.ALERT_ACKNOWLEDGED, news, now)

    return _of_its_page(news, change)


def alert_unacknowledged(news: AlertNews) -> GovernStep:
    """Who acknowledged its page there has it no longer. Who acknowledged the alert here still looks after it: then its incident is
    acknowledged once more, so that nobody is rung for it.
    """

    def change(governed: Governed, alert: Alert, now: datetime) -> Ruling | Refused:
        if _taken_here(alert):
            return Ruling(governed.governance.with_alert(alert), (), page_acknowledged(alert))
        return _given_back(governed, alert, EventKind.ALERT_UNACKNOWLEDGED, news, now)

    return _of_its_page(news, change)


def alert_reassigned(news: AlertNews) -> GovernStep:
    """PagerDuty asks somebody else now: whoever had it there has it no longer."""

    def change(governed: Governed, alert: Alert, now: datetime) -> Ruling | Refused:
        return _given_back(governed, alert, EventKind.ALERT_UNACKNOWLEDGED, news, now)

    return _of_its_page(news, change) if news.rings else lambda _governed, _now: refuse("not_acknowledged_there")


def alert_reopened(news: AlertNews) -> GovernStep:
    """Closed there, and opened again: the incident is its page once more, and ends with the alert."""

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        alert = _heard(governed, news)
        if isinstance(alert, Refused):
            return alert
        return _reopened(governed, alert, news, now)

    return step


def alert_resolved(news: AlertNews) -> GovernStep:
    """Its incident was closed there: nothing rings any more, the alert stays until its figure is back or the workflow goes on. Whoever
    closed it looks after the alert, unless somebody does here; closed by PagerDuty itself, nobody does.
    """

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        alert = _heard(governed, news)
        if isinstance(alert, Refused):
            return alert
        if not alert.page_open and not (news.who and _closed_there(governed, news)):  # closed by us, which PagerDuty tells too
            return refuse("alert_not_paged")
        by = {} if _taken_here(alert) else {"acknowledged_by": news.person}
        known = alert.model_copy(update={"page_open": False, "unpaged": "", **by})
        return _told(governed, known, EventKind.ALERT_PAGE_RESOLVED, news, now)

    return step


def _of_its_page(news: AlertNews, change: Callable[[Governed, Alert, datetime], Ruling | Refused]) -> GovernStep:
    """The step that makes this change where the news are of the incident that stands for the alert now. What happened to it after it was
    closed there says that it was opened again, of which we have not heard yet.
    """

    def step(governed: Governed, now: datetime) -> Ruling | Refused:
        alert = _heard(governed, news)
        if isinstance(alert, Refused):
            return alert
        if alert.page_open:
            return change(governed, alert, now)
        if not _closed_there(governed, news):
            return refuse("alert_not_paged")
        again = _reopened(governed, alert, replace(news, who=""), now)  # who did it is not known
        known = again.governance.alert(news.alert_id) or alert
        then = change(replace(governed, governance=again.governance), known, now)
        return again.then(then) if isinstance(then, Ruling) else then

    return step


def _heard(governed: Governed, news: AlertNews) -> Alert | Refused:
    """The alert as one that has heard these news, if they are of its latest incident and nothing that happened later is known."""
    alert = governed.governance.alert(news.alert_id)
    if alert is None or alert.over:
        return refuse("unknown_alert" if alert is None else "alert_over")
    if alert.page_round != news.round:
        return refuse("alert_not_paged")
    if news.at is not None and alert.heard_at is not None and news.at < alert.heard_at:
        return refuse("alert_news_late")
    return alert.model_copy(update={"heard_at": news.at or alert.heard_at})


def _closed_there(governed: Governed, news: AlertNews) -> bool:
    """Whether we know when its incident was closed there, and that these news happened later."""
    alert = governed.governance.alert(news.alert_id)
    return alert is not None and alert.heard_at is not None and news.at is not None and news.at > alert.heard_at


def _taken_here(alert: Alert) -> bool:
    return bool(alert.acknowledged_by) and not alert.acknowledged_there


def _reopened(governed: Governed, alert: Alert, news: AlertNews, now: datetime) -> Ruling:
    by = {} if _taken_here(alert) else {"acknowledged_by": ""}
    return _told(governed, alert.model_copy(update={"page_open": True, **by}), EventKind.ALERT_PAGE_REOPENED, news, now)


def _given_back(governed: Governed, alert: Alert, kind: EventKind, news: AlertNews, now: datetime) -> Ruling | Refused:
    if not alert.acknowledged_there:
        return _unchanged(governed, alert)
    return _told(governed, alert.model_copy(update={"acknowledged_by": ""}), kind, news, now)


def _unchanged(governed: Governed, alert: Alert) -> Ruling:
    """Nothing to tell, but how far we have heard."""
    return Ruling(governed.governance.with_alert(alert), ())


def _told(governed: Governed, known: Alert, kind: EventKind, news: AlertNews, now: datetime) -> Ruling:
    fields: dict[str, Json] = {"subject": known.id, "workflow": known.workflow, "rule": known.rule, "round": news.round}
    event = Event(kind, Actor("human", news.person) if news.who else SYSTEM, fields)
    over = drill_answered(governed, event, known, now) if known.acknowledged_by else None
    return over or Ruling(governed.governance.with_alert(known), (event,), alert_redrawn(governed.policy, known))
