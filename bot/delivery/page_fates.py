"""What becomes of the tries of a page, recorded with the case in the transaction that settles or puts back its row: so a crash between
two routes neither loses one nor takes it twice.

Owns that coupling. Which route follows is decided by `routing.review.page_routes`; the trying goes on as for any row.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from bot.delivery.retry import REFUSED_EMAIL, REFUSED_PAGE, Retry
from routing.change import Message, MessageKind
from routing.governance.alert_lifecycle import page_accepted as alert_accepted
from routing.governance.alert_lifecycle import page_failed as alert_failed
from routing.governance.digest import Listed
from routing.governance.digest_routes import digest_accepted, digest_failed
from routing.governance.ruling import DIGEST
from routing.review.page_routes import page_accepted, page_failed, page_untold
from routing.review.pages import route_of
from store.ledger.answers import Changed, Ruled
from store.ledger.items import Step
from store.ledger.ledger import Ledger
from store.outbox.delivery import Delivered, Outgoing, SendError
from store.outbox.outbox import Doubt, Outbox

CASE = "c_"
"""What the id of a case begins with."""

PAGES = (MessageKind.PAGE, MessageKind.EMAIL)

AT_ONCE = 200
"""Cases that are told together that a digest which lists them was taken."""

REFUSED = {
    MessageKind.PAGE: REFUSED_PAGE,
    MessageKind.PAGE_ACKNOWLEDGE: REFUSED_PAGE,
    MessageKind.PAGE_RESOLVE: REFUSED_PAGE,
    MessageKind.EMAIL: REFUSED_EMAIL,
}
"""A page that is refused is not given up: it goes out another way meanwhile, and this way again. Nor is what follows it: an incident that
nobody resolves rings on for what is over.
"""


def refused_schedule(message: Message) -> Retry | None:
    """When something that was refused for good is tried again all the same; None where it is not."""
    return REFUSED.get(message.kind)


class PageFates:
    """Records on the case how its page fares. `passing` names steps, where tests let the process die."""

    def __init__(self, ledger: Ledger, outbox: Outbox, passing: Callable[[str], None]) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._passing = passing

    async def accepted(self, row: Outgoing, delivered: Delivered, otherwise: Step | None, listed: Sequence[Listed] = ()) -> None:
        """A route took it. `otherwise`: what the delivery of a message that is no page means for its case; `listed`: the pages that stood
        in a digest as it was sent.
        """
        kind = row.message.kind
        if kind in PAGES and row.case_id.startswith(DIGEST):
            await self._digest_accepted(row, delivered, listed)
        elif kind is MessageKind.PAGE and not _is_page(row):
            await self._ledger.govern(alert_accepted(row.case_id, row.message.round))
        if _is_page(row):
            self._passing("page_fates.accepted")
            step = page_accepted(row.message.round, route_of(row.message), delivered.told, delivered.refused)
            if isinstance(await self._ledger.change(row.case_id, step, also=self._outbox.settling(row, delivered)), Changed):
                return
        await self._outbox.settle(row, delivered, otherwise)

    async def put_back(self, row: Outgoing, error: SendError, doubt: Doubt) -> None:
        """A try failed, and the next comes at its time."""
        route, tries, final = route_of(row.message), row.attempts + 1, error.permanent
        if row.message.kind in PAGES and row.case_id.startswith(DIGEST):
            self._passing("page_fates.digest_failed")
            failing = await self._ledger.govern(digest_failed(row.case_id, route, error.reason, tries, final=final))
            untold: Any = failing.answer.get("untold") if isinstance(failing, Ruled) and failing.answer is not None else None
            await asyncio.gather(*(self._ledger.change(one["case"], page_untold(one["round"])) for one in untold or ()))
        elif row.message.kind is MessageKind.PAGE and not _is_page(row):
            await self._ledger.govern(alert_failed(row.case_id, row.message.round, error.reason, tries, final=final))
        if _is_page(row):
            self._passing("page_fates.failed")
            failed = page_failed(row.message.round, route, error.reason, tries, final=final)
            if isinstance(await self._ledger.change(row.case_id, failed, also=self._outbox.putting_back(row, doubt)), Changed):
                return
        await self._outbox.put_back(row, doubt)

    async def _digest_accepted(self, row: Outgoing, delivered: Delivered, listed: Sequence[Listed]) -> None:
        """The digest first, then each page that it listed. The row is settled last: what this process did not come to, the next does."""
        self._passing("page_fates.digest_accepted")
        route = route_of(row.message)
        step = digest_accepted(row.case_id, route, listed, told_of=len(delivered.told), refused=delivered.refused)
        await self._ledger.govern(step)
        self._passing("page_fates.digest_told")
        for first in range(0, len(listed), AT_ONCE):
            untold = [one for one in listed[first : first + AT_ONCE] if not one.told]
            steps = [(one.case, page_accepted(one.round, route, delivered.told, delivered.refused)) for one in untold]
            await asyncio.gather(*(self._ledger.change(case_id, told) for case_id, told in steps))


def _is_page(row: Outgoing) -> bool:
    return row.message.kind in PAGES and row.case_id.startswith(CASE)
