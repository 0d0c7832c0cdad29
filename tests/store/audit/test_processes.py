"""Several processes find what one finds, come and go quietly, and are not needed."""

import os
import signal
from contextlib import closing
from functools import partial
from multiprocessing import active_children
from pathlib import Path

import pytest

from store.audit.bundle import Bundles
from store.audit.processes import available_cores, check_bundles
from store.audit.verify import verify_export
from tests.store.audit.small_log import a_leaf, checkpoint_of, export, leaves

pytestmark = pytest.mark.outside


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are started also for a small log."""
    monkeypatch.setattr("store.audit.processes.FIRST", 1)


def test_several_processes_find_the_same(tmp_path: Path) -> None:
    """Spreading the bundles changes nothing but the time: problems, their order, progress, and where it gives up."""
    entries = leaves(1_400)
    bad = [*entries[:700], b"[]", a_leaf(701, id="e3"), *entries[702:]]
    directories = {name: export(tmp_path / name, entries if name == "good" else bad) for name in ("good", "bad", "cut")}
    (directories["bad"] / "tile/0/003").write_bytes(bytes(8_192))
    (directories["bad"] / "tile/0/004").unlink()
    (directories["cut"] / "tile/entries/002").write_bytes(b"")
    for name, directory in directories.items():
        alone, together = list[int](), list[int]()
        older = checkpoint_of(entries[:900])
        one = verify_export(directory, older, lambda done, _all, seen=alone: seen.append(done))  # type: ignore[misc]
        assert verify_export(directory, older, lambda done, _all, seen=together: seen.append(done), processes=2) == one  # type: ignore[misc]
        assert one.ok == (name == "good")
        assert alone == together
        assert not active_children()


def test_processes_may_be_interrupted_and_may_die(tmp_path: Path) -> None:
    """Ctrl-C at the terminal is not for them, and what one that was killed does not answer is checked here."""
    directory = export(tmp_path / "export", leaves(10_000))
    expected = list(check_bundles(partial(Bundles, directory, 10_000), range(40), 1))
    with closing(check_bundles(partial(Bundles, directory, 10_000), range(40), 2)) as checked:
        found = [next(checked)]
        processes = active_children()
        for process in processes:
            os.kill(process.pid or 0, signal.SIGINT)
        found += [next(checked), next(checked), next(checked), next(checked)]
        assert all(process.is_alive() for process in processes)
        processes[0].kill()
        found += checked
    assert found == expected
    assert not active_children()


def test_processes_end_with_whoever_wanted_their_findings(tmp_path: Path) -> None:
    """Whoever stops half-way leaves none behind."""
    directory = export(tmp_path / "export", leaves(10_000))
    with closing(check_bundles(partial(Bundles, directory, 10_000), range(40), available_cores() + 1)) as checked:
        next(checked)
        assert active_children()
    assert not active_children()
