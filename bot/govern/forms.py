"""The one form of decisions about more than one case: why. Owns its words; never judges what was typed."""

from bot.cards.drawing import Block, words
from bot.cards.govern_buttons import PREFIX
from bot.cards.modals import field, modal
from bot.cards.text import escaped
from bot.govern.pressed import GovernPressed, metadata
from routing.authority import GovernVerb
from routing.governance.automation import workflow_of
from routing.governance.permit import REASON_MOST

FORMS: dict[GovernVerb, tuple[str, str, str]] = {
    GovernVerb.PAUSE: ("Pause", "Pause", "Nothing of *{name}* is approved automatically and no approval leaves until somebody resumes it."),
    GovernVerb.REVIEW_ALL: ("Review all", "Review all", "People decide every case of *{name}* until somebody resumes it."),
    GovernVerb.FREEZE: ("Freeze", "Freeze", "Nothing of *{name}* moves: open and new cases are held until somebody resumes it."),
    GovernVerb.RESUME: ("Resume", "Resume", "*{name}* goes on as the policy says. What was decided or held meanwhile is reviewed afresh."),
    GovernVerb.END_EXCEPTION: ("End the exception", "End it", "The exception *{name}* no longer counts."),
    GovernVerb.DECLINE_POLICY: ("Decline the policy", "Decline", "The proposed policy does not take effect."),
    GovernVerb.ROLL_BACK_POLICY: ("Roll back", "Roll back", "New cases follow the policy that was in force before, at once."),
}
"""Verbs that ask why first: title, label of the submit button (24 characters at most) and what it means."""


def reason_form(pressed: GovernPressed) -> Block:
    """The form. Verbs without one raise KeyError."""
    title, submit, meaning = FORMS[pressed.verb]
    hint = "One sentence. It stands open in the audit log, so name no customer."
    why = {"type": "plain_text_input", "action_id": "value", "max_length": REASON_MOST}
    blocks = [words(meaning.format(name=escaped(workflow_of(pressed.subject), 100))), field("text", "Why", why, hint=hint)]
    return modal(title, PREFIX + pressed.verb.value, metadata(pressed), blocks, submit=submit)
