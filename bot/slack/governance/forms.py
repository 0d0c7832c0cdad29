"""The one form of decisions about more than one case: why. Owns its words; never judges what was typed."""

from bot.slack.cards.bulletins.governance_buttons import PREFIX
from bot.slack.cards.forms.modals import field, modal
from bot.slack.cards.text.block_kit import Block, words
from bot.slack.cards.text.safe_text import escaped
from bot.slack.governance.pressed import GovernancePressed, metadata
from routing.authority import GovernanceVerb
from routing.governance.automation import workflow_of
from routing.governance.permissions import REASON_MOST

FORMS: dict[GovernanceVerb, tuple[str, str, str]] = {
    GovernanceVerb.PAUSE: (
        "Pause",
        "Pause",
        "Nothing of *{name}* is approved automatically and no approval leaves until somebody resumes it.",
    ),
    GovernanceVerb.REVIEW_ALL: ("Review all", "Review all", "People decide every case of *{name}* until somebody resumes it."),
    GovernanceVerb.FREEZE: ("Freeze", "Freeze", "Nothing of *{name}* moves: open and new cases are held until somebody resumes it."),
    GovernanceVerb.RESUME: (
        "Resume",
        "Resume",
        "*{name}* goes on as the policy says. What was decided or held meanwhile is reviewed afresh.",
    ),
    GovernanceVerb.END_EXCEPTION: ("End the exception", "End it", "The exception *{name}* no longer counts."),
    GovernanceVerb.DECLINE_POLICY: ("Decline the policy", "Decline", "The proposed policy does not take effect."),
    GovernanceVerb.ROLL_BACK_POLICY: ("Roll back", "Roll back", "New cases follow the policy that was in force before, at once."),
}
"""Verbs that ask why first: title, label of the submit button (24 characters at most) and what it means."""


def reason_form(pressed: GovernancePressed) -> Block:
    """The form. Verbs without one raise KeyError."""
    title, submit, meaning = FORMS[pressed.verb]
    hint = "One sentence. It stands open in the audit log, so name no customer."
    why = {"type": "plain_text_input", "action_id": "value", "max_length": REASON_MOST}
    blocks = [words(meaning.format(name=escaped(workflow_of(pressed.subject), 100))), field("text", "Why", why, hint=hint)]
    return modal(title, PREFIX + pressed.verb.value, metadata(pressed), blocks, submit=submit)
