"""`POST /v1/cases`: from a signed body to a stored case and its answer. Owns which answer a delivery gets; never routes and never writes.

What is answered 2xx is committed. Everything else was not stored and may be sent again.
"""

import hashlib
import json
from collections.abc import Callable, Mapping

from aiohttp import web

from bot.failures import to_look_at
from bot.http.admission import Admission, Call
from bot.http.problem import RETRY_AFTER_S, No, refuse
from bot.http.turns import Turns
from routing.case.near_duplicate import likeness
from routing.case.submission import read_submission
from routing.errors import Problem, SubmissionError
from routing.policy.policy import Policy
from routing.problems import did_you_mean
from routing.review.opening import open_case
from routing.strict_json import loads
from store.audit.leaf import LeafTooLongError
from store.ledger.answers import Conflict, Delivery, Opened, Repeated
from store.ledger.items import Foreseen, OpenStep
from store.ledger.ledger import Ledger, NotRecordingError
from store.ledger.unit_of_work import NoPolicyError
from store.ledger.writer import CannotRecordError, UnclearError, WriterClosedError

NOT_RECORDED = (CannotRecordError, NotRecordingError, NoPolicyError, WriterClosedError)
"""What the ledger raises when it wrote nothing and may do so later, or when nobody knows whether it did."""

TOO_LONG = Problem("", "ids, names and flags are together too long for one audit event")


class Intake:
    """Takes cases in."""

    def __init__(
        self, admission: Admission, ledger: Ledger, policy: Callable[[], Policy], tally: Callable[[int], None], turns: Turns | None = None
    ) -> None:
        """`policy` gives the active policy; `tally` counts answers by status code."""
        self._admission = admission
        self._ledger = ledger
        self._policy = policy
        self._tally = tally
        self._turns = turns or Turns()

    def routes(self) -> list[web.RouteDef]:
        """Where cases come in."""
        return [web.post("/v1/cases", self.post)]

    async def post(self, request: web.Request) -> web.Response:
        """Open a case, or say why not."""
        answer = refuse(No.BUSY, retry_after_s=RETRY_AFTER_S) if self._turns.full else await self._admit(request)
        self._tally(answer.status)
        return answer

    async def _admit(self, request: web.Request) -> web.Response:
        call = await self._admission.admit(request)
        if isinstance(call, web.Response):
            return call
        if self._turns.full:  # of those that came at once and were read meanwhile
            return refuse(No.BUSY, retry_after_s=RETRY_AFTER_S)
        with self._turns.let_in():
            return await self._take(call)

    async def _take(self, call: Call) -> web.Response:
        try:
            async with self._turns.turn():
                read = self._read(call)
            if isinstance(read, web.Response):
                return read
            result = await self._ledger.open(*read)
        except NOT_RECORDED as problem:
            return not_recorded(problem)
        except LeafTooLongError:
            return refuse(No.INVALID, problems=[TOO_LONG])
        match result:
            case Opened(answer=first):
                return reply(first, 202)
            case Repeated(answer=earlier):
                return reply(earlier or {}, 200)
            case Conflict(reason="webhook_id"):
                return refuse(No.WEBHOOK_ID_USED, "Send new content under a new webhook-id.")
            case Conflict(case_id=case_id):
                path = f"/v1/cases/{case_id}/information"
                return refuse(No.TASK_EXISTS, f"Send what changed to {path}.", case_id=case_id, information=path)

    def _read(self, call: Call) -> web.Response | tuple[Delivery, OpenStep, Foreseen | None]:
        """What is to be opened; or why it is not."""
        try:
            submission = read_submission(loads(call.body), strict=True)
        except SubmissionError as error:
            return refuse(No.INVALID, problems=error.problems)
        if (answer := not_for(self._policy(), call, submission.workflow)) is not None:
            return answer
        delivery = Delivery(
            service=call.service.name,
            webhook_id=call.webhook_id,
            digest=hashlib.sha256(call.body).hexdigest(),
            workflow=submission.workflow,
            task_id=submission.task_id,
            input_sha256=submission.sha256,
            likeness=likeness(call.service.name, submission),
            action_sha256=submission.action.sha256,
        )
        step = open_case(call.service.name, submission)
        return delivery, step, self._ledger.foresee(delivery, step)


def not_for(policy: Policy, call: Call, workflow: str) -> web.Response | None:
    """The answer to a service that names a workflow which is not there or not its own; None where it may."""
    known, allowed = policy.workflows, call.service.workflows
    if workflow not in known:
        hint = did_you_mean(workflow, sorted(allowed & known.keys()))
        return refuse(No.INVALID, problems=[Problem("/workflow", f"unknown workflow{hint}")])
    if workflow not in allowed:
        return refuse(No.WORKFLOW_NOT_YOURS, "List the workflow under this service in the services file.")
    return None


def not_recorded(problem: Exception) -> web.Response:
    """The answer where the ledger raised one of `NOT_RECORDED`."""
    if isinstance(problem, UnclearError):
        again = "It may have been recorded. Send the same again under the same webhook-id: it counts once."
        return refuse(No.UNAVAILABLE, again, retry_after_s=RETRY_AFTER_S)
    why = to_look_at(problem)
    return refuse(No.NOT_RECORDING, "" if why is None else str(why), retry_after_s=RETRY_AFTER_S)


def reply(body: Mapping[str, object], status: int) -> web.Response:
    """An answer in JSON."""
    return web.Response(body=json.dumps(body).encode(), status=status, content_type="application/json")
