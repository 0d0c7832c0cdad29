"""What every test may ask for: a database on either engine, and a browser.

Never skips where REQUIRE_ALL_TESTS is set, as `.ci/run` does: what is missing there fails.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings
from playwright.async_api import Browser, async_playwright

from store.database.database import Database
from tests.postgres import Postgres, PostgresUnavailable, running_postgres

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

BROWSER_S = 60
"""How long a browser may take to start and to end, in real seconds."""

WORLDS = {"cli", "examples", "promises", "sandbox", "scenarios"}
"""Folders whose tests start servers or processes. The others are fast where they ask for nothing `OUTSIDE` of Python."""

OUTSIDE = {"postgres", "browser", "empty_sqlite_url", "database_url", "empty_database_url"}
"""Fixtures behind every database, server and browser; the others that tests ask for are made of these. What else goes outside of Python is
marked `outside`.
"""

OUTWARD = frozenset({"socket.bind", "subprocess.Popen", "sqlite3.connect"})
"""What no `fast` test may do. Names of Python's own audit events: https://docs.python.org/3/library/audit_events.html"""

running = list[str]()
"""The `fast` test that runs, if one does."""

LONG_FIRST = ("promises", "cli", "scenarios")
"""Folders with the longest tests."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--full`: promises at their full size."""
    parser.addoption("--full", action="store_true", help="keep every promise at its full size")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is `fast`, and put first what takes long, so that in the end no worker is alone with it."""
    for item in items:
        inside = WORLDS.isdisjoint(_folders(item)) and OUTSIDE.isdisjoint(getattr(item, "fixturenames", ()))
        if inside and item.get_closest_marker("outside") is None:
            item.add_marker("fast")
    items.sort(key=lambda item: next((rank for rank, name in enumerate(LONG_FIRST) if name in _folders(item)), len(LONG_FIRST)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Hold what is marked `fast` to it, its fixtures too."""
    with _watched(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """The same for the test itself; what ends after it may be the server of others."""
    with _watched(item):
        return (yield)


@contextmanager
def _watched(item: pytest.Item) -> Iterator[None]:
    running[:] = [item.nodeid] if item.get_closest_marker("fast") else []
    try:
        yield
    finally:
        running.clear()


def _stay_inside(event: str, _arguments: object) -> None:
    if running and event in OUTWARD:
        raise RuntimeError(f"{event}: {running[0]} goes outside of Python, so it has to be marked `outside`")


def _folders(item: pytest.Item) -> list[str]:
    return item.nodeid.partition("::")[0].split("/")[:-1]


def pytest_configure(config: pytest.Config) -> None:
    """Generated examples are the same in every run, bounded by number and not by time; with `--full` they are new ones."""
    sys.addaudithook(_stay_inside)
    settings.register_profile("same", deadline=None, derandomize=True)
    settings.register_profile("full", deadline=None, max_examples=1_000, print_blob=True)
    settings.load_profile("full" if config.getoption("--full") else "same")


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    """Whether promises are to be kept at their full size."""
    return bool(request.config.getoption("--full"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The one PostgreSQL of this worker: each new database has the schema already, migrated once by the program itself."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running_postgres())
        except PostgresUnavailable as error:
            _missing(f"PostgreSQL does not start here: {error}")
        template = server.create()
        migrate(server.url(template))
        server.template = template
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema, migrated once by the program itself."""
    path = tmp_path_factory.mktemp("template") / "tierline.db"
    migrate(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """A fresh PostgreSQL database that has the schema and nothing else."""
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
def sqlite_url(sqlite_template: Path, empty_sqlite_url: str) -> str:
    """A fresh SQLite file that has the schema and nothing else."""
    shutil.copy(sqlite_template, sqlite_path(empty_sqlite_url))
    return empty_sqlite_url


@pytest.fixture
def empty_postgres_url(postgres: Postgres) -> Iterator[str]:
    """A fresh PostgreSQL database without any schema, for tests of what makes it."""
    name = postgres.create("template0")
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """A SQLite file that is not there yet (`:memory:` would share one connection)."""
    return f"sqlite+aiosqlite:///{tmp_path / 'tierline.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The same test on both engines."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """The same test on both engines, from nothing."""
    return str(request.getfixturevalue("empty_sqlite_url" if request.param == "sqlite" else "empty_postgres_url"))


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium, the one that is installed here."""
    executable = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if executable is None:
        _missing("no Chromium on PATH")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, headless=True, args=CHROMIUM_FLAGS, timeout=BROWSER_S * 1000)
        yield browser
        async with asyncio.timeout(BROWSER_S):
            await browser.close()


def sqlite_path(url: str) -> Path:
    """The file behind a URL of SQLite."""
    return Path(url.removeprefix("sqlite+aiosqlite:///"))


def migrate(url: str) -> None:
    """Open a database as the program does when it starts; in a thread, because a test's loop may be running."""

    async def open_once() -> None:
        await (await Database.open(url)).close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, open_once()).result()


def _missing(reason: str) -> NoReturn:
    if os.environ.get("REQUIRE_ALL_TESTS"):
        pytest.fail(reason)
    pytest.skip(reason)
