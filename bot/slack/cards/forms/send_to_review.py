"""The form that opens a case from a message: which workflow, what is proposed. Owns its inputs and how they are read; who may, and what the
policy opens, says whoever shows it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.slack.cards.forms.modals import field, modal
from bot.slack.cards.text.block_kit import Block, carried, plain, words
from bot.slack.cards.text.safe_text import clean, escaped, head, line

CALLBACK = "send_to_review"
"""Of the shortcut in the manifest."""

FORM = "tierline:h:send_to_review"
_TITLE_MOST, _TEXT_MOST = 150, 2_900


def send_to_review_modal(workflows: Sequence[str], channel: str, ts: str, said: str) -> Block:
    """The form about the message at `channel` and `ts`; `workflows` are those that may be chosen, at most 100; `said` is its text, which is
    what is proposed until the person writes something better.
    """
    options = [{"text": plain(head(line(name), 75)), "value": name} for name in workflows]
    choice: Block = {"type": "static_select", "action_id": "value", "options": options}
    if len(options) == 1:
        choice["initial_option"] = options[0]
    title: Block = {"type": "plain_text_input", "action_id": "value", "max_length": _TITLE_MOST}
    proposed: Block = {"type": "plain_text_input", "action_id": "value", "multiline": True, "max_length": 3_000}
    if text := head(clean(said), _TEXT_MOST):
        proposed["initial_value"] = text
    blocks = [
        words("Somebody else decides it: who asks for something is no reviewer of it. The message is linked as evidence."),
        field("workflow", "Workflow", choice),
        field("title", "Title", title, hint="What it is about, in one line."),
        field("proposed", "What is proposed", proposed, hint="Exactly this is what reviewers approve, and what the service then gets."),
    ]
    return modal("Send to review", FORM, carried(ch=channel, ts=ts), blocks, submit="Send")


def sent_text(case_id: str, *, decided: bool) -> str:
    """Mrkdwn: what became of it."""
    then = "The policy decided it at once" if decided else "Its card comes to the channel of those who decide"
    return f"Sent to review as `{escaped(case_id, 60)}`. {then}; `/review case {escaped(case_id, 60)}` shows where it stands."


def typed(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Workflow, title and what is proposed, "" for what is missing."""
    found = {}
    for name in ("workflow", "title", "proposed"):
        state = (inputs.get(name) or {}).get("value") or {}
        found[name] = str(state.get("value") or (state.get("selected_option") or {}).get("value") or "").strip()
    return found
