"""The clock of a case in plain words: until when, and what happens by itself if nobody acts. Never computes a deadline.

Moments are `<!date^…>` tokens, so that each reader sees the own time zone, with an absolute UTC fallback
(https://docs.slack.dev/messaging/formatting-message-text#date-formatting).
"""

from datetime import UTC, datetime, timedelta

from bot.slack.cards.parts.brakes import held_words
from bot.slack.cards.text.safe_text import channel_name, escaped
from bot.slack.cards.view import View
from routing.case.case import Tier
from routing.vocabulary import ClockName, Exhausted, State

_SHORT = timedelta(hours=1)

_SAFE = {Exhausted.HOLD: "is held", Exhausted.QUARANTINE: "is quarantined", Exhausted.REJECT: "expires"}


def moment(at: datetime) -> str:
    """A moment as each reader's client shows it: `today at 16:00`; `2026-11-20 15:00 UTC` where it cannot."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} at {{time}}|{absolute(at)}>"


def until(at: datetime, since: datetime | None) -> str:
    """`within 15 min, by 21:08` for a clock of at most an hour that began at `since`; else `by today at 16:00`.

    A length of time stays true on a card that nobody redraws; what is left of it would not.
    """
    if since is None or not timedelta(0) < at - since <= _SHORT:
        return f"by {moment(at)}"
    return f"within {span((at - since).total_seconds())}, by <!date^{int(at.timestamp())}^{{time}}|{at.astimezone(UTC):%H:%M} UTC>"


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


def clock_lines(view: View) -> list[str]:
    """What the case waits for and what then happens, one sentence of mrkdwn each; nothing once it is decided."""
    match view.case.state:
        case State.PENDING:
            return _pending(view)
        case State.NEEDS_INFO:
            return _needs_info(view)
        case State.HELD:
            return _held(view)
        case State.DECIDED | State.CLOSED:
            return []


def _pending(view: View) -> list[str]:
    clocks = view.case.clocks
    if clocks.decide is None:
        return ["⏱ No decision clock runs.", *_ends(view)]
    since = view.case.tier_since
    decide = f"decide {until(clocks.decide, since)}"
    calendar = view.case.calendar(ClockName.DECIDE)
    hours = f" (opening hours of {escaped(calendar.timezone)})" if calendar is not None else ""
    if clocks.acknowledge is None:
        sentences = [f"⏱ *D{decide[1:]}*{hours}; otherwise {_climb(view)}."]
    elif _unacknowledged(view) == _climb(view):
        sentences = [f"⏱ *Claim {until(clocks.acknowledge, since)}, {decide}*{hours}; otherwise {_climb(view)}."]
    else:
        sentences = [f"⏱ *Claim {until(clocks.acknowledge, since)}*{hours}; otherwise {_unacknowledged(view)}."]
        sentences.append(f"*D{decide[1:]}*; otherwise {_climb(view)}.")
    if clocks.page is not None:
        sentences.append(f"The next page goes out {moment(clocks.page)} unless somebody takes it.")
    return [*sentences, *_ends(view)]


def _ends(view: View) -> list[str]:
    """What ends the case whatever else happens: the total where nothing else comes first, and the service's deadline."""
    return [*_total(view), *_deadline(view)]


def _total(view: View) -> list[str]:
    clocks = view.case.clocks
    others = (clocks.decide, clocks.information, clocks.deadline)
    if clocks.total is None or any(at is not None and at < clocks.total for at in others):
        return []
    safe = _SAFE[view.case.route.exhausted]
    return [f"Not decided by {moment(clocks.total)}, it {safe} whatever tier it is at: nothing is executed."]


def _deadline(view: View) -> list[str]:
    at = view.case.clocks.deadline
    return [f"The service needs an answer by {moment(at)}; after that the case expires and nothing is executed."] if at is not None else []


def _climb(view: View) -> str:
    case = view.case
    above = case.tier + 1
    if above < len(case.route.tiers):
        tier = case.route.tiers[above]
        return f"it goes to {place(above, tier)}{' with a page' if tier.page is not None else ''}"
    match case.route.exhausted:
        case Exhausted.HOLD:
            return "it is held, because this is the top tier: nothing is executed until somebody decides"
        case Exhausted.QUARANTINE:
            return "it is quarantined, because this is the top tier: nothing is executed until somebody decides"
        case Exhausted.REJECT:
            return "it expires, because this is the top tier: nothing is executed"


def _unacknowledged(view: View) -> str:
    case = view.case
    if case.rung.page is not None and not any(page.tier == case.tier for page in case.pages):
        return f"PagerDuty pages {_on_call(view)}"
    return _climb(view)


def _on_call(view: View) -> str:
    name = view.on_call.get(view.case.tier, "")
    return f"{escaped(name)}, who is on call" if name else "whoever is on call for this tier"


def _needs_info(view: View) -> list[str]:
    clocks = view.case.clocks
    sentences = ["*Waiting for the service.* The decision clock pauses" + _left(clocks.left_s) + "."]
    if clocks.information is not None:
        sentences.append(f"It has until {moment(clocks.information)} to answer; after that people decide with what there is.")
    return [*sentences, *_ends(view)]


def _left(left_s: float | None) -> str:
    return f", {span(left_s)} are left on it" if left_s is not None else ""


def _held(view: View) -> list[str]:
    sentences = [held_words(view)]
    if view.case.clocks.hold is not None and view.case.held_by != "frozen":
        sentences.append(f"People are asked again {moment(view.case.clocks.hold)}.")
    return [*sentences, *_ends(view)]
