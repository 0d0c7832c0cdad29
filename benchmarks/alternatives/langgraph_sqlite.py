"""Durable pending approvals a second in LangGraph with its SQLite checkpointer; run by the Python of an environment that has both.

One graph whose only node interrupts: a create is done when the case waits for its human, its checkpoint committed (`durability="sync"`).
Arguments: a file of cases (JSON, one a line), a folder to write into, and how many creates are under way at a time. Prints seconds.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt


class Review(TypedDict):
    """What a thread keeps."""

    case: str
    verdict: str


def review(state: Review) -> dict[str, Any]:
    """Wait for a human."""
    return {"verdict": interrupt(state["case"])}


async def main(cases: Sequence[str], folder: str, senders: int) -> None:
    """Create all, then look that all wait."""
    async with AsyncSqliteSaver.from_conn_string(str(Path(folder) / "langgraph.db")) as saver:
        builder = StateGraph(Review)
        builder.add_node("review", review)
        builder.add_edge(START, "review")
        builder.add_edge("review", END)
        graph = builder.compile(checkpointer=saver)
        numbers = iter(range(len(cases)))

        async def send() -> None:
            for number in numbers:
                config = {"configurable": {"thread_id": str(number)}}
                await graph.ainvoke({"case": cases[number], "verdict": ""}, config, durability="sync")

        start = time.perf_counter()
        await asyncio.gather(*(send() for _ in range(senders)))
        print(time.perf_counter() - start)
        for number in (0, len(cases) - 1):
            state = await graph.aget_state({"configurable": {"thread_id": str(number)}})
            assert state.interrupts, f"{number} does not wait"


asyncio.run(main(Path(sys.argv[1]).read_text().splitlines(), sys.argv[2], int(sys.argv[3])))
