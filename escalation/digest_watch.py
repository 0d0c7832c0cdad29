"""The watch over digests of pages: a route that had its time fails, and what has changed is sent anew. Owns when it looks; which pages are
listed, and what becomes of them, is `routing.governance.digest_lifecycle`'s to say.
"""

from collections.abc import Callable
from datetime import datetime

from routing.change import Refused
from routing.governance.digest_routes import digest_due, digests_due
from store.ledger.ledger import Ledger
from store.reads.cases import Reads


class DigestWatch:
    """Looks with every tick. `clock` gives aware UTC times."""

    def __init__(self, ledger: Ledger, reads: Reads, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._reads = reads
        self._clock = clock

    async def tick(self) -> int:
        """Let every digest act of which something is due. Gives how many did."""
        due = digests_due(await self._reads.governance(), self._clock())
        return sum([not isinstance(await self._ledger.govern(digest_due(one)), Refused) for one in due])
