"""What people who are away have claimed is everybody's again. Owns the search for such cases; each changes by its own step in the ledger,
so that a crash between two of them is made good by the next tick.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from escalation.put_off import PutOff
from routing.authorize import refuse
from routing.case.case import Case
from routing.change import Change, Refused, Subject
from routing.governance.governance import Governance
from routing.review.claiming import give_back
from routing.review.draft import Draft
from routing.vocabulary import State
from store.ledger.answers import Changed
from store.ledger.items import Step
from store.ledger.ledger import Ledger
from store.ledger.writer import CannotRecordError, WriterClosedError


class ClaimedCases(Protocol):
    """Where the cases are found that somebody has claimed."""

    async def claimed_by(self, person: str) -> Sequence[Case]:
        """Open cases that a person (Slack id) has claimed."""
        ...


async def return_claims(
    ledger: Ledger, cases: ClaimedCases, governance: Governance, now: datetime, *, report: Callable[[str, Exception], None], put_off: PutOff
) -> int:
    """One round over the claims of everybody who is away. Gives how many ended. Raises CannotRecordError."""
    ended, away = 0, governance.away_at(now)
    for person in sorted(away):
        for case in await cases.claimed_by(person):
            if case.state is not State.PENDING or put_off.holds(case.id, now):
                continue
            try:
                ended += isinstance(await ledger.change(case.id, _return(person)), Changed)
            except (CannotRecordError, WriterClosedError):
                raise
            except Exception as poison:  # noqa: BLE001 - one case that cannot be processed never holds up the others
                report(case.id, poison)
                put_off.add(case.id, now)
    return ended


def _return(person: str) -> Step:
    def step(subject: Subject, now: datetime) -> Change | Refused:
        if subject.case.claimed_by != person or subject.case.state is not State.PENDING:
            return refuse("not_claimed")
        draft = Draft(subject, now)
        give_back(draft, "away")
        return draft.change()

    return step
