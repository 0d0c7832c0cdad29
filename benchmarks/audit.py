"""Verification of an exported log, from the bytes as they lie on disk: events a second, with one process and with one for each core.

The log is made of one event that the bot recorded, with index and id counted up; what is verified is all that `audit verify` checks.
"""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from benchmarks.cases import posts
from benchmarks.figures import Figure, Target
from benchmarks.load import send
from benchmarks.rig import a_rig
from bot import clock as wall
from routing.canonical import canonical
from store.audit.checkpoint import open_checkpoint, sign_checkpoint
from store.audit.merkle import Frontier, leaf_hash
from store.audit.processes import available_cores
from store.audit.signed_note import Signer
from store.audit.tiles import write_export
from store.audit.verify import verify_export
from store.schema import leaves

TARGET = Target(400_000, at_least=True)


async def measure(folder: Path, runs: int, events: int) -> Sequence[Figure]:
    """Export once, verify again and again."""
    (folder / "bot").mkdir()
    async with a_rig(folder / "bot") as rig, rig.bot() as app:
        await send(posts(0, 1, wall.now()), app.port, 1)
        received = select(leaves.c.body).where(leaves.c.kind == "received")
        body = await app.database.read(lambda connection: bytes(connection.execute(received).scalar_one()))
    export = folder / "export"
    _export(export, body, events)
    cores = available_cores()
    return [
        Figure("audit verify, one process", [_rate(export, events, 1) for _ in range(runs)], "events/s"),
        Figure(f"audit verify, {cores} processes", [_rate(export, events, cores) for _ in range(runs)], "events/s", TARGET),
    ]


def _export(directory: Path, body: bytes, events: int) -> None:
    signer = Signer("tierline/benchmark", Ed25519PrivateKey.generate())
    edge = Frontier().extend(map(leaf_hash, _log(body, events)))
    note = sign_checkpoint(edge.size, edge.root(), signer)
    write_export(directory, _log(body, events), note, open_checkpoint(note, [signer.vkey]), [signer.vkey])


def _log(body: bytes, events: int) -> Iterator[bytes]:
    leaf = json.loads(body)
    before, rest = canonical(leaf | {"id": "@", "index": 0}).split(b'"@"')
    between, after = rest.split(b'"index":0', 1)
    return (b'%s"00000000-0000-7000-8000-%012x"%s"index":%d%s' % (before, number, between, number, after) for number in range(events))


def _rate(export: Path, events: int, processes: int) -> float:
    start = time.perf_counter()
    report = verify_export(export, processes=processes)
    seconds = time.perf_counter() - start
    assert report.ok, report.problems
    assert report.events == events
    return events / seconds
