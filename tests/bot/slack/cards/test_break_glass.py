"""Break-glass on cards, in its form, in lists and in direct messages: true, and within what Slack takes, whatever the case holds."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.cards.break_glass_notice import draw_break_glass_notice
from bot.slack.cards.bulletins.break_glass_list import draw_list, draw_uses
from bot.slack.cards.card import draw_card
from bot.slack.cards.forms.break_glass import break_glass_modal
from bot.slack.cards.parts.break_glass import PASSED_OVER, WOULD_PASS_OVER
from bot.slack.cards.text.limits import check_message, check_view
from bot.slack.cards.thread import draw_note
from bot.slack.cards.view import Happening
from routing.case.break_glass import BreakGlassList, BreakGlassUse
from routing.change import Actor
from routing.policy.form.break_glass import BreakGlass
from routing.review.break_glass import Terms
from routing.vocabulary import EventKind, State, Verdict
from tests.bot.slack.cards.factory import BEN, NOW, a_review, a_view
from tests.bot.slack.cards.test_card import labels, words_of
from tests.bot.slack.cards.test_hostile import documents, texts
from tests.examples_drawn import examples

RULE = BreakGlass(group="rescuers", supervisors="bosses")
CODES = st.lists(st.sampled_from(sorted(PASSED_OVER)), min_size=1, unique=True).map(tuple)
USED = {"verdict": "approved", "passed_over": ["group", "people"], "review_by": "2026-11-23T12:00:00Z", "told": ["U0BOSS"]}


def terms(codes: tuple[str, ...] = ("group",), barred: str = "") -> Terms:
    """A use of it as it would be."""
    return Terms(RULE, codes, ("U0BOSS", "U0CHIEF"), NOW + timedelta(days=3), 2, barred)


def a_use(number: int, *, over: bool, by: str = BEN) -> BreakGlassUse:
    """One use, reviewed or not."""
    done: dict[str, Any] = {"outcome": "wrong", "reviewed_by": "U0BOSS", "reviewed_at": NOW} if over else {}
    return BreakGlassUse(
        case=f"c_{number:026}",
        revision=1,
        workflow="refunds",
        by=by,
        at=NOW - timedelta(hours=number),
        verdict=Verdict.REJECTED,
        passed_over=tuple(PASSED_OVER),
        review_by=NOW + timedelta(days=3),
        **done,
    )


@settings(max_examples=examples(40))
@given(documents, CODES, texts, st.sampled_from(["", "known_wrong"]))
def test_the_form_shows_the_action_within_the_limits(document: dict[str, Any], codes: tuple[str, ...], reason: str, barred: str) -> None:
    """Whatever stands in the case or was typed with the command; an approval is offered only where it could count."""
    view = a_view(document)
    modal = break_glass_modal(view, terms(codes, barred), reason, channel="C0OPS")
    check_view(modal)
    shown = words_of(modal["blocks"])
    assert view.case.action_sha256[:12] in shown
    assert all(WOULD_PASS_OVER[code] in shown for code in codes)
    chosen = next(block for block in modal["blocks"] if block.get("block_id") == "verdict")["element"]["options"]
    assert [option["value"] for option in chosen] == (["reject"] if barred else ["approve", "reject"])


@settings(max_examples=examples(40))
@given(documents, texts, st.booleans())
def test_what_is_decided_so_says_so(document: dict[str, Any], text: str, outcome: bool) -> None:
    """On its card, in its thread and to each supervisor, before and after the review."""
    used = Happening(EventKind.BREAK_GLASS_USED, Actor("human", BEN), NOW, USED, {"text": text, "name": text}, 5)
    said = {"outcome": "right" if outcome else "wrong", "reason_code": "other"}
    reviewed = Happening(EventKind.BREAK_GLASS_REVIEWED, Actor("human", "U0BOSS00001"), NOW, said, {"text": text}, 6)
    changes: dict[str, Any] = {"state": State.DECIDED, "verdict": Verdict.APPROVED, "decided_at": NOW, "break_glass": True}
    for history in ((used,), (used, reviewed)):
        view = a_view(document, history=history, **changes)
        drawings = (draw_card(view), draw_break_glass_notice(view, used), *(draw_note(view, one) for one in history))
        for drawing in drawings:
            check_message(drawing.text, drawing.blocks)
        shown = words_of(drawings[0].blocks)
        assert "Approved by break-glass" in shown
        assert "Passed over:" in shown
        assert ("nobody has yet" in shown) is (len(history) == 1)


@settings(max_examples=examples(40))
@given(texts)
def test_the_review_rings_its_supervisors_while_it_is_open(text: str) -> None:
    """By their user group; once it is answered nobody is rung, and what is said is the answer."""
    view = a_review(text)
    drawing = draw_card(view)
    check_message(drawing.text, drawing.blocks)
    assert "<!subteam^S0BOSSES001>" in words_of(drawing.blocks)
    assert "Ben Ode approved this by break-glass" in words_of(drawing.blocks)
    assert labels(view)[:2] == ["It was right", "It was wrong"]
    answered = draw_card(a_review(text, state=State.DECIDED, verdict=Verdict.REJECTED, decided_at=NOW))
    check_message(answered.text, answered.blocks)
    assert "Break-glass was wrong" in answered.text
    assert "S0BOSSES001" not in words_of(answered.blocks)


@settings(max_examples=examples(30))
@given(st.lists(st.booleans(), max_size=60), texts)
def test_the_list_has_what_nobody_reviewed_first(over: list[bool], name: str) -> None:
    """However many there were, and whatever people are called."""
    uses = tuple(a_use(number, over=one) for number, one in enumerate(over))
    for rule in (RULE, None):
        drawing = draw_uses(uses, rule, {BEN: name})
        check_message(drawing.text, drawing.blocks)
        shown = words_of(drawing.blocks)
        waiting = sum(not one for one in over)
        assert shown.count("Not reviewed") == min(waiting, 20)
        assert shown.count("Passed over: ") >= min(len(uses), 20)
        assert ("*Wrong*" not in shown) or shown.rindex("Not reviewed" if waiting else "Used") < shown.index("*Wrong*")
    if uses:
        weekly = draw_list(BreakGlassList(week="2026-W48", uses=uses), {})
        check_message(weekly.text, weekly.blocks)


def test_words_for_every_rule_that_is_passed_over() -> None:
    """The past tense and the warning know the same rules, and a code of another version is said by its name."""
    assert PASSED_OVER.keys() == WOULD_PASS_OVER.keys()
    used = Happening(EventKind.BREAK_GLASS_USED, Actor("human", BEN), NOW, {**USED, "passed_over": ["a_new_rule"]}, {}, 5)
    view = replace(a_view(history=(used,), state=State.DECIDED, verdict=Verdict.REJECTED, decided_at=NOW, break_glass=True))
    assert "A new rule" in words_of(draw_card(view).blocks)
