"""The world of the stories that are about more than one case: commands, bulletins, brakes, children of a case."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from bot.policy.proposing import FULL, Proposed, Staging
from bot.sandbox.faults import Fault, Mode
from bot.sandbox.slack.ack import Ack
from routing.case.case import Case
from routing.change import Actor
from routing.governance.policy_lifecycle import ALL
from routing.policy.file import load_policy
from routing.vocabulary import CaseKind
from store.schema import leaves
from tests.world import World, listeners_end


class GovernedWorld(World):
    """A world with more to say and to look at."""

    async def pass_time(self, **amount: float) -> None:
        """Let time pass; at its end breakers and brakes have been looked after."""
        await super().pass_time(**amount)
        for _ in range(2):
            await self.bot.tick()
            await self.drain()

    async def propose(self, text: str, *, share: int = 100, shadow: bool = False) -> None:
        """The operator proposes another policy on the command line."""
        policy = load_policy(text.encode(), self.write_files())
        staging = Staging("shadow", 0) if shadow else Staging("share", share) if share < ALL else FULL
        made = await self.bot.proposing.propose(policy, self.bot.policy(), Actor("human", "os:operator"), staging=staging)
        assert isinstance(made, Proposed), made

    async def say(self, person: str, words: str, channel: str = "review-ops") -> Ack:
        """Somebody types `/review` and these words."""
        ack = await self.sandbox.slack.command(person, channel, "/review", words)
        await listeners_end()
        return ack

    async def press(self, person: str, bulletin: Mapping[str, Any], verb: str) -> Ack:
        """Somebody presses a button of a bulletin."""
        ack = await self.sandbox.slack.click(person, bulletin["channel"], bulletin["ts"], f"tierline:g:{verb}")
        await listeners_end()
        return ack

    def bulletins(self, channel: str) -> list[dict[str, Any]]:
        """What was said in a channel about more than one case, oldest first, each with its channel."""
        found = next(one for one in self.sandbox.config.slack.channels if channel in (one.id, one.name))
        messages = self.sandbox.slack.messages(found.id)
        ours = [{**one, "channel": found.id} for one in messages if (one.get("metadata") or {}).get("event_type") == "tierline_bulletin"]
        return sorted(ours, key=lambda message: str(message["ts"]))

    def read(self, bulletin: Mapping[str, Any]) -> str:
        """Everything a reader can read on a bulletin."""
        return json.dumps(bulletin["blocks"], ensure_ascii=False)

    async def automation(self, workflow: str) -> Mapping[str, Any]:
        """What the service reads about a workflow."""
        status, answer = await self.sandbox.customer.get(f"/v1/workflows/{workflow}")
        assert status == 200, answer
        return answer

    async def answer(self, case_id: str) -> Mapping[str, Any]:
        """What the service reads about a case."""
        status, answer = await self.sandbox.customer.get(f"/v1/cases/{case_id}")
        assert status == 200, answer
        return answer

    async def report(self, case_id: str, result: str, **more: Any) -> int:
        """The service says what became of a decision; gives the status it was answered."""
        status, _ = await self.sandbox.customer.report_outcome(case_id, result, **more)
        return status

    def told_service(self, kind: str) -> list[Mapping[str, Any]]:
        """The data of every callback of a type."""
        return [one.data for one in self.sandbox.customer.inbox if one.type == kind]

    def told_types(self, case_id: str) -> list[str]:
        """The types of the callbacks about a case, in order."""
        return [one.type for one in self.sandbox.customer.inbox if one.data.get("case_id") == case_id]

    async def child(self, case_id: str, kind: CaseKind = CaseKind.CHECK) -> Case:
        """The newest check or roll-back of a case."""
        children = [await self.case(child) for child in (await self.case(case_id)).children]
        found = [child for child in children if child.kind is kind]
        assert found, f"no {kind} of {case_id}"
        return found[-1]

    async def checked(self, case_id: str, **failed: str) -> dict[str, str]:
        """The form of a checklist filled in: everything passes but what is named."""
        case = await self.case(case_id)
        items = case.route.steps[case.step].checklist
        assert items
        return {f"check:{item.id}": failed.get(item.id, "pass") for item in items}

    async def leaves(self, kind: str) -> int:
        """How many events of a kind the audit log holds."""
        statement = select(func.count()).select_from(leaves).where(leaves.c.kind == kind)
        return await self.bot.database.read(lambda connection: connection.execute(statement).scalar_one())

    def lose_answers(self, times: int) -> None:
        """The service gets the next callbacks and its answers are lost."""
        self.sandbox.faults.add(Fault("customer", "callback", Mode.DROP_REPLY, times=times))
