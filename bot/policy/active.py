"""Which policy new cases follow: taken from the file when the database has none, from the database ever after.

Owns that a changed file changes nothing by itself unless the policy says so: it is proposed. Routing compiles policies, the ledger stores
them.
"""

from collections.abc import Mapping
from pathlib import Path

import structlog
from sqlalchemy import Connection, select

from bot.policy.proposing import Proposed, Proposing
from routing.change import SYSTEM
from routing.errors import PolicyError
from routing.governance.policy_lifecycle import by_file
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from store.database.database import Database
from store.ledger.ledger import Ledger
from store.policies import Policies
from store.reads.cases import Reads
from store.schema import policies

_LOG = structlog.get_logger("tierline.policy")


class NoPolicyFileError(RuntimeError):
    """There is no policy yet: the database has none and TIERLINE_POLICY names no file. `tierline policy init` writes one."""


def read_policy(path: Path, environment: Mapping[str, str]) -> Policy | None:
    """The policy of the file, None where there is no file. Raises PolicyError, OSError."""
    return load_policy(path.read_bytes(), environment, str(path)) if path.exists() else None


class ActivePolicy:
    """The active policy of this process; `load` before the first case is taken."""

    def __init__(self, database: Database, ledger: Ledger, reads: Reads, compiled: Policies, proposing: Proposing | None = None) -> None:
        """Without `proposing` a changed file is only spoken of."""
        self._database = database
        self._ledger = ledger
        self._reads = reads
        self._compiled = compiled
        self._proposing = proposing
        self._active: Policy | None = None

    async def load(self, offered: Policy | None, *, recording: bool = True) -> None:
        """Activate the policy of the file where there is none yet; propose one that differs, or take it over with `activation: file`.

        A file that was declined or rolled back is not brought up again by itself, nor one that differs while nothing may be recorded.
        Raises NoPolicyFileError when there is neither.
        """
        for sha256, body in await self._database.read(_bodies):
            self._compiled.from_database(sha256, body)
        active = await self._reads.active_policy()
        if active is None:
            if offered is None:
                raise NoPolicyFileError(NoPolicyFileError.__doc__)
            await self._ledger.activate(offered, reason="bootstrap")
            active = offered
        if offered is not None and offered.sha256 != active.sha256 and recording:
            active = await self._changed(offered, active)
        if by_file(active):
            _LOG.warning("a changed policy file takes effect at the next start without a second person (activation: file)")
        self._active = active

    def __call__(self) -> Policy:
        """The active policy."""
        if self._active is None:
            raise RuntimeError("the active policy is asked for before it was loaded")
        return self._active

    async def refresh(self) -> None:
        """Follow what was accepted in Slack, or by another replica."""
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

    async def _changed(self, offered: Policy, active: Policy) -> Policy:
        """What becomes of a file that differs from the active policy; gives the one that is active then."""
        said = {"active": active.version, "file": offered.version}
        governance = await self._reads.governance()
        known = any(one.sha256 == offered.sha256 and one.base_sha256 == active.sha256 for one in governance.proposals)
        if self._proposing is None and by_file(active):
            await self._ledger.activate(offered, reason="file")
            return offered
        if known or self._proposing is None:
            hint = "it was proposed before (open, declined or rolled back): `tierline policy propose` asks again" if known else ""
            _LOG.warning("the policy file differs from the active policy, which stays in force", hint=hint, **said)
        elif by_file(active):
            if await self._proposing.adopt(offered, active):
                return offered
        elif not active.has_owners:
            _LOG.warning("the policy file differs from the active policy, which stays in force: it names nobody who may accept", **said)
        else:
            made = await self._proposing.propose(offered, active, SYSTEM, reason="the file changed")
            if isinstance(made, Proposed):
                _LOG.warning("the policy file differs from the active policy and is proposed", proposal=made.id, needs=made.needs, **said)
        return active


def _bodies(connection: Connection) -> list[tuple[str, bytes]]:
    return [(row.sha256, row.body) for row in connection.execute(select(policies.c.sha256, policies.c.body))]
