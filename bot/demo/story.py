"""The story of the demonstration, played without hands: people press, PagerDuty rings, the service executes. Owns the order of its chapters
and the end: the audit log. What was seen is the sandbox's word (`bot.demo.observer`), never the bot's.
"""

from collections.abc import Awaitable, Callable

from bot.demo.chapters import escalating, governing, reviewing
from bot.demo.scene import Scene
from store.audit.export import export
from store.audit.signed_note import VerifierKey
from store.audit.tiles import is_tile_path
from store.audit.verify import verify_export
from store.database.database import Database

PATIENCE_S = 30.0
"""How long the story waits for one step."""

Chapter = Callable[[Scene], Awaitable[None]]


async def audited(scene: Scene) -> None:
    """Everything that happened, exported and verified without the bot."""
    see, stage = scene.see, scene.stage
    scene.chapter("The audit log")
    directory = stage.directory / "export"
    database = await Database.open(stage.settings.database_url.get_secret_value(), serving=False)
    try:
        await export(database, directory, [VerifierKey.parse(stage.vkey)])
    finally:
        await database.close()
    report = verify_export(directory, trusted_vkey=stage.vkey)
    receipts = [one.data["receipt"]["index"] for one in scene.service.executed]
    await see(f"an export of {report.events} events verifies, offline", lambda: report.ok)
    await see("every receipt the service holds is about one of them", lambda: max(receipts) < report.events)
    entries = next(path for path in sorted(directory.rglob("*")) if is_tile_path(str(path.relative_to(directory)), report.events))
    changed = bytearray(entries.read_bytes())
    changed[-1] ^= 1
    entries.write_bytes(changed)
    await see("with one bit changed it does not", lambda: not verify_export(directory, trusted_vkey=stage.vkey).ok)
    await see("the service refused no callback", lambda: scene.service.refused == 0)


CHAPTERS: tuple[Chapter, ...] = (
    reviewing.approved,
    reviewing.climbed,
    escalating.refused_page,
    escalating.closed_office,
    reviewing.rejected,
    reviewing.requester_refused,
    reviewing.modified,
    reviewing.corrected,
    governing.broken,
    reviewing.by_two_people,
    reviewing.failed_item,
    reviewing.asked,
    reviewing.source_missing,
    reviewing.tied,
    reviewing.automatic,
    governing.excepted,
    reviewing.checked,
    governing.paused,
    governing.quarantined,
    governing.playbook,
    escalating.executive,
    escalating.written_up,
    escalating.alone,
    governing.line_stopped,
    governing.policy_changed,
    escalating.learned,
    governing.policy_rolled_back,
    escalating.drilled,
    escalating.silent,
    audited,
)


async def play(scene: Scene) -> None:
    """All of it. Raises MissingError naming the first step that the sandbox's ledgers did not see."""
    for chapter in CHAPTERS:
        await chapter(scene)
