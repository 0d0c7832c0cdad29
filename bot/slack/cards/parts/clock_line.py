"""The clock of a case in plain words: until when, and what happens by itself if nobody acts, as `routing.review.outlook` has it. Never
computes a deadline.

Moments are `<!date^…>` tokens, so that each reader sees the own time zone, with an absolute UTC fallback
(https://docs.slack.dev/messaging/formatting-message-text#date-formatting).
"""

from datetime import UTC, datetime, timedelta

from bot.slack.cards.parts.brakes import held_words
from bot.slack.cards.text.safe_text import channel_name, escaped
from bot.slack.cards.view import View
from routing.case.case import Tier
from routing.clock import Calendar
from routing.review.outlook import Running, Upcoming, goes_to, if_taken, outlook, upcoming
from routing.vocabulary import ClockName, Consequence, State

_SHORT = timedelta(hours=1)

THEN = {
    Consequence.PAGED: "its tier is paged",
    Consequence.ESCALATED: "it goes to the next tier",
    Consequence.HELD: "it is held",
    Consequence.QUARANTINED: "it is quarantined",
    Consequence.EXPIRED: "it expires",
    Consequence.REVIEWED: "people decide with what there is",
    Consequence.DECIDED: "the policy decides it by itself",
    Consequence.ASKED_AGAIN: "people are asked again",
}
"""What happens if nobody acts, where there is room for a few words only."""


def moment(at: datetime) -> str:
    """A moment as each reader's client shows it: `today at 16:00`; `2026-11-20 15:00 UTC` where it cannot."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} at {{time}}|{absolute(at)}>"


def until(at: datetime, since: datetime | None) -> str:
    """`within 15 min, by 21:08` for a clock of at most an hour that began at `since`; else `by today at 16:00`.

    A length of time stays true on a card that nobody redraws; what is left of it would not.
    """
    if since is None or not timedelta(0) < at - since <= _SHORT:
        return f"by {moment(at)}"
    return f"within {span((at - since).total_seconds())}, by {time_of_day(at)}"


def time_of_day(at: datetime) -> str:
    """`16:00` in the reader's time zone; `16:00 UTC` where a client cannot."""
    return f"<!date^{int(at.timestamp())}^{{time}}|{at.astimezone(UTC):%H:%M} UTC>"


def to_the_second(at: datetime) -> str:
    """`16:00:05` in the reader's time zone; `16:00:05 UTC` where a client cannot."""
    return f"<!date^{int(at.timestamp())}^{{time_secs}}|{at.astimezone(UTC):%H:%M:%S} UTC>"


