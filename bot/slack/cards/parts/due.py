"""The one line of a card that says until when, and what comes next if nobody acts; and who is on it. `clock_line` beside it tells all.

It says moments, never how much time is left: nobody redraws a card every minute, and what it says has to stay true.
"""

from datetime import datetime, timedelta

from bot.slack.cards.parts.clock_line import clock_lines, counted, ends, moment, rings_nobody, span, time_of_day
from bot.slack.cards.text.mentions import acted
from bot.slack.cards.view import View
from routing.review.outlook import if_taken, outlook

_TIME_ALONE = timedelta(hours=12)
"""How far off a time of day is understood without its day."""


def due_line(view: View) -> str:
    """Mrkdwn: `⏱ *Claim by 15:15* or PagerDuty pages Kim Lund, who is on call · *decide by 19:00* or it expires · nobody is on it yet`."""
    parts = [*_clocks(view), _whose(view)]
    return " · ".join(part for part in parts if part)


def _clocks(view: View) -> list[str]:
    case, decision = view.case, if_taken(view.case)
    ahead = outlook(case)
    if case.tied_to or decision is None or ahead[0].clock == "unseen":
        return [" ".join(clock_lines(view))]
    since, first, last = case.tier_since, ahead[0], ahead[-1]
    taking = last if first.clock == "page" and last.clock == "acknowledge" else first
    decide = f"ecide by {_by(decision.at, since)}"
    if taking.clock != "acknowledge":
        said = [f"⏱ *D{decide}*{counted(view, decision)} or {ends(view, decision)}"]
    elif ends(view, taking) == ends(view, decision):
        said = [
            f"⏱ *Claim by {_by(taking.at, since)}, d{decide}*{counted(view, taking) or counted(view, decision)} or {ends(view, decision)}"
        ]
    else:
        claim = f"⏱ *Claim by {_by(taking.at, since)}*{counted(view, taking)} or {ends(view, taking)}"
        said = [claim, f"*d{decide}*{counted(view, decision)} or {ends(view, decision)}"]
    if first.clock == "page":
        said.append(f"next page {_by(first.at, since)} unless somebody takes it")
    deadline = case.clocks.deadline
    if deadline is not None and "deadline" not in (decision.clock, last.clock):
        said.append(f"the service waits until {_by(deadline, since)}")
    return [*said, *rings_nobody(view)]


def _whose(view: View) -> str:
    """Who is on it, by name; nobody is rung by that."""
    case = view.case
    if case.claimed_by:
        return claimed(view)
    if case.acknowledged_by:
        return f"{acted(case.acknowledged_by, view)} acknowledged its page"
    return "nobody is on it yet"


def claimed(view: View) -> str:
    """Who has claimed the case, and when it is everybody's again. That moment moves with whatever they do, so a length of time is said."""
    case = view.case
    return f"*{acted(case.claimed_by, view)} is on it*, everybody's again after {span(case.route.claim_s)} idle"


def _by(at: datetime, since: datetime | None) -> str:
    """`15:15`, or with its day where that is not plain."""
    return time_of_day(at) if since is not None and timedelta(0) < at - since <= _TIME_ALONE else moment(at)
