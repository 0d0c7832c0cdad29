"""What the small print says of a page: true however far it has come, and by whichever way."""

from itertools import chain, combinations

import pytest

from bot.slack.cards.parts.steps import people
from routing.case.case import OpenPage
from routing.vocabulary import PageRoute
from tests.bot.slack.cards.factory import a_review, a_view

SUBSETS = list(chain.from_iterable(combinations(PageRoute, size) for size in range(len(PageRoute) + 1)))


def said(*pages: OpenPage) -> str:
    """The small print at tier 2."""
    return people(a_view(tier=1, pages=pages))


@pytest.mark.parametrize("accepted", SUBSETS, ids=str)
@pytest.mark.parametrize("failed", SUBSETS, ids=str)
def test_a_page_is_said_to_be_where_it_is(accepted: tuple[PageRoute, ...], failed: tuple[PageRoute, ...]) -> None:
    """Nobody is said to be paged whom no route reached; where PagerDuty has not taken it, that is said, and what has."""
    page = OpenPage(tier=1, round=3, routes=tuple(PageRoute), accepted=accepted, failed=failed)
    shown = said(OpenPage(tier=0, round=1), OpenPage(tier=1, round=2, accepted=(PageRoute.PAGERDUTY,)), page)
    if failed and not accepted:
        assert "*its page has reached nobody yet*" in shown
        assert "paged" not in shown
    elif failed and PageRoute.PAGERDUTY not in accepted:
        assert "PagerDuty has not taken it" in shown
        assert ("the second routing key" in shown) is (PageRoute.SECOND_KEY in accepted)
        assert ("e-mail" in shown) is (PageRoute.EMAIL in accepted)
    else:
        assert "*paged*" in shown
    assert "pag" not in said(OpenPage(tier=0, round=1))


def test_a_review_of_break_glass_is_at_no_tier() -> None:
    """It is the supervisors', who stand above whatever ladder the case had."""
    assert people(a_review()).startswith("Supervisors, group bosses")
