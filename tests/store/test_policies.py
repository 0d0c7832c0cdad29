"""Policies that cases in flight live by, long after another one is active."""

from routing.change import SYSTEM, Change, Event, Subject
from routing.errors import PolicyError, Problem
from routing.policy import Policy
from routing.policy_file import load_policy
from routing.vocabulary import EventKind
from store.ledger import Changed
from tests.store.books import POLICY_TEXT, deciding, open_books


async def test_a_policy_that_no_longer_compiles_holds_up_no_clock_and_no_vote(database_url: str) -> None:
    """A variable of its file is gone from the environment: its cases can still be reminded and decided."""
    asked: list[bytes] = []

    def load(text: bytes) -> Policy:
        if asked:
            raise PolicyError([Problem("", "${PD_TIER1} is not set in the environment")])
        asked.append(text)
        return load_policy(POLICY_TEXT, {})

    def reminding(subject: Subject, _now: object) -> Change:
        return Change(subject.case, (Event(EventKind.REMINDED, SYSTEM),))

    async with open_books(database_url) as books:
        case = await books.open()
    async with open_books(database_url, load=load) as books:
        assert isinstance(await books.ledger.change(case.id, reminding), Changed)
        assert isinstance(await books.ledger.change(case.id, deciding()), Changed)
