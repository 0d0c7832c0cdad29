"""The counts of limits as this process last knew them: the amounts of a day's automatic approvals, and the uses of exceptions.

Owns that these only grow: a count that somebody set back in the database makes no room while this process runs (that it was, the check of
the database says). Another replica's approvals are in what is read.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from store.ledger.arrival_limits import Approval, counted_amount, day_of
from store.ledger.prefetch import Known


class HighWater:
    """Kept by the one writer of this process, from one transaction to the next."""

    def __init__(self) -> None:
        self._amounts = dict[tuple[str, int], Decimal]()
        self._uses = dict[str, int]()
        self._counted = set[tuple[str, str]]()

    def lift(self, known: Known) -> None:
        """Raise what was read to what is known here."""
        for key, amount in self._amounts.items():
            known.amounts[key] = max(amount, known.amounts.get(key, Decimal(0)))
        for waiver_id in known.uses.keys() & self._uses.keys():
            known.uses[waiver_id] = max(known.uses[waiver_id], self._uses[waiver_id])

    def keep(self, known: Known, approvals: Iterable[Approval], uses: Iterable[tuple[str, str]], now: datetime) -> None:
        """Remember what was read and what a transaction of the moment `now` added to it, once that is committed."""
        today = day_of(now)
        self._amounts = {key: amount for key, amount in known.amounts.items() if key[1] >= today - 1}
        for approval in approvals:
            key = (approval.workflow, today)
            self._amounts[key] = self._amounts.get(key, Decimal(0)) + counted_amount(approval)
        self._uses |= known.uses
        for use in set(uses) - self._counted:  # one case uses an exception once, however often it is routed
            self._counted.add(use)
            self._uses[use[0]] = self._uses.get(use[0], 0) + 1
