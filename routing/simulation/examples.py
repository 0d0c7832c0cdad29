"""The example cases that a policy holds, and whether it sends them where they say (R11). Owns the comparison; decides nothing."""

from dataclasses import dataclass
from datetime import datetime

from routing.case.facts import Facts
from routing.case.submission import read_submission
from routing.errors import SubmissionError
from routing.evaluation.route import route
from routing.policy.form.checks import Example
from routing.policy.policy import Policy
from routing.vocabulary import Lane


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one example. `place` is where it stands in the file, `lane` None where it is no case; `wrong` says in sentences what
    is not as expected.
    """

    workflow: str
    name: str
    place: tuple[str | int, ...]
    expected: Lane
    lane: Lane | None
    wrong: tuple[str, ...]


def run_examples(policy: Policy, now: datetime) -> tuple[Outcome, ...]:
    """Every example in the order of the file; `now` (aware) is when those come that do not say so themselves.

    As in a dry run: automation is on, nothing was approved before, no lot is drawn.
    """
    return tuple(
        _run(policy, name, index, example, now)
        for name, workflow in policy.workflows.items()
        for index, example in enumerate(workflow.examples)
    )


def _run(policy: Policy, workflow: str, index: int, example: Example, now: datetime) -> Outcome:
    place = ("workflows", workflow, "examples", index)
    try:
        case = read_submission({"workflow": workflow, "task_id": example.name, "title": example.name, **example.case})
    except SubmissionError as error:
        wrong = tuple(f"no case: {problem.pointer or '/'}: {problem.message}" for problem in error.problems)
        return Outcome(workflow, example.name, place, example.lane, None, wrong)
    if case.workflow != workflow:
        return Outcome(workflow, example.name, place, example.lane, None, (f"the case is one of the workflow {case.workflow}",))
    chosen = route(policy, case, Facts(), example.at or now)
    why = " ".join(reason.text for reason in chosen.reasons)
    codes = {reason.code for reason in chosen.reasons}
    wrong = (
        *([] if chosen.lane is example.lane else [f"expected the lane {example.lane}, it goes to {chosen.lane}: {why}"]),
        *_missing(example, chosen.missing),
        *(f"expected the reason {code}, it has {', '.join(sorted(codes))}" for code in example.reasons if code not in codes),
    )
    return Outcome(workflow, example.name, place, example.lane, chosen.lane, wrong)


def _missing(example: Example, missing: tuple[str, ...]) -> list[str]:
    if example.missing is None or set(example.missing) == set(missing):
        return []
    return [f"expected {_listed(example.missing)} to be missing, {_listed(missing)} is"]


def _listed(paths: tuple[str, ...]) -> str:
    return ", ".join(paths) or "nothing"
