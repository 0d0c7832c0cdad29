"""The buttons of a card and the value they carry. Owns the action ids and which verb a card offers when; never who may press.

Protocol: action_id `tierline:<verb>`, block_id `tierline:actions:<n>`, value = compact JSON
`{"c": case id, "f": face, "t": tier, "cut": 0|1}`; the options of an overflow menu carry it too.
"""

from bot.slack.cards.parts.checklist import confirming
from bot.slack.cards.text.block_kit import Block, button, button_row, carried, plain, words
from bot.slack.cards.text.wording import labels
from bot.slack.cards.view import View
from routing.authorize import EXECUTABLE, RELEASERS, drill_goes_on
from routing.vocabulary import CaseKind, State, Verb


def action_id(verb: Verb) -> str:
    """`tierline:approve`, also the callback_id of the verb's modal."""
    return f"tierline:{verb.value}"


def value(view: View, *, cut: bool, **more: str | int) -> str:
    """What a button tells us when it is pressed; `cut` says that the card did not show everything."""
    return carried(c=view.case.id, f=view.case.face, t=view.tier, cut=int(cut), **more)


def review_rows(view: View, *, cut: bool) -> list[Block]:
    """The buttons of a card that can be decided, those that decide first."""
    case, say = view.case, labels(view.case)
    served = case.kind is CaseKind.CASE  # of a check or a roll-back the service knows nothing
    if drill_goes_on(case):
        offers = [("Claim", Verb.CLAIM, "primary"), ("Escalate", Verb.ESCALATE, ""), ("Comment", Verb.COMMENT, "")]
        return [_row(view, 1, [*offers, ("Open evidence", Verb.OPEN_EVIDENCE, "")], cut=cut)]
    claim = ("Release", Verb.UNCLAIM) if case.claimed_by else ("Claim", Verb.CLAIM)
    modify = [(say.modify, Verb.MODIFY, "")] if say.modify else []
    offers = [(say.approve, Verb.APPROVE, "primary"), (say.reject, Verb.REJECT, "danger"), *modify]
    if confirming(case):  # correcting is what is done next most often there
        offers[1:] = [*modify, offers[1]]
    offers += [("Escalate", Verb.ESCALATE, "")] if case.drill is None and case.tier + 1 < len(case.route.tiers) else []
    offers += [("Ask", Verb.ASK, "")] if served else []
    offers += [("Comment", Verb.COMMENT, ""), (*claim, ""), ("Open evidence", Verb.OPEN_EVIDENCE, "")]
    row = _row(view, 1, offers, cut=cut)
    if served and any(case.route.roles.get(role) for role in RELEASERS):  # nobody else could let it out again
        row["elements"].append(_seldom(view, "Quarantine this case", Verb.QUARANTINE, cut=cut))
    return [row]


def held_rows(view: View) -> list[Block]:
    """A held case offers nothing but to take it up again, and to look; what is frozen goes on with its workflow only."""
    again = {"frozen": [], "quarantine": [("Release", Verb.RESUME, "primary")]}
    offers = again.get(view.case.held_by, [("Resume", Verb.RESUME, "primary")])
    return [_row(view, 1, [*offers, ("Open evidence", Verb.OPEN_EVIDENCE, "")], cut=False)]


def beside(text: str, label: str, verb: Verb, view: View, *, cut: bool) -> Block:
    """Our own words in mrkdwn with one button that belongs to them."""
    accessory = button(label, action_id(verb), value(view, cut=cut))
    return words(text) | {"block_id": f"tierline:beside:{verb.value}", "accessory": accessory}


def decided_rows(view: View) -> list[Block]:
    """Roll back, on the card where an action was let through and nobody has asked for it yet."""
    case = view.case
    decided = case.state in (State.DECIDED, State.CLOSED) and case.tier == view.tier
    through = case.verdict in EXECUTABLE and not case.withheld and case.kind is CaseKind.CASE
    if not decided or not through or case.rollback:
        return []
    return [_row(view, 1, [("Roll back", Verb.ROLL_BACK, "")], cut=False)]


def _row(view: View, number: int, offers: list[tuple[str, Verb, str]], *, cut: bool) -> Block:
    buttons = [button(label, action_id(verb), value(view, cut=cut), style) for label, verb, style in offers]
    return button_row(f"tierline:actions:{number}", buttons)


def _seldom(view: View, label: str, verb: Verb, *, cut: bool) -> Block:
    """Behind three dots, because it is seldom right and easily pressed by mistake."""
    options = [{"text": plain(label), "value": value(view, cut=cut)}]
    return {"type": "overflow", "action_id": action_id(verb), "options": options}
