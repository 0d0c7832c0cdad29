"""The review card: what will be executed, why it is here, what speaks for and against it, until when. Read in five seconds, pressed once.

Owns the order of a card and how it keeps within a message. It never decides who may press, and shows the action from the action itself.
"""

from bot.slack.cards.decided import draw_without_decision
from bot.slack.cards.erased import draw_erased
from bot.slack.cards.parts.brakes import afresh, brake_now, raised_care
from bot.slack.cards.parts.buttons import beside, review_rows
from bot.slack.cards.parts.checklist import asked, confirming, if_failed
from bot.slack.cards.parts.child_cases import execution_label, lead, question
from bot.slack.cards.parts.clock_line import clock_lines
from bot.slack.cards.parts.model_says import confidence, prefilled, sayings, weighed
from bot.slack.cards.parts.near_duplicates import linked_words, tied_words
from bot.slack.cards.parts.playbooks import playbook_blocks
from bot.slack.cards.parts.proposed_action import (
    about,
    amount_beside_title,
    execution,
    headline,
    if_wrong,
    instead_of_proposed,
    worst_lead,
)
from bot.slack.cards.parts.provenance import footer, provenance
from bot.slack.cards.parts.reasons import alerts, checks_against, other_reasons, passed, why_here
from bot.slack.cards.parts.small_print import terms
from bot.slack.cards.parts.sources import sources
from bot.slack.cards.parts.steps import climbed, people, steps, verification_failed
from bot.slack.cards.text.block_kit import Block, Drawing, mrkdwn, plain, rich, small, words
from bot.slack.cards.text.limits import TOTAL, total_of
from bot.slack.cards.text.safe_text import Cuts, escaped, line
from bot.slack.cards.text.wording import labels
from bot.slack.cards.view import View
from routing.authorize import moves_far, overrides
from routing.vocabulary import CaseKind, DrillKind, State, Verb

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
    parts = [lead(view) or worst_lead(view), escaped(view.submission.title), amount_beside_title(view)]
    return " · ".join(part for part in parts if part) + f" (tier {view.tier + 1})"


def _review(view: View, cuts: Cuts) -> list[Block]:
    """First what a decision needs and its buttons, then everything it can be checked against, in small print what is seldom asked."""
    decision = [
        *headline(lead(view) or worst_lead(view), view),
        *question(view, cuts),
        words("\n".join([*steps(view), " ".join(clock_lines(view))])),
        *climbed(view, cuts),
        *verification_failed(view, cuts),
        *_to_confirm(view, cuts),
        execution(view, cuts, execution_label(view), *alerts(view, cuts), *_why(view, cuts)),
        *instead_of_proposed(view, cuts),
        *playbook_blocks(view),
        *_together(view, cuts),
    ]
    rest = [
        *_masked(view, cuts),
        *_weighing(view),
        rich(*sayings(view, cuts), *sources(view, cuts)),
        *_small_print(view, cuts),
    ]
    warning = [words("✂️ *Parts of this case did not fit on the card.* Open the full evidence before you approve.")] if cuts.made else []
    return [*decision, *warning, *_before_pressing(view), *review_rows(view, cut=cuts.made), *rest, footer(view)]


def _why(view: View, cuts: Cuts) -> list[Block]:
    """What brought a service's case here; a check and a roll back have said it with their question."""
    return [why_here(view, cuts)] if view.case.kind is CaseKind.CASE else []


def _weighing(view: View) -> list[Block]:
    """What would be wrong, and how sure the model is. Not the first on the card that asks whether to undo: what would be wrong then is the
    undoing, of which nobody told the risk. Nothing in a drill, where no model said anything, but where it is about that.
    """
    drill = view.case.drill
    if drill is not None and drill.kind is not DrillKind.LOW_CONFIDENCE:
        return []
    wrong = [if_wrong(view)] if view.case.kind not in (CaseKind.ROLLBACK, CaseKind.DRILL) else []
    return [words("\n".join([*wrong, confidence(view)]))]


def _before_pressing(view: View) -> list[Block]:
    """Said beside the buttons: what approving asks for, and where it would not leave."""
    items = len(asked(view.case))
    said = [f"⚠️ *{checks_against(view.case)}:* approving needs a reason."] if overrides(Verb.APPROVE, view.case) else []
    said += [f"⚠️ *Large change:* *{labels(view.case).approve}* asks to confirm."] if moves_far(view.case) else []
    said += [f"☑️ *{labels(view.case).approve}* asks for {items} points; any fail {if_failed(view.case)}."] if items else []
    said += [text for text in (afresh(view), brake_now(view)) if text]
    return [words("\n".join(said))] if said else []


def _to_confirm(view: View, cuts: Cuts) -> list[Block]:
    """At triage the pre-filled fields are what is decided on, so they stand in front."""
    filled = prefilled(view, cuts) if confirming(view.case) else []
    return [rich(*filled)] if filled else []


def _together(view: View, cuts: Cuts) -> list[Block]:
    """Identical cases decided with this one, and the button for whoever sees a difference."""
    text = tied_words(view)
    return [beside(text, "Separate", Verb.SEPARATE, view, cut=cuts.made)] if text else []


def _masked(view: View, cuts: Cuts) -> list[Block]:
    """How much is masked, with the way to see it where the policy lets anybody."""
    count = len(view.masked)
    if not count:
        return []
    text = f"🔒 {'1 value is' if count == 1 else f'{count:,} values are'} masked."
    return [beside(text, "Reveal", Verb.REVEAL, view, cut=cuts.made) if view.case.route.reveal else words(text)]


def _small_print(view: View, cuts: Cuts) -> list[Block]:
    """Where the case comes from and whose it is."""
    others = other_reasons(view, cuts)
    facts = " · ".join(part for part in (passed(view, cuts), weighed(view, cuts)) if part)
    whose = " · ".join(part for part in (about(view, cuts), provenance(view, cuts)) if part)
    context: Block = small(f"Also here because: {others}" if others else "", facts, whose)
    told = " · ".join(part for part in (*terms(view), raised_care(view), linked_words(view)) if part)
    context["elements"] += [mrkdwn(people(view)), *([mrkdwn(told)] if told else []), *_instructions(view)]
    return [context]


def _instructions(view: View) -> list[Block]:
    """How to review this workflow, from the policy. It is the same for every case, so a cut here hides nothing of this one."""
    text = Cuts().cut(line(view.case.route.instructions), 300)
    return [plain(f"How to review: {text}")] if text else []
