"""The world of stories about playbooks: a policy that has some."""

from pathlib import Path
from typing import Any

from store.reads.queue import dead_messages
from tests.governed import GovernedWorld
from tests.written import POLICY

PLAYBOOKS = """
tickets:
  helpdesk: {url: "${TICKETS_URL}", secret: "${TICKETS_SECRET}", networks: ["127.0.0.0/8"]}
playbooks:
  - name: wrong-money
    when: {flags: [legal]}
    workflows: [refunds]
    interim: hold
    tell:
      - {words: "Look at this with the bank today.", channel: review-ops, people: [U0GRACE0001], groups: [experts]}
      - {words: "You answer for this refund.", people: [U0HUGO00001]}
    ticket: helpdesk
    legal_hold: {reason: "A dispute may follow.", released_by: [U0GRACE0001]}
    re_enter: "Two weeks without a wrong amount."
  - name: pager
    when: {flags: [executive]}
    workflows: [refunds]
    page: true
    tell: [{words: "Somebody important waits.", channel: review-ops}]
  - name: nobody-came
    when: {exhausted: true}
    workflows: [refunds]
    tell: [{words: "Nobody answered. Find somebody.", people: [U0GRACE0001]}]
  - name: set-aside
    when: {flags: [medical]}
    interim: quarantine
"""


class PlaybookWorld(GovernedWorld):
    """A world with playbooks."""

    def __init__(self, folder: Path, database_url: str, **more: Any) -> None:
        super().__init__(folder, database_url, False, policy=POLICY + PLAYBOOKS, **more)

    async def steps(self, case_id: str) -> dict[str, dict[str, str]]:
        """By playbook that has begun: the state of each step, by kind and where it goes."""
        case = await self.case(case_id)
        return {one.name: {f"{step.kind} {step.to}".strip(): step.state for step in one.steps} for one in case.playbooks}

    async def given_up(self) -> list[int]:
        """Ids of messages that were given up."""
        return [one.id for one in await self.bot.database.read(dead_messages)]

    def heard(self, case_id: str) -> list[str]:
        """Types of the callbacks that the service got of a case, in order."""
        return [one.type for one in self.sandbox.customer.inbox if one.data.get("case_id") == case_id]
