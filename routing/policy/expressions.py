"""CEL (the Common Expression Language) behind one small interface. Owns compiling, type-checking and evaluating; never decides.

A condition is compiled twice. Once against the forms a submission has, each field a variable of its own type, which finds
misspelt fields and comparisons that can never hold; that result is thrown away, because optional fields are keys of a map
that may be missing. Once against maps, which is what is evaluated. Errors while evaluating are values in the library, and
true in a boolean context: here they become a `Failure`, which nobody can take for an answer.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from cel_expr_python import cel
from pydantic import BaseModel

from routing.case.submission import Check, Evidence, Submission
from routing.problems import did_you_mean

ROOTS = ("action", "model", "risk", "context", "evidence", "checks", "subject", "labels")
"""The parts of a submission that conditions can see; with `workflow`, `signals` and `now`."""

_EVERYTHING = frozenset(ROOTS)
_ELEMENTS: dict[str, type[BaseModel]] = {"evidence": Evidence, "checks": Check}
_HAS = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|\bhas(?=\s*\()""")
_OVER_LIST = re.compile(r"\b(evidence|checks)\s*\.\s*(?:all|exists|exists_one|filter|map)\s*\(\s*([A-Za-z_]\w*)\s*,")
_QUOTED = re.compile(
    r"""//[^\n]*|[rR](?:"[^"]*"|'[^']*')|"{3}(?:\\.|[^\\])*?"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'""",
    re.DOTALL,
)
_NAMED = re.compile(
    r"(?<!\w)(?<![\w)\]]\.)(?:(risk)\s*\.\s*(\w+)|(action|model|context|evidence|checks|subject|labels|workflow|signals|now)\b(?!\s*\())"
)
_WITHIN = re.compile(r"\([^()\[\]{}]*\)|\[[^()\[\]{}]*\]|\{[^()\[\]{}]*\}")
"""A pair of brackets without another in it."""
_FOR_TYPE = re.compile(r"""\s*action\.type\s*==\s*(["'])([^"'\\\n]*)\1\s*(?:&&|$)""")
_AT = re.compile(r"<input>:([0-9]+):([0-9]+): (.*)")


class ExpressionError(ValueError):
    """The condition is no CEL, names what does not exist, or compares what cannot be compared."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Evaluating ended without an answer. `text` is the library's reason."""

    text: str


