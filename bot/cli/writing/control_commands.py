"""Which commands the serving bot carries out for others on this machine, and the socket they come in by. Owns that list only."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from bot.app import App
from bot.cli.writing.drills import start_drill, stop_drill
from bot.cli.writing.erasure import erase_content
from bot.cli.writing.incidents import close_incident
from bot.cli.writing.proposals import COMMANDS
from bot.cli.writing.recovery import go_on
from bot.cli.writing.undelivered import revive
from bot.control_socket import Answer, Command, Control, socket_path
from bot.readiness import Readiness
from bot.settings import Settings
from routing.change import Actor
from routing.policy.file import load_policy


@asynccontextmanager
async def listening(app: App, settings: Settings, environment: Mapping[str, str]) -> AsyncIterator[None]:
    """Take commands of this machine's user while it lasts; only on SQLite, where nobody else may write. Raises OSError."""
    if not settings.on_sqlite:
        yield
        return
    load = partial(load_policy, environment=environment)
    commands: dict[str, Command] = {
        "readiness": partial(_readiness, app.readiness),
        "retry": partial(revive, app.database, app.outbox),
        "erase": partial(erase_content, app.database, app.ledger),
        "incident_close": partial(close_incident, app.ledger, app.reads),
        "drill_start": partial(start_drill, app.ledger),
        "drill_stop": partial(stop_drill, app.ledger),
        "recover": partial(go_on, app.signing, app.outbox),
        **{name: partial(command, app.proposing, app.reads, load) for name, command in COMMANDS.items()},
    }
    control = Control(socket_path(settings), commands)
    await control.start()
    try:
        yield
    finally:
        await control.stop()


async def _readiness(readiness: Readiness, _by: Actor, _arguments: Mapping[str, Any]) -> Answer:
    """What `/readyz` says."""
    return (await readiness.standing()).said()
