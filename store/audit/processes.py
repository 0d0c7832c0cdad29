"""Bundles of an export checked on several cores. Owns the processes, which are given a directory and numbers, and end when nobody takes
their findings any more; never judges.
"""

import os
import signal
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection

from store.audit.bundle import Bundles, Findings

FIRST = 256
"""Bundles that are checked here while the processes start; a log of less than twice as many is checked here altogether."""


def available_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_bundles(bundles: Callable[[], Bundles], numbers: Sequence[int], processes: int) -> Generator[Findings, None, None]:
    """The findings about these bundles of an export, in order. To be closed by whoever does not take all.

    Findings that nobody took yet wait in the processes, a few bundles each. What a process does not answer is checked here.
    """
    here = bundles()
    if processes == 1 or len(numbers) < 2 * FIRST:
        yield from map(here.check, numbers)
        return
    shares = [numbers[FIRST + place :: processes] for place in range(processes)]
    with _started(bundles, shares) as answers:
        yield from map(here.check, numbers[:FIRST])
        for place, number in enumerate(numbers[FIRST:]):
            try:
                findings: Findings = answers[place % processes].recv()
            except (EOFError, OSError):
                findings = here.check(number)
            yield findings


@contextmanager
def _started(bundles: Callable[[], Bundles], shares: Sequence[Sequence[int]]) -> Generator[Sequence[Connection], None, None]:
    """A process for each share of the bundles while the block runs, and where each answers."""
    context = get_context("spawn")  # a process holds its own end of its own pipe and no other, so it learns from that when this one is gone
    answers, running = list[Connection](), []
    resource_tracker.ensure_running()  # starting it later would lift the mask below
    try:
        for share in shares:
            receiver, sender = context.Pipe(duplex=False)
            answers.append(receiver)
            process = context.Process(target=_check_all, args=(sender, bundles, share), daemon=True)
            unmasked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # Ctrl-C is for this process alone; the mask is inherited
            try:
                process.start()
                running.append(process)
            except OSError:
                pass  # no more processes are to be had: its share is checked here
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, unmasked)
                sender.close()
        yield answers
    finally:
        for receiver in answers:
            receiver.close()
        for process in running:
            process.terminate()
            process.join()


def _check_all(answers: Connection, bundles: Callable[[], Bundles], numbers: Sequence[int]) -> None:
    check = bundles().check
    with suppress(BrokenPipeError):
        for number in numbers:
            answers.send(check(number))
