"""Cases come in a few at a time, with everybody else's turn in between, and nobody waits for long."""

import asyncio
from contextlib import ExitStack

import pytest

from bot.http.turns import AT_ONCE, FEWEST, MOST_WAIT_S, Turns
from tests.bot.edge import Edge, a_case, open_edge


@pytest.mark.parametrize("many", [2, 64])
async def test_between_a_few_cases_everybody_else_has_a_turn(many: int) -> None:
    """However many cases wait, whatever is ready next to them waits for a few of them."""
    turns, order = Turns(), list[str]()

    async def case() -> None:
        async with turns.turn():
            order.append("case")

    async def person() -> None:
        while order.count("case") < many:
            order.append("person")
            await asyncio.sleep(0)

    await asyncio.gather(*(case() for _ in range(many)), person())
    in_a_row = max(len(cases.split()) for cases in " ".join(order).split("person"))
    assert 1 <= in_a_row <= AT_ONCE


async def test_a_turn_that_fails_lets_the_next_one_have_its(edge: Edge) -> None:
    """A wrong body holds up nobody."""
    answers = await asyncio.gather(*(edge.post("/v1/cases", a_case(task_id=f"t-{n}", title="" if n % 2 else "t")) for n in range(6)))
    assert [answer.status for answer in answers] == [202, 422] * 3


async def test_who_would_wait_too_long_is_asked_to_come_back() -> None:
    """By how long a turn takes now and how many are under way; a few are always taken, and nobody is where none waits."""
    turns = Turns()
    for _ in range(64):
        async with turns.turn():
            until = asyncio.get_running_loop().time() + 0.002
            while asyncio.get_running_loop().time() < until:
                pass
    enough = FEWEST + int(AT_ONCE * MOST_WAIT_S / 0.001)
    with ExitStack() as under_way:
        for _ in range(FEWEST - 1):
            under_way.enter_context(turns.let_in())
        assert not turns.full
        for _ in range(enough):
            under_way.enter_context(turns.let_in())
        assert turns.full
    assert not turns.full


async def test_a_busy_bot_says_so_before_it_reads_a_body(sqlite_url: str) -> None:
    """429 with Retry-After, also for a body that nobody signed; other calls are answered as ever, and so is a case once there is room."""
    turns = Turns()
    async with open_edge(sqlite_url, turns=turns) as edge:
        with ExitStack() as under_way:
            for _ in range(100_000):
                under_way.enter_context(turns.let_in())
            assert (await edge.post("/v1/cases", a_case())).status == 202  # how long a turn takes is known from the first on
            refused = await edge.post("/v1/cases", b"{" * 100, secret="whsec_" + "A" * 32)
            assert (refused.status, refused.headers["Retry-After"], refused.body["type"]) == (429, "5", "urn:tierline:problem:busy")
            assert (await edge.get("/v1/workflows/refunds")).status == 200
        assert (await edge.post("/v1/cases", a_case(task_id="t-18"))).status == 202
        assert edge.tallied == [("intake", 202), ("intake", 429), ("intake", 202)]


async def test_what_came_while_others_filled_up_is_asked_to_come_back_too(sqlite_url: str) -> None:
    """There was room when its first line came, and none when its body had come: nothing is stored, and sent again it counts."""

    class FilledMeanwhile(Turns):
        asked = 0

        @property
        def full(self) -> bool:
            self.asked += 1
            return self.asked == 2

    turns = FilledMeanwhile()
    async with open_edge(sqlite_url, turns=turns) as edge:
        refused = await edge.post("/v1/cases", a_case())
        assert (refused.status, refused.headers["Retry-After"], refused.body["type"]) == (429, "5", "urn:tierline:problem:busy")
        assert (turns.asked, turns.under_way, await edge.count()) == (2, 0, 0)
        assert (await edge.post("/v1/cases", a_case())).status == 202
