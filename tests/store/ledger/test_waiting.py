"""Whose turn it is to be written: clocks and presses before cases, and what is sent neither stands still nor stands in their way."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from store.ledger.waiting import CROWDED, MAX_ITEMS, Entry, Rank, Waiting
from tests.examples_drawn import examples

SOME = st.integers(0, 3 * MAX_ITEMS)


@settings(max_examples=examples(60), deadline=None)
@given(prompt=SOME, intake=SOME, narrow=SOME)
def test_whatever_waits_has_its_turn(prompt: int, intake: int, narrow: int) -> None:
    """While more clocks and presses wait than a transaction takes, a few narrow writes go along; each gets its turn, in order of coming."""
    loop = asyncio.new_event_loop()
    try:
        waiting = Waiting()
        came = {
            rank: [Entry(loop.create_future()) for _ in range(number)]
            for rank, number in ((Rank.NARROW, narrow), (Rank.INTAKE, intake), (Rank.PROMPT, prompt))
        }
        for rank, entries in came.items():
            for entry in entries:
                waiting.add(entry, rank)
        of = {id(entry): rank for rank, entries in came.items() for entry in entries}
        left = {rank: len(entries) for rank, entries in came.items()}
        taken = list[Entry]()
        while len(waiting):
            together = waiting.take()
            count = {rank: sum(of[id(entry)] is rank for entry in together) for rank in Rank}
            assert count[Rank.PROMPT] == min(left[Rank.PROMPT], MAX_ITEMS)
            assert count[Rank.PROMPT] + count[Rank.INTAKE] <= MAX_ITEMS
            if left[Rank.PROMPT] > MAX_ITEMS:
                assert count[Rank.NARROW] == min(left[Rank.NARROW], CROWDED)
            else:
                assert count[Rank.NARROW] >= min(left[Rank.NARROW], MAX_ITEMS)
            left = {rank: left[rank] - count[rank] for rank in Rank}
            taken += together
        for rank, entries in came.items():
            assert [entry for entry in taken if of[id(entry)] is rank] == entries
    finally:
        loop.close()
