"""A drill in the operations channel: that it runs, and its report in the thread once it is over. Owns these messages; what there is to
report is put together elsewhere.
"""

from bot.slack.cards.parts.clock_line import moment, span
from bot.slack.cards.parts.drill import NOTHING, TRIES
from bot.slack.cards.text.block_kit import Block, Drawing, bullets, header, lines, rich, run, small_words, words
from bot.slack.cards.text.safe_text import brief, escaped
from bot.slack.cards.view import Bulletin
from routing.governance.drill import Drill
from routing.governance.drill_end import ROOT
from routing.governance.drill_report import SHOWN, Contact, DrillReport, Hop, named, where
from routing.vocabulary import DrillKind

MOST = 25
"""Hops in one message; the command line shows all."""

ANSWERS = "Whoever is asked answers as always."

OUTCOME = {
    "": "🧪 Drill runs",
    "answered": "✅ Drill over, answered",
    "unanswered": "⌛ Drill over, not answered",
    "stopped": "⏹ Drill stopped",
    "not_asked": "⚠️ Drill over, the policy asks nobody",
}


def draw_drill(bulletin: Bulletin, drill: Drill) -> Drawing:
    """The message of `bulletin.tier`: the drill itself, or its report in the thread."""
    return _root(bulletin, drill) if bulletin.tier == ROOT else _report(bulletin, drill)


def title_of(drill: Drill) -> str:
    """`✅ Drill over, answered: nobody-available, workflow refunds`."""
    lead = "⏹ Drill is being stopped" if drill.stopped_by and not drill.over else OUTCOME[drill.outcome]
    return f"{lead}: {drill.kind.typed}, workflow {drill.workflow}"


def draw_drills(drills: tuple[Drill, ...], waits: str) -> Drawing:
    """`/review drill list`, newest first; `waits`: why none begins by itself now."""
    newest = list(reversed(drills))[:10]
    text = f"{len(drills):,} drill{'s' if len(drills) != 1 else ''} remembered." if drills else "There was no drill yet."
    rows = [words(f"{escaped(title_of(one))}\n`{one.id}` {moment(one.at)}") for one in newest]
    said = [small_words(f"None begins by itself now: {escaped(waits)}")] if waits else []
    return Drawing(text, [words(text), *rows, *said, small_words("`/review drill show ID` has the report of one.")])


def draw_report(bulletin: Bulletin, drill: Drill) -> Drawing:
    """`/review drill show ID`: the drill and its report in one."""
    root, told = _root(bulletin, drill), _report(bulletin, drill)
    return Drawing(root.text, [*root.blocks, *told.blocks])


def _root(bulletin: Bulletin, drill: Drill) -> Drawing:
    by = "by itself, as the policy has it" if drill.schedule else f"by {escaped(bulletin.known_as(drill.by), 80)}"
    ends = f", over {moment(drill.ended_at)}" if drill.ended_at is not None else ""
    blocks: list[Block] = [
        header(brief(title_of(drill), 140)),
        words(" ".join(part for part in (f"It shows {TRIES[drill.kind]}.", _ringing(drill), NOTHING, ANSWERS) if part)),
        small_words(f"`{drill.id}`, begun {moment(drill.at)} {by}{ends}."),
    ]
    if not drill.over and not drill.stopped_by:
        blocks.append(small_words(f"`/review drill stop {drill.id}` stops it."))
    return Drawing(escaped(title_of(drill), 300), blocks)


def _ringing(drill: Drill) -> str:
    """How many phones may ring for many cases at once."""
    if drill.kind is not DrillKind.VOLUME_SPIKE:
        return ""
    if not drill.ring:
        return "Each of its pages rings by itself, as the policy has no `storm` under `pages`."
    one = "One of its pages rings" if drill.ring == 1 else f"{drill.ring:,} of its pages ring"
    return f"{one} for a desk by itself, further ones are listed in one."


def _report(bulletin: Bulletin, drill: Drill) -> Drawing:
    told = bulletin.report or DrillReport(drill, (), ())
    title = f"Report: {told.answered:,} of {told.asked:,} answered"
    blocks: list[Block] = [rich(lines(run(title, "bold")))]
    if told.hops:
        blocks.append(rich(bullets([_hop(bulletin, drill, hop) for hop in told.hops[:MOST]])))
    if drill.kind is DrillKind.LOW_CONFIDENCE and told.reasons:
        blocks.append(words("*By the policy:* " + " ".join(escaped(one, 300) for one in told.reasons[:5])))
    failed = "\n".join(f"• {escaped(one, 300)}" for one in told.failed[:10])
    blocks.append(words(f"*What failed*\n{failed}" if failed else "*What failed:* nothing was found."))
    if told.contacts:
        blocks.append(words("*Last answered*\n" + "\n".join(_contact(bulletin, one) for one in told.contacts[:20])))
    more = f"{len(told.hops) - MOST:,} more steps: " if len(told.hops) > MOST else "All of it: "
    return Drawing(f"{title}. {len(told.failed):,} failed.", [*blocks, small_words(f"{more}`tierline drill show {drill.id}`")])


def _hop(bulletin: Bulletin, drill: Drill, hop: Hop) -> str:
    place = "the alarm" if hop.case == drill.alert else where(hop.tier, hop.channel)
    by = f" by {named(bulletin.known_as(hop.by))}" if hop.by else ""
    after = f" after {span(hop.seconds)}" if hop.seconds is not None else ""
    return brief(f"{place}: {SHOWN[hop.end]}{by}{after}", 200)


def _contact(bulletin: Bulletin, one: Contact) -> str:
    place = f"{escaped(one.ladder, 80)}, tier {one.tier + 1}" if one.ladder else "alarms"
    if one.at is None:
        return f"• {place}: *never*"
    return f"• {place}: {moment(one.at)} by {escaped(named(bulletin.known_as(one.by)), 80)}"
