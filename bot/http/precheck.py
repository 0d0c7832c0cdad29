"""`POST /v1/precheck`: what a request could get before anything is generated for it, and what is missing. Owns the answer; stores nothing.

It is signed like every call and leaves no trace, so its webhook-id may be used again. What it allows is the lane at best
(`routing.simulation.precheck`): the case itself is routed when it comes, and may go to people where this said `auto`.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from aiohttp import web
from pydantic import BaseModel, Field

from bot.http.admission import Admission, Call
from bot.http.intake import not_for, reply
from bot.http.problem import No, refuse
from routing.case.facts import Facts
from routing.errors import SubmissionError
from routing.governance.governance import Governance
from routing.policy.policy import Policy
from routing.simulation.precheck import prospect, read_inquiry
from routing.strict_json import loads
from routing.vocabulary import Lane
from store.ledger.arrival import in_force


class PrecheckAnswer(BaseModel):
    """What a request could get."""

    class Why(BaseModel):
        """One reason for the lane: a code from the closed list of triggers and its sentence."""

        code: str
        text: str

    allowed: Lane = Field(description="the freest lane the case could get, if all that is not said yet turns out for the best")
    missing: list[str] = Field(description="what the workflow requires and was not said")
    reasons: list[Why] = Field(description="why it is no freer lane")


class Precheck:
    """Answers before there is a case."""

    def __init__(
        self,
        admission: Admission,
        policy: Callable[[], Policy],
        governance: Callable[[], Awaitable[Governance]],
        now: Callable[[], datetime],
    ) -> None:
        """`policy` gives the active policy, `governance` what people have paused and made exceptions from."""
        self._admission = admission
        self._policy = policy
        self._governance = governance
        self._now = now

    def routes(self) -> list[web.RouteDef]:
        """Where requests are asked about."""
        return [web.post("/v1/precheck", self._post)]

    async def _post(self, request: web.Request) -> web.Response:
        call = await self._admission.admit(request)
        return call if isinstance(call, web.Response) else await self._answer(call)

    async def _answer(self, call: Call) -> web.Response:
        try:
            inquiry = read_inquiry(loads(call.body))
        except SubmissionError as error:
            return refuse(No.INVALID, problems=error.problems)
        policy = self._policy()
        if (answer := not_for(policy, call, inquiry.workflow)) is not None:
            return answer
        governance, now = await self._governance(), self._now()
        automation = governance.control(inquiry.workflow).automation
        found = prospect(policy, inquiry, Facts(automation=automation, waived=in_force(governance, inquiry.workflow, now)), now)
        reasons = [PrecheckAnswer.Why(code=code, text=text) for code, text in found.reasons]
        said = PrecheckAnswer(allowed=found.allowed, missing=list(found.missing), reasons=reasons)
        return reply(said.model_dump(mode="json"), 200)
