"""Whoever waits too long is told so, and whatever goes wrong is answered with what is true in any case."""

import asyncio

import pytest

from bot.slack.answering import LATE, NOT_RECORDED, WRONG, Acknowledgement, Answering
from bot.timeouts import ManualTimeouts


async def test_who_waits_too_long_is_told_so_in_time_and_then_what_became_of_it() -> None:
    """Slack gives up after three seconds; the answer does not."""
    timeouts, goes_on, late, said, acks = ManualTimeouts(), asyncio.Event(), asyncio.Event(), list[str](), list[dict[str, object]]()

    async def slack(**given: object) -> None:
        acks.append(given)

    ack = Acknowledgement(slack)

    async def say(text: str) -> None:
        said.append(text)
        await ack(text=text)
        late.set()

    async def work() -> None:
        await goes_on.wait()
        await say("Recorded.")

    answering = asyncio.create_task(Answering(timeouts).answered(work(), ack, say))
    await asyncio.sleep(0)
    timeouts.run_out()
    await late.wait()
    assert said == [LATE]
    goes_on.set()
    await answering
    assert said == [LATE, "Recorded."]
    assert acks == [{"text": LATE}]


@pytest.mark.parametrize(("problem", "text"), [(KeyError("x"), WRONG), (OSError("gone"), NOT_RECORDED), (TimeoutError(), NOT_RECORDED)])
async def test_what_nobody_foresaw_is_answered_too(problem: Exception, text: str) -> None:
    """With a sentence that is true in any case."""
    said = list[str]()

    async def slack(**_given: object) -> None:
        return

    async def say(one: str) -> None:
        said.append(one)

    async def work() -> None:
        raise problem

    await Answering(ManualTimeouts()).answered(work(), Acknowledgement(slack), say)
    assert said == [text]


@pytest.mark.parametrize("raises", [None, KeyError("x")])
async def test_what_counts_is_seen_through_where_nobody_can_be_told(raises: Exception | None) -> None:
    """The way to Slack fails, for the first word and for the last: the press goes on to its end, and nothing is raised."""
    timeouts, goes_on, tried, ended = ManualTimeouts(), asyncio.Event(), asyncio.Event(), list[str]()

    async def slack(**_given: object) -> None:
        return

    async def say(_one: str) -> None:
        tried.set()
        raise ValueError

    async def work() -> None:
        await goes_on.wait()
        ended.append("recorded")
        if raises is not None:
            raise raises

    answering = asyncio.create_task(Answering(timeouts).answered(work(), Acknowledgement(slack), say))
    await asyncio.sleep(0)
    timeouts.run_out()
    await tried.wait()
    await asyncio.sleep(0)
    goes_on.set()
    await answering
    assert ended == ["recorded"]


async def test_what_is_under_way_has_ended_when_the_bot_has_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where whoever waited for it was cancelled: with a little time it ends by itself, and what hangs is ended."""
    monkeypatch.setattr("bot.slack.answering.ENDING_S", 0.01)
    under_way, goes_on, ended = Answering(ManualTimeouts()), asyncio.Event(), list[str]()

    async def slack(**_given: object) -> None:
        return

    async def say(_one: str) -> None:
        return

    async def work(name: str, until: asyncio.Event) -> None:
        try:
            await until.wait()
            ended.append(name)
        except asyncio.CancelledError:
            ended.append(f"{name} was ended")
            raise

    waiting = [
        asyncio.create_task(under_way.answered(work(name, until), Acknowledgement(slack), say))
        for name, until in (("short", goes_on), ("hung", asyncio.Event()))
    ]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for one in waiting:
        one.cancel()
    await asyncio.wait(waiting)
    assert ended == []
    goes_on.set()
    await under_way.stop()
    assert ended == ["short", "hung was ended"]
