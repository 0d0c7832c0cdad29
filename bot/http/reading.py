"""What a service may ask: how its case stands, at once or when something happens, and how its workflow runs.

Owns long polling and the rule that a service sees only its own. It never writes.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from bot.http.admission import Admission, Call
from bot.http.case_answer import case_answer
from bot.http.followups import CASE_PATH
from bot.http.intake import reply
from bot.http.problem import No, refuse
from routing.authorize import EXECUTABLE
from routing.case.case import Case
from routing.case.submission import moment_text
from routing.errors import Problem
from routing.policy.policy import Policy
from routing.review.event_fields import told_state
from store.integrity.release import Doubt
from store.reads.cases import Reads
from store.reads.receipts import Receipts
from store.wakeups import Wakeups

MAX_WAIT_S = 60
LOOK_EVERY_S = 1.0
"""Another replica's change gives no hint here, so the database is asked again."""

MAX_WAITING = 2_000
"""Requests that may wait at the same time; more are answered at once."""


_LOG = structlog.get_logger("tierline.reading")


class Api:
    """Answers questions."""

    def __init__(
        self,
        admission: Admission,
        reads: Reads,
        receipts: Receipts,
        wakeups: Wakeups,
        policy: Callable[[], Policy],
        *,
        most_waiting: int = MAX_WAITING,
    ) -> None:
        """`policy` gives the active policy. At most `most_waiting` requests wait at a time."""
        self._admission = admission
        self._reads = reads
        self._receipts = receipts
        self._wakeups = wakeups
        self._policy = policy
        self._most_waiting = most_waiting
        self.waiting = 0
        """Requests that wait at the moment."""
        self._closing = False

    def routes(self) -> list[web.RouteDef]:
        """Where questions come in."""
        return [
            web.get(CASE_PATH, self._get_case, allow_head=False),
            web.get("/v1/workflows/{name:[a-z0-9][a-z0-9_.-]{0,79}}", self._get_workflow, allow_head=False),
        ]

    def stop_waiting(self) -> None:
        """Answer whoever waits within a second, and nobody waits any more: the process is about to end."""
        self._closing = True

    async def _get_case(self, request: web.Request) -> web.Response:
        call = await self._admission.admit(request)
        if isinstance(call, web.Response):
            return call
        wait_s = _wait_s(request.query.getall("wait", ["0"]))
        if wait_s is None:
            return refuse(No.INVALID, problems=[Problem("/wait", f"expected whole seconds from 0 to {MAX_WAIT_S}, once")])
        case_id = request.match_info["case_id"]
        case = await self._mine(call, case_id)
        if case is None:
            return refuse(No.NOT_FOUND)
        if wait_s and (case.open or case.kept_here) and self.waiting < self._most_waiting:
            self.waiting += 1
            try:
                await self._wait(request, case, wait_s)
            finally:
                self.waiting -= 1
        return await self._answer(case_id)

    async def _answer(self, case_id: str) -> web.Response:
        scene = await self._reads.scene(case_id)
        case = scene.case if scene is not None else await self._reads.case(case_id)
        if case is None:
            return refuse(No.NOT_FOUND)
        case = await self._told(case)
        history = scene.history if scene is not None else await self._reads.history(case_id)
        receipt = await self._receipts.receipt(case.decided_index) if case.decided_index is not None and not case.kept_here else None
        return reply(case_answer(case, scene.submission if scene is not None else None, history, receipt), 200)

    async def _told(self, case: Case) -> Case:
        """The case; a verdict that a pause keeps from leaving, or that the log does not prove, is told as one that is kept back: that it is
        in a moment, or once its callback was to leave.
        """
        if case.verdict is None or case.kept_here:
            return case
        if case.verdict in EXECUTABLE and await self._reads.about_to_be_withheld(case.id):
            return case.model_copy(update={"withheld": True})
        found = await self._receipts.judge_case(case.id)
        if isinstance(found, Case) and _verdict(found) == _verdict(case):
            return case
        reason = found.reason if isinstance(found, Doubt) else "its verdict became another just now"
        _LOG.error("not told who asked: the audit log does not prove the verdict", case=case.id, reason=reason[:1_000])
        return case.model_copy(update={"withheld": True})

    async def _wait(self, request: web.Request, before: Case, wait_s: int) -> None:
        """Until the case is decided, its state or revision changes, the time is over, or nobody listens any more."""
        loop = asyncio.get_running_loop()
        end = loop.time() + wait_s
        with self._wakeups.case(before.id) as changed:
            while (left_s := end - loop.time()) > 0 and not self._closing:
                changed.clear()
                case = await self._reads.case(before.id)
                gone = request.transport is None or request.transport.is_closing()
                if gone or case is None or (told_state(case), case.revision) != (told_state(before), before.revision):
                    return
                await _within(min(left_s, LOOK_EVERY_S), changed.wait())

    async def _get_workflow(self, request: web.Request) -> web.Response:
        call = await self._admission.admit(request)
        if isinstance(call, web.Response):
            return call
        name = request.match_info["name"]
        if name not in call.service.workflows or self._policy().workflow(name) is None:
            return refuse(No.NOT_FOUND)
        control = (await self._reads.governance()).control(name)
        since = moment_text(control.since) if control.since is not None else None
        return reply({"automation": control.automation.value, "since": since, "reason": control.reason}, 200)

    async def _mine(self, call: Call, case_id: str) -> Case | None:
        case = await self._reads.case(case_id)
        return case if case is not None and case.service == call.service.name else None


def _verdict(case: Case) -> tuple[object, ...]:
    return case.verdict, case.decided_index, case.action_sha256, case.votes, case.reason_code


def _wait_s(given: list[str]) -> int | None:
    text = given[0] if len(given) == 1 else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 2 and int(text) <= MAX_WAIT_S else None


async def _within(seconds: float, happening: Awaitable[object]) -> None:
    try:
        async with asyncio.timeout(seconds):
            await happening
    except TimeoutError:
        return
