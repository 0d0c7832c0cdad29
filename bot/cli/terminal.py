"""What commands print and where: results on standard output, progress and remarks on standard error. Owns the two streams; never decides
an exit code.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

if TYPE_CHECKING:
    from rich.console import Console

GOOD, FOUND, USAGE = 0, 1, 2
"""Exit codes: all is well; something was found or did not work; the command was not understood or cannot be carried out."""

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class Advance(Protocol):
    """Tells a progress bar how far the work is."""

    def __call__(self, done: int, total: int) -> None:
        """`done` of `total` units are done."""
        ...


def emit(value: object) -> None:
    """One JSON value on a line of its own, at once."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


def remark(text: str) -> None:
    """A sentence for people, beside the result."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def progress(label: str, *, shown: bool = True) -> Iterator[Advance]:
    """A bar on standard error while the block runs; nothing where that is no terminal or it is not to be shown."""
    if not (shown and sys.stderr.isatty()):
        yield _nothing
        return
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)  # left to itself, the bar would take what is printed to standard output along to standard error
    with Progress(console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _nothing(done: int, total: int) -> None:
    """Where nobody watches."""


def console() -> "Console":
    """Standard output for what is drawn; a pipe is as wide as a wide screen."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """A table for people; nothing but its title and "none" where there are no rows."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    if not rows:
        console().print(Text(f"{title}: none"))
        return
    drawn = Table(title=title, title_justify="left", box=box.SIMPLE)
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*map(Text, row))
    console().print(drawn)
