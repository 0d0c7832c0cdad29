"""Forged, broken and hostile requests: nothing is accepted, nothing is a 500, and the verifiers never raise (promise P15)."""

import asyncio
import json
import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bot.edge import Edge, a_case

REFUSED = {400, 401, 403, 404, 405, 408, 409, 413, 415, 422}
WIRE = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=80)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = sorted(
    [*a_case(), "checks", "evidence", "context", "risk", "subject", "entities", "requester", "deadline", "sensitive", "labels", "x"]
)
PATHS = ("/v1/cases", "/v1/cases/c_00000000000000000000000000/outcome", "/v1/cases/c_00000000000000000000000000/information")


def examples(full: bool, short: int) -> settings:
    """How many, and no deadline for each: they share two cores with other tests."""
    return settings(max_examples=short * 50 if full else short, deadline=None, suppress_health_check=list(HealthCheck))


async def test_no_hostile_header_is_let_in(edge: Edge, full: bool) -> None:
    """Whatever stands in the three headers, the answer is 401 unless the signature is right."""
    good = edge.headers(json.dumps(a_case()).encode())
    drawn: list[dict[str, str]] = []

    @examples(full, 200)
    @given(st.dictionaries(st.sampled_from(sorted(good)), WIRE | st.sampled_from(sorted(good.values())), max_size=3))
    def draw(headers: dict[str, str]) -> None:
        drawn.append(headers)

    draw()
    for headers in drawn:
        answer = await edge.send("POST", "/v1/cases", b"{}", {**good, **headers})
        assert answer.status == 401, headers
    assert await edge.count() == 0


async def test_no_signed_body_is_a_500(edge: Edge, full: bool) -> None:
    """A service may sign anything: bytes, odd JSON, cases with hostile values in every field."""
    drawn: list[bytes] = []

    @examples(full, 300)
    @given(st.binary(max_size=60) | st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5).map(_around_a_case))
    def draw(body: bytes) -> None:
        drawn.append(body)

    draw()
    for number, body in enumerate(drawn):
        answer = await edge.post(PATHS[number % len(PATHS)], body)
        assert answer.status in REFUSED | {200, 202}, body


async def test_what_is_no_http_does_not_stop_the_server(edge: Edge, full: bool) -> None:
    """Bytes that are no request, cut requests, absurd headers: afterwards a case is accepted as before."""
    draw = random.Random(20261120)  # noqa: S311  # a seed that repeats a failure
    host, port = edge.url.removeprefix("http://").split(":")
    good = b"POST /v1/cases HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nwebhook-id: a\r\n\r\n{}"
    for _ in range(2_000 if full else 60):
        raw = bytearray(good)
        for _ in range(draw.randrange(1, 8)):
            raw[draw.randrange(len(raw))] = draw.randrange(256)
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(bytes(raw))
        writer.write_eof()
        answer = await reader.read()
        assert not answer.startswith(b"HTTP/1.1 5"), bytes(raw)
        writer.close()
    assert (await edge.post("/v1/cases", a_case())).status == 202


def _around_a_case(changes: dict[str, Any]) -> bytes:
    return json.dumps(a_case() | changes).encode()
