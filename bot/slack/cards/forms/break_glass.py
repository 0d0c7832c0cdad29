"""The form of break-glass: what would be executed, what is passed over, who is told, and why. Owns its words; judges nothing.

Protocol: as `modals` beside it, with the input blocks `verdict` (approve or reject) and `text`. What it carries names the face of the case
that it shows: once that has changed, nothing of it counts.
"""

from typing import Any

from bot.slack.cards.forms.modals import TEXT_MOST, Seat, field, metadata, modal, summary
from bot.slack.cards.parts.break_glass import would_pass_over
from bot.slack.cards.parts.buttons import action_id
from bot.slack.cards.parts.clock_line import moment
from bot.slack.cards.parts.proposed_action import execution, instead_of_proposed
from bot.slack.cards.parts.reasons import alerts, why_here
from bot.slack.cards.text.block_kit import Block, bullets, plain, rich, small_words, words
from bot.slack.cards.text.safe_text import Cuts, escaped, head
from bot.slack.cards.view import View
from routing.authorize import REFUSALS
from routing.policy.clocks.row import written
from routing.review.break_glass import Terms
from routing.vocabulary import Verb

TITLE, SUBMIT = "Break-glass", "Decide now"


def break_glass_modal(view: View, terms: Terms, reason: str, *, channel: str) -> dict[str, Any]:
    """The form. `reason` is what was typed with the command, to be gone over; `channel` where it was typed."""
    cuts = Cuts()
    shown: list[Block] = [
        rich(*execution(view, cuts, "If you approve, the service executes"), *alerts(view, cuts), why_here(view, cuts)),
        *instead_of_proposed(view, cuts),
    ]
    warning = [words(f"⛔ {escaped(REFUSALS[terms.barred], 400)}")] if terms.barred else []
    if cuts.made:
        warning.append(words("✂️ *Parts of this case did not fit here.* Open *Details* on its card before you approve."))
    blocks: list[Block] = [
        summary(view),
        words("*You decide this case alone, outside the normal path.* That passes over:"),
        rich(bullets(would_pass_over(terms.passed_over))),
        *shown,
        *warning,
        words(
            f"*At once:* the service is told that you decided it by break-glass, and so are {_supervisors(terms)}. They have to say by"
            f" {moment(terms.review_by)} whether that was right."
        ),
        field("verdict", "Your decision", {"type": "static_select", "action_id": "value", "options": _options(view, terms)}),
        field("text", "Why it cannot wait for the normal path", _why(reason), hint="The supervisors read this. At least 20 letters."),
        small_words(f"Use {terms.number} of {terms.rule.most} that the policy allows within {written(terms.rule.per)}."),
    ]
    return modal(TITLE, action_id(Verb.BREAK_GLASS), metadata(view, Seat(channel, "", cuts.made)), blocks, submit=SUBMIT)


def _supervisors(terms: Terms) -> str:
    count = len(terms.told)
    return f"{count:,} {'people' if count != 1 else 'person'} of the group {escaped(terms.rule.supervisors, 80)}"


def _options(view: View, terms: Terms) -> list[Block]:
    """What can be chosen; no approval of what is known to be wrong."""
    approve = {"text": plain(f"Approve: action {view.case.action_sha256[:12]} is executed"), "value": "approve"}
    return [*([] if terms.barred else [approve]), {"text": plain("Reject: nothing is executed"), "value": "reject"}]


def _why(reason: str) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": "value", "multiline": True, "max_length": TEXT_MOST}
    return element | ({"initial_value": head(reason, TEXT_MOST)} if reason else {})
