"""What a service posts about its case: information, outcome, withdrawal. Owns the checks before the ledger is asked and the answers after.

A follow-up names its case in its body, so that its signature serves no other call; its webhook-id counts once.
"""

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from bot.http.admission import Admission, Call
from bot.http.intake import NOT_RECORDED, TOO_LONG, not_recorded, reply
from bot.http.problem import No, refuse
from routing.case.followup import Information, Outcome, Withdrawal
from routing.change import Refused
from routing.errors import Problem, SubmissionError
from routing.problems import problems_of
from routing.review.followups import report, supply, withdraw
from routing.strict_json import loads
from store.audit.leaf import LeafTooLongError
from store.ledger.answers import Changed, Conflict, Missing, Repeated
from store.ledger.items import Step
from store.ledger.ledger import Ledger
from store.ledger.prefetch import InboxKey
from store.reads.cases import Reads

Kind = Literal["information", "outcome", "withdraw"]
Followup = TypeVar("Followup", Information, Outcome, Withdrawal)

CASE_PATH = "/v1/cases/{case_id:c_[0-9a-z]{26}}"
_FIXED = ("workflow", "task_id")


class Followups:
    """Takes follow-ups in."""

    def __init__(
        self,
        admission: Admission,
        ledger: Ledger,
        reads: Reads,
        tally: Callable[[str, int], None],
    ) -> None:
        """`tally` counts answers by kind and status code."""
        self._admission = admission
        self._ledger = ledger
        self._reads = reads
        self._tally = tally

    def routes(self) -> list[web.RouteDef]:
        """Where they come in."""
        return [
            web.post(f"{CASE_PATH}/information", self._information),
            web.post(f"{CASE_PATH}/outcome", self._outcome),
            web.post(f"{CASE_PATH}/withdraw", self._withdraw),
        ]

    async def _information(self, request: web.Request) -> web.Response:
        return await self._take(request, "information", Information, supply)

    async def _outcome(self, request: web.Request) -> web.Response:
        return await self._take(request, "outcome", Outcome, report)

    async def _withdraw(self, request: web.Request) -> web.Response:
        return await self._take(request, "withdraw", Withdrawal, withdraw)

    async def _take(self, request: web.Request, kind: Kind, form: type[Followup], step_of: Callable[[Followup], Step]) -> web.Response:
        call = await self._admission.admit(request)
        answer = call if isinstance(call, web.Response) else await self._read(call, request.match_info["case_id"], form, step_of)
        self._tally(kind, answer.status)
        return answer

    async def _read(self, call: Call, case_id: str, form: type[Followup], step_of: Callable[[Followup], Step]) -> web.Response:
        try:
            followup = form.model_validate(loads(call.body))
        except SubmissionError as error:
            return refuse(No.INVALID, problems=error.problems)
        except ValidationError as error:
            return refuse(No.INVALID, problems=problems_of(error, _schema(form)))
        if problems := _misplaced(followup, case_id):
            return refuse(No.INVALID, problems=problems)
        case = await self._reads.case(case_id)
        if case is None or case.service != call.service.name:
            return refuse(No.NOT_FOUND)
        return await self._apply(call, case_id, step_of(followup), content=isinstance(followup, Information))

    async def _apply(self, call: Call, case_id: str, step: Step, *, content: bool) -> web.Response:
        key = InboxKey("service", call.service.name, call.webhook_id)
        digest = hashlib.sha256(call.body).hexdigest()
        try:
            result = await self._ledger.change(case_id, step, key=key, digest=digest, content=content)
        except NOT_RECORDED as problem:
            return not_recorded(problem)
        except SubmissionError as error:  # only information carries fields of a case
            return refuse(No.INVALID, problems=[Problem(f"/case{found.pointer}", found.message) for found in error.problems])
        except LeafTooLongError:
            return refuse(No.INVALID, problems=[TOO_LONG])
        match result:
            case Changed(answer=answer):
                return reply(answer or {}, 200)
            case Repeated(answer=answer):
                return _again(answer or {})
            case Refused(reason=reason, text=text):
                return refuse(No.NOT_NOW, text, reason=reason)
            case Conflict():
                return refuse(No.WEBHOOK_ID_USED, "Send new content under a new webhook-id.")
            case Missing():
                return refuse(No.NOT_FOUND)


def _misplaced(followup: Information | Outcome | Withdrawal, case_id: str) -> list[Problem]:
    """A follow-up about another case, or one that would rename its case."""
    found = [Problem("/case_id", "is not the case of this path")] if followup.case_id != case_id else []
    if isinstance(followup, Information):
        found += [Problem(f"/case/{name}", "a case keeps its workflow and task_id") for name in _FIXED if name in followup.case]
    return found


def _again(answer: Mapping[str, Any]) -> web.Response:
    """The first answer once more, also where it was a refusal."""
    refused = answer.get("refused")
    return refuse(No.NOT_NOW, refused["text"], reason=refused["reason"]) if refused else reply(answer, 200)


@cache
def _schema(form: type[BaseModel]) -> dict[str, Any]:
    return form.model_json_schema()
