"""The published description of `/v1` is valid, served, and says what the server does."""

import json

import jsonschema
import schemathesis
from schemathesis.core.result import Ok

from bot.http.openapi import openapi
from tests.bot.edge import Edge, a_case

DOCUMENT = openapi("0.1.0")


def described(path: str, method: str, status: int, body: object) -> None:
    """The answer has the form that the document gives for it."""
    (media,) = DOCUMENT["paths"][path][method]["responses"][str(status)]["content"].values()
    jsonschema.validate(body, media["schema"] | {"components": DOCUMENT["components"]})


async def test_the_document_is_served_and_valid(edge: Edge) -> None:
    """A client generator can read it; every operation resolves."""
    async with edge.session.get(edge.url + "/openapi.json") as response:
        assert await response.json() == DOCUMENT
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(DOCUMENT)))
    schema.validate()
    labels = {operation.ok().label for operation in schema.get_all_operations() if isinstance(operation, Ok)}
    assert labels == {
        "POST /v1/cases",
        "POST /v1/precheck",
        "GET /v1/cases/{id}",
        "POST /v1/cases/{id}/information",
        "POST /v1/cases/{id}/outcome",
        "POST /v1/cases/{id}/withdraw",
        "GET /v1/workflows/{name}",
    }


async def test_answers_have_the_described_form(edge: Edge) -> None:
    """Opened, read, refused: what the server says is what the document promises."""
    opened = await edge.post("/v1/cases", a_case())
    described("/v1/cases", "post", 202, opened.body)
    case_id = opened.body["id"]
    described("/v1/cases/{id}", "get", 200, (await edge.get(f"/v1/cases/{case_id}")).body)
    await edge.press(case_id)
    described("/v1/cases/{id}", "get", 200, (await edge.get(f"/v1/cases/{case_id}")).body)
    outcome = {"type": "case.outcome", "case_id": case_id, "result": "failed"}
    described("/v1/cases/{id}/outcome", "post", 200, (await edge.post(f"/v1/cases/{case_id}/outcome", outcome)).body)
    described("/v1/cases", "post", 422, (await edge.post("/v1/cases", {})).body)
    described("/v1/precheck", "post", 200, (await edge.post("/v1/precheck", {"workflow": "refunds"})).body)
    described("/v1/precheck", "post", 422, (await edge.post("/v1/precheck", {})).body)
    described("/v1/cases/{id}", "get", 401, (await edge.send("GET", f"/v1/cases/{case_id}", None, {})).body)
    described("/v1/workflows/{name}", "get", 200, (await edge.get("/v1/workflows/refunds")).body)
