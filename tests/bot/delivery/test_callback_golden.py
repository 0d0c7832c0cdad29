"""The callback is a format that receivers depend on: frozen as v1 in a golden file."""

import json
from datetime import UTC, datetime

from bot.delivery.callback_body import callback_body
from bot.slack.cards.view import Happening, View
from routing.canonical import Json
from routing.case.case import Vote
from routing.change import Actor
from routing.vocabulary import EventKind, State, Verdict
from tests.bot.slack.cards.factory import a_case, low
from tests.checkout import GOLDEN

CALLBACK = GOLDEN / "callback-v1.json"
AT = datetime(2026, 11, 20, 12, 5, tzinfo=UTC)
RECEIPT: dict[str, Json] = {"leaf": "{}", "index": 7, "proof": [], "checkpoint": "note", "openings": {}}


def decided() -> View:
    """A case that one person approved."""
    view = low()
    vote = Vote(step=0, by="U0ANNA", verb="approve", at=AT)
    case = a_case(view.submission, state=State.DECIDED, verdict=Verdict.APPROVED, decided_at=AT, votes=(vote,), sequence=1, decided_index=7)
    actor = Actor("human", "U0ANNA")
    history = (
        Happening(EventKind.APPROVED, actor, AT, {"step": "approve"}, {"name": "Anna Lindqvist"}, 6),
        Happening(EventKind.DECIDED, actor, AT, {"verdict": "approved"}, {}, 7),
    )
    return View(case=case, submission=view.submission, history=history, now=AT)


def test_the_callback_is_what_it_was() -> None:
    """Field by field the body of `case.decided` equals the frozen one; a change here breaks receivers."""
    body = callback_body("case.decided", 1, 7, decided(), RECEIPT)
    assert json.loads(json.dumps(body)) == json.loads(CALLBACK.read_text())
