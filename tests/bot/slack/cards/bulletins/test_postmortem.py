"""Postmortems in the operations channel: within what Slack takes, whatever was written, and true while open and once closed."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.cards.bulletins.bulletin import draw_bulletin, is_over
from bot.slack.cards.bulletins.postmortem import KIND, SHOWN
from bot.slack.cards.text.limits import check_message
from bot.slack.cards.view import Bulletin
from routing.authority import IncidentKind
from routing.change import Actor
from routing.governance.incident import Entry, Incident
from routing.governance.incident_lifecycle import CLOSED, REMINDER, ROOT, TIMELINE, WORDS_MOST
from tests.bot.slack.cards.test_card import words_of
from tests.bot.slack.cards.test_hostile import texts
from tests.examples_drawn import examples

NOW = datetime(2026, 11, 21, 3, 2, tzinfo=UTC)
OWNER = "U0OWNER0001"
ENTRY = Entry(NOW, "breaker_tripped", Actor("system", "tierline"), "a_1", {"rule": "override-rate", "before": "on", "after": "paused"})


def an_incident(kind: IncidentKind, text: str = "Too many.", *, closed: bool = False) -> Incident:
    """One that was opened, or closed with these words."""
    incident = Incident(
        id="i_" + "0" * 26,
        kind=kind,
        about="a_1",
        workflow="refunds",
        at=NOW,
        due=NOW + timedelta(days=7),
        owner=OWNER,
        why=text,
        policy_version=text[:80] or "1",
        policy_sha256="0" * 64,
        models=tuple(f"{text[:40]} {number}" for number in range(10)),
        more=2,
    )
    words = (text * 20)[:WORDS_MOST] or "x"
    end = {"closed_at": NOW, "closed_by": "os:operator", "cause": words, "remediation": words, "example": "late-refund"}
    return incident.model_copy(update=end) if closed else incident


@settings(max_examples=examples(60))
@given(st.sampled_from(IncidentKind), texts, st.booleans(), st.integers(0, 60), st.sampled_from([ROOT, TIMELINE, CLOSED, REMINDER + 1]))
def test_every_message_keeps_within_the_limits(kind: IncidentKind, text: str, closed: bool, events: int, place: int) -> None:
    """Root, timeline, end and reminder, open and closed, with any words."""
    incident = an_incident(kind, text, closed=closed)
    bulletin = Bulletin("i", incident, (), NOW, tier=place, names={OWNER: text}, timeline=(ENTRY,) * events)
    drawing = draw_bulletin(bulletin)
    check_message(drawing.text, drawing.blocks)
    shown = words_of(drawing.blocks)
    match place:
        case int() if place == ROOT:
            assert KIND[kind] in shown
            assert (f"<@{OWNER}>" in shown) is not closed or OWNER in text
            assert ("tierline incident close" in shown) is not closed
        case int() if place == TIMELINE:
            assert shown.count("rule override-rate") == min(events, SHOWN)
            assert "(a_1)" not in shown  # all of it is about that alert
        case int() if place == CLOSED:
            assert "late-refund" in shown or not closed
        case _:
            assert ("closed by now" in shown) is closed
    assert is_over(bulletin) is closed


def test_a_timeline_names_people_and_spells_codes_out() -> None:
    """Whoever acted by the name they have; who has none here, by their id; no code with underscores."""
    acts = [Entry(NOW, "resumed", Actor("human", who), "c_1", {"tier": 1, "reason": "ladder_exhausted_hold"}) for who in (OWNER, "os:root")]
    bulletin = Bulletin("i", an_incident(IncidentKind.EXHAUSTED), (), NOW, tier=TIMELINE, names={OWNER: "Hugo Martins"}, timeline=(*acts,))
    shown = words_of(draw_bulletin(bulletin).blocks)
    assert "Resumed by Hugo Martins (c_1): tier 1, reason ladder exhausted hold" in shown
    assert "Resumed by os:root" in shown
