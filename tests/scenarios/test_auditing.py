"""What the log says of all that happens, and what is left of a case whose content was erased."""

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from bot.cli.completeness import incompleteness, newest_completeness
from bot.cli.writing.erasure import erase_content
from bot.sandbox.faults import Fault, Mode
from routing.change import Actor
from store.audit.export import export
from store.audit.verify import Verified, verify_export, verify_receipt
from store.schema import case_keys, leaves, vault
from tests.world import ANNA, BEN, CHIARA, DMITRI, World, a_world

OPERATOR = Actor("human", "os:operator")


@pytest.fixture
async def quiet_world(sqlite_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """One database and one way into Slack: what a leaf says depends on neither."""
    async with a_world(tmp_path, sqlite_url) as world:
        yield world


async def _erase(world: World, case_id: str, **more: object) -> dict[str, object]:
    answer = await erase_content(world.bot.database, world.bot.ledger, OPERATOR, {"case": case_id, "reason": "request 114", **more})
    await world.drain()
    return answer


async def test_every_event_is_complete(quiet_world: World, tmp_path: Path) -> None:
    """Stories with people, clocks, pages, questions, changes, outcomes: each event says all that is declared for it, here and exported."""
    world = quiet_world
    asked, changed, paged, withdrawn, refused = [await world.submit(), *[await world.submit(workflow="payouts") for _ in range(4)]]
    await world.submit(workflow="summaries")
    await world.drain()
    await world.click(ANNA, "comment", asked)
    await world.fill_in(ANNA, {"text": "Looks odd."})
    await world.click(ANNA, "claim", asked)
    await world.drain()
    await world.click(ANNA, "unclaim", asked)
    await world.drain()
    await world.click(ANNA, "open_evidence", asked)
    await world.click(ANNA, "ask", asked)
    await world.fill_in(ANNA, {"question": "Which card?"})
    await world.sandbox.customer.supply_information(asked, answer="The one ending in 17.")
    await world.drain()
    await world.click(BEN, "approve", asked)
    await world.click(ANNA, "modify", changed)
    await world.fill_in(ANNA, {"param:/amount": "60.00", "reason": "wrong_amount"})
    await world.fill_in(ANNA, {"reason": "wrong_amount"})
    await world.drain()
    await world.click(BEN, "approve", changed)
    await world.click(DMITRI, "approve", refused)
    await world.click(ANNA, "escalate", refused)
    await world.fill_in(ANNA, {"reason": "needs_specialist"})
    await world.sandbox.customer.withdraw(withdrawn, "The customer hung up.")
    await world.drain()
    await world.click(CHIARA, "roll_back", changed)
    await world.fill_in(CHIARA, {"reason": "wrong_amount", "text": "Refunded by phone."})
    await world.drain()
    [undo] = (await world.case(changed)).children
    await world.click(BEN, "approve", undo)
    await world.sandbox.customer.report_outcome(asked, "executed", executed_action_sha256="0" * 64)
    await world.pass_time(minutes=15)
    incident = world.sandbox.pagerduty.incidents[0]
    await world.sandbox.pagerduty.acknowledge(incident.id, "PDMITRI1")
    await world.pass_time(hours=5)
    await world.click(CHIARA, "resume", paged)
    await world.drain()
    await world.click(CHIARA, "reject", paged)
    await world.fill_in(CHIARA, {"reason": "unsure"})
    await world.drain()
    await _erase(world, withdrawn)
    kinds = set(await world.bot.database.read(lambda connection: connection.execute(select(leaves.c.kind)).scalars().all()))
    assert {"approved", "modified", "escalated", "held", "paged", "rollback_requested", "execution_alarm", "content_erased"} <= kinds
    found = await world.bot.database.read(newest_completeness)
    assert found.incomplete == ()
    assert found.percent == 100.0
    await export(world.bot.database, tmp_path / "export", [world.bot.vkey])
    assert verify_export(tmp_path / "export", examine=incompleteness).remarks == ()


async def test_erased_means_gone(world: World, tmp_path: Path) -> None:
    """Words, keys and salts are gone from Slack and the database; verdict, people and hash stay; every proof holds; twice is told."""
    case_id = await world.submit(title="Refund for Zwetschge")
    await world.drain()
    await world.click(CHIARA, "comment", case_id)
    await world.fill_in(CHIARA, {"text": "Zwetschge called me."})
    await world.click(ANNA, "approve", case_id)
    await world.drain()
    assert "Zwetschge" in world.text(case_id)
    assert "Zwetschge" in world.thread(case_id)
    answer = await _erase(world, case_id)
    assert answer["erased"] is True
    card = world.text(case_id)
    assert "Zwetschge" not in card + world.thread(case_id) + world.card(case_id)["text"]
    case = await world.case(case_id)
    for left in ("Content erased", case_id, "Approved", "Anna", case.action_sha256[:12], "operator"):
        assert left in card
    assert world.buttons(case_id) == []
    assert await world.bot.reads.content(case_id) is None
    _, read = await world.sandbox.customer.get(f"/v1/cases/{case_id}")
    assert (read["verdict"], read["action"]["params"], read["receipt"]["openings"]) == ("approved", None, {})
    assert "Zwetschge" not in json.dumps(read)
    assert isinstance(verify_receipt(read["receipt"], str(world.bot.vkey)), Verified)
    await world.sandbox.slack.command(ANNA, "review-tier1", "/review", f"case {case_id}")
    assert "Content erased" in world.told(ANNA)
    await export(world.bot.database, tmp_path / "export", [world.bot.vkey])
    assert verify_export(tmp_path / "export").problems == ()
    again = await _erase(world, case_id)
    assert again == {"erased": False, "case": case_id, "why": "The content of this case has already been erased."}


async def test_nothing_is_kept_after_erasing(world: World) -> None:
    """An outcome reported later is recorded and shown, without the words that came with it."""
    case_id = await world.submit()
    await world.drain()
    await world.click(ANNA, "approve", case_id)
    await world.drain()
    await _erase(world, case_id)
    status, _ = await world.sandbox.customer.report_outcome(case_id, "executed", detail="Zwetschge was paid.")
    await world.drain()
    assert status == 200
    assert "Executed" in world.text(case_id)
    assert "Executed" in world.thread(case_id)
    assert "Zwetschge" not in world.text(case_id) + world.thread(case_id)
    assert await world.bot.database.read(lambda connection: connection.execute(select(vault)).all()) == []


async def test_an_open_case_and_an_untold_service_keep_their_content(world: World) -> None:
    """What somebody still has to read is not erased: an open case, or a decision its service was not told of, until that is given up."""
    case_id = await world.submit()
    await world.drain()
    assert "still open" in str((await _erase(world, case_id))["why"])
    world.sandbox.faults.add(Fault("customer", "callback", Mode.SERVER_ERROR, times=None))
    assert (await world.click(ANNA, "approve", case_id)).ok
    assert not (await world.case(case_id)).open, world.told(ANNA)
    assert "not delivered" in str((await _erase(world, case_id, give_up_callbacks=True))["why"])
    await world.pass_time(hours=80)
    assert "not delivered" in str((await _erase(world, case_id))["why"])
    assert await world.bot.reads.content(case_id) is not None
    assert (await _erase(world, case_id, give_up_callbacks=True))["erased"] is True
    assert "no case" in str((await _erase(world, "c_01m7wd7tg00w3ge1r70w3ge1r7"))["why"])


def _secrets(connection: Connection, case_id: str) -> list[bytes]:
    boxes = connection.execute(select(vault.c.root_salt, vault.c.box).where(vault.c.case_id == case_id)).all()
    wrapped = connection.execute(select(case_keys.c.wrapped).where(case_keys.c.case_id == case_id)).scalars().all()
    return [value for row in boxes for value in row] + list(wrapped)


async def test_no_byte_of_it_is_left_in_the_files(quiet_world: World, tmp_path: Path) -> None:
    """SQLite keeps nothing in its file, its journal or an export: neither the words, nor what they were encrypted to, nor the key."""
    world = quiet_world
    every: list[str] = []
    for _ in range(5):  # so that the tables have grown over many pages
        every += await asyncio.gather(*(world.submit(workflow="summaries", request="Zwetschge " * 900) for _ in range(12)))
        await world.drain()
    ids = every[::2]
    secrets = [secret for case_id in ids for secret in await world.bot.database.read(partial(_secrets, case_id=case_id))]
    assert len(secrets) == len(ids) * 3
    assert any(secrets[0] in file.read_bytes() for file in _files(tmp_path)), "the search would prove nothing"
    for case_id in ids:
        assert (await _erase(world, case_id))["gone_from_disk"] is True
    await export(world.bot.database, tmp_path / "export", [world.bot.vkey])
    left = [file.name for file in _files(tmp_path) for secret in [b"Zwetschge", *secrets] if secret in file.read_bytes()]
    assert left == []


def _files(folder: Path) -> list[Path]:
    """All but the service's own notes."""
    return [path for path in folder.rglob("*") if path.is_file() and path.name != "kit.db"]
