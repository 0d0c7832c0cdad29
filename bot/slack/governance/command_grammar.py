"""Typed commands about more than one case, read into values: `/review pause refunds The model invents order numbers.` Owns their grammar;
judges nothing and asks nobody.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta

from bot.slack.typed import bare, id_typed, nearest, plainly, words_of
from routing.authority import GovernanceVerb
from routing.governance.drill_lifecycle import Order
from routing.governance.waiver_lifecycle import Wish
from routing.vocabulary import DrillKind, Verb

USAGE: dict[str, str] = {
    "pause": "/review pause WORKFLOW REASON",
    "review-all": "/review review-all WORKFLOW REASON",
    "freeze": "/review freeze WORKFLOW REASON",
    "resume": "/review resume WORKFLOW REASON",
    "quarantine": "/review quarantine CASE REASON, or /review quarantine workflow=NAME [model=NAME] [since=2h] REASON",
    "release": "/review release CASE REASON",
    "legal-hold": "/review legal-hold CASE REASON",
    "legal-release": "/review legal-release CASE REASON",
    "handover": "/review handover CASE @PERSON NOTE",
    "undo": "/review undo CASE",
    "acknowledge": "/review acknowledge ALERT",
    "away": "/review away until YYYY-MM-DD (to the end of that day in UTC), or until YYYY-MM-DDTHH:MMZ, or /review away 3d",
    "back": "/review back",
    "notify": "/review notify on, or /review notify off",
    "exception": "/review exception list, or request WORKFLOW waives=CODE,CODE days=30 [uses=50] [actions=TYPE] REASON, "
    "or approve ID, or end ID REASON",
    "incident": "/review incident [list], or /review incident show ID",
    "drill": "/review drill KIND WORKFLOW [tier=N] [cases=N], or /review drill list, or /review drill stop [ID]. "
    "KIND is nobody-available, volume-spike, downstream-failure, low-confidence or violation",
    "policy": "/review policy, or /review policy widen PERCENT REASON, or /review policy rollback REASON",
}
"""First word -> how the command is typed."""

LONGEST_WORD = 100

_BRAKES = {
    "pause": GovernanceVerb.PAUSE,
    "review-all": GovernanceVerb.REVIEW_ALL,
    "freeze": GovernanceVerb.FREEZE,
    "resume": GovernanceVerb.RESUME,
}
_OF_ONE_CASE = {
    "quarantine": Verb.QUARANTINE,
    "release": Verb.RESUME,
    "legal-hold": Verb.LEGAL_HOLD,
    "legal-release": Verb.RELEASE_LEGAL_HOLD,
    "handover": Verb.HAND_OVER,
}
_OF_BATCH = {"workflow", "model", "since"}
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Decision:
    """A verb on one subject."""

    verb: GovernanceVerb
    subject: str
    reason: str = ""
    wish: Wish | None = None
    figure: int = 0
    order: Order | None = None


@dataclass(frozen=True, slots=True)
class OneCase:
    """Do something to one case; `word` is its id or its task's. What is handed over begins its `reason` with to whom."""

    verb: Verb
    word: str
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Hold the open cases of a workflow, of one model ("" for any), received since then (None: however old)."""

    workflow: str
    model: str
    since: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Show something: `exceptions`, `policy`, `drills` or `incidents`; one incident or drill by its id, ""  for all."""

    what: str
    named: str = ""


@dataclass(frozen=True, slots=True)
class Unclear:
    """It could not be read; how it is typed, and which part of it was probably meant."""

    usage: str
    meant: str = ""


GovernanceCommand = Decision | OneCase | Batch | Listing | Unclear


def only_asks(command: GovernanceCommand | None) -> bool:
    """Whether nothing is changed by carrying it out."""
    return isinstance(command, Listing | Unclear | None)


