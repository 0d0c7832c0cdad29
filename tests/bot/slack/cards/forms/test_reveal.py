"""What is masked, shown to somebody who may see it: all of it, in pages that Slack takes, and nothing else of the case."""

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.cards.card import draw_card
from bot.slack.cards.forms.modals import Seat
from bot.slack.cards.forms.reveal import reveal_modal
from bot.slack.cards.parts.sources import source_title
from bot.slack.cards.text.limits import check_view
from bot.slack.cards.view import Happening, View
from routing.change import Actor
from routing.privacy.masking import Hidden, mask
from routing.vocabulary import EventKind
from tests.bot.slack.cards.factory import ANA, NOW, REFUND, a_route, a_view, every_detail, read
from tests.bot.slack.cards.test_card import words_of
from tests.examples_drawn import examples

SEAT = Seat("C0T1", "1.2")
IBAN = "DE89 3704 0044 0532 0130 00"


def masked_view(**changes: object) -> View:
    """A case as people see it, with what is masked beside it."""
    original = read(REFUND | changes)
    masked = mask(original)
    view = replace(a_view(REFUND | changes, route=a_route(reveal=("experts",))), submission=masked.submission)
    return replace(view, original=original, masked=masked.paths, hidden=masked.hidden)


def leaf(view: View) -> str:
    """Every text of the card in one."""
    return words_of(draw_card(view).blocks)


def everything(view: View) -> list[str]:
    """Every page as Slack gets it."""
    pages = [json.dumps(reveal_modal(view, SEAT, page), ensure_ascii=False) for page in range(200)]
    return list(dict.fromkeys(pages))


def test_it_shows_the_places_and_the_values_and_that_it_is_recorded() -> None:
    """The value of each place, and nothing of the case that everybody can read anyway."""
    view = masked_view(request=f"Pay to {IBAN}, I am anna@northwind.example")
    [page] = everything(view)
    assert IBAN in page
    assert "anna@northwind.example" in page
    assert "request" in page
    assert "Who looked is recorded." in page
    assert "Pay to" not in page


def test_cards_and_evidence_never_show_what_is_masked() -> None:
    """The original is in the view for callbacks and this modal only."""
    view = masked_view(request=f"Pay to {IBAN}", action={"type": "payee.change", "params": {"iban": IBAN}, "before": {"iban": "x"}})
    shown = [json.dumps(modal, ensure_ascii=False) for modal in every_detail(view, SEAT)]
    shown.append(json.dumps(draw_card(view).blocks, ensure_ascii=False))
    assert all(IBAN not in text for text in shown)
    assert "DE•• … 3000" in shown[-1]


def test_pages_lead_to_each_other() -> None:
    """The first one only on, the last one only back, each with the place it leads to."""
    view = replace(masked_view(), hidden=tuple(Hidden(f"action.params.{number}.text", f"{number:04} " * 200) for number in range(30)))
    pages = everything(view)
    assert len(pages) > 2
    assert ("Next page" in pages[0], "Previous page" in pages[0]) == (True, False)
    assert ("Next page" in pages[-1], "Previous page" in pages[-1]) == (False, True)
    assert all(f"action.params.{number}.text" in "".join(pages) for number in range(30))


def test_a_source_is_named_by_its_title_and_words_by_what_they_were_said_with() -> None:
    """Whoever looks knows which of the sources they read; a place in the action keeps its path."""
    hidden = tuple(Hidden(path, IBAN) for path in ("evidence.0.text", "history.7.text", "action.params.iban", "evidence.99.text"))
    said = Happening(EventKind.COMMENTED, Actor("human", ANA), NOW, {}, {"text": "x"}, 7)
    view = masked_view()
    [page] = everything(replace(view, hidden=hidden, history=(said,)))
    source = f"Source: {source_title(view.submission.evidence[0])} (text)"
    for place in (source, "Commented (text)", "action.params.iban", "evidence.99.text"):
        assert json.dumps(place, ensure_ascii=False) in page


def test_two_values_that_are_masked_alike_are_called_different() -> None:
    """On the line of the action, where a number behind the mark would say little."""
    action = {"type": "payee.change", "params": {"password": "new-one-1"}, "before": {"password": "old-one-2"}}
    assert '"••••••" → another value, masked as well' in json.loads(json.dumps(leaf(masked_view(action=action))))


def test_where_nothing_is_masked_it_says_so() -> None:
    """A press on an old card can find that there is nothing any more."""
    assert "Nothing of this case is masked" in everything(replace(masked_view(), hidden=()))[0]


@settings(max_examples=examples(40))
@given(st.lists(st.tuples(st.text(max_size=400), st.text(max_size=6_000)), max_size=30))
def test_whatever_is_masked_slack_takes_it(values: list[tuple[str, str]]) -> None:
    """Every page keeps within Slack's limits."""
    view = replace(masked_view(), hidden=tuple(Hidden(f"action.params.{key}", value) for key, value in values))
    for page in range(40):
        check_view(reveal_modal(view, SEAT, page))
