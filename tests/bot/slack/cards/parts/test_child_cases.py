"""Cases about a case on their cards: the sampled check, the question whether to undo, and what their parent says of them."""

from dataclasses import replace
from typing import Any

import pytest

from bot.slack.cards.card import draw_card
from bot.slack.cards.forms.modals import Seat, verb_modal
from bot.slack.cards.view import Happening, View
from routing.vocabulary import CaseKind, DrillKind, EventKind, State, Verb, Verdict
from tests.bot.slack.cards.factory import ANA, BEN, KIM, NOW, PARENT, a_check, a_drill, a_review, a_rollback, a_view
from tests.bot.slack.cards.test_card import card, labels, words_of
from tests.bot.slack.cards.test_guards import happened

SEAT = Seat("C0T1", "1.2")
BEHIND = ["Details", "Claim", "Comment", "Escalate"]
OTHER = "c_01hxyz0123456789abcdeother"
LINK = "https://northwind.slack.com/archives/C0T1/p7"


def test_a_sampled_check_asks_whether_the_approval_was_right() -> None:
    """Why it was drawn, the way to the case, and two answers; nothing to modify, and no service to ask."""
    view = a_check()
    shown = card(view)
    assert draw_card(view).blocks[0]["text"]["text"].startswith("🔎 Sampled check · Refund")
    assert "*Was this automatic approval right?*  Drawn by lot, as 5 % are." in shown
    assert PARENT in shown
    assert "Was approved " in shown
    assert labels(view) == ["It was right", "It was wrong", *BEHIND]
    form = verb_modal(view, Verb.REJECT, SEAT)
    assert "counts as an error that was caught" in words_of(form["blocks"])


@pytest.mark.parametrize(("verdict", "said"), [(Verdict.APPROVED, "It was right"), (Verdict.REJECTED, "It was wrong")])
def test_a_decided_check_says_its_answer_and_offers_nothing(verdict: Verdict, said: str) -> None:
    """Nothing of a check is executed, so nothing of it is rolled back."""
    view = a_check(state=State.DECIDED, verdict=verdict, decided_at=NOW)
    assert said in draw_card(view).text
    assert "May be executed" not in card(view)
    assert labels(view) == []


def test_undoing_is_asked_with_who_wants_it_and_why() -> None:
    """Ana asks, somebody else answers; the answer says what it does."""
    view = a_rollback()
    shown = card(view)
    assert "*Ana Ruiz asks to undo this: Inaccurate.*" in shown
    assert "The parcel has arrived after all." in shown
    assert "Would be undone " in shown
    assert labels(view) == ["Undo it", "Leave it", *BEHIND]
    done = a_rollback(state=State.DECIDED, verdict=Verdict.APPROVED, decided_at=NOW)
    reported = replace(done, related={PARENT: done.related[PARENT].model_copy(update={"outcome": "rolled_back"})})
    assert "⏪ To be undone" in draw_card(reported).text
    assert "The service reports: *Rolled back*." in card(reported)


def test_undoing_names_whoever_asks_though_slack_named_them_for_no_other_card() -> None:
    """A check that disagreed too, with their words; the risk of the original action is not that of undoing it."""
    view = a_rollback(requester="U0NOBODY001")
    [said] = view.history
    checked = replace(view, history=(replace(said, opened={"text": "The parcel was not late.", "name": "Ben Ode"}),))
    shown = card(checked)
    assert "*Ben Ode asks to undo this: Inaccurate.*" in shown
    assert "The parcel was not late." in shown
    assert "if this is wrong" not in shown
    assert "A check found this wrong" in card(a_rollback(requester=""))


def decided(*history: Happening, **changes: Any) -> View:
    """An automatic approval and what happened since."""
    return a_view(history=history, **{"state": State.DECIDED, "verdict": Verdict.AUTO_APPROVED, "decided_at": NOW, **changes})


def test_the_parent_tells_what_became_of_its_check() -> None:
    """Under way, right, wrong, or never done."""
    opened = happened(EventKind.CHECK_OPENED, "")
    pending = replace(decided(opened, children=(OTHER,)), related={OTHER: a_check(id=OTHER).case}, related_links={OTHER: LINK})
    assert f"People still check it. <{LINK}|Open that card>" in card(pending)
    expired = a_check(id=OTHER, state=State.DECIDED, verdict=Verdict.EXPIRED).case
    assert "Drawn for a check, but nobody checked it." in card(replace(pending, related={OTHER: expired}))
    assert "*Checked by Ben Ode: it was right.*" in card(decided(opened, happened(EventKind.CHECK_AGREED)))
    wrong = decided(opened, happened(EventKind.CHECK_DISAGREED, BEN, {"reason_code": "wrong_amount"}))
    assert "*Checked by Ben Ode: it was wrong* (Wrong amount)." in card(wrong)


def test_the_parent_tells_how_far_undoing_is() -> None:
    """Proposed, asked of the service, declined; the button is gone while it is asked."""
    proposed = happened(EventKind.ROLLBACK_PROPOSED, ANA)
    asking = decided(proposed, rollback=True)
    assert "*Undoing it is proposed* by Ana Ruiz; somebody else decides." in card(asking)
    assert labels(asking) == []
    assert "*Roll back requested* by Kim Lund" in card(decided(proposed, happened(EventKind.ROLLBACK_REQUESTED, KIM), rollback=True))
    declined = decided(proposed, happened(EventKind.ROLLBACK_DECLINED, KIM))
    assert "Undoing it was proposed and *declined* by Kim Lund." in card(declined)
    assert labels(declined) == ["Roll back"]


def test_the_kinds_of_cases_are_all_drawn() -> None:
    """A new kind of case would show up here."""
    assert {a_view().case.kind, a_check().case.kind, a_rollback().case.kind, a_review().case.kind, a_drill().case.kind} == set(CaseKind)


@pytest.mark.parametrize("kind", DrillKind)
@pytest.mark.parametrize("to", [0, 1])
def test_a_drills_card_says_so_before_anything_else_and_promises_no_action(kind: DrillKind, to: int) -> None:
    """Open, moved and over: whoever reads only the first line knows; what would be executed is said to be none."""
    for changes in (
        {},
        {"tier": 1},
        {"state": State.DECIDED, "verdict": Verdict.WITHDRAWN, "decided_at": NOW, "reason_code": "drill_answered"},
    ):
        view = a_drill(kind, to, **changes)
        drawing = draw_card(view)
        assert "[DRILL]" in drawing.text
        assert "[DRILL]" in drawing.blocks[0]["text"]["text"]
        said = card(view)
        assert not [false for false in ("Will execute", "Would execute", "May be executed", "took the case back") if false in said]
    shown = card(a_drill(kind, to))
    assert "This is a drill" in shown
    assert ("Confidence" in shown) is (kind is DrillKind.LOW_CONFIDENCE)
    assert ("as if nobody here had taken it" in shown) is bool(to)
    assert ("Approve" in labels(a_drill(kind, to))) is not bool(to)
