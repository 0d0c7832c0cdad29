"""The pure core, without any server: policies replayed on cases of the past, and a large text masked. CPU time of one core."""

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.cases import BAGGAGE, CANCELLATION, POLICY, a_case
from benchmarks.figures import Figure, Target
from bot import clock as wall
from routing.case.facts import Facts
from routing.case.submission import read_submission
from routing.policy.file import load_policy
from routing.privacy.masking import mask_text
from routing.simulation.replay import Replayed, replay
from routing.strict_json import loads

WORDS = ("the", "parcel", "never", "arrived", "although", "tracking", "shows", "no", "scan", "after", "6", "November", "80.00", "USD.")
LARGEST = 256 * 1024
"""Characters of the largest body that `/v1` takes."""


async def measure(_folder: Path, runs: int, cases: int) -> Sequence[Figure]:
    """Two policies side by side over `cases` cases; 256 KiB of ordinary prose."""
    policy = load_policy(POLICY.read_bytes(), {"PAGERDUTY_ROUTING_KEY": "R" * 32})
    posted = [loads(a_case(number, BAGGAGE if number % 3 else CANCELLATION)) for number in range(100)]
    past = [Replayed(f"t-{number}", read_submission(one), Facts(), wall.now()) for number, one in enumerate(posted)] * (cases // 100)
    draw = random.Random(1)  # noqa: S311 - a text, no secret
    text = " ".join(draw.choice(WORDS) for _ in range(LARGEST // 4))[:LARGEST]
    replayed = _seconds(lambda: replay(policy, past, policy), runs)
    return [
        Figure(f"replay of {cases:,} cases, two policies", replayed, "s", Target(cases / 1_000)),
        Figure("masking 256 KiB of prose", [1_000 * each for each in _seconds(lambda: mask_text(text), runs)], "ms", Target(250.0)),
    ]


def _seconds(work: Callable[[], object], runs: int) -> list[float]:
    found = list[float]()
    for _ in range(runs):
        begin = time.process_time()
        work()
        found.append(time.process_time() - begin)
    return found
