"""What the policy's names stand for, as the log has it: read by whoever calls Slack, bound by whoever first needs one.

Owns nothing of Slack: who carries a name there is found out elsewhere.
"""

from collections.abc import Mapping

from routing.governance.binding import Binding
from routing.governance.binding_lifecycle import bind
from store.ledger.answers import Ruled
from store.ledger.ledger import Ledger
from store.reads.cases import Reads


class Names:
    """The bindings. Replicas that resolve the same name at once agree: the first to be recorded wins."""

    def __init__(self, ledger: Ledger, reads: Reads) -> None:
        self._ledger = ledger
        self._reads = reads

    async def known(self) -> Mapping[str, Binding]:
        """Every binding by name (`#channel`, `@group`)."""
        return (await self._reads.governance()).bindings

    async def bind(self, name: str, wanted: str) -> str:
        """Let `name` stand for the id `wanted`, unless it stands for another already. Gives the id it stands for.

        Raises CannotRecordError.
        """
        outcome = await self._ledger.govern(bind(name, wanted))
        if isinstance(outcome, Ruled):
            return wanted
        bound = (await self.known()).get(name)
        return bound.id if bound is not None and bound.id else wanted
