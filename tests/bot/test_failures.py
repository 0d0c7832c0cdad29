"""Of an error only its kind and its place reach the log, however it gets there: its own words quote rows, bodies and evidence."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pydantic
import pytest

from bot.failures import failure, to_look_at
from routing.case.case import Case
from store.ledger.ledger import NotRecordingError
from store.ledger.sealed_head import HeadAlteredError, UnreadableGovernanceError
from store.ledger.writer import CannotRecordError
from tests.checkout import ROOT

PLANT = "Zwetschgenkuchen"


def log_calls(path: Path) -> Iterator[ast.Call]:
    """Each line that a file logs."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and "_LOG" in ast.unparse(node.func.value):
            yield node


def handed_on(call: ast.Call) -> Iterator[str]:
    """What of an error a line would log itself: the error, its trace, or its words."""
    if isinstance(call.func, ast.Attribute) and call.func.attr == "exception":
        yield "its trace"
    for keyword in call.keywords:
        value = ast.unparse(keyword.value)
        if keyword.arg == "exc_info" or value in {"error", "problem", "str(error)", "str(problem)", "repr(error)", "repr(problem)"}:
            yield f"{keyword.arg}={value}"


def test_no_line_is_handed_an_error() -> None:
    """Wherever we log, it is `failure` that says what may be said."""
    files = [path for folder in ("bot", "escalation", "store") for path in (ROOT / folder).rglob("*.py") if "_LOG" in path.read_text()]
    calls = [(path.name, call) for path in files for call in log_calls(path)]
    assert len(calls) > 40, "the search would prove nothing"
    assert [(name, call.lineno, what) for name, call in calls for what in handed_on(call)] == []


@pytest.mark.parametrize("row", [f'"{PLANT}"', f'{{"{PLANT}": 1}}', f'{{"id": "{PLANT}"}}', PLANT])
def test_an_error_that_quotes_a_row_says_its_kind_and_place(row: str) -> None:
    """Also where it is only the cause of what was caught."""
    with pytest.raises(RuntimeError) as caught:
        _read(row)
    assert PLANT in str(caught.value.__cause__), "the search would prove nothing"
    said = failure(caught.value)
    assert str(said["error"]).startswith("builtins.RuntimeError < pydantic_core")
    assert "_read" in str(said["places"])
    assert PLANT not in repr(said)


@pytest.mark.parametrize("stopped", [HeadAlteredError(), UnreadableGovernanceError(), NotRecordingError("Somebody has to look.")])
def test_what_an_operator_has_to_look_at_is_said_in_its_own_words(stopped: Exception) -> None:
    """Those are ours; behind whatever it is raised, and without a trace."""
    wrapped = CannotRecordError("nothing was recorded")
    wrapped.__cause__ = stopped
    for error in (stopped, wrapped):
        assert failure(error) == {"error": type(stopped).__name__, "because": str(stopped)}
        assert "\n" not in str(to_look_at(error))
    assert to_look_at(CannotRecordError("nothing was recorded")) is None


def _read(row: str) -> None:
    try:
        Case.model_validate_json(row)
    except pydantic.ValidationError as error:
        raise RuntimeError(PLANT) from error
