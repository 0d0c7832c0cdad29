"""Brings a database to this program's schema. Owns the question "older, current or newer"; never touches a database that is newer."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


class NewerSchemaError(RuntimeError):
    """The database was written by a newer version of this program. Start that version, or restore the backup made before the upgrade."""


class OlderSchemaError(RuntimeError):
    """The database has the schema of an older version. `tierline db upgrade` or `tierline serve` brings it up to date."""


class NoSchemaError(OlderSchemaError):
    """The database is empty. `tierline serve` makes its tables."""


def upgrade(connection: Connection) -> None:
    """Apply the revisions that are missing, within the connection's transaction. Raises NewerSchemaError."""
    config = _config(connection)
    if _current(connection) not in _known(config):
        raise NewerSchemaError(NewerSchemaError.__doc__)
    command.upgrade(config, "head")


def check(connection: Connection) -> None:
    """Raises NewerSchemaError, OlderSchemaError or NoSchemaError unless the database has exactly this program's schema."""
    config = _config(connection)
    current = _current(connection)
    if current not in _known(config):
        raise NewerSchemaError(NewerSchemaError.__doc__)
    if current is None:
        raise NoSchemaError(NoSchemaError.__doc__)
    if current != ScriptDirectory.from_config(config).get_current_head():
        raise OlderSchemaError(OlderSchemaError.__doc__)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", "store:migrations")
    config.attributes["connection"] = connection
    return config


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _known(config: Config) -> set[str | None]:
    return {None, *(revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions())}
