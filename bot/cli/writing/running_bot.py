"""Commands that write: on SQLite the running bot carries them out, on PostgreSQL this process writes beside it. Owns that choice only."""

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from bot import clock
from bot.cli.files.configuration import Supposed, environment, settings
from bot.control_socket import ask, person_of, socket_path
from bot.services import read_services
from routing.change import Actor
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from store.database.database import Database
from store.ledger.ledger import Ledger
from store.ledger.timekeeper import Timekeeper
from store.ledger.writer import Writer
from store.policies import Policies
from store.reads.cases import Reads
from store.vault.keys import vault_key
from store.vault.vault import Vault
from store.wakeups import Wakeups


@dataclass(frozen=True, slots=True)
class DirectStore:
    """What writes to a database that others serve, and reads it. `load` compiles a policy, whatever of its secrets is set here."""

    database: Database
    writer: Writer
    ledger: Ledger
    reads: Reads
    vault: Vault
    load: Callable[[bytes], Policy]


async def carry_out(
    command: str, arguments: Mapping[str, Any], directly: Callable[[DirectStore, Actor], Awaitable[dict[str, Any]]]
) -> dict[str, Any]:
    """Have the bot carry out a command, or do it `directly`, as the system's user.

    Services are told of what it changes for their workflows. Raises NobodyListensError, CommandFailedError, ServicesError.
    """
    found = settings()
    if found.on_sqlite:
        return dict(await ask(socket_path(found), command, arguments))
    database = await Database.open(found.database_url.get_secret_value(), serving=False)
    try:
        vault = Vault(vault_key(found.vault_key_path, create=False))
        timekeeper = Timekeeper(clock.now, clock.steady, by_database=True)
        supposed = Supposed(environment())
        load = partial(load_policy, environment=supposed)
        compiled = Policies(load)
        services = read_services(found.services, supposed).by_workflow
        writer = Writer(database, timekeeper, vault, compiled, Wakeups(), services=services)
        writer.start()
        try:
            reads = Reads(database, vault, compiled)
            return await directly(DirectStore(database, writer, Ledger(writer), reads, vault, load), person_of(os.getuid()))
        finally:
            await writer.close()
    finally:
        await database.close()
