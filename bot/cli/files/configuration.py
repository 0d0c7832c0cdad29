"""Settings and the two files, as commands need them. Owns how a command finds them and what stands in for secrets it does not need."""

import base64
import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from bot.settings import Settings
    from store.database.database import Database


def environment() -> dict[str, str]:
    """The environment over `.env`."""
    from bot.settings import read_environment

    return read_environment()


def settings() -> "Settings":
    """The settings of this environment. Raises SettingsError."""
    from bot.settings import read_settings

    return read_settings(environment())


class Supposed(Mapping[str, str]):
    """An environment in which every name is set: those that are not get a well-formed value, and are listed in `unset`.

    For commands that look at a file without using its secrets.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known
        self.unset: dict[str, str] = {}

    def __contains__(self, name: object) -> bool:
        self[str(name)]
        return True

    def __getitem__(self, name: str) -> str:
        if name in self._known:
            return self._known[name]
        made = base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()
        return self.unset.setdefault(name, f"whsec_{made}")

    def __iter__(self) -> Iterator[str]:
        return iter({**self._known, **self.unset})

    def __len__(self) -> int:
        return len({**self._known, **self.unset})


def chosen_file(given: Path | None, variable: str, default: str, hint: str) -> Path:
    """The file named on the command line, else by the environment, else the default. Raises `BadParameter` where it is not there."""
    path = given or Path(environment().get(variable) or default)
    if not path.is_file():
        raise typer.BadParameter(f"{path}: there is no such file. {hint}")
    return path


def _require_file(found: "Settings") -> None:
    """Raise `BadParameter` where the SQLite file is not there: looking at it would make an empty one."""
    file = found.database_file
    if file is not None and not file.exists():
        raise typer.BadParameter(f"{file}: there is no database yet; `tierline serve` makes it (TIERLINE_DATABASE_URL names it)")


@asynccontextmanager
async def reading() -> AsyncIterator[tuple["Settings", "Database"]]:
    """The settings and their database, open for reading only."""
    from store.database.database import Database

    found = settings()
    _require_file(found)
    database = await Database.open(found.database_url.get_secret_value(), serving=False)
    try:
        yield found, database
    finally:
        await database.close()
