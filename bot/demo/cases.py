"""The cases of the demonstration, with their times counted from now. Owns the reading of `cases.yml`; the cases are data."""

import re
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

import yaml

from routing.case.submission import moment_text

_FROM_NOW = re.compile(r"now([+-][0-9]+)([mhd])")
_UNIT = {"m": "minutes", "h": "hours", "d": "days"}


def read_cases(now: datetime) -> dict[str, dict[str, Any]]:
    """The cases by their short names, in the order of the file. `now`: aware UTC time."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(files("bot.demo").joinpath("cases.yml").read_bytes())
    return {name: _dated(case, now) for name, case in found.items()}


def _dated(value: Any, now: datetime) -> Any:  # noqa: ANN401  # any JSON value
    match value:
        case dict():
            return {key: _dated(item, now) for key, item in value.items()}
        case list():
            return [_dated(item, now) for item in value]
        case str() if counted := _FROM_NOW.fullmatch(value):
            return moment_text(now + timedelta(**{_UNIT[counted[2]]: int(counted[1])}))
        case _:
            return value
