"""Whoever waits too long is told so, and whatever goes wrong is answered with what is true in any case."""

import asyncio

import pytest

from bot.slack.answering import LATE, NOT_RECORDED, WRONG, Acknowledgement, answered
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

    answering = asyncio.create_task(answered(work(), ack, say, timeouts))
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

    await answered(work(), Acknowledgement(slack), say, ManualTimeouts())
    assert said == [text]
