"""The titles of a card and of its page show the worst of what is known: the class of risk, checks, changes beyond the policy's limits."""

import itertools

import pytest

from bot.slack.cards.card import draw_card
from bot.slack.cards.command_answers import draw_case
from bot.slack.cards.forms.modals import Seat, verb_modal
from bot.slack.cards.text.limits import check_message
from escalation.page_words import summary_of
from routing.authorize import demands
from routing.case.case import Reason
from routing.vocabulary import Risk, Verb
from tests.bot.slack.cards.factory import REFUND, a_route, a_view
from tests.bot.slack.cards.test_card import card

LEVEL = {"🟢": 0, "🟡": 1, "🟠": 2, "🔴": 3}
LARGE = Reason(code="change_large", text="The action changes price by more than the policy lets pass unnoticed.")


@pytest.mark.parametrize("risk", list(Risk))
@pytest.mark.parametrize(("failed", "warned", "large"), list(itertools.product([0, 1, 2], [0, 1, 2], [0, 1])))
def test_the_title_shows_the_worst(risk: Risk, failed: int, warned: int, large: int) -> None:
    """Never green beside a failed check, never less than the class."""
    results = ["fail"] * failed + ["warn"] * warned
    checks = [{"name": f"c{number}", "result": result} for number, result in enumerate(results)]
    view = a_view(REFUND | {"checks": checks}, route=a_route(risk=risk, reasons=(LARGE,) if large else ()))
    worst = max(risk.level, 2 if failed or large else 0, 1 if warned else 0)
    title = draw_card(view).blocks[0]["text"]["text"]
    assert title == draw_case(view).blocks[0]["text"]["text"]
    assert LEVEL[title[0]] == worst
    shown = card(view)
    assert f"{risk.value.capitalize()} risk" in shown
    against = [check["name"] for check in checks if check["result"] != "pass"]
    assert all(f"\n{name}\n" in shown for name in against)
    assert (LARGE.text in shown) == bool(large)
    form = str(verb_modal(view, Verb.APPROVE, Seat("C1", "1.1"))["blocks"])
    assert all(f"c{number}" in form for number in range(min(len(results), 3)))
    assert ("A large change" in form) == (LARGE.text in form) == bool(large)
    confirmed = demands(Verb.APPROVE, view.case).confirm
    assert confirmed == bool(large)
    check_message(draw_card(view).text, draw_card(view).blocks)
    paged = summary_of(view.case, view.case.tier)
    said = title[2:].partition(" · ")[0]
    assert paged.startswith(f"{said}, {risk.value} risk: " if worst > risk.level else f"{said}: ")
    if worst > risk.level:
        assert ("check" in title) == bool(failed or (warned and not large))
