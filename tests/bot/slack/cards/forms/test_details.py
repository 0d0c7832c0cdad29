"""The details of a case as people read them: which case, which tab, and what happened in words; the record itself is the log's."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.slack.cards.forms.details import details_modal
from bot.slack.cards.text.limits import check_view
from bot.slack.cards.view import Happening
from routing.change import Actor
from routing.vocabulary import EventKind
from tests.bot.slack.cards.factory import ANA, NOW, REFUND, a_view
from tests.bot.slack.cards.test_card import SEAT, words_of
from tests.bot.slack.cards.test_hostile import nodes

SHA = "ab" * 32
BY_ANA = Actor("human", ANA)


def history(*happenings: Happening, **changes: Any) -> tuple[str, list[dict[str, Any]]]:
    """The words of the tab and its moments."""
    view = details_modal(replace(a_view(**changes), history=happenings), SEAT, tab="history")
    check_view(view)
    return words_of(view["blocks"]), [node for node in nodes(view["blocks"]) if node.get("type") == "date"]


def happened(kind: EventKind, fields: dict[str, Any], opened: dict[str, Any], by: Actor = BY_ANA) -> Happening:
    """One event, an hour ago."""
    return Happening(kind, by, NOW - timedelta(hours=1), fields, opened, 3)


def test_an_event_is_told_with_who_when_and_what_was_said() -> None:
    """By name, at the reader's own time, with every word; hashes and what the policy worked out are the log's."""
    fields = {
        "tier": 1,
        "to_tier": 2,
        "reason_code": "needs_specialist",
        "face": SHA,
        "saw": SHA,
        "action_sha256": SHA,
        "gates": {"impact": "review"},
    }
    text = "The customer called.\nShe was sure."
    shown, moments = history(happened(EventKind.ESCALATED, fields, {"text": text}))
    assert "Escalated\n  by Ana Ruiz" in shown
    assert "Reason code: needs_specialist" in shown
    assert "The customer called." in shown
    assert "She was sure." in shown
    assert [(one["timestamp"], one["fallback"]) for one in moments] == [
        (int((NOW - timedelta(hours=1)).timestamp()), "2026-11-20 14:00 UTC")
    ]
    assert SHA not in shown
    assert "Gates" not in shown
    assert "stand in the audit log" in shown


@pytest.mark.parametrize(
    ("by", "said"),
    [
        (Actor("service", "northwind"), "by the service northwind"),
        (Actor("model", "northwind"), "by the model northwind"),
        (Actor("system", "tierline"), "by Tierline"),
    ],
)
def test_who_did_it_is_said_of_whoever_does(by: Actor, said: str) -> None:
    """A service, a model, Tierline itself."""
    assert said in history(happened(EventKind.REMINDED, {"tier": 1}, {}, by))[0]


@pytest.mark.parametrize("revision", [1, 2])
def test_what_arrived_first_is_told_where_the_case_is_another_by_now(revision: int) -> None:
    """The case as it is stands in its own tabs; what it was before stands here alone."""
    opened = {"title": "Refund 999.00 USD", "action": REFUND["action"] | {"params": {"amount": "999.00"}}}
    shown, _ = history(happened(EventKind.RECEIVED, {"lane": "review"}, opened), revision=revision)
    assert ("999.00" in shown) == (revision > 1)
    assert "Lane: review" in shown


def test_every_tab_says_which_case_it_is_of() -> None:
    """The title stands above the tabs; the hash is short."""
    for tab in ("action", "evidence", "why", "model", "history"):
        blocks = details_modal(a_view(), SEAT, tab=tab)["blocks"]
        assert blocks[0]["text"]["text"] == "*Refund 1,240.00 USD to customer 8841*"
        assert a_view().case.action_sha256 not in words_of(blocks)
