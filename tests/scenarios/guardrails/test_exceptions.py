"""Exceptions: asked for, approved by somebody else, counted, over by themselves."""

from typing import Any

from routing.vocabulary import State, Verdict
from tests.governed import GovernedWorld as World
from tests.world import GRACE, HUGO

LOW: dict[str, Any] = {"workflow": "summaries", "model": {"name": "m", "version": "1", "confidence": 0.9}}


async def test_an_exception_from_request_to_expiry(world: World) -> None:
    """Without it a confidence of 0.90 goes to people; with it, approved by a second person, not; after its end it does again."""
    assert (await world.case(await world.submit(**LOW))).state is State.PENDING
    await world.say(GRACE, "exception request summaries waives=confidence_low days=7 uses=2 The model was recalibrated and reads low.")
    await world.drain()
    [asked] = world.bulletins("review-owners")
    await world.press(GRACE, asked, "approve_exception")
    assert (await world.case(await world.submit(**LOW))).state is State.PENDING  # not by who asked
    await world.press(HUGO, asked, "approve_exception")
    await world.drain()
    covered = await world.case(await world.submit(**LOW))
    assert covered.verdict is Verdict.AUTO_APPROVED
    assert len(covered.route.exceptions) == 1
    await world.say(HUGO, "exception list")
    assert "1 of 2" in world.told(HUGO)
    assert (await world.case(await world.submit(**LOW))).verdict is Verdict.AUTO_APPROVED
    assert (await world.case(await world.submit(**LOW))).state is State.PENDING  # used up


async def test_an_exception_expires_by_itself(world: World) -> None:
    """Seven days later it is over, with an event, and nobody had to remember."""
    await world.say(GRACE, "exception request summaries waives=confidence_low days=7 The model was recalibrated and reads low.")
    await world.drain()
    await world.press(HUGO, world.bulletins("review-owners")[0], "approve_exception")
    assert (await world.case(await world.submit(**LOW))).verdict is Verdict.AUTO_APPROVED
    await world.pass_time(days=7, minutes=2)
    assert (await world.case(await world.submit(**LOW))).state is State.PENDING
    assert await world.leaves("exception_ended") == 1


async def test_what_can_never_be_waived(world: World) -> None:
    """Money, prohibited content and the policy's own rules cannot be excepted, nor can anything for longer than 90 days."""
    for words in ("waives=money days=7 It is small.", "waives=prohibited days=7 It is not.", "waives=confidence_low days=91 For long."):
        await world.say(GRACE, f"exception request summaries {words}")
    await world.drain()
    assert world.bulletins("review-owners") == []
    assert await world.leaves("exception_requested") == 0
