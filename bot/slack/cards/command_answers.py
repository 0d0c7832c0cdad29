"""Answers to `/review`, seen by the asker only: status, next, mine, one case, help. Never counts anything."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.slack.cards.bulletins.board import take_buttons
from bot.slack.cards.decided import verdict_words, what_became_of_it
from bot.slack.cards.parts.child_cases import execution_label, lead, question
from bot.slack.cards.parts.clock_line import clock_lines, due_words, moment
from bot.slack.cards.parts.near_duplicates import near_duplicate_blocks
from bot.slack.cards.parts.proposed_action import execution, headline, worst_lead
from bot.slack.cards.parts.provenance import footer
from bot.slack.cards.parts.steps import people, steps
from bot.slack.cards.text.block_kit import Block, Drawing, button_row, header, lines, rich, run, small, small_words, words
from bot.slack.cards.text.mentions import linked, mention
from bot.slack.cards.text.safe_text import Cuts, brief, channel_name, escaped, own_id
from bot.slack.cards.text.wording import RISK
from bot.slack.cards.view import View
from routing.review.outlook import Upcoming
from routing.vocabulary import CaseKind, Risk, State

_STATE = {
    State.PENDING: "waits for people",
    State.NEEDS_INFO: "waits for the service",
    State.HELD: "held",
    State.DECIDED: "decided",
    State.CLOSED: "closed",
}
_LISTED_MOST = 20

COMMANDS = (
    ("status", "how many cases wait in each channel, how many are late"),
    ("next", "the case to take next"),
    ("mine", "what you have claimed"),
    ("batch", "several cases alike, decided together; also `batch WORKFLOW`"),
    ("case ID", "one case: where it stands and what happens next"),
    ("pause WORKFLOW REASON", "no approval leaves until it is resumed; also `review-all`, `freeze`"),
    ("resume WORKFLOW REASON", "let it go on"),
    ("quarantine CASE REASON", "hold a case; or many: `workflow=NAME model=NAME since=2h`"),
    ("release CASE REASON", "let a held case go on"),
    ("exception list", "exceptions to the policy; also `request`, `approve`, `end`"),
    ("policy", "which policy is in force, proposed or on stage; also `policy widen PERCENT REASON`, `policy rollback REASON`"),
    ("break-glass CASE REASON", "decide alone, outside the normal path, if the policy lets you; without more: who did lately"),
    ("acknowledge ALERT", "look after an alert"),
    ("incident list", "postmortems; also `incident show ID`"),
    ("drill KIND WORKFLOW", "try out who can be reached: `nobody-available`, `volume-spike` …; also `drill list`, `show ID`, `stop`"),
    ("away until DATE", "name and ring my backup instead of me; `back` when I am back sooner"),
    ("notify off", "no direct messages about what I owe; `notify on` again"),
    ("help", "this list; `help TOPIC` with examples"),
)


COMING = "its card is still to come; where a board stands in its channel, *Take next* brings it"
"""Of a case whose card stands nowhere yet."""


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """One channel's queue, of whatever ladders have a tier there.

    How many cases wait, how many of them nobody has taken, how many are late, and what happens first if nobody acts.
    """

    channel: str
    waiting: int
    unclaimed: int = 0
    late: int = 0
    next: Upcoming | None = None


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case in a list. `title` is outside text, `link` the permalink of its card or ""."""

    id: str
    title: str
    risk: Risk
    next: Upcoming | None = None
    link: str = ""
    claimed_by: str = ""


def draw_status(channels: Sequence[ChannelStatus], *, held: int = 0, needs_info: int = 0) -> Drawing:
    """`/review status`."""
    waiting = sum(one.waiting for one in channels)
    late = sum(one.late for one in channels)
    text = f"{_cases(waiting)} waiting, {late:,} late, {held:,} held, {needs_info:,} waiting for a service."
    rows = [words(standing(one)) for one in channels[:_LISTED_MOST]]
    more = _others(len(channels) - _LISTED_MOST, "channels")
    return Drawing(text, [header("Review queue"), words(text), *rows, *more, next_step("`/review next` names the case to take")])


def draw_channel(one: ChannelStatus | None, named: str) -> Drawing:
    """`/review status #channel`; None: nothing waits in what was `named`, outside text."""
    if one is None:
        return _sentence(f"No case waits in {escaped(named, 80)}.", "`/review status` shows every channel in which one does")
    return _sentence(standing(one), "`/review next` names the case to take")


def draw_not_found(named: str) -> Drawing:
    """No case has this name, outside text."""
    then = "copy the id from its card, or paste the link to the card: `/review case LINK`"
    return _sentence(f"There is no case and no task called “{escaped(named, 100)}”.", then)


def draw_next(case: CaseLine | None, *, held: bool = False, held_elsewhere: bool = False) -> Drawing:
    """`/review next`: the one case to take, or that there is none. `held`: nobody can decide it before somebody takes it up.
    `held_elsewhere`: cases are held that others let go on.
    """
    if case is None and held_elsewhere:
        text = "No case waits for you that you can decide or take up. Some are held until others let them go on."
        return _sentence(text, "`/review status` shows how all channels stand")
    if case is None:
        return _sentence("Nothing waits for you. Well done.", "`/review mine` shows what you have claimed")
    lead = "Nobody can decide this one before somebody takes it up. Open its card and let it go on:" if held else "Take this one next:"
    then = "open its card and press *Claim*, or decide it there" if case.link else COMING
    return Drawing(f"Next: {escaped(case.title)}", [words(f"*{lead}*"), *_case_line(case), *([] if held else [next_step(then)])])


