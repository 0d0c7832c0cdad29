"""Where the processor time of a case goes: the real bot over HTTP, its functions wrapped, and the exclusive time of each stage.

Threads' own time, so that what else runs on the machine counts little. The wrapping costs about a tenth, so the whole is measured without.
"""

import asyncio
import functools
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.cases import posts
from benchmarks.figures import Figure
from benchmarks.load import send
from benchmarks.rig import a_rig
from bot import clock as wall

SENDERS = (16, 1)
WARM_UP = 500

STAGES: Mapping[str, Sequence[str]] = {
    "signature, envelope": ("bot.http.admission:Admission._judge", "bot.http.admission:read_envelope"),
    "strict JSON": ("bot.http.intake:loads",),
    "model": ("bot.http.intake:read_submission",),
    "canonical form, hashes": (
        "bot.http.intake:likeness",
        "routing.review.opening:likeness",
        "routing.case.submission:Submission.texts",
        "routing.case.submission:Submission.sha256",
    ),
    "the step: opening": ("bot.http.intake:Intake._read",),
    "facts": ("store.ledger.unit_of_work:arrive", "store.ledger.writer:arrive"),
    "checks of the output": ("routing.evaluation.evaluation:post_checks",),
    "rules": ("routing.evaluation.evaluation:ruled",),
    "gates and the rest of the evaluation": ("routing.evaluation.route:evaluate",),
    "route": ("routing.review.opening:route",),
    "placing, clocks": ("routing.review.opening:place", "routing.review.opening:total_clock"),
    "answer, event fields": ("routing.review.opening:answer", "routing.review.opening:received", "bot.http.intake:reply"),
    "taking it into the transaction": ("store.ledger.items:Opening.apply",),
    "case key, seal": ("store.ledger.case_vaults:CaseVaults.add", "store.ledger.unit_of_work:seal"),
    "leaf": ("store.ledger.unit_of_work:leaf_bytes", "store.ledger.unit_of_work:leaf_row"),
    "row": ("routing.case.case:Case.model_dump_json", "store.ledger.unit_of_work:text_sha256"),
    "events, bookkeeping": (
        "store.ledger.unit_of_work:UnitOfWork.open",
        "store.ledger.unit_of_work:UnitOfWork.take",
        "store.ledger.unit_of_work:UnitOfWork.record",
    ),
    "writer's thread: reading": ("store.ledger.writer:prefetch",),
    "writer's thread: writing": ("store.ledger.unit_of_work:flush",),
    "writer's thread: commit": ("store.database.sqlite:_commit",),
}
"""What is counted together, innermost first."""

LOOP, THREADS = "HTTP, event loop, batches", "other threads: hand-over"
_WRITER = "writer's thread"


class _Spent:
    """Microseconds by stage, each without what was spent in stages inside."""

    def __init__(self) -> None:
        self.us = defaultdict[str, float](float)
        self._open = threading.local()

    def wrap(self, stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """`work`, counted."""

        @functools.wraps(work)
        def counted(*args: Any, **more: Any) -> Any:  # noqa: ANN401 - whatever it takes and gives
            inside = self._open.__dict__.setdefault("inside", [])
            begun = time.thread_time_ns()
            inside.append(0.0)
            try:
                return work(*args, **more)
            finally:
                spent_us = (time.thread_time_ns() - begun) / 1_000
                self.us[stage] += spent_us - inside.pop()
                if inside:
                    inside[-1] += spent_us

        return counted


async def measure(folder: Path, runs: int, cases: int) -> Sequence[Figure]:
    """Processor time of a case, all of it and by stage, with 16 senders and with one."""
    found = list[Figure]()
    for senders in SENDERS:
        plain = [await _run(folder / f"{senders}-{run}", senders, cases) for run in range(runs)]
        found.append(Figure(f"a case, {senders} sender{'s' if senders > 1 else ''}", [loop + others for loop, others in plain], "us"))
        found.append(Figure("  of it on the event loop", [loop for loop, _ in plain], "us"))
        stages = [await _by_stage(folder / f"{senders}-{run}-stages", senders, cases) for run in range(runs)]
        total = sum(sum(one.values()) for one in stages)
        for stage in (LOOP, *STAGES, THREADS):
            spent = [one[stage] for one in stages]
            found.append(Figure(f"  {100 * sum(spent) / total:4.1f} % {stage}", spent, "us"))
    return found


async def _by_stage(folder: Path, senders: int, cases: int) -> Mapping[str, float]:
    spent = _Spent()
    with _wrapped(spent):
        loop, others = await _run(folder, senders, cases, spent)
    us = {stage: spent.us[stage] / cases for stage in STAGES}
    in_threads = sum(each for stage, each in us.items() if stage.startswith(_WRITER))
    return {LOOP: loop - sum(us.values()) + in_threads, **us, THREADS: others - in_threads}


async def _run(folder: Path, senders: int, cases: int, spent: _Spent | None = None) -> tuple[float, float]:
    """Microseconds a case of the event loop's thread, and of all others."""
    await asyncio.to_thread(folder.mkdir)
    async with a_rig(folder) as rig, rig.bot() as app:
        await send(posts(0, WARM_UP, wall.now()), app.port, senders)
        requests = posts(WARM_UP, cases, wall.now())
        if spent is not None:
            spent.us.clear()
        process, thread = time.process_time(), time.thread_time()
        answered = await send(requests, app.port, senders)
        all_us, loop_us = (time.process_time() - process) / cases * 1e6, (time.thread_time() - thread) / cases * 1e6
    if answered.statuses != {"202": cases}:
        raise RuntimeError(f"expected every case to be taken, the answers were {answered.statuses}")
    return loop_us, all_us - loop_us


@contextmanager
def _wrapped(spent: _Spent) -> Iterator[None]:
    with ExitStack() as stack:
        for stage, places in STAGES.items():
            for place in places:
                module, _, name = place.partition(":")
                owner, _, method = name.rpartition(".")
                at = getattr(import_module(module), owner) if owner else import_module(module)
                found = vars(at).get(method)
                if isinstance(found, functools.cached_property):
                    stack.callback(setattr, found, "func", found.func)
                    found.func = spent.wrap(stage, found.func)
                else:
                    stack.callback(delattr, at, method) if found is None else stack.callback(setattr, at, method, found)
                    setattr(at, method, spent.wrap(stage, getattr(at, method)))
        yield
