"""Durable pending approvals a second in DBOS with SQLite; run by the Python of an environment that has it.

One workflow that waits for a message: a create is done when its start was committed. Arguments: a file of cases (JSON, one a line), a
folder to write into, and how many creates are under way at a time. Prints seconds.
"""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from dbos import DBOS, SetWorkflowID


@DBOS.workflow()
async def review(_case: str) -> str:
    """Wait for a human."""
    return str(await DBOS.recv_async("verdict", timeout_seconds=3_600))


async def main(cases: Sequence[str], folder: str, senders: int) -> None:
    """Create all, then look that all wait."""
    database = f"sqlite:///{folder}/dbos.db"
    DBOS(config={"name": "benchmark", "system_database_url": database, "log_level": "ERROR", "run_admin_server": False})
    DBOS.launch()
    numbers = iter(range(len(cases)))

    async def send() -> None:
        for number in numbers:
            with SetWorkflowID(str(number)):
                await DBOS.start_workflow_async(review, cases[number])

    start = time.perf_counter()
    await asyncio.gather(*(send() for _ in range(senders)))
    print(time.perf_counter() - start, flush=True)
    waiting = await DBOS.list_workflows_async(status="PENDING", limit=len(cases) + 1)
    assert len(waiting) == len(cases), f"{len(waiting)} of {len(cases)} wait"
    os._exit(0)  # the workflows wait for an hour


asyncio.run(main(Path(sys.argv[1]).read_text().splitlines(), sys.argv[2], int(sys.argv[3])))
