"""`tierline readiness`: the launch checklist as a table. Owns the command and how its lines are drawn; `bot.launch` looks."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.terminal import FOUND, JsonFlag, emit, progress, remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.launch.checklist import Report
    from bot.launch.finding import Finding

STYLES = {"ok": "green", "warn": "yellow", "missing": "bold red"}


def readiness(
    *,
    page: Annotated[
        bool, typer.Option("--page", help="Try each PagerDuty routing key with a real page, which is resolved at once.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Go through the launch checklist: settings, policy, Slack, PagerDuty, database, keys, services. Exit 1 if something is missing.

    A bot that runs is not disturbed, and none need run. Each line that is not ok says how to mend it. Warnings alone end with 0.
    """
    import asyncio

    from bot import clock
    from bot.cli.files.configuration import Supposed, environment
    from bot.cli.running_readiness import running_readiness
    from bot.launch.files import Variables
    from bot.launch.readiness import Launch

    found = environment()
    supposed = Supposed(found)

    async def look() -> "Report":
        with progress("Looking", shown=not as_json) as advance:
            return await Launch(found, Variables(supposed, supposed.unset), running_readiness, clock.now, page=page).look(advance)

    tell(asyncio.run(look()), as_json=as_json)


def tell(report: "Report", *, as_json: bool) -> None:
    """The checklist. Raises `Exit` with 1 where something is missing."""
    from bot.launch.finding import State

    lacking, doubtful = report.count(State.MISSING), report.count(State.WARN)
    if as_json:
        lines = [_line(check, one) for check, findings in report.found.items() for one in findings]
        emit({"ready": report.ready, "missing": lacking, "warnings": doubtful, "findings": lines})
    else:
        _draw(report)
        warned = f"; {_counted(doubtful, 'warning')}" if doubtful else ""
        remark(f"Missing: {lacking}{warned}." if lacking else f"Nothing is missing{warned}. To start the bot: tierline serve")
    if lacking:
        raise typer.Exit(FOUND)


def _line(check: str, one: "Finding") -> dict[str, str]:
    return {"check": check, "state": one.state.value, "about": one.about, "said": one.said, "mend": one.mend}


def _draw(report: "Report") -> None:
    """A line for each finding; the state in words and in colour, the remedy under what was found."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from bot.cli.terminal import console

    drawn = Table(box=box.SIMPLE, show_header=False)
    screen = console()
    for least, most in ((8, 8), (16, max(16, screen.width // 4)), (None, None)):
        drawn.add_column(overflow="fold", min_width=least, max_width=most)
    for about, one in _together(report):
        said = Text(one.said)
        if one.mend:
            said.append(f"\n{one.mend}", style="bold")
        drawn.add_row(Text(one.state.value, style=STYLES[one.state.value]), Text(about), said)
    screen.print(drawn)


def _together(report: "Report") -> "Iterator[tuple[str, Finding]]":
    """What each line is about, and the line; what could not be looked at for one and the same reason is one line."""
    from bot.launch.checklist import UNSEEN

    unseen: dict[str, list[str]] = {}
    for check, findings in report.found.items():
        for one in findings:
            if one.said == UNSEEN:
                unseen.setdefault(one.mend, []).append(check)
    for check, findings in report.found.items():
        for one in findings:
            if one.said != UNSEEN:
                yield (one.about if one.about == check else f"{check}: {one.about}"), one
            elif unseen[one.mend][0] == check:
                yield ", ".join(unseen[one.mend]), one


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