def absolute(at: datetime) -> str:
    """`2026-11-20 15:00 UTC`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def age(at: datetime, now: datetime) -> str:
    """How old something is, in one coarse figure: `3 days old`. A moment in the future says so instead."""
    seconds = (now - at).total_seconds()
    if seconds < -60:
        return "dated in the future"
    for unit, size in (("year", 31_536_000), ("month", 2_592_000), ("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count:,} {unit}{'s' if count != 1 else ''} old"
    return "new"


def span(seconds: float) -> str:
    """A length of time in at most two figures: `1 h 30 min`, `45 s`."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    sizes = (("d", 86_400), ("h", 3_600), ("min", 60))
    figures = [(whole % previous // size, unit) for previous, (unit, size) in zip((10**12, 86_400, 3_600), sizes, strict=True)]
    return " ".join([f"{count:,} {unit}" for count, unit in figures if count][:2])


def place(number: int, tier: Tier) -> str:
    """`tier 2 (#review-tier2)`; `number` counts from 0."""
    return f"tier {number + 1} ({escaped(channel_name(tier.channel))})"


def due_words(first: Upcoming | None) -> str:
    """Mrkdwn: `due today at 16:00, else it goes to the next tier`; that no clock runs where nothing ever happens by itself."""
    if first is None:
        return "no clock runs"
    if first.clock == "unseen":
        return f"{THEN[first.consequence].removeprefix('it ')} {moment(first.at)} unless its channel takes its card"
    if first.clock == "closed":
        return f"goes to the tier for closed hours {moment(first.at)}"
    return f"due {moment(first.at)}, else {THEN[first.consequence]}"


def clock_lines(view: View) -> list[str]:
    """What the case waits for and what then happens, one sentence of mrkdwn each; nothing once it is decided."""
    match view.case.state:
        case State.PENDING:
            return _tied(view) if view.case.tied_to else _pending(view)
        case State.NEEDS_INFO:
            return _needs_info(view)
        case State.HELD:
            return _held(view)
        case State.DECIDED | State.CLOSED:
            return []


def _pending(view: View) -> list[str]:
    """Until when somebody has to take it, where that comes first, and until when it has to be decided."""
    ahead, decision = outlook(view.case), if_taken(view.case)
    if decision is None:
        return ["⏱ No decision clock runs."]
    since, first, last = view.case.tier_since, ahead[0], ahead[-1]
    if first.clock == "unseen":
        channel = escaped(channel_name(view.case.rung.channel))
        goes = f"it goes to the next tier whose channel does {until(first.at, since)}, unless {channel} takes it before"
        return [f"⏱ *{channel} does not show its card*: {goes}.", *_deadline(view)]
    decide = f"decide {until(decision.at, since)}"
    taking = last if first.clock == "page" and last.clock == "acknowledge" else first
    claim = f"Claim {until(taking.at, since)}"
    if taking.clock == "acknowledge" and ends(view, taking) == ends(view, decision):
        sentences = [f"⏱ *{claim}, {decide}*{counted(view, taking) or counted(view, decision)}; otherwise {ends(view, decision)}."]
    elif taking.clock == "acknowledge":
        sentences = [f"⏱ *{claim}*{counted(view, taking)}; otherwise {ends(view, taking)}{_still_not(view, taking, last)}."]
        sentences.append(f"*D{decide[1:]}*{counted(view, decision)}; otherwise {ends(view, decision)}.")
    else:
        sentences = [f"⏱ *D{decide[1:]}*{counted(view, decision)}; otherwise {ends(view, decision)}."]
    if first.clock == "page":
        at = f"at {time_of_day(first.at)}" if since is not None and first.at - since <= _SHORT else moment(first.at)
        sentences.append(f"The next page goes out {at} unless somebody takes it.")
    sentences += rings_nobody(view)
    return [*sentences, *([] if "deadline" in (decision.clock, last.clock) else _deadline(view))]


def rings_nobody(view: View) -> list[str]:
    """That a page is out where PagerDuty has nobody to ring, as long as nobody has taken the case."""
    case = view.case
    paged = any(page.tier == case.tier for page in case.pages) and not case.acknowledged_by
    alone = paged and view.on_call.get(case.tier) == ""
    return ["⚠️ *Nobody is on call for this tier (PagerDuty): its page may ring nobody.*"] if alone else []


def _still_not(view: View, taking: Upcoming, last: Upcoming) -> str:
    """What follows the page that comes when nobody takes it, where that is not answered either before any other clock runs out."""
    if taking is last or last.clock != "acknowledge":
        return ""
    return f", and if nobody has taken it by {moment(last.at)}, {ends(view, last)}"


def _with(tier: Tier) -> str:
    """How the tier hears of it besides its card."""
    return ", which is paged" if tier.page is not None else ", which gets an e-mail" if tier.email else ""


_NAMES: dict[Running, ClockName] = {
    "acknowledge": ClockName.ACKNOWLEDGE,
    "decide": ClockName.DECIDE,
    "total": ClockName.TOTAL,
    "information": ClockName.INFORMATION,
    "hold": ClockName.HOLD,
}


def counted(view: View, move: Upcoming) -> str:
    """` (business hours Berlin; paused 2 h)`: in whose hours a clock counts, and how long it has stood still so far; "" where it counts day
    and night and never stood still.
    """
    case = view.case
    calendar = case.rung.calendar if move.clock == "closed" else case.calendar(_NAMES[move.clock]) if move.clock in _NAMES else None
    paused_s = case.clocks.paused_s if move.clock == "decide" else 0
    told = [*([business_hours(calendar)] if calendar is not None else []), *([f"paused {span(paused_s)}"] if paused_s >= 1 else [])]
    return f" ({'; '.join(told)})" if told else ""


def business_hours(calendar: Calendar) -> str:
    """Mrkdwn: `business hours New York`."""
    place_name = calendar.timezone if calendar.timezone.startswith("Etc/") else calendar.timezone.rpartition("/")[2]
    return f"business hours {escaped(place_name.replace('_', ' '))}"


def ends(view: View, move: Upcoming) -> str:
    """What a clock comes to, and why it does."""
    case = view.case
    match move.consequence:
        case Consequence.PAGED:
            return f"PagerDuty pages {_on_call(view)}" if case.rung.page is not None else "its tier is written to by e-mail"
        case Consequence.ESCALATED:
            above = goes_to(case, move)
            tier, why = case.route.tiers[above], _why_there(case.tier, above, move)
            return f"it goes to {place(above, tier)}{_with(tier)}{why}"
        case Consequence.HELD | Consequence.QUARANTINED:
            return f"{THEN[move.consequence]}{_whatever(move)}: nothing is executed until somebody decides"
        case Consequence.EXPIRED if move.clock == "deadline":
            return "it expires, because the service needs an answer by then: nothing is executed"
        case Consequence.EXPIRED:
            return f"it expires{_whatever(move)}: nothing is executed"
        case _:
            return THEN[move.consequence]


def _why_there(tier: int, above: int, move: Upcoming) -> str:
    """Why a case goes past a tier."""
    if move.clock == "closed":
        return f", because tier {tier + 1} closes then"
    return f", because tier {tier + 2} is closed then" if above > tier + 1 else ""


def _whatever(move: Upcoming) -> str:
    return " whatever tier it is at" if move.clock == "total" else ", because this is the top tier"


def _last_word(view: View) -> list[str]:
    """What ends the case although nobody can decide it now: the total where nothing comes before it, and the service's deadline."""
    first = upcoming(view.case)
    total = (
        [f"Not decided by {moment(first.at)}{counted(view, first)}, {ends(view, first)}."]
        if first is not None and first.clock == "total"
        else []
    )
    return [*total, *_deadline(view)]


def _deadline(view: View) -> list[str]:
    at = view.case.clocks.deadline
    return [f"The service needs an answer by {moment(at)}; after that the case expires and nothing is executed."] if at is not None else []


def _tied(view: View) -> list[str]:
    """A case that is decided with another has no clock of people's."""
    return ["⏱ Nobody is asked about this one by itself.", *_last_word(view)]


def _on_call(view: View) -> str:
    name = view.on_call.get(view.case.tier, "")
    if not name and view.case.tier in view.on_call:
        return "although nobody is on call for this tier at present"
    return f"{escaped(name)}, who is on call" if name else "whoever is on call for this tier"


def _needs_info(view: View) -> list[str]:
    case, first = view.case, upcoming(view.case)
    pauses = _paused(view) if case.tier_since is not None else "Nobody has been asked yet."
    sentences = [f"*Waiting for the service.* {pauses}"]
    if first is not None and first.clock == "information":
        sentences.append(f"It has until {moment(first.at)}{counted(view, first)} to answer; after that {THEN[first.consequence]}.")
    return [*sentences, *_last_word(view)]


def _paused(view: View) -> str:
    """Since when the decision clock pauses, what is left on it, and how long it has paused before."""
    clocks, calendar = view.case.clocks, view.case.calendar(ClockName.DECIDE)
    if clocks.left_s is None:
        return "The decision clock pauses."
    since = f" is paused since {moment(clocks.paused_at)}" if clocks.paused_at is not None else " pauses"
    hours = f" ({business_hours(calendar)})" if calendar is not None else ""
    before = f"; it was paused {span(clocks.paused_s)} before" if clocks.paused_s >= 1 else ""
    return f"The decision clock{since}, {span(clocks.left_s)}{hours} are left on it{before}."


def _held(view: View) -> list[str]:
    first = upcoming(view.case)
    sentences = [held_words(view)]
    if first is not None and first.clock == "hold":
        sentences.append(f"People are asked again {moment(first.at)}{counted(view, first)}.")
    return [*sentences, *_last_word(view)]
