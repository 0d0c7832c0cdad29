"""The postmortem of an incident: what happened, under which policy and models, what led to it, who owns it and until when. Owns the
message in the operations channel and those in its thread; shows codes and figures of the log, no content.
"""

from collections.abc import Iterator, Mapping, Sequence

from bot.slack.cards.parts.clock_line import moment
from bot.slack.cards.text.block_kit import Block, Drawing, bullets, header, lines, quote, rich, run, small_words, words
from bot.slack.cards.text.mentions import mention
from bot.slack.cards.text.safe_text import brief, escaped, line, own_id
from bot.slack.cards.text.wording import code_label
from bot.slack.cards.view import Bulletin
from routing.authority import IncidentKind
from routing.governance.incident import Entry, Incident
from routing.governance.incident_lifecycle import CLOSED, ROOT, TIMELINE

KIND = {
    IncidentKind.ALERT: "an alert",
    IncidentKind.STOP: "a stopped line",
    IncidentKind.EXHAUSTED: "nobody decided",
    IncidentKind.BREAK_GLASS: "break-glass that was wrong",
    IncidentKind.FOUND_WRONG: "an approval that was wrong",
}
LISTED = 10
"""Cases or alerts that are named in the message; the command line shows all that are kept."""
SHOWN = 25
"""Events of a timeline in one message; the command line shows all."""

IN_A_LIST = 15
"""Incidents in one answer."""

_TOLD = (
    "rule",
    "level",
    "before",
    "after",
    "verdict",
    "clock",
    "tier",
    "reason",
    "reason_code",
    "result",
    "outcome",
    "percent",
    "round",
    "route",
)
"""Fields of events that are words and figures of our own."""


def draw_incident(bulletin: Bulletin, incident: Incident) -> Drawing:
    """The message of `bulletin.tier`: the postmortem itself, or one in its thread."""
    match bulletin.tier:
        case tier if tier == ROOT:
            return _root(bulletin, incident)
        case tier if tier == TIMELINE:
            return _timeline(bulletin, incident)
        case tier if tier == CLOSED:
            return _closed(bulletin, incident)
        case _:
            return _reminder(incident)


def draw_incidents(incidents: Sequence[Incident]) -> Drawing:
    """`/review incident list`: open ones first, by when they are due, then those that were closed last."""
    waiting = sorted((one for one in incidents if not one.over), key=lambda one: one.due)
    found = [*waiting, *(one for one in reversed(incidents) if one.over)]
    text = f"{len(waiting):,} postmortem{'s' if len(waiting) != 1 else ''} not closed." if found else "There was no incident."
    rows = [words(f"{_line(one)}\n{escaped(one.why, 300)}") for one in found[:IN_A_LIST]]
    more = [small_words(f"… and {len(found) - IN_A_LIST:,} more: `tierline incident list`")] if len(found) > IN_A_LIST else []
    return Drawing(text, [words(text), *rows, *more, small_words("`/review incident show ID` has the timeline of one.")])


def _line(incident: Incident) -> str:
    stands = f"✅ closed {moment(incident.closed_at)}" if incident.closed_at is not None else f"📋 *due {moment(incident.due)}*"
    return f"{stands}  `{incident.id}`  {KIND[incident.kind]}, workflow {escaped(incident.workflow, 80)}"


def _root(bulletin: Bulletin, incident: Incident) -> Drawing:
    sign = "✅ Closed" if incident.over else "📋 Postmortem"
    title = f"{sign}: {KIND[incident.kind]}, workflow {incident.workflow}"
    models = ", ".join(escaped(one, 120) for one in incident.models) or "none is known"
    owner = f"*Owner:* {mention(incident.owner)}" if not incident.over else f"Owner {escaped(bulletin.known_as(incident.owner), 80)}"
    blocks: list[Block] = [
        header(brief(title, 140)),
        rich(quote(brief(incident.why, 600) or "–")),  # a dash
        words(f"`{incident.id}`, about {own_id(incident.about)}, {moment(incident.at)}."),
        *([words(_again(incident))] if incident.more else []),
        words(f"*Policy:* {escaped(incident.policy_version, 80)} ({incident.policy_sha256[:12]})   *Models:* {models}"),
        words(f"{owner}   *Due:* {moment(incident.due)}"),
        *_end(bulletin, incident),
    ]
    return Drawing(escaped(f"{title}. {incident.why}", 400), blocks)


