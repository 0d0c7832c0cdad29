"""`tierline policy`: write one to begin with, check it, ask it what it would do with a case. Owns these commands and decides nothing."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bot.cli import policy_lifecycle
from bot.cli.terminal import FOUND, JsonFlag, emit, remark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from routing.errors import Problem
    from routing.policy.policy import Policy

app = typer.Typer(
    help="The rules by which cases reach people (policy.yml).", epilog="Example:  tierline policy init policy.yml", no_args_is_help=True
)

PolicyFile = Annotated[Path | None, typer.Argument(help="The file; default: TIERLINE_POLICY, else policy.yml.", show_default=False)]
BEGIN = "`tierline policy init` writes one to begin with."


@app.command(epilog="Example:  tierline policy init policy.yml --template access-requests")
def init(
    file: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("policy.yml"),
    *,
    template: Annotated[str, typer.Option(help="Begin with one of those that --list names.", show_default=False)] = "",
    listed: Annotated[bool, typer.Option("--list", help="Name the templates and write nothing.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Write a policy with comments, to begin with: a small one, or one made for a use case. Never overwrites a file."""
    from bot.cli.templates import template_bytes, templates

    if listed:
        _list(templates(), as_json=as_json)
        return
    text = template_bytes(template)
    try:
        with file.open("xb") as out:
            out.write(text)
    except FileExistsError:
        raise typer.BadParameter(f"{file} is there already; name another file") from None
    if as_json:
        emit({"file": str(file), "template": template or None})
    else:
        print(f"{file} written. Put in your channels, groups and workflows, then: tierline policy check {file}")


@app.command(epilog="Example:  tierline policy check examples/policy.yml")
def check(file: PolicyFile = None, *, as_json: JsonFlag = False) -> None:
    """Check a policy: every problem with file, line, key and what was expected. Exit 1 if there is one.

    A policy without problems is tried: each example it holds has to go where it says. Warnings say what in it can never take effect.
    """
    from bot.cli.files.configuration import Supposed, chosen_file, environment
    from bot.cli.files.file_problems import judge
    from bot.clock import now
    from routing.errors import PolicyError
    from routing.policy.file import load_policy

    path = chosen_file(file, "TIERLINE_POLICY", "policy.yml", BEGIN)
    supposed = Supposed(environment())
    try:
        policy = load_policy(path.read_bytes(), supposed, str(path))
    except PolicyError as error:
        judge(path, error.problems, sorted(supposed.unset), as_json=as_json)
        raise typer.Exit(FOUND) from None
    problems, warnings = _tried(policy, supposed, now())
    judge(path, problems, sorted(supposed.unset), warnings, as_json=as_json)
    if not as_json:
        for name, workflow in policy.workflows.items():
            parts = [_counted(len(workflow.rules), "rule"), *([_counted(len(workflow.examples), "example")] if workflow.examples else [])]
            counted = ", ".join(parts)
            remark(f"  {name}: {workflow.template} on {workflow.ladder}, {counted}")
        if policy.form.activation == "accept" and not policy.has_owners:
            remark("  Nobody may accept the next policy: name owners, or a group under roles.policy_owner.")
    if problems:
        raise typer.Exit(FOUND)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


@app.command(epilog="Example:  tierline policy explain case.json --policy examples/policy.yml")
def explain(
    case: Annotated[str, typer.Argument(help="A file with one case as a service would post it, - for standard input.")],
    *,
    policy: Annotated[Path | None, typer.Option(help="The policy; default: TIERLINE_POLICY, else policy.yml.", show_default=False)] = None,
    as_json: JsonFlag = False,
) -> None:
    """Say where a case would go and why: every gate, signal and rule with its value. Nothing is stored.

    With --json: the answer that POST /v1/cases would give (id is null: there is no case) and the tree under "explanation".
    """
    from bot.cli.files.configuration import Supposed, chosen_file, environment
    from bot.clock import now
    from routing.case.facts import Facts
    from routing.case.submission import read_submission
    from routing.change import Arrival
    from routing.errors import Problem, SubmissionError
    from routing.policy.file import load_policy
    from routing.problems import did_you_mean
    from routing.review.opening import open_case
    from routing.simulation.explain import explain as explained
    from routing.strict_json import loads

    path = chosen_file(policy, "TIERLINE_POLICY", "policy.yml", BEGIN)
    loaded = load_policy(path.read_bytes(), Supposed(environment()), str(path))
    source = "standard input" if case == "-" else case
    try:
        submission = read_submission(loads(sys.stdin.buffer.read() if case == "-" else Path(case).read_bytes()))
    except SubmissionError as error:
        _refuse(source, error.problems, as_json=as_json)
    if loaded.workflow(submission.workflow) is None:
        hint = did_you_mean(submission.workflow, list(loaded.workflows))
        _refuse(source, [Problem("/workflow", f"unknown workflow{hint}")], as_json=as_json)
    at = now()
    explanation = explained(loaded, submission, Facts(), at)
    if not as_json:
        print(explanation.text(), end="")
        return
    answer = open_case("", submission)(Arrival("", loaded, Facts(), at)).answer or {}
    emit({**answer, "id": None, "checkpoint": None, "explanation": explanation.json()})


@app.command(epilog="Example:  tierline policy schema > policy.schema.json")
def schema(*, as_json: JsonFlag = False) -> None:  # noqa: ARG001  # it is JSON anyway
    """Print the JSON Schema of policy.yml, for editors."""
    from routing.policy.file import policy_schema

    emit(policy_schema())


policy_lifecycle.register(app)


def _list(templates: "Mapping[str, str]", *, as_json: bool) -> None:
    if as_json:
        emit([{"template": name, "about": about} for name, about in templates.items()])
        return
    for name, about in templates.items():
        print(f"{name:26}{about}")


def _tried(policy: "Policy", environment: "Mapping[str, str]", at: "datetime") -> "tuple[list[Problem], list[Problem]]":
    """The examples of a policy that go elsewhere, and what in it can never take effect, each with its line."""
    from routing.errors import Problem
    from routing.simulation.examples import run_examples
    from routing.simulation.idle import idle
    from routing.strict_json import pointer
    from routing.strict_yaml import read_yaml

    document = read_yaml(policy.text, environment)
    elsewhere = [
        Problem(pointer(*one.place), f"{one.name}: {wrong}", document.line_of(one.place))
        for one in run_examples(policy, at)
        for wrong in one.wrong
    ]
    return elsewhere, idle(policy, document)


def _refuse(source: str, problems: "Sequence[Problem]", *, as_json: bool) -> NoReturn:
    """A case that would be answered 422, with the errors as `POST /v1/cases` would put them."""
    from bot.cli.files.file_problems import placed

    if as_json:
        emit({"errors": [{"pointer": one.pointer, "message": one.message} for one in problems]})
    else:
        print("\n".join(placed(source, problem) for problem in problems))
    raise typer.Exit(FOUND)
