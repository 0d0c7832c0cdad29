"""Cases of the past for a replay: from a file with or without labels, or from the store. Owns reading them; routes nothing.

A case from a file is routed as if it came now, in a workflow that nothing holds back; its lot is drawn from its task id.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from functools import partial
from pathlib import Path

from routing.case.facts import Facts
from routing.case.submission import Submission, read_submission
from routing.errors import Problem, SubmissionError
from routing.evaluation.draw import lot
from routing.simulation.replay import Replayed
from routing.strict_json import loads
from store.reads.past_cases import Stored, stored_cases


class BadLinesError(ValueError):
    """Lines of a file that say nothing a replay can use."""

    def __init__(self, path: Path, problems: list[Problem]) -> None:
        """`problems` name the line and what was expected there."""
        super().__init__(f"{path}: {len(problems)} bad lines")
        self.path = path
        self.problems = problems


def cases_of_file(path: Path, labels: Path | None, at: datetime, advance: Callable[[int, int], None]) -> list[Replayed]:
    """The cases of a JSONL file, each with its label where there is one. Raises BadLinesError with every bad line, OSError."""
    known = {} if labels is None else labels_of_file(labels)
    lines = path.read_bytes().splitlines()
    found, problems = [], []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(_replayed(read_submission(loads(line)), known, at))
            except SubmissionError as error:
                problems += [Problem(one.pointer, one.message, number) for one in error.problems]
        advance(number, len(lines))
    if problems:
        raise BadLinesError(path, problems)
    return found


def strays(labels: Path, cases: Collection[Replayed]) -> list[str]:
    """Task ids of a file of labels that none of the cases has. Raises BadLinesError, OSError."""
    there = {case.task_id for case in cases}
    return [task_id for task_id in labels_of_file(labels) if task_id not in there]


def labels_of_file(path: Path) -> dict[str, bool]:
    """Whether the model was right, by task id: lines of {"task_id", "correct"}. Raises BadLinesError, OSError."""
    found: dict[str, bool] = {}
    problems = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            label = loads(line)
        except SubmissionError as error:
            problems += [Problem(one.pointer, one.message, number) for one in error.problems]
            continue
        task_id, correct = label.get("task_id"), label.get("correct")
        if isinstance(task_id, str) and isinstance(correct, bool):
            found[task_id] = correct
        else:
            problems.append(Problem("", 'expected {"task_id": "...", "correct": true|false}', number))
    if problems:
        raise BadLinesError(path, problems)
    return found


async def cases_of_store(limit: int) -> list[Stored]:
    """The newest cases of the database that the settings name, which is opened for reading only."""
    from bot.cli.files.configuration import reading
    from store.vault.keys import vault_key
    from store.vault.vault import Vault

    async with reading() as (settings, database):
        keys = Vault(vault_key(settings.vault_key_path, create=False))
        return await database.read(partial(stored_cases, vault=keys, limit=limit))


def _replayed(submission: Submission, labels: dict[str, bool], at: datetime) -> Replayed:
    facts = Facts(lot=lot(submission.task_id, "replay"))
    return Replayed(submission.task_id, submission, facts, at, labels.get(submission.task_id))