def draw_taken(cases: Sequence[CaseLine], board: str, why: str) -> Drawing:
    """What a press on a board took, in the order in which it comes; `board` is its id, `why` it took no more ("" where it did)."""
    text = f"You took {_cases(len(cases))}."
    rows = [block for case in cases for block in _case_line(case)]
    cards = "A card without a link is being posted at the end of this channel." if any(not case.link for case in cases) else ""
    said = [small_words(escaped(one, 500)) for one in (cards, why) if one]
    return Drawing(text, [words(f"*{text}*"), *rows, *said, button_row("tierline:q", take_buttons(board))])


def draw_mine(cases: Sequence[CaseLine]) -> Drawing:
    """`/review mine`, in the order given."""
    if not cases:
        return _sentence("You have claimed nothing.", "`/review next` shows what to take")
    rows = [block for case in cases[:_LISTED_MOST] for block in _case_line(case)]
    text = f"You have claimed {_cases(len(cases))}."
    then = next_step("decide them on their cards, or give one back there with *Release*")
    return Drawing(text, [words(text), *rows, *_others(len(cases) - _LISTED_MOST, "cases"), then])


def draw_case(view: View) -> Drawing:
    """`/review case ID`: where it stands, without buttons."""
    case = view.case
    stands = verdict_words(view) if case.verdict is not None else _STATE[case.state].capitalize()
    link = linked(view.links, "Open its card")
    decided = f" {moment(case.decided_at)}" if case.decided_at is not None else ""
    said = [] if case.state in (State.HELD, State.NEEDS_INFO) else [f"*{stands}*{decided}."]  # their clock lines begin with it
    blocks: list[Block] = [
        *headline(lead(view) or worst_lead(view), view),
        *question(view, Cuts()),
        words(" ".join(part for part in (*said, *clock_lines(view), *what_became_of_it(view), link) if part)),
        *near_duplicate_blocks(view),
    ]
    if case.state is State.PENDING:
        blocks += [*map(words, steps(view)), small_words(people(view))]
    label = "Action" if case.kind is CaseKind.CASE else execution_label(view)
    then = "its card is where it is decided" if case.open else "its card's thread says what became of it"
    shown = [*blocks, rich(*execution(view, Cuts(), label)), footer(view), next_step(then)]
    return Drawing(f"{stands}: {escaped(view.submission.title)}", shown)


def draw_unknown(unknown: str, meant: str = "") -> Drawing:
    """A word nobody knows; `meant` is the whole command that probably was, to be copied. Nothing was done."""
    text = f"There is no “{escaped(unknown, 40)}”, so nothing was done."
    text += f" Did you mean `{escaped(meant, 300)}`?" if meant else ""
    listed = "\n".join(f"`/review {name}`  {what}" for name, what in COMMANDS)
    return Drawing(text, [words(text), *([] if meant else [words(f"These exist:\n{listed}")]), _HELP])


def draw_usage(usage: str, meant: str = "") -> Drawing:
    """How a command is typed, for one that lacks something; `meant` is the one that probably was, to be copied."""
    guess = f"Did you mean `{escaped(meant, 300)}`? " if meant else ""
    return Drawing(f"{guess}Type it so: {escaped(usage, 400)}", [words(f"{guess}Type it so: `{escaped(usage, 400)}`"), _HELP])


def draw_planned(word: str) -> Drawing:
    """A word that people look for and that does nothing yet."""
    return _sentence(f"`/review {word}` is not there yet.", "`/review help` lists what is")


def draw_refused(text: str) -> Drawing:
    """Why there is no answer. `text` is escaped here."""
    return _sentence(escaped(text, 2_000), "`/review help` shows what you may do")


def draw_answer(text: str) -> Drawing:
    """One sentence for one person: why a press did nothing, or that it was recorded. `text` is escaped here."""
    return _sentence(escaped(text, 2_000) or "Nothing to say.")


def next_step(text: str) -> Block:
    """What to do next, as the last line of an answer: mrkdwn of ours."""
    return small_words(f"Next: {text}")


_HELP = small_words("Next: `/review help` shows what there is, `/review help TOPIC` how it is done")


def _sentence(text: str, then: str = "") -> Drawing:
    return Drawing(text, [words(text), *([next_step(then)] if then else [])])


def standing(one: ChannelStatus) -> str:
    """Mrkdwn: one channel's queue in a line."""
    due = f", next {due_words(one.next)}" if one.next is not None else ""
    late = f", *{one.late:,} late*" if one.late else ""
    free = f" ({one.unclaimed:,} unclaimed)" if one.waiting else ""
    return f"*{escaped(channel_name(one.channel))}*  {one.waiting:,} waiting{free}{late}{due}"


def _case_line(case: CaseLine) -> list[Block]:
    title = brief(case.title, 300) or "(no visible title)"
    parts = [due_words(case.next), own_id(case.id)]
    parts += [f"claimed by {mention(case.claimed_by)}"] if case.claimed_by else []
    parts += [linked(case.link, "Open the card")] if case.link else []
    return [rich(lines(run(f"{RISK[case.risk]}  ", "bold"), run(title))), small_words(" · ".join(part for part in parts if part))]


def _others(count: int, what: str) -> list[Block]:
    return [small(f"… and {count:,} more {what}")] if count > 0 else []


def _cases(count: int) -> str:
    return "1 case" if count == 1 else f"{count:,} cases"
