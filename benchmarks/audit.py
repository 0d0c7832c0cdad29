"""Verification of an exported log, from the bytes as they lie on disk: events a second, with one process and with one for each core.

The log is made of what the bot recorded of some cases, over and over, with id, index and time counted up; what is verified is all that
`audit verify` checks, and that events are complete.
"""

import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from benchmarks.cases import posts
from benchmarks.figures import Figure, Target
from benchmarks.load import send
from benchmarks.rig import a_rig
from bot import clock as wall
from bot.cli.completeness import incompleteness
from routing.canonical import canonical
from store.audit.checkpoint import open_checkpoint, sign_checkpoint
from store.audit.merkle import Frontier, leaf_hash
from store.audit.processes import available_cores
from store.audit.signed_note import Signer
from store.audit.tiles import write_export
from store.audit.verify import verify_export
from store.schema import leaves

START = datetime(2026, 11, 30, tzinfo=UTC)
RATE = Target(400_000, at_least=True)
SECONDS = Target(5)
MILLION = 1_000_000
CASES = 64


async def measure(folder: Path, runs: int, events: int) -> Sequence[Figure]:
    """Export once, verify again and again."""
    (folder / "bot").mkdir()
    async with a_rig(folder / "bot") as rig, rig.bot() as app:
        await send(posts(0, CASES, wall.now()), app.port, 1)
        of_cases = select(leaves.c.body).where(leaves.c.case_id.is_not(None)).order_by(leaves.c.idx)
        bodies = await app.database.read(lambda connection: connection.execute(of_cases).scalars().all())
    export = folder / "export"
    _export(export, bodies, events)
    cores = available_cores()
    one, many = ([_verify(export, events, processes) for _ in range(runs)] for processes in (1, cores))
    return [
        Figure("audit verify, one process", [events / run.wall_s for run in one], "events/s"),
        Figure("  processor time of an event", [run.cpu_s / events * 1e6 for run in one], "us"),
        Figure(f"audit verify, {cores} processes", [events / run.wall_s for run in many], "events/s", RATE),
        Figure("  processor time of an event", [run.cpu_s / events * 1e6 for run in many], "us"),
        Figure("  a million events at that rate", [run.wall_s * MILLION / events for run in many], "s", SECONDS),
    ]


def _export(directory: Path, bodies: Sequence[bytes], events: int) -> None:
    signer = Signer("tierline/benchmark", Ed25519PrivateKey.generate())
    edge = Frontier().extend(map(leaf_hash, _log(bodies, events)))
    note = sign_checkpoint(edge.size, edge.root(), signer)
    write_export(directory, _log(bodies, events), note, open_checkpoint(note, [signer.vkey]), [signer.vkey])


def _log(bodies: Sequence[bytes], events: int) -> Iterator[bytes]:
    leaves_of = (canonical(json.loads(body) | {"id": "@", "index": 0, "time": "@"}) for body in bodies)
    parts = [re.split(b'"@"|(?<="index":)0', leaf) for leaf in leaves_of]
    for number in range(events):
        before, between, then, after = parts[number % len(parts)]
        at = (START + timedelta(microseconds=number * 500)).isoformat(timespec="microseconds").encode()
        yield b'%s"00000000-0000-7000-8000-%012x"%s%d%s"%s"%s' % (before, number, between, number, then, at, after)


class _Run(NamedTuple):
    wall_s: float
    cpu_s: float


def _verify(export: Path, events: int, processes: int) -> _Run:
    start, before = time.perf_counter(), os.times()
    report = verify_export(export, processes=processes, examine=incompleteness)
    wall, after = time.perf_counter() - start, os.times()
    assert report.ok, report.problems
    assert (report.events, report.remarked) == (events, 0)
    return _Run(wall, sum(after[:4]) - sum(before[:4]))
