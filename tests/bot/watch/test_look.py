"""A look at a bot: well only when it says in time that it is ready and escalates; anything else has a cause and a first step."""

import json
from typing import Any

import aiohttp
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.watch.look import MOST_SAID, PROXY, READ, RESTART, START, Look, look, read, readyz
from tests.bot.watch.peers import Answer, answering, at_once_closed, flooding, never, saying, trickling, trickling_headers
from tests.examples_drawn import examples

WELL = '{"ready": true, "obstacles": [], "attention": []}'
NOT_READY = '{"ready": false, "obstacles": ["The database does not answer."], "attention": [], "escalating": false, "amiss_s": 12.5}'
MUTE = '{"ready": true, "obstacles": [], "attention": ["PagerDuty has not answered for 31 s."], "escalating": false, "amiss_s": 31}'
ANSWER_S = 0.3

ANSWERS: dict[str, tuple[Answer, Look]] = {
    "ready": (saying("200 OK", WELL), Look()),
    "attention alone": (saying("200 OK", '{"ready": true, "attention": ["#review-tier1 is archived."]}'), Look()),
    "not ready": (saying("503 Service Unavailable", NOT_READY), Look("The database does not answer.", READ, 12.5)),
    "not ready, with 200": (saying("200 OK", NOT_READY), Look("The database does not answer.", READ, 12.5)),
    "ready, with 503": (saying("503 Service Unavailable", WELL), Look("it says that it is not ready, and not why", READ)),
    "ready, but it pages nobody": (saying("200 OK", MUTE), Look("PagerDuty has not answered for 31 s.", READ, 31.0)),
    "not JSON": (saying("200 OK", "<html>Welcome to nginx</html>"), Look("what answers there is no bot (HTTP 200)", PROXY)),
    "other JSON": (saying("200 OK", "[true]"), Look("what answers there is no bot (HTTP 200)", PROXY)),
    "a bad gateway": (saying("502 Bad Gateway", WELL), Look("what answers there is no bot (HTTP 502)", PROXY)),
    "a redirect": (saying("302 Found", WELL, "Location: /healthz"), Look("what answers there is no bot (HTTP 302)", PROXY)),
    "silence": (never, Look(f"it does not answer within {ANSWER_S:g} s", RESTART)),
    "a byte now and then": (trickling, Look(f"it does not answer within {ANSWER_S:g} s", RESTART)),
    "a header without end": (trickling_headers, Look(f"it does not answer within {ANSWER_S:g} s", RESTART)),
    "a flood": (flooding, Look("what answers there says more than a bot does", PROXY)),
    "a dead line": (at_once_closed, Look("the connection was cut", START)),
}


@pytest.mark.outside
@pytest.mark.parametrize("kind", ANSWERS)
async def test_whatever_answers_is_judged_in_time(kind: str) -> None:
    """However it answers, or does not."""
    answer, expected = ANSWERS[kind]
    async with answering(answer) as url, aiohttp.ClientSession() as session:
        assert await look(session, readyz(url), ANSWER_S if expected.wrong else 5.0) == expected


@pytest.mark.outside
async def test_what_does_not_even_answer_has_its_cause() -> None:
    """Nobody listens there, it speaks no TLS, its name leads nowhere."""
    async with answering(never) as url:
        pass
    async with aiohttp.ClientSession() as session, answering(saying("200 OK", WELL)) as plain:
        assert await look(session, f"{url}/readyz", 5.0) == Look("connection refused", START)
        assert (await look(session, f"{plain}/readyz".replace("http:", "https:"), 5.0)).wrong.startswith("TLS: ")
        assert (await look(session, "http://nobody.invalid/readyz", 5.0)).wrong == "the name cannot be resolved (DNS)"


@given(
    status=st.sampled_from([200, 204, 302, 401, 500, 503]),
    body=st.one_of(
        st.binary(),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
            lambda more: (
                st.lists(more) | st.dictionaries(st.sampled_from(["ready", "escalating", "obstacles", "attention", "amiss_s"]), more)
            ),
        ).map(lambda value: json.dumps(value).encode()),
    ),
)
@example(status=503, body=b"[" * 100_000)
@example(status=503, body=b'{"ready": false, "obstacles": ["' + b"x" * 5_000 + b'"]}')
@settings(max_examples=examples(150))
def test_no_answer_is_taken_for_well_but_a_ready_one(status: int, body: bytes) -> None:
    """Nothing that comes back raises, is passed on without end, or counts as ready without saying so."""
    seen = read(status, body)
    assert len(seen.wrong) <= MOST_SAID
    assert seen.wrong.isprintable()
    if not seen.wrong:
        said: Any = json.loads(body)
        assert (status, said["ready"], said.get("escalating") is False) == (200, True, False)
    else:
        assert seen.first
        assert 0.0 <= seen.amiss_s < float("inf")


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://10.0.0.5:8080", "http://10.0.0.5:8080/readyz"),
        ("https://bot.example/", "https://bot.example/readyz"),
        ("https://bot.example/tierline", "https://bot.example/tierline/readyz"),
        ("https://bot.example/tierline/readyz", "https://bot.example/tierline/readyz"),
        ("http://[::1]:8080/readyz/", "http://[::1]:8080/readyz"),
    ],
)
def test_the_address_of_a_bot_is_enough(url: str, asked: str) -> None:
    """With or without `/readyz`, below a path too."""
    assert readyz(url) == asked


@pytest.mark.parametrize(
    "url", ["", "bot.example", "ftp://bot.example", "http://", "https://u:p@bot.example", "http://b:x", "http://b?token=1"]
)
def test_what_is_no_address_is_said(url: str) -> None:
    """Also one that holds a password or a token, which would be repeated in every page."""
    with pytest.raises(ValueError, match="expected the URL of a bot"):
        readyz(url)
