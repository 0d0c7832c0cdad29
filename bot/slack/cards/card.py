"""The review card: what will be executed, why it is here, what speaks for and against it, until when. Read in five seconds, pressed once.

Owns the order of a card and how it keeps within a message. It never decides who may press, and shows the action from the action itself.
"""

from bot.slack.cards.decided import draw_without_decision
from bot.slack.cards.erased import draw_erased
from bot.slack.cards.parts.brakes import afresh, brake_now, raised_care
from bot.slack.cards.parts.buttons import beside, review_rows
from bot.slack.cards.parts.checklist import confirming
from bot.slack.cards.parts.child_cases import execution_label, lead, question
from bot.slack.cards.parts.due import due_line
from bot.slack.cards.parts.model_says import confidence, masked_words, prefilled, wrote
from bot.slack.cards.parts.near_duplicates import linked_words, tied_words
from bot.slack.cards.parts.playbooks import playbook_blocks
from bot.slack.cards.parts.proposed_action import amount_beside_title, execution, harm, headline, instead_of_proposed, worst_lead
from bot.slack.cards.parts.provenance import strip
from bot.slack.cards.parts.reasons import alerts, nothing_against, why_here
from bot.slack.cards.parts.similar import similar_line
from bot.slack.cards.parts.small_print import terms
from bot.slack.cards.parts.sources import at_hand
from bot.slack.cards.parts.steps import climbed, steps, verification_failed, whose_tier
from bot.slack.cards.parts.to_be_opened import to_be_opened
from bot.slack.cards.text.block_kit import Block, Drawing, lines, rich, run, small_words, words
from bot.slack.cards.text.limits import TOTAL, total_of
from bot.slack.cards.text.safe_text import Cuts, escaped, line
from bot.slack.cards.text.wording import RISK
from bot.slack.cards.view import View
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
    """What a decision needs, in the order in which it is asked: how bad, until when, what, why, what speaks against it; then the buttons.
    Everything else is in the details.
    """
    cuts.made = to_be_opened(view)
    decision = [
        *headline(lead(view) or worst_lead(view), view),
        *question(view, cuts),
        words("\n".join([due_line(view), *steps(view)])),
        *climbed(view, cuts),
        *verification_failed(view, cuts),
        rich(*_proposal(view, cuts)),
        *instead_of_proposed(view, cuts),
        *playbook_blocks(view),
        *_together(view, cuts),
        *_masked(view, cuts),
        *_weighing(view),
    ]
    warning = [words("✂️ *Not all of this case fits on a card.* Open *Details* before you approve.")] if cuts.made else []
    return [*decision, *warning, *_before_pressing(view), *review_rows(view, cut=cuts.made), _small_print(view)]


def _proposal(view: View, cuts: Cuts) -> list[Block]:
    """How to review, what is decided on, why it is here, what speaks against it."""
    return [
        *_instructions(view),
        *(prefilled(view, cuts) if confirming(view.case) else []),  # at triage they are what is decided on
        *execution(view, cuts, execution_label(view)),
        *wrote(view, cuts),
        *_at_hand(view),
        *_why(view, cuts),
        *alerts(view, cuts),
    ]


def _at_hand(view: View) -> list[Block]:
    """What the proposal is compared with; a roll back asks about something else, and a drill has no sources."""
    return at_hand(view) if view.case.kind in (CaseKind.CASE, CaseKind.CHECK) else []


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
    wrong = _wrong(view) if view.case.kind not in (CaseKind.ROLLBACK, CaseKind.DRILL) else ""
    said = " · ".join(part for part in (wrong, confidence(view), "" if view.submission.checks else nothing_against(view)) if part)
    return [words("\n".join(part for part in (said, similar_line(view)) if part))]


def _wrong(view: View) -> str:
    """What makes a mistake worse, with the class of risk where the title tells of something else."""
    risk = RISK[view.case.route.risk]
    told, bad = risk in (lead(view) or worst_lead(view)), harm(view)
    if told:
        return f"*If wrong:* {bad}" if bad else ""
    named = risk.partition(" ")[2]
    return f"*{named} if wrong:* {bad}" if bad else f"*{named}*"


def _before_pressing(view: View) -> list[Block]:
    """Where an approval would not leave, or an earlier one counts no longer."""
    said = [text for text in (afresh(view), brake_now(view)) if text]
    return [words("\n".join(said))] if said else []


def _together(view: View, cuts: Cuts) -> list[Block]:
    """Identical cases decided with this one, and the button for whoever sees a difference."""
    text = tied_words(view)
    return [beside(text, "Separate", Verb.SEPARATE, view, cut=cuts.made)] if text else []


def _masked(view: View, cuts: Cuts) -> list[Block]:
    """How much is masked with the way to see it, where the policy lets anybody."""
    text = masked_words(view)
    return [beside(text, "Reveal", Verb.REVEAL, view, cut=cuts.made)] if text and view.case.route.reveal else []


def _small_print(view: View) -> Block:
    """Whose it is, who proposed it, from what, and what exactly."""
    masked = "" if view.case.route.reveal else masked_words(view)
    parts = (
        whose_tier(view),
        nothing_against(view) if view.submission.checks else "",
        strip(view),
        masked,
        *terms(view),
        raised_care(view),
        linked_words(view),
    )
    return small_words(" · ".join(part for part in parts if part))


def _instructions(view: View) -> list[Block]:
    """How to review this workflow, from the policy. It is the same for every case, so a cut here hides nothing of this one."""
    text = Cuts().cut(line(view.case.route.instructions), 160)
    return [lines(run("How to review  "), run(text))] if text else []
