"""Which policy new cases follow: taken from the file when the database has none, from the database ever after.

Owns that a changed file changes nothing by itself unless the policy says so. Routing compiles policies, the ledger stores them.
"""

from collections.abc import Mapping
from pathlib import Path

import structlog
from sqlalchemy import Connection, select

from routing.errors import PolicyError
from routing.policy import Policy
from routing.policy_file import load_policy
from store.database import Database
from store.ledger import Ledger
from store.policies import Policies
from store.reads import Reads
from store.schema import policies

_LOG = structlog.get_logger("tierline.policy")


class NoPolicyFileError(RuntimeError):
    """There is no policy yet: the database has none and TIERLINE_POLICY names no file. `tierline policy init` writes one."""


def read_policy(path: Path, environment: Mapping[str, str]) -> Policy | None:
    """The policy of the file, None where there is no file. Raises PolicyError, OSError."""
    return load_policy(path.read_bytes(), environment, str(path)) if path.exists() else None


class ActivePolicy:
    """The active policy of this process; `load` before the first case is taken."""

    def __init__(self, database: Database, ledger: Ledger, reads: Reads, compiled: Policies) -> None:
        self._database = database
        self._ledger = ledger
        self._reads = reads
        self._compiled = compiled
        self._active: Policy | None = None

    async def load(self, offered: Policy | None) -> None:
        """Activate the policy of the file where there is none yet, or where both old and new say `activation: file`.

        Otherwise one that differs is left alone, which the log says. Raises NoPolicyFileError when there is neither.
        """
        for sha256, body in await self._database.read(_bodies):
            self._compiled.remember(sha256, body)
        active = await self._reads.active_policy()
        if offered is not None and (active is None or _by_file(active, offered)):
            await self._ledger.activate(offered, reason="bootstrap" if active is None else "file")
            active = offered
        if active is None:
            raise NoPolicyFileError(NoPolicyFileError.__doc__)
        if offered is not None and offered.sha256 != active.sha256:
            _LOG.warning(
                "the policy file differs from the active policy, which stays in force", active=active.version, file=offered.version
            )
        if active.form.activation == "file":
            _LOG.warning("a changed policy file takes effect at the next start without a second person (activation: file)")
        self._active = active

    def __call__(self) -> Policy:
        """The active policy."""
        if self._active is None:
            raise RuntimeError("the active policy is asked for before it was loaded")
        return self._active

    async def refresh(self) -> None:
        """Follow what another replica activated."""
        self._active = await self._reads.active_policy() or self._active

    def of(self, sha256: str) -> Policy:
        """The policy that a case in flight lives by; the active one where its bytes are not known to this process, or say nothing any more.

        An old policy may name environment variables that are gone. Its cases are still paged, through the ladder as it is now.
        """
        if not self._compiled.knows(sha256):
            return self()
        try:
            return self._compiled.get(sha256)
        except PolicyError:
            _LOG.warning("a policy that cases in flight live by no longer compiles; the active one says where to page", sha256=sha256)
            return self()


def _by_file(active: Policy, offered: Policy) -> bool:
    both = {active.form.activation, offered.form.activation}
    return both == {"file"} and not active.form.owners and active.sha256 != offered.sha256


def _bodies(connection: Connection) -> list[tuple[str, bytes]]:
    return [(row.sha256, row.body) for row in connection.execute(select(policies.c.sha256, policies.c.body))]
