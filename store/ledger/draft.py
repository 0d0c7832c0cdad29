"""What the items of a transaction add: rows for each table, and what later items of the same transaction must see. Owns no rule."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from routing.case.case import Case
from routing.case.submission import Submission
from routing.governance.governance import Governance
from store.ledger.arrival_limits import Approval
from store.ledger.prefetch import InboxKey, InboxRow
from store.vault.vault import CaseVault

Row = dict[str, Any]
Also = Callable[[Connection, datetime], object]
"""Writes rows of its own in the same transaction, after all others, at the transaction's time."""


@dataclass(slots=True)
class Draft:
    """What one item adds. It counts only once the unit took it."""

    leaves: list[Row] = field(default_factory=list)
    vault: list[Row] = field(default_factory=list)
    outbox: list[Row] = field(default_factory=list)
    inbox: dict[InboxKey, InboxRow] = field(default_factory=dict)
    opened: list[Row] = field(default_factory=list)
    case_keys: list[Row] = field(default_factory=list)
    cases: dict[str, Case] = field(default_factory=dict)
    rows: dict[str, str] = field(default_factory=dict)
    """By case, the snapshot as it will stand in its row."""
    contents: dict[str, Submission | None] = field(default_factory=dict)
    vaults: dict[str, CaseVault] = field(default_factory=dict)
    also: list[Also] = field(default_factory=list)
    policy: str = ""
    """The hash of the policy that is active from now on, if another."""
    governance: Governance | None = None
    """The governance from now on, if another; its revision is one higher."""
    approvals: list[Approval] = field(default_factory=list)
    uses: list[tuple[str, str]] = field(default_factory=list)
    """(exception, case) of each use."""
    taken: list[tuple[str, str]] = field(default_factory=list)
    """(person, case) of each that somebody took."""
    alike: dict[str, list[str]] = field(default_factory=dict)
    """Ids of the cases that were opened, by likeness, in order."""
