"""What can be pressed on a card: one row and a menu that Slack takes, and a dialog before what is critical that says what follows."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.slack.cards.card import draw_card
from bot.slack.cards.forms.detail_tabs import TABS
from bot.slack.cards.forms.details import details_modal
from bot.slack.cards.text.limits import check_view
from bot.slack.cards.view import View
from routing.authority import Automation, Role
from routing.case.case import Clocks, Step
from routing.vocabulary import Risk, Verb
from tests.bot.slack.cards.factory import BEN, CHECKLIST, NOW, REFUND, a_check, a_route, a_view
from tests.bot.slack.cards.test_card import SEAT, buttons, card, words_of

FINE = REFUND | {"checks": []}
ONE, TWO, DUAL = (Step(name="approve"),), (Step(name="approve", people=2),), (Step(name="verify"), Step(name="approve"))
VOTED = {"by": BEN, "verb": "approve", "at": NOW}


def asked(view: View) -> str:
    """What the dialog of the first button says, "" where there is none."""
    return str((next(buttons(view)).get("confirm") or {}).get("text", {}).get("text", ""))


@pytest.mark.parametrize("automation", [Automation.ON, Automation.PAUSED, Automation.FROZEN])
@pytest.mark.parametrize(
    ("steps", "step", "votes", "last"),
    [
        (ONE, 0, (), True),
        (TWO, 0, (), False),
        (TWO, 0, (VOTED | {"step": 0},), True),
        (DUAL, 0, (), False),
        (DUAL, 1, (VOTED | {"step": 0},), True),
    ],
)
def test_what_a_yes_leads_to_is_said_as_it_is(
    steps: tuple[Step, ...], step: int, votes: tuple[Any, ...], automation: Automation, *, last: bool
) -> None:
    """Whether somebody else is asked after this press, on the card and in the dialog; what is paused is not said to be executed."""
    view = replace(a_view(FINE, route=a_route(risk=Risk.CRITICAL, steps=steps), step=step, votes=votes), automation=automation)
    assert ("Once everybody has agreed, will execute" in card(view)) == (not last)
    assert ("\nWill execute \n" in card(view)) == last
    said = asked(view)
    assert ("Somebody else is asked after you" in said) == (not last)
    assert ("the service may then execute refund.create" in said) == (last and automation is Automation.ON)
    assert ("kept back" in said) == (last and automation is not Automation.ON)


@pytest.mark.parametrize(
    ("reversible", "note"), [(True, ""), (False, " Note: cannot be undone."), (None, " Note: not known to be undoable.")]
)
@pytest.mark.parametrize("masked", [False, True])
def test_the_dialog_says_of_undoing_what_the_card_says(*, reversible: bool | None, note: str, masked: bool) -> None:
    """Of what is masked neither says anything."""
    document = FINE | {"action": REFUND["action"] | {"reversible": reversible}}
    view = replace(a_view(document, route=a_route(risk=Risk.CRITICAL)), masked=("action.reversible",) if masked else ())
    assert asked(view).endswith("execute refund.create." + ("" if masked else note))


def test_a_dialog_comes_only_where_no_form_asks() -> None:
    """Below critical, before a form, and on a check of Tierline's own nothing is asked twice or that nobody needs."""
    critical = a_route(risk=Risk.CRITICAL)
    assert asked(a_view(FINE, route=critical))
    for view in (
        a_view(FINE, route=a_route(risk=Risk.HIGH)),
        a_view(route=critical),
        a_view(FINE, route=a_route(risk=Risk.CRITICAL, steps=(Step(name="verify", checklist=CHECKLIST),))),
        a_check(route=critical),
    ):
        assert asked(view) == ""


