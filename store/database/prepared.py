"""Statements that every transaction asks, as the text of their database, compiled once: SQLAlchemy takes longer to prepare one than SQLite
to answer it. Owns that text and the order of its values; knows no table.

What comes back is what the driver gives: this is for columns of text, whole numbers and bytes, which need nothing done to them.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ClauseElement, Connection, CursorResult, Dialect, bindparam

Made = Callable[[Sequence[BindParameter[Any]]], ClauseElement]


@dataclass(frozen=True, slots=True)
class _Text:
    """A statement as its database has it: the names of its values in order, and those that stand in the statement itself."""

    sql: str
    order: tuple[str, ...]
    fixed: Mapping[str, Any]


class Prepared:
    """One statement."""

    def __init__(self, statement: ClauseElement | Made) -> None:
        """`statement`, or what makes one for a list of any length: it gets a parameter for each of its items."""
        self._make: Made = (lambda _wanted: statement) if isinstance(statement, ClauseElement) else statement
        self._texts: dict[tuple[str, int], _Text] = {}

    def execute(self, connection: Connection, wanted: Collection[Any] = (), **more: object) -> CursorResult[Any]:
        """Execute it for a list and for values by name. Raises what the database raises, as SQLAlchemy has it."""
        values = filled(wanted)
        key = (connection.dialect.name, len(values))
        text = self._texts.get(key) or self._texts.setdefault(key, self._compiled(connection.dialect, len(values)))
        named = {**text.fixed, **more, **{_name(place): value for place, value in enumerate(values)}}
        return connection.exec_driver_sql(text.sql, tuple([named[name] for name in text.order]))

    def _compiled(self, dialect: Dialect, many: int) -> _Text:
        compiled = self._make([bindparam(_name(place)) for place in range(many)]).compile(dialect=dialect)
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        return _Text(str(compiled), tuple(getattr(compiled, "positiontup", None) or ()), fixed)


def filled(values: Collection[Any]) -> list[Any]:
    """A list filled up to a power of two, so that few statements have to be prepared."""
    wanted = list(values)
    return wanted + wanted[-1:] * ((1 << (len(wanted) - 1).bit_length()) - len(wanted)) if wanted else wanted


def _name(place: int) -> str:
    return f"wanted_{place}"
