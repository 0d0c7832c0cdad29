"""What was decided of cases like the one that is open: on its card in one line, in its details one by one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import create_async_engine

from bot.cli.writing.erasure import erase_content
from bot.slack.similar_cases import SimilarCases
from routing.case.case import Case
from routing.case.submission import Submission
from routing.change import Actor
from routing.vocabulary import CaseKind
from store.schema import vault
from tests.world import ANNA, BEN, World, listeners_end, running
from tests.written import POLICY


@pytest.fixture
async def quick(tmp_path: Path, sqlite_url: str) -> AsyncIterator[World]:
    """A world on SQLite."""
    async with running(World(tmp_path, sqlite_url, socket_mode=False, policy=POLICY)) as world:
        yield world


def _facts(amount: str, segment: str = "gold") -> dict[str, Any]:
    return {
        "risk": {"impact": "low", "amount": amount, "currency": "EUR", "segment": segment},
        "subject": {"id": f"c-{amount}", "type": "customer"},
        "action": {"type": "refund.create", "params": {"amount": amount}, "reversible": True},
    }


async def _decided(world: World, verb: str, title: str, amount: str, **more: Any) -> str:
    case_id = await world.submit(title=title, **(_facts(amount) | more))
    await world.drain()
    await world.click(BEN, verb, case_id)
    if verb == "reject":
        await world.fill_in(BEN, {"reason": "inaccurate"})
    await world.drain()
    return case_id


async def _similar(world: World, case_id: str) -> str:
    await world.click(ANNA, "open_evidence", case_id)
    form = world.sandbox.slack.open_view(ANNA)
    assert form is not None
    assert (await world.sandbox.slack.click_in_view(ANNA, form["id"], "tierline:open_evidence:similar")).ok
    await listeners_end()
    shown = world.sandbox.slack.open_view(ANNA)
    assert shown is not None
    return str(shown["blocks"])


async def test_how_cases_like_it_ended_and_what_came_of_them(quick: World) -> None:
    """Two approved and one rejected, one found wrong since: on the card in one line; each in the details, nearest first."""
    first = await quick.submit(title="The very first", **_facts("75.00"))
    await quick.drain()
    assert "Decided before" not in quick.text(first)
    assert "No case of this workflow and action has been decided yet." in await _similar(quick, first)
    wrong = await _decided(quick, "approve", "Refund of a lamp", "80.00")
    await _decided(quick, "approve", "Refund of a chair", "82.00")
    await _decided(quick, "reject", "Refund of a table", "81.00")
    await _decided(quick, "approve", "Of another segment and another amount", "900.00", risk={"impact": "high", "amount": "900.00"})
    await quick.sandbox.customer.report_outcome(wrong, "found_wrong")
    await quick.drain()
    asked = await quick.submit(title="Refund of a sofa", **_facts("80.50"))
    await quick.drain()
    assert "*Decided before:* 3 alike: 2 approved, 1 rejected; 1 turned out wrong" in quick.text(asked)
    told = await _similar(quick, asked)
    assert "3 alike: 2 approved, 1 rejected; 1 turned out wrong" in told
    assert "Compared with the last 4 of this workflow and action" in told
    assert "Rejected by Ben" in told
    assert "reason: Inaccurate" in told
    assert "Later it turned out wrong." in told
    assert "another segment" not in told
    assert told.index("Refund of a lamp") < told.index("Refund of a chair")
    before = quick.text(asked)
    await _decided(quick, "reject", "Refund of a bed", "80.00")
    assert quick.text(asked) == before  # what the card says was true when the case came, and is still
    assert "4 alike: 2 approved, 2 rejected" in await _similar(quick, asked)


async def test_what_was_erased_counts_no_longer_and_another_channels_case_has_no_title(quick: World) -> None:
    """Though both had been compared before: the erased one is gone, and of the one that only another channel saw just its end is told."""
    erased = await _decided(quick, "reject", "Refund of a lamp", "80.00")
    elsewhere = await quick.submit(title="Refund of a secret", **_facts("80.00"))
    await quick.drain()
    await quick.click(BEN, "approve", elsewhere)
    await quick.drain()
    asked = await quick.submit(title="Refund of a sofa", **_facts("80.00"))
    await quick.drain()
    told = await _similar(quick, asked)
    assert "2 alike: 1 approved, 1 rejected" in told
    assert "Refund of a lamp" in told
    answer = await erase_content(quick.bot.database, quick.bot.ledger, Actor("human", "os:ops"), {"case": erased, "reason": "request 114"})
    assert answer["erased"]
    await quick.drain()
    told = await _similar(quick, asked)
    assert "1 alike: 1 approved" in told
    assert "Refund of a lamp" not in told
    view = await quick.bot.views.view(asked)
    assert view is not None
    tier = view.rung.model_copy(update={"channel": "seniors-only"})
    route = view.case.route.model_copy(update={"tiers": (tier, *view.case.route.tiers[1:])})
    shown = await quick.bot.views.with_similar(replace(view, case=view.case.model_copy(update={"route": route})))
    assert shown.similar is not None
    assert [(past.title, past.link) for past in shown.similar.nearest] == [("", "")]


async def test_a_check_is_not_told_how_the_case_it_looks_at_ended(quick: World) -> None:
    """What is opened about another case is compared with nothing: that case would be the nearest."""
    case_id = await _decided(quick, "approve", "Refund of a lamp", "80.00")
    view = await quick.bot.views.view(case_id)
    assert view is not None
    check = replace(view, case=view.case.model_copy(update={"kind": CaseKind.CHECK}))
    assert (await quick.bot.views.with_similar(check)).similar is None


async def test_each_past_case_is_read_once_also_one_that_cannot_be_read(quick: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cards drawn at once, and again: what is compared of a case is read by one of them, and one that is damaged is tried no more."""
    whole, broken = [await _decided(quick, "reject", f"Refund of {what}", "80.00") for what in ("a lamp", "a chair")]
    asked = await quick.submit(title="Refund of a sofa", **_facts("80.00"))
    await quick.drain()
    leaf = (await quick.case(broken)).content_at
    engine = create_async_engine(quick.database_url)
    async with engine.begin() as connection:
        await connection.execute(update(vault).where(vault.c.leaf_idx == leaf).values(box=b"nothing of ours"))
    await engine.dispose()
    reads, tried = quick.bot.reads, list[str]()
    contents = reads.contents

    async def counted(ids: Sequence[str]) -> Sequence[tuple[Case, Submission]]:
        tried.extend(ids)
        return await contents(ids)

    monkeypatch.setattr(reads, "contents", counted)
    view = await quick.bot.views.view(asked)
    assert view is not None
    similar = SimilarCases(reads)
    found = [*await asyncio.gather(*(similar.of(view, view.now, 9) for _ in range(3))), await similar.of(view, view.now, 9)]
    assert [(one.compared, one.alike) for one in found] == [(1, 1)] * 4
    assert sorted(tried) == sorted([whole, broken])