@dataclass(frozen=True, slots=True)
class Variables:
    """The values of one evaluation, converted once for all conditions."""

    activation: Any


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled condition. Compiled ones are immutable and may be shared between threads."""

    text: str
    program: Any

    @property
    def reads(self) -> tuple[str, ...]:
        """What of a case it reads: `risk.amount` for a field of the risk, `labels` for any other part, each once."""
        return _reads(self.text)

    @property
    def action_type(self) -> str | None:
        """The type of action without which it is false, whatever else it says; None where there is no such type."""
        return _action_type(self.text)

    def evaluate(self, variables: Variables) -> bool | Failure:
        """True, false, or why there is no answer."""
        try:
            result = self.program.eval(variables.activation)
        except RuntimeError as error:  # the iteration budget
            return Failure(str(error)[:200])
        if result.type() == cel.Type.BOOL:
            return bool(result.value())
        if result.type() == cel.Type.ERROR:
            return Failure(str(result.value())[:200])
        return Failure(f"gave {result.type().name().lower()}, expected true or false")


@dataclass(frozen=True, slots=True)
class Together:
    """Conditions as one program, which is asked once for all of them, and the parts of a case that they read."""

    program: Any
    roots: frozenset[str]

    def evaluate(self, submission: Submission, signals: Sequence[str], now: datetime) -> Sequence[bool] | None:
        """The answer of each; None where one of them has none, so that each has to be asked alone."""
        try:
            result = self.program.eval(_maps(self.roots).Activation(_values(submission, signals, now, self.roots)))
        except RuntimeError:  # the iteration budget, which they share here
            return None
        if result.type() == cel.Type.ERROR:
            return None
        answers: Sequence[bool] = result.plain_value()
        return answers if all(type(answer) is bool for answer in answers) else None


@lru_cache(maxsize=1_024)
def together(texts: tuple[str, ...]) -> Together | None:
    """Compiled conditions as one program, compiled once; None where the library takes them only one by one.

    It is compiled where nothing but the parts that they seem to read is declared: that it compiles shows that they read no other.
    """
    roots = frozenset(name.partition(".")[0] for text in texts for name in _reads(text)) & set(ROOTS)
    try:
        return Together(_maps(roots).compile("[" + ",".join(f"({text}\n)" for text in texts) + "]"), roots)
    except (RuntimeError, TypeError):
        return None


def compile_condition(text: str) -> Expression:
    """Compile a condition that gives a boolean. Raises `ExpressionError` saying what is wrong and at which column."""
    for root, name in _OVER_LIST.findall(text):
        for field in re.findall(rf"\b{name}\s*\.\s*([A-Za-z_]\w*)\b(?!\s*\()", text):
            if field not in _ELEMENTS[root].model_fields:
                raise ExpressionError(f'{root} has no "{field}"{did_you_mean(field, list(_ELEMENTS[root].model_fields))}')
    try:
        kind = _forms().compile(_HAS.sub(lambda found: found[1] or "hs_", text)).return_type()
        if kind not in (cel.Type.BOOL, cel.Type.DYN):
            raise ExpressionError(f"expected a condition (true or false), this gives {kind.name().lower()}")
        return Expression(text, _maps(_EVERYTHING).compile(text))
    except (RuntimeError, TypeError) as error:
        raise ExpressionError(_said(str(error))) from None


def variables(submission: Submission, signals: Sequence[str], now: datetime) -> Variables:
    """What conditions see of a case: absent fields are absent keys, `signals` the codes that fired.

    Times inside evidence are text, because the library converts only `now`: `timestamp(e.updated_at)`.
    """
    return Variables(_maps(_EVERYTHING).Activation(_values(submission, signals, now, _EVERYTHING)))


def _values(submission: Submission, signals: Sequence[str], now: datetime, roots: frozenset[str]) -> dict[str, Any]:
    values: dict[str, Any] = submission.model_dump(mode="json", include=set(roots), exclude_none=True)
    if "subject" in roots:
        values.setdefault("subject", {})
    return {**values, "workflow": submission.workflow, "signals": list(signals), "now": now}


@lru_cache(maxsize=4_096)
def _reads(text: str) -> tuple[str, ...]:
    code = _QUOTED.sub(" ", text)
    return tuple(dict.fromkeys(".".join(part for part in found if part) for found in _NAMED.findall(code)))


@lru_cache(maxsize=4_096)
def _action_type(text: str) -> str | None:
    found = _FOR_TYPE.match(text)
    if found is None:
        return None
    outside, before = _QUOTED.sub(" ", text), ""
    while outside != before:
        outside, before = _WITHIN.sub(" ", outside), outside
    either = re.search(r"\|\||\?", outside)  # without, all is joined by `&&`, and false is stronger than an error
    return found[2] if either is None else None


def _said(error: str) -> str:
    """The first complaint of the compiler, with the column and the nearest name that exists."""
    found = _AT.search(error)
    if found is None:
        return error.splitlines()[0][:200] if error else "not a CEL expression"
    line, column, what = found.groups()
    what = what.replace(" (in container '')", "")
    unknown = re.fullmatch(r"undeclared reference to '([\w.]+)'", what)
    if unknown:
        name = unknown[1]
        near = did_you_mean(name, list(_fields()))
        hint = near if "did you mean" in near else did_you_mean("", [*ROOTS, *_alone()])
        what = f"write {name}.NAME for a field of {name}" if name in ROOTS else f'there is no "{name}"{hint}'
    return f"{what} (at {f'line {line}, ' if line != '1' else ''}column {column})"


@cache
def _forms() -> Any:  # noqa: ANN401  # the library is not typed
    """The environment that knows every field; `has` is a function there, because the macro needs a map."""
    anything = cel.Overload("hs_dyn", return_type=cel.Type.BOOL, parameters=[cel.Type.DYN])
    return cel.NewEnv(variables=_fields(), functions=[cel.FunctionDecl("hs_", [anything])])


@cache
def _maps(roots: frozenset[str]) -> Any:  # noqa: ANN401  # the library is not typed
    """The environment that evaluates, with these parts of a case declared."""
    part = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
    declared = {name: cel.Type.List(part) if name in _ELEMENTS else part for name in ROOTS if name in roots}
    return cel.NewEnv(variables={**declared, **_alone()})


def _alone() -> dict[str, Any]:
    return {"workflow": cel.Type.STRING, "signals": cel.Type.List(cel.Type.STRING), "now": cel.Type.TIMESTAMP}


@cache
def _fields() -> dict[str, Any]:
    """CEL types by dotted name, from the JSON Schema of a submission."""
    schema = Submission.model_json_schema(mode="serialization")
    found: dict[str, Any] = _alone()
    for root in ROOTS:
        at = _resolved(schema["properties"][root], schema)
        if "properties" not in at:
            found[root] = _cel_type(at, schema)
            continue
        for name, field in at["properties"].items():
            found[f"{root}.{name}"] = _cel_type(_resolved(field, schema), schema)
    return found


def _resolved(at: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "anyOf" in at:
        at = next(option for option in at["anyOf"] if option.get("type") != "null")
    return schema["$defs"][at["$ref"].rsplit("/", 1)[-1]] if "$ref" in at else at


def _cel_type(at: dict[str, Any], schema: dict[str, Any]) -> Any:  # noqa: ANN401  # the library is not typed
    kind = at.get("type")
    if kind == "array":
        return cel.Type.List(_cel_type(_resolved(at["items"], schema), schema))
    if kind == "object":
        texts = isinstance(at.get("additionalProperties"), dict)
        return cel.Type.Map(cel.Type.STRING, cel.Type.STRING if texts else cel.Type.DYN)
    return {"string": cel.Type.STRING, "number": cel.Type.DOUBLE, "boolean": cel.Type.BOOL}.get(str(kind), cel.Type.DYN)
