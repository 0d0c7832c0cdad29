"""What a user would take instead, same cases, same run: durable creates of LangGraph and of DBOS, both on SQLite, and our intake.

They are called in their own process, without HTTP, signature, routing, audit or a card to send; ours is the whole way in, over real HTTP.
They get an environment of their own in a folder that is deleted again, so this needs a package index and is run only when it is named.
"""

import asyncio
import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from benchmarks.cases import BAGGAGE, a_case
from benchmarks.figures import Figure, Target
from benchmarks.intake import post
from benchmarks.rig import a_rig

SENDERS = 64
REQUIREMENTS = ("langgraph==1.2.24", "langgraph-checkpoint-sqlite==3.1.2", "dbos==3.4.0")
PROGRAMS = Path(__file__).parent / "alternatives"
THEIRS = {"LangGraph": ("langgraph_sqlite.py", 6.0), "DBOS": ("dbos_sqlite.py", 15.0)}
"""The program of each, and how many times as fast intake has to be."""


async def measure(folder: Path, runs: int, cases: int) -> Sequence[Figure]:
    """All three, in turn, `runs` times; `cases` is how many each creates."""
    python = await _environment(folder / "environment")
    (folder / "cases").write_bytes(b"\n".join(a_case(number, BAGGAGE) for number in range(cases)))
    ours, theirs = list[float](), {name: list[float]() for name in THEIRS}
    for run in range(runs):
        place = folder / f"{run}"
        place.mkdir()
        async with a_rig(place) as rig, rig.bot() as app:
            numbers = count(0)
            await post(numbers, app, app.port, SENDERS, cases // 4)  # warm up
            got, _ = await post(numbers, app, app.port, SENDERS, cases)
        ours.append(got.rate)
        for name, (program, _) in THEIRS.items():
            (place / name).mkdir()
            seconds = await _run(python, PROGRAMS / program, folder / "cases", place / name, SENDERS)
            theirs[name].append(cases / float(seconds))
    figures = [Figure(f"intake, {SENDERS} senders", ours, "cases/s")]
    for name, rates in theirs.items():
        times = [mine / rate for mine, rate in zip(ours, rates, strict=True)]
        figures.append(Figure(f"{name} + SQLite, durable creates, {SENDERS} at a time", rates, "cases/s"))
        figures.append(Figure(f"intake over {name} + SQLite", times, "times", Target(THEIRS[name][1], at_least=True)))
    return figures


async def _environment(folder: Path) -> Path:
    """The Python of a new environment that has them."""
    await _run(Path(sys.executable), "-m", "venv", folder)
    python = folder / "bin" / "python"
    await _run(python, "-m", "pip", "install", "--quiet", *REQUIREMENTS)
    return python


async def _run(program: Path, *arguments: object) -> str:
    """What it prints. Raises RuntimeError with its last words where it fails."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(program, *map(str, arguments), stdout=pipe, stderr=pipe)
    out, complaint = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(map(str, arguments))}: {complaint.decode()[-500:]}")
    return out.decode()
