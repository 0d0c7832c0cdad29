"""Going on after a restored database, as a command asks for it: an operator has looked, and says so in the log."""

import asyncio
from collections.abc import Mapping
from typing import Any

from bot import clock
from bot.cli.files.configuration import settings
from bot.cli.writing.running_bot import DirectStore
from routing.change import Actor
from store.audit.checkpoint_directory import CheckpointDirectory
from store.audit.signed_note import Signer
from store.checkpoint_signing import Signing
from store.deployment import read_deployment
from store.outbox.outbox import Outbox
from store.vault.keys import signing_key
from store.wakeups import Wakeups


async def go_on(signing: Signing, outbox: Outbox, by: Actor, _arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Put the contradicting checkpoint aside and record the recovery. Gives {"recovered"}, False where nothing disagreed."""
    if not await signing.check():
        return {"recovered": False}
    await signing.recover(by, outbox)
    return {"recovered": True}


async def go_on_beside(beside: DirectStore, by: Actor) -> dict[str, Any]:
    """The same on PostgreSQL, beside replicas that serve; they have to be restarted afterwards. Raises KeyUnusable."""
    found = settings()
    deployment = await beside.database.read(read_deployment)
    signer = Signer(f"tierline/{deployment}", await asyncio.to_thread(signing_key, found.signing_key_path, create=False))
    directory = CheckpointDirectory(found.checkpoint_path, [signer.vkey])
    signing = Signing(beside.database, beside.writer, beside.ledger, Wakeups(), directory=directory, signer=signer, clock=clock.now)
    return await go_on(signing, Outbox(beside.database, beside.writer, beside.ledger, "recovery"), by, {})
