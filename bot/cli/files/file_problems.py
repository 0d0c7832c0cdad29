"""What `check` says about one of our files: each problem on a line as compilers write it, or that there is none. Owns these words."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bot.cli.terminal import emit, remark
from routing.errors import Problem


def judge(path: Path, problems: Sequence[Problem], unset: Sequence[str], warnings: Sequence[Problem] = (), *, as_json: bool) -> None:
    """Print the problems of a file, its warnings, and which `${NAME}` are not set here, which the bot needs."""
    if as_json:
        found = [{"line": one.line, "key": one.pointer, "expected": one.message} for one in problems]
        warned = [{"line": one.line, "key": one.pointer, "warning": one.message} for one in warnings]
        emit({"file": str(path), "ok": not problems, "problems": found, "warnings": warned, "unset": list(unset)})
        return
    for problem in problems:
        print(placed(path, problem))
    for warning in warnings:
        print(placed(path, replace(warning, message=f"warning: {warning.message}")))
    if not problems:
        print(f"{path}: ok")
    if unset:
        remark(f"{path}: not set in this environment, and `tierline serve` needs it: {', '.join(unset)}")


def placed(source: Path | str, problem: Problem) -> str:
    """`policy.yml:12: /workflows/refunds/ladder: …`."""
    line = f":{problem.line}" if problem.line is not None else ""
    return f"{source}{line}: {problem.pointer or '/'}: {problem.message}"
