"""Which pages are accepted by nobody: told from the page and its case, by whatever route, and not from one row alone."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, insert

from routing.case.case import Case, OpenPage
from routing.vocabulary import PageRoute
from store.reads.overdue import unaccepted_page
from store.schema import cases, metadata, micros, outbox
from tests.routing.factory import NOON, a_case

pytestmark = pytest.mark.outside

LATE = timedelta(seconds=15)
OLD = micros(NOON - timedelta(minutes=4))
FIRST, SECOND, MAIL = PageRoute.PAGERDUTY, PageRoute.SECOND_KEY, PageRoute.EMAIL
PLACES = {
    FIRST: ("pagerduty", "page", "standard/2"),
    SECOND: ("pagerduty", "page", "standard/2/second_key"),
    MAIL: ("email", "email", "standard/2"),
}


def a_row(**given: Any) -> dict[str, Any]:
    """A row of the outbox about round one, made four minutes ago."""
    filled = {"integer": 0, "bigint": 0, "boolean": False, "varchar": "", "text": ""}
    row = {one.name: filled.get(str(one.type).lower(), 0) for one in outbox.columns if not one.nullable}
    return row | {"case_id": "c_1", "round": 1, "tier": 1, "state": "ready", "created_at": OLD, "urgent": True} | given


def a_page(route: PageRoute, **given: Any) -> dict[str, Any]:
    """A page by this route."""
    peer, kind, destination = PLACES[route]
    return a_row(peer=peer, kind=kind, destination=destination, **given)


def told(case: Case | None, *rows: dict[str, Any]) -> str | None:
    """What is said of the oldest page that nobody has, None where there is none."""
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.begin() as connection:
        if case is not None:
            _keep(connection, case)
        for number, row in enumerate(rows, 1):
            connection.execute(insert(outbox).values(row | {"id": number}))
        found = unaccepted_page(connection, NOON, LATE)
    engine.dispose()
    return None if found is None else found[1]


def _keep(connection: Connection, case: Case) -> None:
    filled = {"integer": 0, "bigint": 0, "boolean": False, "varchar": "", "text": ""}
    row = {one.name: filled.get(str(one.type).lower(), 0) for one in cases.columns if not one.nullable}
    connection.execute(insert(cases).values(row | {"id": case.id, "snapshot": case.model_dump_json()}))


def paged(page: dict[str, Any] | None = None, **case: Any) -> Case:
    """A case at the second tier with a page of round one."""
    return a_case(**({"id": "c_1", "tier": 1, "pages": (OpenPage(tier=1, round=1, **(page or {})),)} | case))


@pytest.mark.parametrize("route", list(PageRoute))
@pytest.mark.parametrize("row", [{"last_error": "HTTP 403"}, {"last_error": "HTTP 500", "state": "ambiguous"}, {}])
def test_a_page_that_nobody_has_is_told(route: PageRoute, row: dict[str, Any]) -> None:
    """Refused, unclear, or never tried at all: by whichever route it waits."""
    assert told(paged({"routes": (route,)}), a_page(route, **row)) == row.get("last_error", "not tried yet")


def test_a_page_behind_something_that_fails_is_told_with_its_cause() -> None:
    """What stands before it in its lane is why."""
    resolve = a_row(peer="pagerduty", kind="page_resolve", destination="standard/2", last_error="HTTP 500")
    assert told(paged(), resolve, a_page(FIRST)) == "behind another: HTTP 500"


@pytest.mark.parametrize(("waits", "took"), list(permutations(PageRoute, 2)))
def test_a_page_that_another_route_took_is_not(waits: PageRoute, took: PageRoute) -> None:
    """Somebody has it, whichever of its routes is still refused."""
    assert told(paged({"routes": (waits, took), "accepted": (took,), "failed": (waits,)}), a_page(waits, last_error="HTTP 403")) is None


@pytest.mark.parametrize(
    "case",
    [
        paged({"acknowledged_by": "pagerduty:P1"}),
        paged(acknowledged_by="U0A"),
        paged(pages=()),
        paged(pages=(OpenPage(tier=1, round=2, accepted=(FIRST,)),)),
    ],
    ids=["acknowledged there", "taken in Slack", "closed", "another round"],
)
def test_a_page_that_is_not_wanted_any_more_is_not(case: Case) -> None:
    """It is only still to be cancelled."""
    assert told(case, a_page(FIRST, last_error="HTTP 403")) is None


def test_one_that_nobody_has_is_found_behind_many_that_somebody_has() -> None:
    """However many wait before it."""
    taken = paged({"accepted": (MAIL,)})
    rows = [a_page(FIRST, last_error="HTTP 403", created_at=OLD - number) for number in range(450)]
    lost = a_page(FIRST, last_error="HTTP 500", case_id="c_2")
    assert told(taken, *rows, lost) == "HTTP 500", "a case that cannot be read counts"


def test_one_that_is_young_is_not() -> None:
    """Its time is not over."""
    young = micros(NOON - timedelta(seconds=20))
    assert told(paged(), a_page(FIRST, created_at=young)) is None
    assert told(paged(), a_page(FIRST, created_at=young, last_error="HTTP 500")) == "HTTP 500"
