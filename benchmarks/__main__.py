"""`python -m benchmarks`: runs every measurement, one after the other, and prints a table; `--json` prints what each run gave."""

import argparse
import asyncio
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path

import structlog

from benchmarks import audit, burst, cards, clocks, growth, intake, peers, presses, profile, pure, replicas, startup
from benchmarks.figures import HEADING, Figure, as_json, row

UNASKED = ("growth", "profile", "peers", "cards")
"""Run only where they are named: they fill eleven gigabytes for minutes, give no ratios, install packages, or need a browser."""

Measurement = Callable[[Path], Coroutine[None, None, Sequence[Figure]]]


def _measurements(*, quick: bool) -> dict[str, Measurement]:
    runs = 1 if quick else 5
    return {
        "intake": lambda folder: intake.measure(folder, runs, cases=1_000 if quick else 4_000),
        "presses": lambda folder: presses.measure(folder, runs, presses=50 if quick else 100),
        "clocks": lambda folder: clocks.measure(folder, 20_000 if quick else 100_000, deadlines=200 if quick else 1_000),
        "million": lambda folder: clocks.measure(folder, 200_000 if quick else 1_000_000, deadlines=1),
        "pure": lambda folder: pure.measure(folder, runs, cases=1_000 if quick else 10_000),
        "audit": lambda folder: audit.measure(folder, runs, events=150_000 if quick else 1_000_000),
        "startup": lambda folder: startup.measure(folder, runs, open_cases=20_000 if quick else 100_000),
        "growth": lambda folder: growth.measure(folder, 3 if quick else 5, (1_000, 20_000) if quick else (1_000, 100_000, 1_000_000)),
        "replicas": lambda folder: replicas.measure(folder, runs, cases=1_000 if quick else 3_000),
        "profile": lambda folder: profile.measure(folder, runs, cases=1_000 if quick else 3_000),
        "cards": cards.measure,
        "burst": lambda folder: burst.measure(folder, 200 if quick else 1_000, deciding=30 if quick else 300),
        "peers": lambda folder: peers.measure(folder, runs, cases=1_000 if quick else 2_000),
    }


async def _run(names: Sequence[str], measurements: dict[str, Measurement], *, as_table: bool) -> Sequence[Figure]:
    found = list[Figure]()
    for name in names:
        with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
            figures = await measurements[name](Path(folder))
        found.extend(figures)
        if as_table:
            print("\n".join(map(row, figures)), flush=True)
    return found


def _main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        help=f"what to measure; unless given, all but {', '.join(UNASKED)}",
    )
    parser.add_argument("--quick", action="store_true", help="one run of less, to see that everything works")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    given = parser.parse_args()
    measurements = _measurements(quick=given.quick)
    if unknown := set(given.names) - measurements.keys():
        parser.error(f"{', '.join(sorted(unknown))}: there are {', '.join(measurements)}")
    logging.disable(logging.ERROR)  # a busy machine makes the libraries talk
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if not given.json:
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start\n{HEADING}")
    names = given.names or [name for name in measurements if name not in UNASKED]
    figures = asyncio.run(_run(names, measurements, as_table=not given.json))
    if given.json:
        print(as_json(figures))
    sys.exit(any(figure.met is False for figure in figures) and not given.quick)


if __name__ == "__main__":
    _main()
