"""The OpenAPI 3.1 description of `/v1`, made from the models that the requests are read with. Owns the document; never answers a case."""

import functools
import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from bot.http.admission import MAX_BODY_BYTES, SERVICE_HEADER
from bot.http.case_answer import CaseAnswer, OpenedAnswer, RoutedAnswer
from bot.http.precheck import PrecheckAnswer
from bot.http.problem import CONTENT_TYPE, No
from bot.http.reading import MAX_WAIT_S
from bot.standard_webhooks import MAX_ID_CHARS
from routing.case.followup import Information, Outcome, Withdrawal
from routing.case.submission import Submission
from routing.simulation.precheck import Inquiry

Json = dict[str, Any]

_EVERY = (No.SIGNATURE, No.TOO_FAST, No.INTERNAL, No.UNAVAILABLE)
_POSTS = (*_EVERY, No.TOO_SLOW, No.WEBHOOK_ID_USED, No.TOO_LARGE, No.ENCODING, No.INVALID, No.NOT_RECORDING)


class ProblemAnswer(BaseModel):
    """Problem details (RFC 9457). Some kinds have further members."""

    class Wrong(BaseModel):
        """One thing that is wrong with the body."""

        pointer: str = Field(description="JSON Pointer (RFC 6901) into the body")
        message: str

    type: str = Field(description="urn:tierline:problem:…")
    title: str
    status: int
    detail: str | None = None
    errors: list[Wrong] = Field(default=[], description="everything that is wrong, at once")


class WorkflowAnswer(BaseModel):
    """How a workflow runs."""

    automation: str = Field(description="on, sampling_raised, review_all, paused or frozen")
    since: str | None
    reason: str


def openapi(version: str) -> Json:
    """The document. `version` is that of the distribution."""
    models: list[type[BaseModel]] = [
        Submission,
        Inquiry,
        Information,
        Outcome,
        Withdrawal,
        OpenedAnswer,
        RoutedAnswer,
        PrecheckAnswer,
        CaseAnswer,
        WorkflowAnswer,
        ProblemAnswer,
    ]
    refs, definitions = models_json_schema([(model, "validation") for model in models], ref_template="#/components/schemas/{model}")
    schema = {model: refs[model, "validation"] for model in models}

    def answer(description: str, model: type[BaseModel], kind: str = "application/json") -> Json:
        return {"description": description, "content": {kind: {"schema": schema[model]}}}

    def operation(name: str, summary: str, answers: Json, refusals: Sequence[No], body: type[BaseModel] | None = None) -> Json:
        by_status: dict[int, list[str]] = {}
        for no in refusals:
            by_status.setdefault(no.value.status, []).append(no.value.title)
        responses = answers | {
            str(status): answer("; or: ".join(titles), ProblemAnswer, CONTENT_TYPE) for status, titles in sorted(by_status.items())
        }
        made: Json = {"operationId": name, "summary": summary, "parameters": _signature(), "responses": responses}
        if body is not None:
            made["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema[body]}}}
        return made

    def followup(name: str, summary: str, form: type[BaseModel]) -> Json:
        answers = {"200": answer("Recorded; the same webhook-id again gives the same answer.", RoutedAnswer)}
        return {"parameters": [_case_id()], "post": operation(name, summary, answers, (*_POSTS, No.NOT_FOUND, No.NOT_NOW), form)}

    opened = {
        "202": answer("Stored.", OpenedAnswer),
        "200": answer("It was stored before; the first answer.", OpenedAnswer),
    }
    wait = {
        "name": "wait",
        "in": "query",
        "description": "Seconds to wait for the decision, or for another state or revision.",
        "schema": {"type": "integer", "minimum": 0, "maximum": MAX_WAIT_S, "default": 0},
    }
    get_case = operation("getCase", "How a case stands", {"200": answer("The case.", CaseAnswer)}, (*_EVERY, No.NOT_FOUND, No.INVALID))
    get_case["parameters"].append(wait)
    workflow = {"name": "name", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_.-]{0,79}$"}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tierline",
            "version": version,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": _ABOUT,
        },
        "paths": {
            "/v1/cases": {
                "post": operation("postCase", "Post a case", opened, (*_POSTS, No.WORKFLOW_NOT_YOURS, No.TASK_EXISTS), Submission)
            },
            "/v1/precheck": {
                "post": operation(
                    "postPrecheck",
                    "Ask what a request could get before anything is generated; nothing is stored",
                    {"200": answer("The freest lane it could get, and what is missing.", PrecheckAnswer)},
                    (*_EVERY, No.TOO_SLOW, No.TOO_LARGE, No.ENCODING, No.INVALID, No.WORKFLOW_NOT_YOURS),
                    Inquiry,
                )
            },
            "/v1/cases/{id}": {"parameters": [_case_id()], "get": get_case},
            "/v1/cases/{id}/information": followup("postInformation", "Supply what was missing or asked for", Information),
            "/v1/cases/{id}/outcome": followup("postOutcome", "Say what became of the decision", Outcome),
            "/v1/cases/{id}/withdraw": followup("postWithdraw", "Take the case back", Withdrawal),
            "/v1/workflows/{name}": {
                "parameters": [workflow],
                "get": operation("getWorkflow", "How a workflow runs", {"200": answer("It.", WorkflowAnswer)}, (*_EVERY, No.NOT_FOUND)),
            },
        },
        "components": {"schemas": definitions["$defs"]},
    }


_ABOUT = (
    "Every call is signed as Standard Webhooks describe (https://github.com/standard-webhooks/standard-webhooks): the base64 of "
    "HMAC-SHA256 over `id.timestamp.body`. A GET signs its request target in place of a body. "
    f"Every answer to a rightly signed call names the service in `{SERVICE_HEADER}`. "
    f"Bodies hold at most {MAX_BODY_BYTES} bytes of strict JSON."
)


def openapi_route(version: str) -> web.RouteDef:
    """`GET /openapi.json`, unsigned."""
    body = _body(version)

    async def get(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    return web.get("/openapi.json", get)


@functools.cache
def _body(version: str) -> bytes:
    return json.dumps(openapi(version)).encode()


def _signature() -> list[Json]:
    return [
        _header("webhook-id", "Unique per message; the same on every retry.", rf"^[!-~]{{1,{MAX_ID_CHARS}}}$"),
        _header("webhook-timestamp", "Seconds since 1970, at most 5 minutes off.", r"^[0-9]{1,12}$"),
        _header(
            "webhook-signature", "One or several, with spaces between: v1,<base64>.", r"^v1,[A-Za-z0-9+/]{43}=( v1,[A-Za-z0-9+/]{43}=)*$"
        ),
    ]


def _header(name: str, description: str, pattern: str) -> Json:
    return {"name": name, "in": "header", "required": True, "description": description, "schema": {"type": "string", "pattern": pattern}}


def _case_id() -> Json:
    return {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^c_[0-9a-z]{26}$"}}
