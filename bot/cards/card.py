"""The review card: what will be executed, why it is here, what speaks for and against it, until when. Read in five seconds, pressed once.

Owns the order of a card and how it keeps within a message. It never decides who may press, and shows the action from the action itself.
"""

from bot.cards.buttons import review_rows
from bot.cards.clockline import clock_lines
from bot.cards.decided import draw_without_decision
from bot.cards.drawing import Block, Drawing, mrkdwn, plain, rich, small, words
from bot.cards.erased import draw_erased
from bot.cards.grounds import alerts, confidence, other_reasons, passed, sayings, sources, weighed, why_here
from bot.cards.limits import TOTAL, total_of
from bot.cards.proposal import about, amount_beside_title, execution, headline, if_wrong, risk_lead
from bot.cards.strips import climbed, footer, people, provenance, steps
from bot.cards.text import Cuts, escaped, line
from bot.cards.view import View
from routing.vocabulary import State

_SCALES = (1.0, 0.6, 0.35)
"""How far every part may shrink before a card as a whole is too long; at the last one even the fullest case fits."""


def draw_card(view: View) -> Drawing:
    """The card of `view.tier` as it has to look now, in whatever state the case is."""
    if view.case.erased_at is not None:
        return draw_erased(view)
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
    """First what a decision needs and its buttons, then everything it can be checked against, in small print what is seldom asked."""
    decision = [
        *headline(risk_lead(view), view),
        words("\n".join([*steps(view), " ".join(clock_lines(view))])),
        *climbed(view, cuts),
        execution(view, cuts, "Will execute", *alerts(view, cuts), why_here(view, cuts)),
    ]
    rest = [
        words("\n".join([if_wrong(view), confidence(view)])),
        rich(*sayings(view, cuts), *sources(view, cuts)),
        *_small_print(view, cuts),
    ]
    warning = [words("✂️ *Parts of this case did not fit on the card.* Open the full evidence before you approve.")] if cuts.made else []
    return [*decision, *warning, *_override(view), *review_rows(view, cut=cuts.made), *rest, footer(view)]


def _override(view: View) -> list[Block]:
    """Said beside the buttons, because approving then opens a form."""
    count = view.case.failed_checks
    failed = "A check failed" if count == 1 else f"{count} checks failed"
    return [words(f"⚠️ *{failed}:* approving needs a reason.")] if count else []


def _small_print(view: View, cuts: Cuts) -> list[Block]:
    """Where the case comes from and whose it is."""
    others = other_reasons(view, cuts)
    facts = " · ".join(part for part in (passed(view, cuts), weighed(view, cuts)) if part)
    whose = " · ".join(part for part in (about(view, cuts), provenance(view, cuts)) if part)
    context: Block = small(f"Also here because: {others}" if others else "", facts, whose)
    context["elements"] += [mrkdwn(people(view)), *_instructions(view)]
    return [context]


def _instructions(view: View) -> list[Block]:
    """How to review this workflow, from the policy. It is the same for every case, so a cut here hides nothing of this one."""
    text = Cuts().cut(line(view.case.route.instructions), 300)
    return [plain(f"How to review: {text}")] if text else []
