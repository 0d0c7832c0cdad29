"""Whoever waits too long is told so, and whatever goes wrong is answered with what is true in any case."""

import asyncio

import pytest

from bot.slack.answering import ASKING, COUNTING, LATE, Acknowledgement, Answering, Sentences
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

    under_way = Answering(timeouts)
    answering = asyncio.create_task(under_way.answered(work(), ack, say))
    await _until_it_waits(timeouts)
    timeouts.run_out()
    await late.wait()
    await answering  # Slack has its acknowledgement
    assert said == [LATE]
    goes_on.set()
    await under_way.stop()
    assert said == [LATE, "Recorded."]
    assert acks == [{"text": LATE}]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("words", [COUNTING, ASKING])
@pytest.mark.parametrize(("problem", "away"), [(KeyError("x"), False), (OSError("gone"), True), (TimeoutError(), True)])
async def test_what_nobody_foresaw_is_answered_too(problem: Exception, words: Sentences, *, away: bool, late: bool) -> None:
    """With a sentence that is true in any case: of a question none that speaks of counting, whether it fails at once or late."""
    said = list[str]()

    async def slack(**_given: object) -> None:
        return

    async def say(one: str) -> None:
        said.append(one)

    ack = Acknowledgement(slack)

    async def work() -> None:
        if late:
            await ack()
        raise problem

    await Answering(ManualTimeouts()).answered(work(), ack, say, words)
    assert said == [words.away if away and not (late and words.counts) else words.wrong]
    assert words.counts or not any("count" in one or "press" in one for one in (words.late, words.away, words.wrong))


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
    await _until_it_waits(timeouts)
    timeouts.run_out()
    await tried.wait()
    await asyncio.sleep(0)
    goes_on.set()
    await answering
    assert ended == ["recorded"]


async def test_what_is_under_way_has_ended_when_the_bot_has_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where whoever waited for it was cancelled: with a little time it ends by itself, and what hangs is ended."""
    monkeypatch.setattr("bot.slack.answering.ENDING_S", 0.01)
    timeouts, goes_on, ended = ManualTimeouts(), asyncio.Event(), list[str]()
    under_way = Answering(timeouts)

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
    await _until_it_waits(timeouts, number=2)
    for one in waiting:
        one.cancel()
    await asyncio.wait(waiting)
    assert ended == []
    goes_on.set()
    await under_way.stop()
    assert ended == ["short", "hung was ended"]


async def test_slack_is_answered_at_the_acknowledgement_and_not_at_the_end() -> None:
    """What comes after it, like words to whoever pressed, keeps nobody waiting and is seen through."""
    goes_on, acks, ended = asyncio.Event(), list[dict[str, object]](), list[str]()

    async def slack(**given: object) -> None:
        acks.append(given)

    async def say(one: str) -> None:
        raise AssertionError(one)

    ack = Acknowledgement(slack)

    async def work() -> None:
        await ack()
        await goes_on.wait()
        ended.append("told")

    under_way = Answering(ManualTimeouts())
    await under_way.answered(work(), ack, say)
    assert (acks, ended) == ([{}], [])
    goes_on.set()
    await under_way.stop()
    assert ended == ["told"]


async def _until_it_waits(timeouts: ManualTimeouts, number: int = 1) -> None:
    while timeouts.waiting < number:  # noqa: ASYNC110 - it comes with the loop's next turns
        await asyncio.sleep(0)
