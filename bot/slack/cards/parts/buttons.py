"""The buttons of a card and the value they carry. Owns the action ids and which verb a card offers when; never who may press.

Protocol: action_id `tierline:<verb>`, block_id `tierline:actions:<n>`, value = compact JSON
`{"c": case id, "f": face, "t": tier, "cut": 0|1}`; the entries of the menu `tierline:more` carry it too, and which verb as "v".
"""

from bot.slack.cards.parts.checklist import confirming, form_first
from bot.slack.cards.parts.proposed_action import UNDO
from bot.slack.cards.text.block_kit import Block, button, button_row, carried, plain, words
from bot.slack.cards.text.safe_text import brief
from bot.slack.cards.text.wording import labels
from bot.slack.cards.view import View
from routing.authority import Automation
from routing.authorize import EXECUTABLE, RELEASERS, drill_goes_on
from routing.case.case import Case
from routing.vocabulary import CaseKind, Risk, State, Verb

DETAILS = ("Details", Verb.OPEN_EVIDENCE, "")
CLAIM = ("Claim", Verb.CLAIM, "")
MENU_MOST = 5
MORE = "tierline:more"
"""The menu whose entries each name their verb."""


def action_id(verb: Verb) -> str:
    """`tierline:approve`, also the callback_id of the verb's modal."""
    return f"tierline:{verb.value}"


def value(view: View, *, cut: bool, **more: str | int) -> str:
    """What a button tells us when it is pressed; `cut` says that the card did not show everything."""
    return carried(c=view.case.id, f=view.case.face, t=view.tier, cut=int(cut), **more)


def review_rows(view: View, *, cut: bool) -> list[Block]:
    """One row: what decides, the details, and behind three dots the rest, what is needed most often first."""
    case, say = view.case, labels(view.case)
    if drill_goes_on(case):
        offers = [("Claim", Verb.CLAIM, "primary"), ("Escalate", Verb.ESCALATE, ""), ("Comment", Verb.COMMENT, "")]
        return [_row(view, 1, [*offers, DETAILS], cut=cut)]
    modify = [(say.modify, Verb.MODIFY, "")] if say.modify else []
    offers = [(say.approve, Verb.APPROVE, "primary"), (say.reject, Verb.REJECT, "danger"), *modify]
    if confirming(case):  # correcting is what is done next most often there
        offers[1:] = [*modify, offers[1]]
    row = _row(view, 1, [*offers, DETAILS, *([CLAIM] if _to_be_taken(case) else [])], cut=cut)
    row["elements"].append(_rest(view, cut=cut))
    if case.route.risk is Risk.CRITICAL and served(case) and not form_first(Verb.APPROVE, case):  # the form asks by itself
        row["elements"][0]["confirm"] = _asking(view, say.approve)
    return [row]


def _to_be_taken(case: Case) -> bool:
    """Whether a clock asks that somebody takes it; then the button for that stands in the row."""
    return case.clocks.acknowledge is not None and not case.claimed_by and not case.acknowledged_by


def _rest(view: View, *, cut: bool) -> Block:
    """The verbs that are seldom the next thing to do. Slack takes five; what finds no room stands in the details."""
    case = view.case
    claimed = [("Release", Verb.UNCLAIM), ("Take over", Verb.TAKE_OVER)]
    claim = claimed if case.claimed_by else [] if _to_be_taken(case) else [CLAIM[:2]]
    offers = [*claim, ("Comment", Verb.COMMENT)]
    offers += [("Ask the service", Verb.ASK)] if served(case) else []
    offers += [("Escalate", Verb.ESCALATE)] if case.drill is None and case.tier + 1 < len(case.route.tiers) else []
    if may_be_quarantined(case) and len(offers) < MENU_MOST:
        offers.append(("Quarantine this case", Verb.QUARANTINE))
    options = [{"text": plain(label), "value": value(view, cut=cut, v=verb.value)} for label, verb in offers]
    return {"type": "overflow", "action_id": MORE, "options": options}


def _asking(view: View, label: str) -> Block:
    """Slack's own dialog before a press on what is critical: what follows from it."""
    action = view.submission.action
    if view.case.yes_missing > 1:
        does = "Somebody else is asked after you, before anything is executed."
    elif view.automation.level >= Automation.PAUSED.level:
        does = "The workflow is paused: your yes is kept back, and nothing is executed now."
    else:
        does = f"Nobody is asked after you: the service may then execute {brief(action.type, 100) or 'the action'}."
    undo = "" if "action.reversible" in view.masked else UNDO[action.reversible]
    note = f" Note: {undo}." if undo else ""
    return {"title": plain("Critical risk"), "text": plain(f"{does}{note}"), "confirm": plain(label), "deny": plain("Not yet")}


def may_be_quarantined(case: Case) -> bool:
    """Whether there is somebody who could let it out of quarantine again."""
    return served(case) and any(case.route.roles.get(role) for role in RELEASERS)


def served(case: Case) -> bool:
    """Whether a service waits for it; of a check or a roll-back it knows nothing."""
    return case.kind is CaseKind.CASE


def held_rows(view: View) -> list[Block]:
    """A held case offers nothing but to take it up again, and to look; what is frozen goes on with its workflow only."""
    again = {"frozen": [], "quarantine": [("Release", Verb.RESUME, "primary")]}
    offers = again.get(view.case.held_by, [("Resume", Verb.RESUME, "primary")])
    return [_row(view, 1, [*offers, DETAILS], cut=False)]


def beside(text: str, label: str, verb: Verb, view: View, *, cut: bool) -> Block:
    """Our own words in mrkdwn with one button that belongs to them."""
    accessory = button(label, action_id(verb), value(view, cut=cut))
    return words(text) | {"block_id": f"tierline:beside:{verb.value}", "accessory": accessory}


def decided_rows(view: View) -> list[Block]:
    """Undo as long as the service has not been told; then roll back, on the card where an action was let through and nobody has asked for
    it yet.
    """
    case = view.case
    decided = case.state in (State.DECIDED, State.CLOSED) and case.tier == view.tier
    through = case.verdict in EXECUTABLE and not case.withheld and case.kind is CaseKind.CASE
    if not decided or not through or case.rollback:
        return []
    if case.undo is not None:
        return [_row(view, 1, [("Undo", Verb.UNDO, "")], cut=False)]
    return [_row(view, 1, [("Roll back", Verb.ROLL_BACK, "")], cut=False)]


def _row(view: View, number: int, offers: list[tuple[str, Verb, str]], *, cut: bool) -> Block:
    buttons = [button(label, action_id(verb), value(view, cut=cut), style) for label, verb, style in offers]
    return button_row(f"tierline:actions:{number}", buttons)
