"""Notes in a thread: what becomes of a page is told hop by hop, and each says what comes next."""

import pytest

from bot.slack.cards.thread import draw_note
from bot.slack.cards.view import Happening
from routing.change import SYSTEM
from routing.review.page_routes import OPERATIONS
from routing.vocabulary import EventKind, PageRoute
from tests.bot.slack.cards.factory import NOW, a_view

NEXT = {PageRoute.SECOND_KEY.value: "second routing key as well", PageRoute.EMAIL.value: "by e-mail as well", OPERATIONS: "No further way"}


@pytest.mark.parametrize("after", NEXT)
@pytest.mark.parametrize("route", PageRoute)
def test_a_page_that_did_not_get_through_says_where_it_goes_next(route: PageRoute, after: str) -> None:
    """Whichever way failed, and whatever is left."""
    fields = {"tier": 2, "round": 3, "routes": [route.value], "cause": "HTTP 403", "tries": 1, "next": after}
    said = draw_note(a_view(), Happening(EventKind.PAGE_NOT_ACCEPTED, SYSTEM, NOW, fields)).text
    assert "Page 3 for tier 2 did not get through by" in said
    assert said.count("(HTTP 403)") == 1
    assert [words for words in NEXT.values() if words in said] == [NEXT[after]]
