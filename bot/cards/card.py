"""The review card: what will be executed, why it is here, what speaks for and against it, until when. Read in five seconds, pressed once.

Owns the order of a card and how it keeps within a message. It never decides who may press, and shows the action from the action itself.
"""

from bot.cards.buttons import review_rows
from bot.cards.clockline import clock_lines
from bot.cards.decided import draw_without_decision
from bot.cards.drawing import Block, Drawing, lines, rich, run, words
from bot.cards.grounds import confidence, sayings, signals, sources, why_here
from bot.cards.limits import TOTAL, total_of
from bot.cards.proposal import about, amount_beside_title, execution, headline, if_wrong, risk_lead
from bot.cards.strips import climbed, footer, people, provenance, steps
from bot.cards.text import Cuts, clean, escaped
from bot.cards.view import View
from routing.vocabulary import State

_SCALES = (1.0, 0.6, 0.35)
"""How far every part may shrink before a card as a whole is too long; at the last one even the fullest case fits."""


def draw_card(view: View) -> Drawing:
    """The card of `view.tier` as it has to look now, in whatever state the case is."""
    if not view.current or view.case.state is not State.PENDING:
        return draw_without_decision(view)
    blocks: list[Block] = []
    for scale in _SCALES:
        blocks = _review(view, Cuts(scale))
        if total_of(blocks) <= TOTAL:
            break
    return Drawing(notification(view), blocks)


def notification(view: View) -> str:
    """The one line that a phone shows: risk, what, how much, which tier."""
    parts = [risk_lead(view), escaped(view.submission.title), amount_beside_title(view.submission)]
    return " · ".join(part for part in parts if part) + f" (tier {view.tier + 1})"


def _review(view: View, cuts: Cuts) -> list[Block]:
    blocks = [
        *headline(risk_lead(view), view),
        *steps(view),
        words(" ".join(clock_lines(view))),
        *climbed(view, cuts),
        execution(view, cuts),
        *about(view, cuts),
        if_wrong(view),
        why_here(view, cuts),
        confidence(view),
        *signals(view, cuts),
        *sayings(view, cuts),
        *sources(view, cuts),
        provenance(view, cuts),
        people(view),
        *_instructions(view),
    ]
    warning = [words("✂️ *Parts of this case did not fit on the card.* Open the full evidence before you approve.")] if cuts.made else []
    return [*blocks, *warning, *review_rows(view, cut=cuts.made), footer(view)]


def _instructions(view: View) -> list[Block]:
    """How to review this workflow, from the policy. It is the same for every case, so a cut here hides nothing of this one."""
    text = Cuts().cut(clean(view.case.route.instructions), 300, lines=6)
    return [rich(lines(run("How to review  ", "bold"), run(text, "italic")))] if text else []
