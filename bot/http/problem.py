"""How the HTTP interface says no: problem details (RFC 9457), from a closed list. Owns titles and codes; never quotes what was sent."""

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import Enum, unique

import structlog
from aiohttp import web

from bot.failures import failure, to_look_at
from routing.errors import Problem
from store.database.errors import is_unavailable

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 5

_LOG = structlog.get_logger("tierline.http")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to be refused: `code` ends its `type` URI."""

    status: int
    code: str
    title: str


@unique
class No(Enum):
    """Every way to be refused by the HTTP interface."""

    SIGNATURE = Kind(401, "signature", "The request is not signed by a known service")
    WORKFLOW_NOT_YOURS = Kind(403, "workflow-not-yours", "This service may not post cases for this workflow")
    NOT_FOUND = Kind(404, "not-found", "There is nothing here that this service may see")
    METHOD = Kind(405, "method", "This method does not exist here")
    TOO_SLOW = Kind(408, "too-slow", "The body did not arrive in time")
    WEBHOOK_ID_USED = Kind(409, "webhook-id-used", "This webhook-id was used for other content")
    TASK_EXISTS = Kind(409, "task-exists", "This task has a case with other content")
    NOT_NOW = Kind(409, "not-now", "The case is in a state in which this cannot be done")
    TOO_LARGE = Kind(413, "too-large", "The body is too large")
    ENCODING = Kind(415, "encoding", "The body must not be compressed: the signature covers it as it is sent")
    INVALID = Kind(422, "invalid", "The body does not have the published form")
    TOO_FAST = Kind(429, "too-fast", "This service sends faster than it may")
    BUSY = Kind(429, "busy", "More cases come in than can be taken at the moment; nothing was recorded")
    INTERNAL = Kind(500, "internal", "Something is wrong here; nothing was recorded")
    NOT_RECORDING = Kind(503, "not-recording", "Nothing can be recorded at the moment; nothing was")
    CROWDED = Kind(503, "crowded", "Too many requests are on their way at the moment; nothing was recorded")
    UNAVAILABLE = Kind(503, "unavailable", "The database does not answer at the moment")


def refuse(no: No, detail: str = "", problems: Iterable[Problem] = (), *, retry_after_s: int | None = None, **members: str) -> web.Response:
    """The answer that says no. `problems` are listed as `errors`; `members` are further members of the document."""
    kind: Kind = no.value
    body: dict[str, object] = {"type": f"urn:tierline:problem:{kind.code}", "title": kind.title, "status": kind.status}
    if detail:
        body["detail"] = detail
    if errors := [{"pointer": problem.pointer, "message": problem.message} for problem in problems]:
        body["errors"] = errors
    headers = {"Retry-After": str(retry_after_s)} if retry_after_s is not None else {}
    if no is No.SIGNATURE:  # RFC 9110, 15.5.2: a 401 names a scheme
        headers["WWW-Authenticate"] = "StandardWebhooks"
    return web.Response(body=json.dumps(body | members).encode(), status=kind.status, content_type=CONTENT_TYPE, headers=headers)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refusals of aiohttp's own, and what nobody foresaw, in the same form."""
    try:
        return await handler(request)
    except web.HTTPNotFound:
        return refuse(No.NOT_FOUND)
    except web.HTTPMethodNotAllowed as error:
        answer = refuse(No.METHOD)
        answer.headers["Allow"] = error.headers["Allow"]
        return answer
    except web.HTTPException:
        raise
    except Exception as error:  # noqa: BLE001  # the edge: a caller gets an answer, the log gets the place
        _LOG.error("request failed", method=request.method, route=_route(request), **failure())
        why = to_look_at(error)
        if why is not None or is_unavailable(error):
            return refuse(No.UNAVAILABLE, "" if why is None else str(why), retry_after_s=RETRY_AFTER_S)
        return refuse(No.INTERNAL)


def _route(request: web.Request) -> str:
    """The path as the router knows it, without what a caller put into it."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else ""
