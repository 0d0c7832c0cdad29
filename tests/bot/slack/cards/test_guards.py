"""What guards a case shows on its card: checklists, near-duplicates, brakes, masks. Who reads it knows what to press."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.slack.cards.card import draw_card
from bot.slack.cards.command_answers import draw_case
from bot.slack.cards.forms.form_input import read_modification
from bot.slack.cards.forms.modals import Seat, verb_modal
from bot.slack.cards.forms.modify import modify_modal, preview_modal
from bot.slack.cards.parts.checklist import read_answers
from bot.slack.cards.text.limits import check_message, check_view
from bot.slack.cards.thread import draw_note
from bot.slack.cards.view import Happening, View
from routing.authority import Automation, Autonomy, Role
from routing.case.case import Clocks, Reason, Step
from routing.change import SYSTEM, Actor
from routing.governance.waiver import Waiver
from routing.vocabulary import EventKind, State, Template, Verb, Verdict
from tests.bot.slack.cards.factory import ANA, BEN, CHECKLIST, KIM, NOW, PARENT, REFUND, a_check, a_route, a_view, every_detail, read
from tests.bot.slack.cards.forms.test_modals import untouched, with_text
from tests.bot.slack.cards.test_card import buttons, card, labels, words_of
from tests.bot.slack.cards.test_hostile import nodes

SEAT = Seat("C0T1", "1.2")
BEHIND = ["Details", "Claim", "Comment"]
OTHER = "c_01hxyz0123456789abcdeother"
LINK = "https://northwind.slack.com/archives/C0T1/p7"
VERIFYING = (Step(name="verify", checklist=CHECKLIST), Step(name="approve"))


def verifying(**changes: Any) -> View:
    """A case whose first step has a checklist."""
    return a_view(route=a_route(steps=VERIFYING, template=Template.DUAL), **{"failed_checks": 0, **changes})


def happened(kind: EventKind, by: str = BEN, fields: dict[str, object] | None = None, **opened: object) -> Happening:
    """An event by somebody, or by Tierline where nobody is named."""
    return Happening(kind, Actor("human", by) if by else SYSTEM, NOW, fields or {}, opened, 9)


def test_the_form_of_a_checklist_asks_each_item_and_chooses_nothing() -> None:
    """Pass, fail or not applicable, all mandatory, none beforehand; what a fail does is said before anybody sends it."""
    form = verb_modal(verifying(), Verb.APPROVE, SEAT)
    check_view(form)
    asked = [block for block in form["blocks"] if block.get("block_id", "").startswith("check:")]
    assert [block["label"]["text"] for block in asked] == [item.text for item in CHECKLIST]
    for block in asked:
        assert [option["value"] for option in block["element"]["options"]] == ["pass", "fail", "na"]
        assert "initial_option" not in block["element"]
        assert "optional" not in block
    assert "*Any fail sends the case up to tier 2 (#review-tier2).*" in words_of(form["blocks"])
    assert (form["title"]["text"], form["submit"]["text"]) == ("Verified", "Send")


def test_a_fail_goes_back_to_triage_where_there_is_one_and_stops_at_the_top() -> None:
    """The sentence follows the case, in its form."""
    route = a_route(steps=(Step(name="triage"), *VERIFYING))
    back = a_view(route=route, step=1, failed_checks=0)
    assert "*Any fail sends the case back to triage.*" in words_of(verb_modal(back, Verb.APPROVE, SEAT)["blocks"])
    top = verb_modal(verifying(tier=1, clocks=Clocks()), Verb.APPROVE, SEAT)
    assert "*Any fail holds the case, because this is the top tier.*" in words_of(top["blocks"])


def test_answers_are_read_from_the_form() -> None:
    """By item; a form without a checklist has none, which is not the same as an empty one."""
    chosen = {"check:evidence": "pass", "check:accurate": "fail"}
    values = {name: {"value": {"type": "radio_buttons", "selected_option": {"value": value}}} for name, value in chosen.items()}
    assert read_answers(values | {"text": {"value": {"value": "x"}}}) == {"evidence": "pass", "accurate": "fail"}
    assert read_answers({"text": {"value": {"value": "x"}}}) is None


def test_results_of_a_checklist_stand_on_the_card() -> None:
    """Who passed how much on the decided card; on an open one what failed, until the content changes."""
    vote = {"step": 0, "by": BEN, "verb": "approve", "at": NOW, "checklist": {"evidence": "pass", "accurate": "pass", "wording": "na"}}
    assert "(2 of 3 passed, 1 not applicable)" in card(verifying(state=State.DECIDED, verdict=Verdict.APPROVED, votes=(vote,)))
    wrong = happened(EventKind.VERIFICATION_FAILED, BEN, {"items": ["evidence", "accurate"]}, text="No scan in it.")
    view = verifying(history=(wrong,), tier=1, clocks=Clocks())
    assert "Verification failed \n(Evidence, Accurate) by Ben Ode: “No scan in it.”" in card(view)
    assert "Ben Ode found it wrong: Evidence, Accurate." in draw_note(view, wrong).text
    assert "Verification failed" not in card(verifying(history=(wrong, happened(EventKind.MODIFIED, BEN))))


def test_triage_decides_on_what_the_model_filled_in() -> None:
    """It stands before the buttons, which confirm or correct it; correcting changes nothing else."""
    prefill = {"category": "billing", "priority": "high", "summary": "Charged twice for one order."}
    view = a_view(REFUND | {"prefill": prefill}, route=a_route(steps=(Step(name="triage"),), template=Template.TRIAGE), failed_checks=0)
    shown = card(view)
    assert labels(view)[:4] == ["Confirm", "Correct", "Reject", "Details"]
    assert shown.index("Charged twice for one order.") < shown.index("Confirm")
    assert shown.count("Charged twice for one order.") == 1
    form = modify_modal(view, SEAT)
    assert form["title"]["text"] == "Correct"
    asked = {block["block_id"] for block in form["blocks"] if block["type"] == "input"}
    assert asked == {"prefill:category", "prefill:priority", "prefill:summary", "reason", "text"}
    values = untouched(form) | {"prefill:category": {"value": {"type": "plain_text_input", "value": "delivery"}}}
    whole = read_modification(view, values)
    assert (whole.params, whole.prefill) == (REFUND["action"]["params"], prefill | {"category": "delivery"})
    assert "Instead of what was proposed" not in words_of(preview_modal(view, SEAT, whole.changes, values)["blocks"])


def test_identical_cases_are_counted_named_and_can_be_parted() -> None:
    """The count stands beside the action with its button, their titles in the details, and what is only alike in small print."""
    view = a_view(tied=(OTHER, PARENT), linked=(OTHER,))
    like = a_view(task_id="t-18", id=OTHER).case
    view = replace(view, related={OTHER: like}, related_titles={OTHER: "Refund of order 8841, again"}, related_links={OTHER: LINK})
    shown = card(view)
    assert "*+2 identical cases are decided with this one* by Approve and Reject. *Modify* changes this one alone." in shown
    assert "The identical cases then go on by themselves, with a card and clocks of their own, and so they do if" in shown
    assert f"Like this one, decided by itself: t-18 (<{LINK}|open>)" in shown
    assert [json.loads(one["value"])["f"] for one in buttons(view) if one["action_id"] == "tierline:separate"] == [view.case.face]
    told = words_of([block for modal in every_detail(view, SEAT) for block in modal["blocks"]])
    assert f"{OTHER} · t-18 · Refund of order 8841, again" in told
    assert "2 identical cases were decided with this one." in card(
        replace(view, case=view.case.model_copy(update={"state": State.DECIDED, "verdict": Verdict.APPROVED}))
    )


def test_a_tied_case_points_to_the_one_it_is_decided_with() -> None:
    """Whoever asks for it by `/review case` finds the card to press on."""
    view = replace(a_view(tied_to=OTHER, clocks=Clocks()), related_links={OTHER: LINK})
    assert f"*Decided together with the identical case {OTHER}.* <{LINK}|Open that card>" in words_of(draw_case(view).blocks)


def test_a_decision_that_is_kept_back_says_so() -> None:
    """It is not executed, there is nothing to roll back, and reviewing it afresh is announced and told."""
    view = a_view(state=State.DECIDED, verdict=Verdict.APPROVED, decided_at=NOW, withheld=True)
    assert draw_card(view).text.startswith("⏸ Decided, kept back")
    assert "*Kept back: the workflow refunds is paused.* The service has not been told." in card(view)
    assert "Not executed " in card(view)
    assert labels(view) == []
    assert "⏸ Decided, kept back" in draw_case(view).text
    assert "*Reviewed afresh:*" in card(a_view(history=(happened(EventKind.VOIDED, ""),)))


@pytest.mark.parametrize(
    ("held_by", "lead", "said", "offered_buttons"),
    [
        ("ladder", "✋ Held", "until somebody takes the case up again", ["Resume", "Details"]),
        (
            "quarantine",
            "🔒 In quarantine",
            "until a supervisor, duty officer or admin (group leads) releases",
            ["Release", "Details"],
        ),
        ("frozen", "❄️ Held, workflow frozen", "when a supervisor, duty officer or admin (group leads) resumes", ["Details"]),
    ],
)
def test_a_held_case_says_what_holds_it_and_who_lets_it_go(held_by: str, lead: str, said: str, offered_buttons: list[str]) -> None:
    """What is frozen goes on with its workflow; nobody is asked again about it."""
    route = a_route(roles={Role.SUPERVISOR: ("leads",), Role.ADMIN: ("leads",)})
    asked = Clocks(hold=NOW + timedelta(hours=4)) if held_by != "frozen" else Clocks()
    view = a_view(state=State.HELD, held_by=held_by, route=route, clocks=asked)
    assert draw_card(view).text.startswith(lead)
    assert said in card(view)
    assert labels(view) == offered_buttons
    assert ("People are asked again" in card(view)) == (held_by != "frozen")


def test_a_quarantine_names_who_set_it_aside_and_why() -> None:
    """Whoever may release it need not open the thread."""
    aside = happened(EventKind.QUARANTINED, KIM, {"reason_code": "other"}, text="The customer is under investigation.")
    shown = card(a_view(state=State.HELD, held_by="quarantine", history=(aside,)))
    assert "Set aside by Kim Lund" in shown
    assert "The customer is under investigation." in shown


@pytest.mark.parametrize(
    ("automation", "said"),
    [
        (Automation.SAMPLING_RAISED, "More automatic approvals of the workflow refunds are checked at present"),
        (Automation.REVIEW_ALL, "Nothing of the workflow refunds is approved automatically at present"),
        (Automation.PAUSED, "*The workflow refunds is paused:* an approval is kept back"),
        (Automation.FROZEN, "*The workflow refunds is frozen:*"),
    ],
)
def test_a_workflow_that_is_braked_says_so_on_its_cards(automation: Automation, said: str) -> None:
    """Where an approval would not leave, that stands beside the buttons; on a check it changes nothing."""
    assert said in card(replace(a_view(), automation=automation))
    assert "the workflow refunds is" not in card(a_view()).lower()
    assert "kept back" not in card(replace(a_check(), automation=Automation.PAUSED))


def test_what_the_policys_own_checks_found_stands_beside_the_action() -> None:
    """Before the buttons, once, and not among the other reasons."""
    found = Reason(code="entity_mismatch", text="The action may be about somebody else.")
    view = a_view(route=a_route(reasons=(Reason(code="money", text="Money moves, so a person decides."), found)))
    shown = card(view)
    assert shown.count("about somebody else") == 1
    assert shown.index("⛔ \nThe action may be about somebody else.") < shown.index("Approve")


def test_the_terms_of_a_route_stand_in_small_print() -> None:
    """Exceptions with their end, skills, and that the model only advises."""
    waiver = Waiver(
        id="x_1",
        workflow="refunds",
        waives=("check_warned",),
        reason="r",
        requested_by=ANA,
        requested_at=NOW,
        until=NOW + timedelta(days=3),
    )
    route = a_route(exceptions=("x_1", "x_2"), skills=("spanish",), autonomy=Autonomy.HUMAN_EXECUTED)
    shown = card(replace(a_view(route=route), waivers={"x_1": waiver}))
    assert "*Exception x_1* applied until <!date^" in shown
    assert "*Exception x_2* applied · Needs spanish · The model only advises" in shown


def masked() -> View:
    """A case whose customer number is masked."""
    shown = REFUND | {"action": REFUND["action"] | {"params": REFUND["action"]["params"] | {"customer": "••••"}}}
    return replace(
        a_view(shown, route=a_route(reveal=("seniors",)), failed_checks=0), original=read(REFUND), masked=("action.params.customer",)
    )


def test_masked_values_are_counted_and_can_be_revealed_where_the_policy_lets_anybody() -> None:
    """One small line with one button; none where nobody may."""
    assert "🔒 1 value is masked" in card(masked())
    assert "Reveal" in labels(masked())
    nobody = masked()
    nobody = replace(nobody, case=nobody.case.model_copy(update={"route": a_route()}))
    assert "🔒 1 value is masked" in card(nobody)
    assert "Reveal" not in labels(nobody)


def test_a_modification_keeps_what_is_masked() -> None:
    """It has no input, is named as kept, and comes back whole with what was changed beside it."""
    form = modify_modal(masked(), SEAT)
    assert "8841" not in json.dumps([block for block in form["blocks"] if block["type"] == "input"])
    assert "Masked, they stay as they are: customer" in words_of(form["blocks"])
    typed = read_modification(masked(), with_text(form, amount="900.00"))
    assert [field.path for field, _ in typed.changes] == [("amount",)]
    assert typed.params == REFUND["action"]["params"] | {"amount": "900.00"}


def test_quarantine_is_out_of_the_way_and_only_where_somebody_could_release() -> None:
    """Behind the three dots, never on a check; its form says who lets the case out again."""
    route = a_route(roles={Role.DUTY_OFFICER: ("leads",)})
    menus = [node for node in nodes(draw_card(a_view(route=route)).blocks) if node.get("type") == "overflow"]
    assert [menu["action_id"] for menu in menus] == ["tierline:more"]
    assert all(len(option["value"]) <= 150 for option in menus[0]["options"])
    assert json.loads(menus[0]["options"][-1]["value"])["v"] == Verb.QUARANTINE
    assert "Quarantine" not in json.dumps(draw_card(a_view()).blocks)
    assert "Quarantine" not in json.dumps(draw_card(a_check(route=route)).blocks)
    assert "(group leads) releases it" in words_of(verb_modal(a_view(route=route), Verb.QUARANTINE, SEAT)["blocks"])


SYSTEMS_OWN = {
    EventKind.STARTED,
    EventKind.CLOCK_JUMPED,
    EventKind.RECOVERED,
    EventKind.KEY_ROTATED,
    EventKind.AUTOMATION_CHANGED,
    EventKind.BREAKER_TRIPPED,
    EventKind.BREAKER_CLEARED,
    EventKind.ALERT_ACKNOWLEDGED,
    EventKind.DIGEST_OPENED,
    EventKind.DIGEST_ACKNOWLEDGED,
    EventKind.DIGEST_UNACKNOWLEDGED,
    EventKind.DIGEST_REOPENED,
    EventKind.DIGEST_CLOSED,
    EventKind.ALERT_UNACKNOWLEDGED,
    EventKind.ALERT_PAGE_RESOLVED,
    EventKind.ALERT_PAGE_REOPENED,
    EventKind.BREAK_GLASS_LISTED,
    EventKind.INCIDENT_OPENED,
    EventKind.INCIDENT_REMINDED,
    EventKind.INCIDENT_CLOSED,
    EventKind.PAGING_FAILED,
    EventKind.PAGING_RESTORED,
    EventKind.GOVERNANCE_REFUSED,
    EventKind.NAME_BOUND,
    EventKind.NAME_PARTED,
    EventKind.NAME_CONFIRMED,
    EventKind.NOBODY_ON_CALL,
    EventKind.WENT_AWAY,
    EventKind.CAME_BACK,
    EventKind.OWED_TOLD,
    EventKind.OWED_WANTED,
    EventKind.OWED_UNWANTED,
    EventKind.CHANNEL_UNREACHABLE,
    EventKind.CHANNEL_REACHABLE,
}


@pytest.mark.parametrize(
    "kind", [kind for kind in EventKind if kind not in SYSTEMS_OWN and not kind.startswith(("policy_", "exception_", "drill_"))]
)
def test_every_event_of_a_case_has_a_sentence(kind: EventKind) -> None:
    """No note falls back to the bare name of its event, by whomever it is."""
    for by in (BEN, ""):
        note = draw_note(a_view(), happened(kind, by))
        check_message(note.text, note.blocks)
        assert note.text != kind.value.replace("_", " ").capitalize() + "."
