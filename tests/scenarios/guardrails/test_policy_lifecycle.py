"""A policy changes like code: proposed, shown with its replay, accepted by a second person, staged, rolled back."""

from routing.vocabulary import State, Verdict
from tests.governed import GovernedWorld as World
from tests.world import ANNA, GRACE, HUGO
from tests.written import POLICY

STRICTER = (
    POLICY.replace('version: "2026-11-20.1"', 'version: "2026-11-20.2"')
    .replace('"for the stories"', '"summaries are approved by people"')
    .replace("summaries: {ladder: standard, template: auto", "summaries: {ladder: standard, template: approval")
)
FREER = POLICY.replace('version: "2026-11-20.1"', 'version: "2026-11-20.3"').replace(
    "limits: {ladder: standard, template: approval", "limits: {ladder: standard, template: auto"
)


async def test_a_changed_file_waits_for_a_second_person(world: World) -> None:
    """The restart proposes it, its card shows what changes; nobody but an owner can accept it; then new cases follow it."""
    before = await world.submit(workflow="limits")
    world.policy = STRICTER
    await world.restart()
    await world.drain()
    assert (await world.case(await world.submit(workflow="summaries"))).verdict is Verdict.AUTO_APPROVED
    [card] = world.bulletins("review-owners")
    assert "summaries" in world.read(card)
    await world.press(ANNA, card, "accept_policy")
    assert await world.leaves("policy_accepted") == 0
    await world.press(GRACE, card, "accept_policy")
    await world.drain()
    assert (await world.case(await world.submit(workflow="summaries"))).state is State.PENDING
    assert (await world.case(before)).route.policy_version == "2026-11-20.1"
    assert world.told_service("workflow.changed")
    await world.restart()
    assert (await world.case(await world.submit(workflow="summaries"))).state is State.PENDING


async def test_more_autonomy_needs_two_people(world: World) -> None:
    """Letting the model approve what people approved until now is accepted by two different owners, never by one twice."""
    await world.submit(workflow="limits")  # something to rehearse it on: a raise without a replay is not accepted
    world.policy = FREER
    await world.restart()
    await world.drain()
    [card] = world.bulletins("review-owners")
    await world.press(GRACE, card, "accept_policy")
    await world.press(GRACE, card, "accept_policy")
    await world.drain()
    assert (await world.case(await world.submit(workflow="limits"))).state is State.PENDING
    await world.press(HUGO, card, "accept_policy")
    await world.drain()
    assert (await world.case(await world.submit(workflow="limits"))).verdict is Verdict.AUTO_APPROVED


async def test_roll_back_is_one_command(world: World) -> None:
    """The policy before is in force again at once, and the log says who did it."""
    world.policy = STRICTER
    await world.restart()
    await world.drain()
    await world.press(GRACE, world.bulletins("review-owners")[0], "accept_policy")
    assert (await world.case(await world.submit(workflow="summaries"))).state is State.PENDING
    await world.say(HUGO, "policy rollback Too many cards.")
    assert (await world.case(await world.submit(workflow="summaries"))).verdict is Verdict.AUTO_APPROVED
    assert await world.leaves("policy_activated") == 3


async def test_a_staged_policy_gets_its_share(world: World) -> None:
    """Half of the new cases follow it, each for good; then it is widened to all."""
    await world.propose(STRICTER, share=50)
    await world.drain()
    await world.press(GRACE, world.bulletins("review-owners")[0], "accept_policy")
    cases = [await world.case(await world.submit(workflow="summaries")) for _ in range(100)]
    follow = [case for case in cases if case.route.policy_version == "2026-11-20.2"]
    assert 20 < len(follow) < 80
    assert all(case.facts.staged == (case in follow) for case in cases)
    await world.say(HUGO, "policy widen 100 It works.")
    assert (await world.case(await world.submit(workflow="summaries"))).route.policy_version == "2026-11-20.2"


async def test_shadow_posts_nothing(world: World) -> None:
    """In shadow it routes every case, which the log says, and nothing else happens because of it."""
    await world.propose(STRICTER, shadow=True)
    await world.drain()
    await world.press(GRACE, world.bulletins("review-owners")[0], "accept_policy")
    await world.drain()
    posts = len(world.sandbox.slack.messages("C0TIER10001"))
    case_id = await world.submit(workflow="summaries")
    await world.drain()
    assert (await world.case(case_id)).verdict is Verdict.AUTO_APPROVED
    assert len(world.sandbox.slack.messages("C0TIER10001")) == posts
    [received] = [one for one in await world.bot.reads.history(case_id) if one.kind == "received"]
    assert "review" in str(received.fields["shadow"])
