"""A tier whose rota has a hole: said once a day where operations look, however many cases come, and over when somebody is there again."""

from datetime import timedelta

from tests.governed import GovernedWorld

OPS = "review-ops"


async def test_a_hole_in_the_rota_is_an_alarm_of_its_own(world: GovernedWorld) -> None:
    """One event and one alarm for three cases; the next day once more; the cards say so; its end is said, and recorded."""
    world.sandbox.pagerduty.put_on_call("PPTIER2A")
    cases = [await world.submit() for _ in range(3)]
    await world.drain()
    alarms = world.sandbox.slack.messages(OPS)
    assert ["nobody is on call first for tier 2" in str(one["blocks"]) for one in alarms] == [True]
    assert await world.leaves("nobody_on_call") == 1
    await world.pass_time(minutes=15)
    assert "nobody is on call (PagerDuty)" in world.text(cases[0], tier=2)
    assert await world.leaves("nobody_on_call") == 1

    world.clock.now += timedelta(days=1)
    await world.submit()
    await world.drain()
    assert await world.leaves("nobody_on_call") == 2
    assert await world.leaves("breaker_cleared") == 0
    assert len([one for one in (await world.bot.reads.governance()).alerts if not one.over]) == 1
    said = [str(one["blocks"]) for one in world.sandbox.slack.messages(OPS)]
    assert ["Still so" in one for one in said] == [False, True]
    assert "Over" not in "".join(said)
    assert all("because it was still so" in one for one in said)

    world.sandbox.pagerduty.put_on_call("PPTIER2A", "PDMITRI1")
    world.clock.now += timedelta(minutes=6)
    case_id = await world.submit()
    await world.drain()
    assert all(one.over for one in (await world.bot.reads.governance()).alerts)
    assert ["Over" in str(one["blocks"][0]) for one in world.sandbox.slack.messages(OPS)] == [True, True]
    await world.pass_time(minutes=15)
    assert "Dmitri" in world.text(case_id, tier=2)


async def test_a_hole_that_opens_again_is_said_again(world: GovernedWorld) -> None:
    """Over, and an hour later nobody again: an alarm of its own, at once."""
    for number in range(1, 4):
        world.sandbox.pagerduty.put_on_call("PPTIER2A")
        world.clock.now += timedelta(minutes=6)
        await world.submit()
        await world.drain()
        assert await world.leaves("nobody_on_call") == number
        assert len(world.sandbox.slack.messages(OPS)) == number
        world.sandbox.pagerduty.put_on_call("PPTIER2A", "PDMITRI1")
        world.clock.now += timedelta(minutes=6)
        await world.submit()
        await world.drain()
        assert await world.leaves("breaker_cleared") == number
        assert all("Over" in str(one["blocks"][0]) for one in world.sandbox.slack.messages(OPS))
