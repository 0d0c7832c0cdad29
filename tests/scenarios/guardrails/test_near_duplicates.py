"""Near-duplicates: the very same action is shown once and decided once, with an event and an answer for each; what differs is linked."""

from routing.vocabulary import State, Verdict
from tests.governed import GovernedWorld as World
from tests.world import ANNA, BEN

OTHER = {"type": "refund.create", "params": {"customer": "8841", "amount": "90.00", "currency": "USD"}, "reversible": True}


async def test_identical_cases_are_one_card_and_one_vote(world: World) -> None:
    """Three posts of the same refund: one card that says so, one press, three decisions, each with its own callback and receipt."""
    first, second, third = [await world.submit(workflow="twins") for _ in range(3)]
    await world.drain()
    assert [len(world.cards(case_id)) for case_id in (first, second, third)] == [1, 0, 0]
    assert "2 identical" in world.text(first)
    await world.click(ANNA, "approve", first)
    await world.drain()
    for case_id in (first, second, third):
        assert (await world.case(case_id)).verdict is Verdict.APPROVED
        [decided] = world.callbacks(case_id)
        assert decided["verdict"] == "approved"
        assert decided["receipt"]["index"] == (await world.case(case_id)).decided_index
    assert len({(await world.case(case_id)).decided_index for case_id in (first, second, third)}) == 3
    assert world.sandbox.customer.refused == 0


async def test_a_reviewer_who_sees_a_difference_separates_them(world: World) -> None:
    """After `separate` each has its own card and is decided by itself."""
    first, second = [await world.submit(workflow="twins") for _ in range(2)]
    await world.drain()
    await world.click(ANNA, "separate", first)
    await world.drain()
    assert len(world.cards(second)) == 1
    await world.click(ANNA, "approve", first)
    assert (await world.case(second)).state is State.PENDING
    await world.click(BEN, "reject", second)
    await world.fill_in(BEN, {"reason": "duplicate"})
    await world.drain()
    assert [one["verdict"] for one in (*world.callbacks(first), *world.callbacks(second))] == ["approved", "rejected"]


async def test_similar_cases_are_linked_and_decided_apart(world: World) -> None:
    """The same customer and action with another amount: two cards that point at each other, two votes."""
    first, second = await world.submit(workflow="twins"), await world.submit(workflow="twins", action=OTHER)
    await world.drain()
    assert len(world.cards(second)) == 1
    assert (await world.case(second)).linked == (first,)
    await world.click(ANNA, "approve", first)
    assert (await world.case(second)).state is State.PENDING


async def test_what_is_tied_is_let_go_when_the_first_changes(world: World) -> None:
    """The first is withdrawn: the second gets a card of its own. Outside the window nothing is tied."""
    first, second = [await world.submit(workflow="twins") for _ in range(2)]
    await world.drain()
    await world.sandbox.customer.withdraw(first, "posted twice")
    await world.drain()
    assert len(world.cards(second)) == 1
    assert (await world.case(second)).tied_to == ""
    await world.pass_time(hours=2)
    later = await world.submit(workflow="twins")
    await world.drain()
    assert len(world.cards(later)) == 1
