"""A policy from a file on its way to be proposed: compared with the active one, rehearsed on earlier cases, handed to the ledger.

Owns what goes along with a proposal, and the two things the command line may do to policies: propose and roll back. Never accepts one.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from routing.canonical import Json
from routing.change import Actor, Refused
from routing.governance import policy_lifecycle
from routing.governance.policy_lifecycle import Offer
from routing.policy.affected import affected
from routing.policy.diff import Differences, diff
from routing.policy.policy import Policy
from routing.simulation.replay import Replayed, Report, Tally, replay
from store.database.database import Database
from store.ledger.answers import Ruled
from store.ledger.ledger import Ledger
from store.reads.cases import Reads
from store.reads.past_cases import stored_cases
from store.vault.vault import Vault

REHEARSED = 2_000
"""The newest cases that a proposed policy is tried on; more would keep the start waiting."""

SHOWN_DIFFERENCES = 12
SHOWN_MOVED = 5


@dataclass(frozen=True, slots=True)
class Staging:
    """What follows acceptance: all new cases, a share of them in percent, or shadow."""

    stage: Literal["full", "share", "shadow"] = "full"
    share: int = 100


FULL = Staging()


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal that was made: its id, the policy's version, how many people have to accept it, and how many cases it was tried on, of
    which how many would go elsewhere.
    """

    id: str
    version: str
    needs: int
    raises: bool
    replayed: int
    changed: int


class Proposing:
    """Proposes policies and rolls them back, through the ledger."""

    def __init__(self, database: Database, ledger: Ledger, reads: Reads, vault: Vault) -> None:
        self._database = database
        self._ledger = ledger
        self._reads = reads
        self._vault = vault

    async def propose(
        self,
        policy: Policy,
        active: Policy,
        by: Actor,
        *,
        reason: str = "",
        staging: Staging = FULL,
        cases: Sequence[Replayed] | None = None,
    ) -> Proposed | Refused:
        """Propose a policy against the active one, with its diff and its replay over `cases`, by default the newest of the store."""
        differences = diff(active, policy)
        report = await self.rehearse(policy, active, cases)
        offer = Offer(
            policy=policy,
            base_sha256=active.sha256,
            raises=differences.raises_autonomy,
            workflows=affected(policy, active, differences),
            stage=staging.stage,
            share=staging.share,
            reason=reason,
            replayed=report.after.cases > 0,
            summary=summary(differences, report),
        )
        match await self._ledger.govern(policy_lifecycle.propose(offer, by), keep=policy):
            case Refused() as refused:
                return refused
            case Ruled(governance=governance):
                made = governance.proposals[-1]
                return Proposed(made.id, made.version, made.needs, made.raises, report.after.cases, report.changed)
            case other:
                raise AssertionError(f"a proposal without an inbox key was answered with {type(other).__name__}")

    async def roll_back(self, by: Actor, reason: str = "") -> dict[str, Json] | Refused:
        """Go back to the policy before, or end what is staged. Gives {"active", "sha256"} and, where a stage ended, "ended"."""
        wanted = policy_lifecycle.before(await self._reads.governance())
        match await self._ledger.govern(policy_lifecycle.roll_back(by, reason), wanted=wanted):
            case Refused() as refused:
                return refused
            case Ruled(answer=answer):
                return dict(answer or {})
            case other:
                raise AssertionError(f"a roll back without an inbox key was answered with {type(other).__name__}")

    async def adopt(self, policy: Policy, active: Policy) -> bool:
        """Take a changed file over where the active policy leaves that to the file. False if it was refused."""
        adopting = policy_lifecycle.adopt(policy, affected(policy, active))
        return isinstance(await self._ledger.govern(adopting, keep=policy), Ruled)

    async def rehearse(self, policy: Policy, active: Policy, cases: Sequence[Replayed] | None = None) -> Report:
        """The replay that goes along with a proposal; off the event loop, which has people to answer meanwhile."""
        return await asyncio.to_thread(replay, policy, await self.newest() if cases is None else cases, active)

    async def newest(self) -> list[Replayed]:
        """The newest stored cases, as they were first routed."""
        stored = await self._database.read(partial(stored_cases, vault=self._vault, limit=REHEARSED))
        return [one.replayed for one in stored]


def summary(differences: Differences, report: Report) -> dict[str, Any]:
    """What the card of a proposal is drawn from: words of the policies and figures, no content of a case."""
    first = sorted(differences.items, key=lambda one: (not one.raises, one.effect))[:SHOWN_DIFFERENCES]
    told = [{"workflow": one.workflow, "text": one.text, "effect": one.effect.value, "raises": one.raises} for one in first]
    moved = [one.json() for one in report.moved[:SHOWN_MOVED]]
    figures = {"cases": report.after.cases, "changed": report.changed, "after": report.after.json()}
    before = (report.before or Tally()).json()
    return {"differences": told, "more": len(differences.items) - len(told), "replay": {**figures, "before": before, "moved": moved}}
