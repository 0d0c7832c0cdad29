"""The clock line says until when, in whose hours, how long the clock stood still, and which clocks a freeze leaves running."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from bot.slack.cards.parts.clock_line import business_hours, clock_lines
from routing.case.case import Clocks, ClosedHours, OpenPage, Page, Repeat
from routing.clock import Calendar
from routing.vocabulary import ClockName, Risk, State
from tests.bot.slack.cards.factory import NOW, TIERS, a_route, a_view

OFFICE = Calendar(timezone="America/New_York")
LATER = NOW + timedelta(hours=3)


def said(*, tiers: dict[str, Any] | None = None, route: dict[str, Any] | None = None, **fields: Any) -> str:
    """The line of a case whose first tier is changed like this."""
    changed = (TIERS[0].model_copy(update={"calendar": OFFICE} | (tiers or {})), *TIERS[1:])
    return " ".join(clock_lines(a_view(route=a_route(tiers=changed, **(route or {})), **fields)))


@pytest.mark.parametrize(
    ("zone", "place"), [("Europe/Berlin", "Berlin"), ("America/Argentina/Buenos_Aires", "Buenos Aires"), ("UTC", "UTC")]
)
def test_hours_are_named_by_their_place(zone: str, place: str) -> None:
    """As people call it, not as a computer does."""
    assert business_hours(Calendar(timezone=zone)) == f"business hours {place}"


def test_a_clock_that_stood_still_says_for_how_long() -> None:
    """Once it goes on: in whose hours it counts, and the sum of its pauses; nothing where it never paused and counts day and night."""
    went_on = Clocks(decide=LATER, paused_s=2 * 3_600)
    assert " (business hours New York; paused 2 h); otherwise" in said(clocks=went_on)
    assert " (paused 2 h); otherwise" in said(clocks=went_on, tiers={"calendar": None})
    assert " (business hours New York); otherwise" in said(clocks=Clocks(decide=LATER))
    assert "(" not in said(clocks=Clocks(decide=LATER), tiers={"calendar": None}).partition(";")[0].partition("|")[2].partition(">")[2]


def test_a_tier_that_is_paged_again_says_first_until_when_it_has_to_be_taken() -> None:
    """Then when the next page goes out; each consequence once, since whoever reads it was woken."""
    tiers = {"calendar": None, "ack_s": 900, "repeat": Repeat(every_s=300, most=3), "page": Page(severity="critical")}
    clocks = Clocks(page=NOW + timedelta(minutes=5), acknowledge=NOW + timedelta(minutes=15), decide=LATER)
    told = said(clocks=clocks, tiers=tiers)
    assert told.startswith("⏱ *Claim within 15 min, by <!date^")
    assert ", decide by <!date^" in told
    assert told.count("otherwise") == told.count("tier 2") == 1
    assert told.endswith("|15:05 UTC> unless somebody takes it.")


@pytest.mark.parametrize(("on_call", "paged", "taken"), list(product(({}, {0: "Kim Lund"}, {0: ""}), (True, False), (True, False))))
def test_a_page_that_may_ring_nobody_is_told(on_call: dict[int, str], paged: bool, taken: bool) -> None:
    """Only where PagerDuty was asked and has nobody, the page is out, and nobody has taken the case."""
    view = a_view(pages=(OpenPage(tier=0, round=1),) * paged, acknowledged_by="U0ANA" * taken, clocks=Clocks(decide=LATER))
    told = " ".join(clock_lines(replace(view, on_call=on_call)))
    assert ("may ring nobody" in told) is (on_call == {0: ""} and paged and not taken)


def test_while_information_is_awaited_the_pause_is_told() -> None:
    """Since when it pauses, what is left and in whose hours, what it paused before, and the clock that the service has."""
    clocks = Clocks(information=LATER, left_s=5_400, paused_at=NOW, paused_s=600)
    told = said(state=State.NEEDS_INFO, clocks=clocks, route={"business": (ClockName.INFORMATION,)})
    assert "The decision clock is paused since <!date^" in told
    assert ", 1 h 30 min (business hours New York) are left on it; it was paused 10 min before." in told
    assert "> (business hours New York) to answer" in told
    assert "The decision clock pauses, 1 h 30 min" in said(state=State.NEEDS_INFO, clocks=Clocks(left_s=5_400)), "as recorded before"


@pytest.mark.parametrize(
    ("clocks", "words"),
    [
        (Clocks(), "no clock runs"),
        (Clocks(deadline=LATER), "only the deadline runs on"),
        (Clocks(total=LATER), "only the total time runs on"),
        (Clocks(deadline=LATER, total=LATER), "only the deadline and the total time run on"),
    ],
)
def test_a_freeze_says_which_clocks_run_on(clocks: Clocks, words: str) -> None:
    """In the line itself."""
    assert f"is frozen: {words}.*" in said(state=State.HELD, held_by="frozen", clocks=clocks)


def test_who_has_it_while_a_tier_is_closed_stands_there_beforehand() -> None:
    """Also past a tier that is closed by then; a case of less risk waits and hears nothing of it."""
    night = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
    third = TIERS[1].model_copy(update={"channel": "review-duty"})
    to = {"closed": ClosedHours(to=2, risk=Risk.HIGH)}
    second = TIERS[1].model_copy(update={"calendar": OFFICE} | to)
    tiers = (TIERS[0].model_copy(update={"calendar": OFFICE} | to), second, third)
    closing = a_view(route=a_route(tiers=tiers, risk=Risk.HIGH), clocks=Clocks(decide=night, closed=night))
    line = " ".join(clock_lines(closing))
    assert "it goes to tier 3 (#review-duty), which is paged, because tier 2 is closed then" in line
    first = a_view(route=a_route(tiers=tiers, risk=Risk.HIGH), clocks=Clocks(closed=night))
    assert "it goes to tier 3 (#review-duty), which is paged, because tier 1 closes then" in " ".join(clock_lines(first))
