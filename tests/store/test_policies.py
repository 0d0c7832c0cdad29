"""Policies that cases in flight live by, long after another one is active."""

import pytest

from routing.change import SYSTEM, Change, Event, Subject
from routing.errors import PolicyError, Problem
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from routing.vocabulary import EventKind
from store.ledger.answers import Changed
from store.policies import Policies
from tests.store.a_store import POLICY_TEXT, deciding, open_books


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


def test_a_policy_that_does_not_compile_is_tried_once() -> None:
    """It stands before every new case while it is staged, and before every card of its cases; compiling takes long."""
    tried: list[bytes] = []

    def load(text: bytes) -> Policy:
        tried.append(text)
        raise PolicyError([Problem("", "${PD_TIER1} is not set in the environment")])

    policies = Policies(load)
    policies.remember("abc", POLICY_TEXT)
    for _ in range(3):
        with pytest.raises(PolicyError):
            policies.get("abc")
    assert len(tried) == 1