def read_command(text: str, now: datetime) -> GovernanceCommand | None:
    """The command that somebody typed behind `/review`; None where the first word is none of these."""
    word, *rest = words_of(text, USAGE) or [""]
    if word not in USAGE:
        return None
    if any(len(one) > LONGEST_WORD for one in rest[:2]):  # no name and no id is: it would stand in the audit log for ever
        return Unclear(USAGE[word])
    found: GovernanceCommand | None = None
    if word in ("exception", "policy"):
        rest = [*map(plainly, rest[:1]), *map(id_typed, rest[1:2]), *rest[2:]]
    match word, rest:
        case (_, _) if word in _OWN:
            found = _OWN[word](rest, now)
        case ("quarantine", _) if _named(rest, _OF_BATCH)[0]:
            found = _batch(rest, now)
        case ("undo", [case]):
            found = OneCase(Verb.UNDO, case, "")
        case (_, [case, *why]) if word in _OF_ONE_CASE and why:
            found = OneCase(_OF_ONE_CASE[word], case, " ".join(why))
        case ("acknowledge", [alert]):
            found = Decision(GovernanceVerb.ACKNOWLEDGE_ALERT, id_typed(alert))
        case (_, [workflow, *why]) if word in _BRAKES and why and bare(workflow):
            found = Decision(_BRAKES[word], f"w_{bare(workflow)}", " ".join(why))
    return found or Unclear(USAGE[word], _meant(word, rest))


def _meant(word: str, rest: list[str]) -> str:
    """`exception approve x_… …` for `exception aprove x_…`; "" where nothing near is known."""
    second = _SECOND.get(word, ())
    if not rest or plainly(rest[0]) in second or not (near := nearest(plainly(rest[0]), second)):
        return ""
    return " ".join(["/review", word, near, *rest[1:]])


def _exception(words: list[str], _now: datetime) -> GovernanceCommand | None:
    match words:
        case [] | ["list"]:
            return Listing("exceptions")
        case ["request", workflow, *more]:
            return _request(workflow, more)
        case ["approve", waiver]:
            return Decision(GovernanceVerb.APPROVE_EXCEPTION, waiver)
        case ["end" | "decline", waiver, *why] if why:
            return Decision(GovernanceVerb.END_EXCEPTION, waiver, " ".join(why))
        case _:
            return None


def _policy(words: list[str], _now: datetime) -> GovernanceCommand | None:
    match words:
        case []:
            return Listing("policy")
        case ["widen", percent, *why] if why and percent.rstrip("%").isdecimal():
            return Decision(GovernanceVerb.WIDEN_POLICY, "", " ".join(why), figure=int(percent.rstrip("%")))
        case ["rollback", *why] if why:
            return Decision(GovernanceVerb.ROLL_BACK_POLICY, "", " ".join(why))
        case _:
            return None


def _drill(words: list[str], _now: datetime) -> GovernanceCommand | None:
    match [bare(word) for word in words]:
        case [] | ["list"]:
            return Listing("drills")
        case ["show", drill]:
            return Listing("drills", drill.lower())
        case ["stop"]:
            return Decision(GovernanceVerb.STOP_DRILL, "")
        case ["stop", drill]:
            return Decision(GovernanceVerb.STOP_DRILL, drill.lower())
        case [kind, workflow, *more] if (played := _KINDS.get(kind.lower().replace("_", "-"))) is not None:
            named, rest = _named(more, {"tier", "cases"})
            if rest or not all(map(_number, named.values())):
                return None
            tier, cases = (int(named[name]) if name in named else None for name in ("tier", "cases"))
            return Decision(GovernanceVerb.START_DRILL, f"w_{workflow}", order=Order(played, workflow, tier, cases))
        case _:
            return None


_KINDS = {kind.typed: kind for kind in DrillKind}


def _incident(words: list[str], _now: datetime) -> GovernanceCommand | None:
    match [bare(word).lower() for word in words]:
        case [] | ["list"]:
            return Listing("incidents")
        case ["show", incident]:
            return Listing("incidents", incident)
        case _:
            return None


