"""The alarm that pages do not get through says who has them, and never that somebody does whom nothing rang."""

from itertools import chain, combinations

import pytest

from bot.slack.cards.bulletins.waiting_pages import draw_waiting_pages
from bot.slack.cards.text.limits import check_message
from bot.slack.cards.view import Bulletin, WaitingPage
from routing.case.case import OpenPage
from routing.governance.paging_alarm import PagingAlarm
from routing.governance.paging_alarm_lifecycle import PLACES
from routing.vocabulary import PageRoute
from tests.bot.slack.cards.factory import NOW, REFUND, a_case, read
from tests.bot.slack.cards.test_card import words_of

OTHERS = (PageRoute.SECOND_KEY, PageRoute.EMAIL)
TAKEN = list(chain.from_iterable(combinations(OTHERS, size) for size in range(len(OTHERS) + 1)))
ALARM = PagingAlarm(since=NOW, posted=1, posted_at=NOW, drawn_at=NOW)


@pytest.mark.parametrize("second", [None, *TAKEN], ids=str)
@pytest.mark.parametrize("first", TAKEN, ids=str)
def test_it_says_who_has_them(first: tuple[PageRoute, ...], second: tuple[PageRoute, ...] | None) -> None:
    """What reached nobody stands first; what e-mail alone took is to be looked after, since that rings nobody."""
    taken = [first] if second is None else [first, second]
    pages = tuple(
        WaitingPage(a_case(read(REFUND)), OpenPage(tier=1, round=number, accepted=accepted, failed=(PageRoute.PAGERDUTY,), since=NOW))
        for number, accepted in enumerate(taken, 1)
    )
    drawing = draw_waiting_pages(Bulletin("p", ALARM, (), NOW, tier=PLACES, pages=pages), ALARM)
    check_message(drawing.text, drawing.blocks)
    shown = words_of(drawing.blocks)
    unreached = taken.count(())
    assert ("reached nobody" in shown) is (unreached > 0)
    assert shown.count("*nobody has it*") == unreached
    assert ("E-mail rings nobody" in shown) is (not unreached and (PageRoute.EMAIL,) in taken)
    assert ("please see to" in shown) is (unreached > 0)
    assert not (len(taken) == 1 and [word for word in (" them ", "Each ", "these") if word in shown.partition("*What helps")[0]])
    assert ("1 of them" in shown) is (unreached == 1 and len(taken) == 2)


@pytest.mark.parametrize("posted", [2, 3, 9])
def test_what_was_said_before_claims_no_end(posted: int) -> None:
    """While it is still so, an earlier message leads to the newer one and has no tick; once it is over each says so."""
    alarm = ALARM.model_copy(update={"posted": posted})
    earlier = Bulletin("p", alarm, (), NOW, tier=PLACES)
    shown = words_of(draw_waiting_pages(earlier, alarm).blocks)
    assert "a newer message says how it stands now" in shown
    assert "✅" not in shown
    over = alarm.model_copy(update={"over_at": NOW})
    assert "✅" in words_of(draw_waiting_pages(earlier, over).blocks)
