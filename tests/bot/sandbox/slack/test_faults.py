"""What goes wrong between the app and Slack, on demand, as Slack's own client sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncConnectionErrorRetryHandler

from bot.sandbox.faults import Fault, Mode
from tests.bot.sandbox.slack.northwind import TIER1, Northwind, buttons, http_app, northwind


@pytest.fixture
async def company() -> AsyncIterator[Northwind]:
    """Northwind, taking messages as fast as they come: pace is not what these stories are about."""
    async with northwind(burst=10) as company:
        yield company


def texts(company: Northwind) -> list[str]:
    """What the channel shows."""
    return [message["text"] for message in company.slack.messages(TIER1)]


async def test_a_lost_reply_was_applied(company: Northwind) -> None:
    """The connection is cut, the message is there; the fault strikes once."""
    company.faults.add(Fault("slack", "chat.postMessage", Mode.DROP_REPLY))
    with pytest.raises(aiohttp.ClientConnectionError):
        await company.client().chat_postMessage(channel=TIER1, text="first")
    assert texts(company) == ["first"]
    await company.client().chat_postMessage(channel=TIER1, text="second")
    assert texts(company) == ["first", "second"]
    assert company.slack.record.count("fault", method="chat.postMessage", mode="drop_reply") == 1


async def test_a_client_that_retries_posts_twice(company: Northwind) -> None:
    """Why the app must own its retries: the SDK's default retries a post whose reply was lost."""
    company.faults.add(Fault("slack", "chat.postMessage", Mode.DROP_REPLY))
    client = company.client()
    client.retry_handlers = [AsyncConnectionErrorRetryHandler()]
    await client.chat_postMessage(channel=TIER1, text="card")
    assert texts(company) == ["card", "card"]


async def test_a_late_request_is_applied_when_its_time_comes(company: Northwind) -> None:
    """Nothing at first; after its delay, by the sandbox's clock, the message appears; what came meanwhile stands before it."""
    company.faults.add(Fault("slack", "chat.postMessage", Mode.APPLY_LATE, seconds=20))
    with pytest.raises(aiohttp.ClientConnectionError):
        await company.client().chat_postMessage(channel=TIER1, text="late")
    company.clock.now += 19
    await company.client().chat_postMessage(channel=TIER1, text="meanwhile")
    assert texts(company) == ["meanwhile"]
    company.clock.now += 1
    assert texts(company) == ["meanwhile", "late"]


async def test_a_late_request_can_be_called_in(company: Northwind) -> None:
    """apply_pending applies everything held back, once."""
    company.faults.add(Fault("slack", "chat.postMessage", Mode.APPLY_LATE, seconds=20))
    with pytest.raises(aiohttp.ClientConnectionError):
        await company.client().chat_postMessage(channel=TIER1, text="late")
    assert (company.faults.apply_pending(), company.faults.apply_pending()) == (1, 0)
    assert texts(company) == ["late"]


@pytest.mark.parametrize(("mode", "status"), [(Mode.RATE_LIMITED, 429), (Mode.SERVER_ERROR, 503)])
async def test_a_refusal_was_not_applied(company: Northwind, mode: Mode, status: int) -> None:
    """429 says when to come back; neither it nor a 5xx did anything."""
    company.faults.add(Fault("slack", "chat.postMessage", mode, retry_after_s=7))
    with pytest.raises(SlackApiError) as caught:
        await company.client().chat_postMessage(channel=TIER1, text="x")
    assert caught.value.response.status_code == status
    assert caught.value.response.headers.get("Retry-After") == ("7" if status == 429 else None)
    assert texts(company) == []


async def test_unreachable_until_it_is_put_right(company: Northwind) -> None:
    """Without a number a fault holds until it is removed, and only for what it names."""
    fault = company.faults.add(Fault("slack", "chat.*", Mode.UNREACHABLE, times=None))
    await company.client().chat_postMessage(channel=TIER1, text="a name is a name, not a pattern")
    company.faults.remove(fault)
    fault = company.faults.add(Fault("slack", "*", Mode.UNREACHABLE, times=None))
    for _ in range(3):
        with pytest.raises(aiohttp.ClientConnectionError):
            await company.client().chat_postMessage(channel=TIER1, text="x")
    company.faults.remove(fault)
    await company.client().chat_postMessage(channel=TIER1, text="back")
    assert texts(company)[1:] == ["back"]


async def test_a_delay_lasts_until_it_is_let_go(company: Northwind) -> None:
    """The request waits, then is applied and answered; a client that gave up meanwhile has still posted."""
    released = asyncio.Event()
    company.faults.add(Fault("slack", "chat.postMessage", Mode.DELAY, until=released))
    call = asyncio.create_task(company.client().chat_postMessage(channel=TIER1, text="slow"))
    await company.client().auth_test()
    assert texts(company) == []
    released.set()
    await call
    assert texts(company) == ["slow"]


async def test_a_press_or_its_acknowledgement_may_be_lost(company: Northwind) -> None:
    """Lost on its way, the app never sees it; with the acknowledgement lost the app has seen it; the person sees the same failure."""
    ts = await company.post(blocks=buttons("approve"))
    async with http_app(company) as app:
        company.faults.add(Fault("slack", "interactive", Mode.UNREACHABLE))
        assert (await company.slack.click("anna", TIER1, ts, "approve")).timed_out
        assert len(app.seen) == 0
        company.faults.add(Fault("slack", "interactive", Mode.DROP_REPLY))
        assert (await company.slack.click("anna", TIER1, ts, "approve")).timed_out
        assert len(app.seen) == 1
        assert (await company.slack.click("anna", TIER1, ts, "approve")).ok


async def test_faults_strike_in_the_order_they_were_added(company: Northwind) -> None:
    """Each as often as it says."""
    company.faults.add(Fault("slack", "chat.postMessage", "server_error", times=2, status=500))
    company.faults.add(Fault("slack", "chat.postMessage", "unreachable"))
    for _ in range(2):
        with pytest.raises(SlackApiError):
            await company.client().chat_postMessage(channel=TIER1, text="x")
    with pytest.raises(aiohttp.ClientConnectionError):
        await company.client().chat_postMessage(channel=TIER1, text="x")
    await company.client().chat_postMessage(channel=TIER1, text="x")
    assert texts(company) == ["x"]
