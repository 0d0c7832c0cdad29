"""No card and no answer to a command says a thing twice, in whatever state, lane and way to end the case is."""

import re
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from bot.slack.cards.card import draw_card
from bot.slack.cards.command_answers import draw_case
from bot.slack.cards.text.block_kit import Drawing
from bot.slack.cards.view import Happening, View
from routing.case.case import Clocks
from routing.change import SYSTEM
from routing.vocabulary import EventKind, Lane, State, Verdict
from tests.bot.slack.cards.factory import NOW, a_route, a_view

LATER = NOW + timedelta(hours=3)
HELDS = [
    ("ladder", "ladder_exhausted_hold", "acknowledge"),
    ("ladder", "ladder_exhausted_hold", "decide"),
    ("ladder", "total_passed", ""),
    ("ladder", "verification_failed", ""),
    ("quarantine", "quarantined", ""),
    ("frozen", "workflow_frozen", ""),
]


def standings() -> list[dict[str, Any]]:
    """Every state with what may go with it."""
    open_ones: list[dict[str, Any]] = [
        {"state": State.PENDING, "clocks": Clocks(acknowledge=NOW + timedelta(minutes=15), decide=LATER, deadline=LATER)},
        {"state": State.PENDING, "clocks": Clocks(decide=LATER, total=NOW + timedelta(hours=1))},
        {"state": State.PENDING, "clocks": Clocks(decide=LATER), "tied_to": "c_01hxyz0123456789abcdefghjm", "tier_since": None},
        {"state": State.NEEDS_INFO, "clocks": Clocks(information=LATER, left_s=60.0, deadline=LATER)},
        {"state": State.NEEDS_INFO, "clocks": Clocks(information=LATER, total=NOW + timedelta(hours=1)), "tier_since": None},
    ]
    held = [
        {"state": State.HELD, "held_by": by, "clocks": Clocks(hold=LATER if by != "frozen" else None), "why": why} for by, *why in HELDS
    ]
    ended = [
        {
            "state": state,
            "verdict": verdict,
            "decided_at": NOW,
            "withheld": withheld,
            "outcome": "executed" if state is State.CLOSED else "",
        }
        for state in (State.DECIDED, State.CLOSED)
        for verdict in Verdict
        for withheld in {False, state is State.DECIDED and verdict is Verdict.APPROVED}
    ]
    return [*open_ones, *held, *ended]


def view_of(standing: dict[str, Any], lane: Lane) -> View:
    """The view of a case that stands so."""
    told = dict(standing)
    history: tuple[Happening, ...] = ()
    if why := told.pop("why", None):
        history = (Happening(EventKind.HELD, SYSTEM, NOW, {"reason": why[0], "ran_out": why[1], "tier": 1}),)
    return a_view(history=history, route=a_route(lane=lane), **told)


def sentences(drawing: Drawing) -> list[str]:
    """Our sentences in mrkdwn, as a reader compares them: without stars, icons and case. Labels of one word in a list are none."""
    texts = [str(block["text"]["text"]) for block in drawing.blocks if block["type"] in ("section", "header") and "text" in block]
    parts = (part for text in texts for part in re.split(r"(?<=[.!?:])\s|\n|(?<=\.\*)\s", text))
    return [bare for part in parts if (bare := re.sub(r"[^\w ]", "", part).strip().lower())]


@pytest.mark.parametrize("lane", list(Lane))
@pytest.mark.parametrize("standing", standings(), ids=lambda one: f"{one['state']}-{one.get('verdict') or one.get('why') or ''}")
def test_nothing_is_said_twice(standing: dict[str, Any], lane: Lane) -> None:
    """Neither a sentence again nor `Held. Held.`"""
    view = view_of(standing, lane)
    for drawing in (draw_card(view), draw_case(view)):
        again = {said: count for said, count in Counter(sentences(drawing)).items() if count > 1}
        assert not again
        text = " ".join(sentences(drawing))
        assert not re.search(r"\b(\w+(?: \w+){0,3}) \1\b", text), text


@pytest.mark.parametrize(("standing"), [one for one in standings() if one["state"] is State.HELD], ids=lambda one: one["why"][0])
def test_a_held_case_says_why(standing: dict[str, Any]) -> None:
    """Nobody took it, nobody decided it, its time is over, it was found wrong: each is said as it was."""
    said = {
        "acknowledge": "nobody took it in time",
        "decide": "nobody decided in time",
        "total_passed": "its total time is over",
        "verification_failed": "found wrong",
        "quarantined": "In quarantine.",
        "workflow_frozen": "is frozen",
    }
    reason, ran_out = standing["why"]
    assert said[ran_out or reason] in str(draw_case(view_of(standing, Lane.REVIEW)).blocks)