@pytest.mark.parametrize("asked_for", [True, False])
@pytest.mark.parametrize("claimed", ["", BEN])
def test_the_menu_holds_what_slack_takes(claimed: str, *, asked_for: bool) -> None:
    """Five entries at most, each with its verb in a value of at most 150 characters, and everything that a button would say. Where a clock
    asks that somebody takes it, the button for that stands in the row.
    """
    clocks = Clocks(acknowledge=NOW + timedelta(minutes=15) if asked_for else None, decide=NOW + timedelta(hours=4))
    view = a_view(FINE, route=a_route(roles={Role.ADMIN: ("leads",)}), claimed_by=claimed, clocks=clocks)
    [menu] = [element for block in draw_card(view).blocks for element in block.get("elements", []) if element.get("type") == "overflow"]
    told = [json.loads(option["value"]) for option in menu["options"]]
    claim = [Verb.UNCLAIM, Verb.TAKE_OVER] if claimed else [] if asked_for else [Verb.CLAIM]
    last = [] if claimed else [Verb.QUARANTINE]  # else it stands in the details
    assert [one["v"] for one in told] == [*claim, Verb.COMMENT, Verb.ASK, Verb.ESCALATE, *last]
    assert all(len(option["value"]) <= 150 for option in menu["options"])
    assert all((one["c"], one["f"], one["t"], one["cut"]) == (view.case.id, view.case.face, 0, 0) for one in told)
    row = ["Approve", "Reject", "Modify", "Details", *(["Claim"] if asked_for and not claimed else [])]
    assert [one["text"]["text"] for one in buttons(view)] == row


def test_every_tab_leads_to_every_other_and_marks_itself() -> None:
    """Each button names its tab; the present one stands out; what is pressed is the verb that is on record."""
    for tab in TABS:
        shown = details_modal(a_view(), SEAT, tab=tab)
        check_view(shown)
        [row] = [block["elements"] for block in shown["blocks"] if block.get("block_id") == "tierline:tabs"]
        assert [json.loads(one["value"])["tab"] for one in row] == list(TABS)
        assert [one["text"]["text"] for one in row] == [f"▸ {one.label}" if name == tab else one.label for name, one in TABS.items()]
        assert [one["accessibility_label"] for one in row if "accessibility_label" in one] == [f"{TABS[tab].label}, shown now"]
        assert {one["action_id"].rpartition(":")[0] for one in row} == {"tierline:open_evidence"}


def test_details_open_where_there_is_more_to_read() -> None:
    """At the evidence; where the card had to cut something, at the longer of evidence and action."""
    cut = replace(SEAT, cut=True)
    for document, seat, tab in (
        (REFUND, SEAT, "evidence"),
        (REFUND | {"output": "word " * 2_000}, cut, "action"),
        (REFUND | {"request": "word " * 2_000}, cut, "evidence"),
    ):
        assert json.loads(details_modal(a_view(document), seat)["private_metadata"])["tab"] == tab


def test_all_texts_of_a_case_stand_in_its_details() -> None:
    """Whatever the service wrote is on some page of some tab; what is too long for a card asks to be opened, however it is spread."""
    shown = words_of([block for tab in TABS for block in details_modal(a_view(), SEAT, tab=tab)["blocks"]])
    model, evidence = REFUND["model"], REFUND["evidence"]
    told = [REFUND["title"], REFUND["request"], REFUND["output"], model["name"], model["version"], model["prompt_version"]]
    told += [model["trained_at"], model["rationale"], model["counterfactual"], *(one["name"] for one in model["features"])]
    told += [one[name] for one in REFUND["checks"] for name in ("name", "by", "detail") if name in one]
    told += [one[name] for one in evidence for name in ("id", "title", "text", "url") if name in one]
    told += [*REFUND["risk"]["flags"], *REFUND["subject"].values(), "8841", "1240.00", "A-1"]
    assert [text for text in told if text not in shown] == []
    many = {"evidence": [{"id": f"s{number}", "kind": "record"} for number in range(5)]}
    for long in (
        {"request": "w" * 501},
        {"request": "w\n" * 12},
        {"model": {"rationale": "w" * 601}},
        {"model": {"counterfactual": "w" * 301}},
        many,
    ):
        assert {json.loads(one["value"])["cut"] for one in buttons(a_view(FINE | long))} == {1}
    assert {json.loads(one["value"])["cut"] for one in buttons(a_view(FINE))} == {0}
