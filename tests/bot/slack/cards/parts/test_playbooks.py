"""The checklist of a playbook on a card: each step in words that are true of its state, within a message whatever a policy writes."""

from datetime import timedelta
from typing import Any

import pytest

from bot.slack.cards.card import draw_card
from bot.slack.cards.parts.playbooks import playbook_blocks
from bot.slack.cards.text.limits import check_message
from bot.slack.cards.told import draw_told
from bot.slack.cards.view import Happening, View
from routing.case.playbook import Interim, LegalHold, Playbook, PlaybookStep
from routing.change import Actor
from routing.vocabulary import EventKind, State, Verdict
from tests.bot.slack.cards.factory import ANA, BEN, NOW, a_view

STATES = ("planned", "waiting", "done", "failed", "needless")
STEPS: dict[str, dict[str, Any]] = {
    "interim": {"to": "hold"},
    "legal_hold": {"words": "A dispute.", "released_by": (ANA,)},
    "page": {},
    "tell": {"to": "review-ops", "words": "Look."},
    "ticket": {"to": "helpdesk"},
}
SAID = {
    "interim": ("Ask the service to hold: not told yet", "The service was asked to hold"),
    "legal_hold": ("Legal hold: not set yet", "Legal hold set"),
    "page": ("Page whoever is on call: no page accepted yet", "Whoever is on call was paged"),
    "tell": ("Tell #review-ops: not sent yet", "Told #review-ops"),
    "ticket": ("Ticket in helpdesk: not accepted yet", "Ticket opened in helpdesk"),
}


def a_playbook(*steps: PlaybookStep, **changes: Any) -> Playbook:
    """One that has begun."""
    given: dict[str, Any] = {"name": "wrong-money", "because": "flag legal", "steps": steps, "begun_at": NOW}
    return Playbook(**(given | changes))


def shown(view: View) -> str:
    """All that the card says of playbooks."""
    return "\n".join(str(block["text"]["text"]) for block in playbook_blocks(view))


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", STEPS)
def test_each_step_says_how_far_it_is(kind: str, state: str) -> None:
    """Done only where it is done; a failure with its cause, what is not needed with why."""
    step = PlaybookStep.model_validate({"kind": kind, "state": state, "at": NOW, "why": "answered 410", **STEPS[kind]})
    said = shown(a_view(playbooks=(a_playbook(step),)))
    waiting, done = SAID[kind]
    assert (done in said) is (state == "done")
    assert (waiting in said) is (state in ("planned", "waiting"))
    assert ("*failed*, answered 410" in said) is (state == "failed")
    assert ("not needed, answered 410" in said) is (state == "needless")


@pytest.mark.parametrize(
    ("changes", "ended", "said"),
    [
        ({}, "", "an approval releases it, any other end keeps it"),
        ({"state": State.DECIDED, "verdict": Verdict.APPROVED, "withheld": True}, "", "goes on:* the decision is kept back"),
        ({"state": State.DECIDED, "verdict": Verdict.APPROVED}, "released", "released by the verdict"),
        ({"state": State.DECIDED, "verdict": Verdict.REJECTED}, "kept", "kept by the verdict"),
    ],
)
def test_the_interim_action_is_said_as_it_is(changes: dict[str, Any], ended: str, said: str) -> None:
    """In force, kept back, released, kept."""
    interim = Interim.model_validate({"action": "quarantine", "playbook": "wrong-money", "since": NOW, "ended": ended})
    assert said in shown(a_view(interim=interim, **changes))


def test_a_legal_hold_says_why_by_whom_and_who_releases_it() -> None:
    """The policy's words, or those of whoever put it."""
    words = Happening(EventKind.LEGAL_HOLD_SET, Actor("human", BEN), NOW, {"playbook": "", "reason": ""}, {"text": "Counsel *asked*."}, 7)
    by_policy = LegalHold(playbook="wrong-money", reason="A dispute.", by="tierline", at=NOW, released_by=(ANA,))
    said = shown(a_view(history=(words,), legal_holds=(by_policy, LegalHold(by=BEN, at=NOW))))
    assert "by playbook wrong-money" in said
    assert "A dispute. It keeps the content, and stops no decision. May be released by Ana Ruiz." in said
    assert "by Ben Ode" in said
    assert "Counsel" in said
    assert "*asked*" not in said
    assert "May be released by a supervisor, duty officer or admin." in said


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("many", [1, 20])
def test_whatever_a_policy_writes_fits(state: str, many: int) -> None:
    """Names and words as long as they may be, as many steps and playbooks as there may be; nothing that waits is passed over in silence."""
    long = {"kind": "tell", "to": "C" + "x" * 79, "words": "<!channel> *" + "&" * 290, "why": "<" * 300, "state": state, "at": NOW}
    steps = tuple(PlaybookStep.model_validate(long) for _ in range(30))
    some = a_playbook(*steps, name="n" * 80, because="<&>" * 90, re_enter="&" * 300)
    holds = tuple(LegalHold(by=BEN, at=NOW + timedelta(minutes=at), reason="&" * 300, released_by=(ANA,) * 20) for at in range(9))
    interim = Interim(action="hold", playbook="n" * 80, since=NOW)
    for changes in ({}, {"state": State.HELD, "held_by": "quarantine"}, {"state": State.NEEDS_INFO}, {"state": State.DECIDED}):
        view = a_view(playbooks=(some,) * many, legal_holds=holds, interim=interim, **changes)
        drawing = draw_card(view)
        check_message(drawing.text, drawing.blocks)
        assert "more lines" in shown(view) or "steps are done" in shown(view)
        assert "<!channel>" not in str(drawing.blocks)


def test_what_people_are_told_is_the_policys_words_and_where_it_stands() -> None:
    """Mentioned are those whom the policy names; the case's own words mention nobody."""
    step = PlaybookStep(kind="tell", to="review-ops", words="Ask the <!here> bank.", people=(ANA,), groups=("review-experts",))
    view = a_view(playbooks=(a_playbook(step),))
    drawing = draw_told(view, view.case.playbooks[0], step, {"review-experts": "S0EXPERTS"})
    check_message(drawing.text, drawing.blocks)
    said = str(drawing.blocks)
    assert f"<@{ANA}>" in said
    assert "<!subteam^S0EXPERTS>" in said
    assert "<!here>" not in said + drawing.text
    assert "It waits for a decision at tier 1" in said
    over = a_view(playbooks=(a_playbook(step),), state=State.DECIDED, verdict=Verdict.APPROVED)
    assert "It is decided by now" in str(draw_told(over, over.case.playbooks[0], step, {"review-experts": "S0EXPERTS"}).blocks)
