"""A case's own move never fails because what it means beyond the case cannot be announced."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from routing.authority import Automation, IncidentKind
from routing.case.break_glass import BreakGlassUse
from routing.change import Change, IncidentCause, Refused, Stop, Subject
from routing.errors import PolicyError, Problem
from routing.governance.governance import Governance
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from routing.vocabulary import Exhausted, Risk, State, Verdict
from store.ledger.answers import Changed
from store.ledger.items import Step
from store.ledger.sealed_head import read_ruling
from store.schema import outbox
from tests.store.a_store import NOON, POLICY_TEXT, Books, deciding, open_books

OWN = (
    POLICY_TEXT
    + b"""
channels: {operations: review-ops, owners: review-owners}
postmortems: {owner: U0OWNER, within: 5d}
"""
)
NEWER = OWN.replace(b"for tests of the store", b"in force")
USE = BreakGlassUse(
    case="c_1", revision=1, workflow="refunds", by="U0", at=NOON, verdict=Verdict.APPROVED, passed_over=(), review_by=NOON + timedelta(1)
)

WHOLE = {"case", "events", "messages", "answer", "along", "opens"}
"""Parts of a change that are the move itself."""

BEYOND: dict[str, tuple[Any, Callable[[Governance], object]]] = {
    "stop": (Stop("refunds", "It stops the line."), lambda known: known.control("refunds").automation is Automation.PAUSED),
    "caught": (True, lambda known: known.control("refunds").sampling > 1),
    "break_glass": (USE, lambda known: known.break_glass),
    "incident": (IncidentCause(IncidentKind.FOUND_WRONG, "c_1", "refunds", "It was wrong.", Risk.HIGH), lambda known: known.incidents),
    "paging": ("failed", lambda known: known.paging),
    "exhausted": (Exhausted.HOLD, lambda known: known.alerts),
    "unproven": ("its verdict is another", lambda known: known.alerts),
}
"""Every other part, with how the governance says afterwards that it happened."""


@dataclass
class Loader:
    """Loads policies until it is told that the environment lacks what some of them take."""

    broken: tuple[bytes, ...] = ()

    def __call__(self, text: bytes) -> Policy:
        """The policy. Raises PolicyError."""
        if text in self.broken:
            raise PolicyError([Problem("/channels", "PD_KEY is not set")])
        return load_policy(text, {})


def moving(beyond: str) -> Step:
    """Decides a case, with this part of a change."""

    def step(subject: Subject, now: datetime) -> Change | Refused:
        change = deciding(Verdict.REJECTED)(subject, now)
        assert isinstance(change, Change)
        return replace(change, **{beyond: BEYOND[beyond][0]})

    return step


async def the_governance(books: Books) -> Governance:
    """As it was written."""
    return (await books.database.read(read_ruling)).governance


def test_every_part_of_a_change_is_tried_here() -> None:
    """What a change comes to hold besides must not keep a case from moving either."""
    assert {one.name for one in fields(Change)} - WHOLE == BEYOND.keys()


@pytest.mark.parametrize("broken", [(), (NEWER,), (NEWER, OWN)], ids=["readable", "the active one is not", "none is"])
async def test_a_case_moves_whatever_becomes_of_the_policies(database_url: str, broken: tuple[bytes, ...]) -> None:
    """The brake moves and it is recorded all the same; told by the case's own policy where the one in force cannot be read."""
    load = Loader()
    async with open_books(database_url, policy=OWN, load=load) as books:
        ids = {beyond: (await books.open(f"t-{beyond}")).id for beyond in BEYOND}
        await books.ledger.activate(load(NEWER))
        books.policies._compiled.clear()  # noqa: SLF001 - as in a process that was started since, without a variable
        for text in (OWN, NEWER):
            books.policies.remember(load_policy(text, {}).sha256, text)
        load.broken = broken
        for beyond, case_id in ids.items():
            result = await books.ledger.change(case_id, moving(beyond))
            assert isinstance(result, Changed), beyond
            assert result.case.state is State.DECIDED
            if not (beyond == "incident" and len(broken) == 2):  # no policy that could be read calls for one
                assert BEYOND[beyond][1](await the_governance(books)), beyond
        told = await books.database.read(
            lambda c: set(c.execute(select(outbox.c.destination).where(outbox.c.kind == "bulletin")).scalars())
        )
        assert ("review-ops" in told) is (len(broken) < 2)
