"""What people and the service say to each other: questions and answers, comments, withdrawal, the same webhook again."""

from routing.vocabulary import State
from tests.world import ANNA, BEN, World, a_case


async def test_ask_and_answer(world: World) -> None:
    """A question pauses the clock and reaches the service; its answer is a new revision on the same card, and votes start afresh."""
    case_id = await world.submit()
    await world.drain()
    await world.click(ANNA, "ask", case_id)
    await world.fill_in(ANNA, {"question": "Which of the two cards was charged?"})
    await world.drain()
    [asked] = world.callbacks(case_id)
    assert asked["questions"] == ["Which of the two cards was charged?"]
    assert (await world.case(case_id)).state is State.NEEDS_INFO
    assert "approve" not in world.buttons(case_id)
    status, _ = await world.sandbox.customer.supply_information(
        case_id, answer="The one ending in 17.", case={"evidence": [{"id": "card", "kind": "record", "title": "Card ending in 17"}]}
    )
    assert status == 200
    await world.drain()
    case = await world.case(case_id)
    assert (case.state, case.revision) == (State.PENDING, 2)
    assert "The one ending in 17." in world.text(case_id) + world.thread(case_id)
    assert len(world.cards(case_id)) == 1
    await world.click(BEN, "approve", case_id)
    await world.drain()
    assert world.callbacks(case_id)[-1]["revision"] == 2


async def test_what_is_missing_is_asked_for_at_once(world: World) -> None:
    """A case without a field its workflow requires is answered with what is missing, shows no card, and goes on once it is complete."""
    status, answer = await world.post(request=None)
    assert (status, answer["state"], answer["missing"]) == (202, "needs_info", ["request"])
    await world.drain()
    assert world.cards(answer["id"]) == []
    status, again = await world.sandbox.customer.supply_information(answer["id"], case={"request": "I was charged twice."})
    assert (status, again["state"]) == (200, "pending")
    await world.drain()
    assert len(world.cards(answer["id"])) == 1


async def test_withdraw(world: World) -> None:
    """The service takes its case back: the card says so and has no buttons."""
    case_id = await world.submit()
    await world.drain()
    status, _ = await world.sandbox.customer.withdraw(case_id, "The customer hung up.")
    assert status == 200
    await world.drain()
    assert "approve" not in world.buttons(case_id)
    assert "ithdrawn" in world.text(case_id)


async def test_the_same_webhook_again(world: World) -> None:
    """A retried webhook gives the first answer and no second card; other content under its id, or for its task, is refused."""
    first = await world.sandbox.customer.post(a_case(1), "msg_1")
    again = await world.sandbox.customer.post(a_case(1), "msg_1")
    assert (first[0], again[0]) == (202, 200)
    assert first[1] == again[1]
    other, _ = await world.sandbox.customer.post(a_case(1, title="Refund 90.00 USD"), "msg_1")
    same_task, _ = await world.sandbox.customer.post(a_case(1), "msg_2")
    other_content, problem = await world.sandbox.customer.post(a_case(1, title="Refund 90.00 USD"), "msg_3")
    assert (other, same_task, other_content) == (409, 200, 409)
    assert problem["information"].endswith("/information")
    await world.drain()
    assert len(world.cards(first[1]["id"])) == 1


async def test_reading_a_case(world: World) -> None:
    """The service reads its case: without a verdict while it is open, with verdict, people and receipt once it is decided."""
    case_id = await world.submit()
    await world.drain()
    status, answer = await world.sandbox.customer.get(f"/v1/cases/{case_id}")
    assert (status, answer["state"]) == (200, "pending")
    assert answer.get("verdict") is None
    await world.click(ANNA, "approve", case_id)
    await world.drain()
    _, answer = await world.sandbox.customer.get(f"/v1/cases/{case_id}?wait=5")
    assert (answer["verdict"], answer["receipt"]["index"]) == ("approved", (await world.case(case_id)).decided_index)


async def test_slash_command(world: World) -> None:
    """`/review` answers status, the next case, one's own, one case and help, to the asker only."""
    case_id = await world.submit()
    await world.drain()
    await world.click(ANNA, "claim", case_id)
    for words, expected in (
        ("status", "review-tier1"),
        ("mine", "Refund 80.00"),
        (f"case {case_id}", "Refund 80.00"),
        ("help", "/review status"),
    ):
        assert (await world.sandbox.slack.command(ANNA, "review-tier1", "/review", words)).ok
        assert expected in world.told(ANNA).split('"ts"')[0] + world.told(ANNA)