def _batch(words: list[str], now: datetime) -> GovernanceCommand | None:
    named, why = _named(words, _OF_BATCH)
    since = _moment(named["since"], now) if "since" in named else None
    if not why or not named.get("workflow") or ("since" in named and since is None):
        return None
    return Batch(named["workflow"], named.get("model", ""), since, why)


def _request(workflow: str, words: list[str]) -> GovernanceCommand | None:
    named, why = _named(words, {"waives", "days", "uses", "actions"})
    days, uses = named.get("days", ""), named.get("uses", "1")
    if not why or "waives" not in named or not (_number(days) and _number(uses)):
        return None
    most = int(uses) if "uses" in named else None
    wish = Wish(_list(named["waives"]), timedelta(days=int(days)), _list(named.get("actions", "")), most)
    return Decision(GovernanceVerb.REQUEST_EXCEPTION, f"w_{workflow}", why, wish)


def _named(words: list[str], names: set[str]) -> tuple[dict[str, str], str]:
    """The `name=value` words in front, and the rest as the reason."""
    found: dict[str, str] = {}
    left = list(words)
    while left and (taken := _pair(left, names)) is not None:
        name, value, length = taken
        found[name] = bare(value)
        del left[:length]
    return found, " ".join(left)


def _pair(words: list[str], names: set[str]) -> tuple[str, str, int] | None:
    """The `name=value` in front, also with blanks around its sign, and of how many words it is."""
    match words:
        case [name, "=", value, *_]:
            length = 3
        case [name, value, *_] if name.endswith("=") != value.startswith("="):
            name, value, length = name.removesuffix("="), value.removeprefix("="), 2
        case [word, *_]:
            name, value, length = word.partition("=")[0], word.partition("=")[2], 1
        case _:
            return None
    return (plainly(name), value, length) if value and plainly(name) in names else None


def _list(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 7


def _away(words: list[str], now: datetime) -> GovernanceCommand | None:
    match words:
        case ["until" | "for", when] | [when] if (until := _return(bare(when), now)) is not None:
            return Decision(GovernanceVerb.AWAY, "", figure=int(until.timestamp()))
        case _:
            return None


def _notify(words: list[str], _now: datetime) -> GovernanceCommand | None:
    said = {"on": GovernanceVerb.NOTIFY, "off": GovernanceVerb.NOTIFY_OFF}
    return Decision(said[plainly(words[0])], "") if len(words) == 1 and plainly(words[0]) in said else None


def _back(words: list[str], _now: datetime) -> GovernanceCommand | None:
    return None if words else Decision(GovernanceVerb.BACK, "")


def _return(text: str, now: datetime) -> datetime | None:
    """`3d` from now, the end of a day, or a moment; UTC where it names no zone."""
    if (span := re.fullmatch(r"([0-9]{1,4})([mhd])", text, re.ASCII)) is not None:
        return now + int(span[1]) * _UNITS[span[2]]
    at = _moment(text, now)
    a_day = re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII) is not None
    return at + _UNITS["d"] if at is not None and a_day and at.year < MAXYEAR else at


def _moment(text: str, now: datetime) -> datetime | None:
    """`2h`, `30m`, `1d` ago, or an RFC 3339 moment; UTC where it names no zone."""
    if (span := re.fullmatch(r"([0-9]{1,4})([mhd])", text, re.ASCII)) is not None:
        return now - int(span[1]) * _UNITS[span[2]]
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


_SECOND: dict[str, tuple[str, ...]] = {
    "exception": ("list", "request", "approve", "end", "decline"),
    "policy": ("widen", "rollback"),
    "incident": ("list", "show"),
    "drill": ("list", "show", "stop", *_KINDS),
    "away": ("until", "for"),
    "notify": ("on", "off"),
}
"""First word -> those that may follow it."""

_OWN: dict[str, Callable[[list[str], datetime], GovernanceCommand | None]] = {
    "exception": _exception,
    "policy": _policy,
    "away": _away,
    "back": _back,
    "notify": _notify,
    "drill": _drill,
    "incident": _incident,
}
"""Commands with a grammar of their own."""