def _again(incident: Incident) -> str:
    """How often the same happened since, and in which cases or alerts."""
    named = ", ".join(own_id(one) for one in incident.others[: -LISTED - 1 : -1])
    unnamed = len(incident.others) - LISTED
    more = f" and {unnamed:,} earlier" if unnamed > 0 else ""
    times = "once more" if incident.more == 1 else f"{incident.more:,} more times"
    return f"*It happened {times} since*{f', newest first: {named}{more}' if named else ''}."


def _end(bulletin: Bulletin, incident: Incident) -> list[Block]:
    if not incident.over or incident.closed_at is None:
        how = f"tierline incident close {incident.id} --cause … --remediation … --example NAME"
        asked = "*Cause:* not written yet\n*Remediation:* not written yet"
        gone = "Where the policy has its workflow no more, `--example` is left out."
        return [words(asked), small_words(f"It is closed with a new example case in the policy: `{how}`. {gone}")]
    by = escaped(bulletin.known_as(incident.closed_by), 80)
    return [
        *_written(incident),
        small_words(f"Closed by {by} {moment(incident.closed_at)} {_lesson(incident)}."),
    ]


def _written(incident: Incident) -> list[Block]:
    said = (("Cause", incident.cause), ("Remediation", incident.remediation))
    return [rich(lines(run(name, "bold"), run(f": {brief(text, 1_000)}"))) for name, text in said]


def _timeline(bulletin: Bulletin, incident: Incident) -> Drawing:
    entries = bulletin.timeline[-SHOWN:]
    earlier = len(bulletin.timeline) - len(entries)
    title = "What led to it, from the audit log"
    blocks: list[Block] = [rich(lines(run(title, "bold")))]
    if entries:
        blocks.append(rich(bullets([entry_words(one, bulletin.names, besides=incident.about) for one in entries])))
    more = f"{earlier:,} earlier ones and who was told when: " if earlier else "Who was told when: "
    return Drawing(title, [*blocks, small_words(f"{more}`tierline incident show {incident.id}`")])


def _closed(bulletin: Bulletin, incident: Incident) -> Drawing:
    title = f"Closed by {escaped(bulletin.known_as(incident.closed_by), 80)}"
    return Drawing(title, [words(f"✅ *{title}*, {_lesson(incident)}."), *_written(incident)])


def _lesson(incident: Incident) -> str:
    """With which example it was closed."""
    if incident.example:
        return f"with the example `{escaped(incident.example, 80)}`"
    return "without an example: the policy had its workflow no more"


def _reminder(incident: Incident) -> Drawing:
    if incident.over:
        return Drawing("This postmortem was due. It is closed by now.", [words("This postmortem was due. It is closed by now.")])
    text = f"🔔 {mention(incident.owner)} This postmortem was due {moment(incident.due)} and is not closed."
    return Drawing(text, [words(text)])


def entry_words(entry: Entry, names: Mapping[str, str], *, besides: str = "") -> str:
    """One event in a line of plain text: when, what, by whom, about what, and the figures it tells. `besides`: what all of them are about,
    which is not said again.
    """
    facts = ", ".join(_facts(entry.fields))
    by = "" if entry.actor.kind == "system" else f" by {line(names.get(entry.actor.id) or entry.actor.id)}"
    about = "" if entry.about == besides else f" ({line(entry.about)})"
    return brief(f"{entry.at:%Y-%m-%d %H:%M:%S} UTC  {code_label(entry.kind)}{by}{about}{f': {facts}' if facts else ''}", 300)


def _facts(fields: Mapping[str, object]) -> Iterator[str]:
    for name in _TOLD:
        value = fields.get(name)
        if isinstance(value, str | int | float) and value != "":
            yield f"{name} {line(str(value))}".replace("_", " ")
