"""The buttons of a card and the value they carry. Owns the action ids and which verb a card offers when; never who may press.

Protocol: action_id `tierline:<verb>`, block_id `tierline:actions:<n>`, value = compact JSON
`{"c": case id, "f": face, "t": tier, "cut": 0|1}`.
"""

import json

from bot.cards.drawing import Block, button
from bot.cards.view import View
from bot.cards.wording import VOTE
from routing.authorize import EXECUTABLE
from routing.vocabulary import State, Verb


def action_id(verb: Verb) -> str:
    """`tierline:approve`, also the callback_id of the verb's modal."""
    return f"tierline:{verb.value}"


def value(view: View, *, cut: bool, **more: str | int) -> str:
    """What a button tells us when it is pressed; `cut` says that the card did not show everything."""
    fields = {"c": view.case.id, "f": view.case.face, "t": view.tier, "cut": int(cut)}
    return json.dumps(fields | more, separators=(",", ":"))


def review_rows(view: View, *, cut: bool) -> list[Block]:
    """The buttons of a card that can be decided, those that decide first; Slack breaks the row where a window is narrow."""
    step = view.case.route.steps[view.case.step]
    claim = ("Release", Verb.UNCLAIM) if view.case.claimed_by else ("Claim", Verb.CLAIM)
    offers = [(VOTE[step.name], Verb.APPROVE, "primary"), ("Reject", Verb.REJECT, "danger"), ("Modify", Verb.MODIFY, "")]
    if view.case.tier + 1 < len(view.case.route.tiers):
        offers.append(("Escalate", Verb.ESCALATE, ""))
    offers += [("Ask", Verb.ASK, ""), ("Comment", Verb.COMMENT, ""), (*claim, ""), ("Open evidence", Verb.OPEN_EVIDENCE, "")]
    return [_row(view, 1, offers, cut=cut)]


def held_rows(view: View) -> list[Block]:
    """A held case offers nothing but to take it up again, and to look."""
    return [_row(view, 1, [("Resume", Verb.RESUME, "primary"), ("Open evidence", Verb.OPEN_EVIDENCE, "")], cut=False)]


def decided_rows(view: View) -> list[Block]:
    """Roll back, on the card where an action was let through and nobody has asked for it yet."""
    case = view.case
    decided = case.state in (State.DECIDED, State.CLOSED) and case.tier == view.tier
    if not decided or case.verdict not in EXECUTABLE or case.rollback:
        return []
    return [_row(view, 1, [("Roll back", Verb.ROLL_BACK, "")], cut=False)]


def _row(view: View, number: int, offers: list[tuple[str, Verb, str]], *, cut: bool) -> Block:
    elements = [button(label, action_id(verb), value(view, cut=cut), style) for label, verb, style in offers]
    return {"type": "actions", "block_id": f"tierline:actions:{number}", "elements": elements}
