"""Playbooks of the policy: who is told, what the service does meanwhile, the ticket, the legal hold; on both databases."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from bot.cli.writing.erasure import erase_content
from bot.sandbox.faults import Fault, Mode
from routing.case.case import Case
from routing.change import Actor
from routing.vocabulary import CallbackKind, EventKind, State, Verdict
from store.integrity.database_check import DatabaseCheck
from store.schema import cases, outbox
from tests.governed import GovernedWorld
from tests.mail_server import a_mail_server
from tests.playbooks import PlaybookWorld
from tests.world import ANNA, BEN, CHIARA, DMITRI, GRACE, HUGO, running
from tests.written import POLICY

OPERATOR = Actor("human", "os:operator")
LEGAL = {"impact": "low", "likelihood": 0.1, "flags": ["legal"]}


@pytest.fixture
async def both(database_url: str, tmp_path: Path) -> AsyncIterator[PlaybookWorld]:
    """A running bot with playbooks, its peers and a ticket system, on either database."""
    async with running(PlaybookWorld(tmp_path, database_url)) as world:
        yield world


@pytest.fixture
async def world(sqlite_url: str, tmp_path: Path) -> AsyncIterator[PlaybookWorld]:
    """The same on SQLite alone, for what the database has no part in."""
    async with running(PlaybookWorld(tmp_path, sqlite_url)) as world:
        yield world


async def opened(world: PlaybookWorld, *flags: str, **more: Any) -> str:
    """A refund with these risk flags, with everything sent."""
    case_id = await world.submit(risk={"impact": "low", "likelihood": 0.1, "flags": list(flags)}, **more)
    await world.drain()
    return case_id


def posted(world: PlaybookWorld, channel: str) -> list[str]:
    """What stands in a channel that is no card of a case."""
    return [one["text"] for one in world.sandbox.slack.messages(channel)]


async def test_everything_is_begun_told_and_ticked_off(both: PlaybookWorld) -> None:
    """At opening: channel and person told, ticket opened, service held, content kept; each step on the card with what came of it."""
    world = both
    case_id = await opened(world, "legal")
    assert await world.steps(case_id) == {
        "wrong-money": {
            "interim hold": "done",
            "legal_hold": "done",
            "tell review-ops": "done",
            f"tell {HUGO}": "done",
            "ticket helpdesk": "done",
        }
    }
    shown = world.text(case_id)
    assert "Playbook wrong-money" in shown
    assert "flag legal" in shown
    assert "Told #review-ops" in shown
    assert "Ticket opened in helpdesk" in shown
    assert "The service was asked to hold" in shown
    assert "Two weeks without a wrong amount." in shown
    assert "A dispute may follow." in shown
    [told] = [one for one in world.sandbox.slack.messages("C0OPS000001") if "with the bank" in one["text"]]
    assert f"<@{GRACE}>" in str(told["blocks"])
    assert "<!subteam^" in str(told["blocks"])
    [ticket] = world.sandbox.tickets.opened.values()
    assert ticket["type"] == "ticket.opened"
    assert ticket["data"]["playbook"] == "wrong-money"
    assert ticket["data"]["case_id"] == case_id
    assert world.heard(case_id) == ["case.held"]
    kinds = [one.kind.value for one in await world.bot.reads.history(case_id)]
    assert kinds.count("playbook_begun") == 1
    assert kinds.count("playbook_step_begun") == kinds.count("playbook_step_done") == 5


@pytest.mark.parametrize(("flags", "interim"), [(["legal"], "hold"), (["medical"], "quarantine"), (["executive"], None), ([], None)])
async def test_whoever_posts_is_answered_what_to_do_meanwhile(world: PlaybookWorld, flags: list[str], interim: str | None) -> None:
    """At once, again under the same id, and when asked, until a verdict that counts lets the action through."""
    case_id = ""
    for status in (202, 200):
        answered, answer = await world.post("case-1", task_id="t-1", risk=LEGAL | {"flags": flags})
        assert (answered, answer["interim"]) == (status, interim)
        case_id = answer["id"]
    await world.drain()
    assert (await world.answer(case_id))["interim"] == interim
    await world.say(GRACE, "pause refunds The amounts are wrong.")
    await world.click(ANNA if world.card(case_id)["channel"] == "C0TIER10001" else CHIARA, "approve", case_id)
    assert (await world.answer(case_id))["interim"] == interim
    await world.drain()
    await world.say(GRACE, "resume refunds Mended.")
    await world.pass_time(seconds=5)
    await world.click(BEN if world.card(case_id)["channel"] == "C0TIER10001" else DMITRI, "approve", case_id)
    await world.drain()
    answer = await world.answer(case_id)
    assert (answer["verdict"], answer["interim"]) == ("approved", None)


async def test_a_case_that_fits_none_is_as_ever(world: PlaybookWorld) -> None:
    """Nothing begins, nothing is said, and its row has no word of it."""
    case_id = await opened(world)
    case = await world.case(case_id)
    assert case.playbooks == ()
    assert '"interim"' not in case.model_dump_json()
    assert world.heard(case_id) == []


@pytest.mark.parametrize(("verb", "ended", "heard"), [("approve", "released", "case.released"), ("reject", "kept", "case.held")])
async def test_the_verdict_ends_the_interim_action(world: PlaybookWorld, verb: str, ended: str, heard: str) -> None:
    """An approval releases, a rejection keeps; the service hears which, and then the verdict."""
    case_id = await opened(world, "legal")
    await world.click(ANNA, verb, case_id)
    if verb == "reject":
        await world.fill_in(ANNA, {"reason": "wrong_amount", "text": "It was 40."})
    await world.drain()
    case = await world.case(case_id)
    assert case.interim is not None
    assert case.interim.ended == ended
    assert world.heard(case_id) == ["case.held", heard, "case.decided"]
    assert world.callbacks(case_id)[1]["interim"] == "hold"
    assert ended in world.text(case_id)
    assert (await world.answer(case_id))["interim"] == ("hold" if ended == "kept" else None)


async def test_held_and_taken_up_again_is_not_released(world: PlaybookWorld) -> None:
    """While the interim action is in force nothing tells the service that it is released, also where the case itself goes on."""
    case_id = await opened(world, "legal")
    await world.pass_time(minutes=80)
    assert (await world.case(case_id)).state is State.HELD
    await world.click(DMITRI, "resume", case_id)
    await world.drain()
    assert (await world.case(case_id)).state is State.PENDING
    assert "case.released" not in world.heard(case_id)
    await world.click(DMITRI, "approve", case_id)
    await world.drain()
    assert world.heard(case_id)[-2:] == ["case.released", "case.decided"]


async def test_kept_back_by_a_pause_it_stays_in_force(both: PlaybookWorld) -> None:
    """A verdict that does not count releases nothing; once it is given afresh, it does."""
    world = both
    case_id = await opened(world, "legal")
    await world.say(GRACE, "pause refunds The amounts are wrong.")
    await world.click(ANNA, "approve", case_id)
    await world.drain()
    case = await world.case(case_id)
    assert case.withheld
    assert case.interim is not None
    assert case.interim.in_force
    await world.say(GRACE, "resume refunds Mended.")
    await world.pass_time(seconds=5)
    assert (await world.case(case_id)).state is State.PENDING
    assert set(world.heard(case_id)) == {"case.held"}
    await world.click(BEN, "approve", case_id)
    await world.drain()
    assert world.heard(case_id)[-2:] == ["case.released", "case.decided"]


async def until_kept_back(world: PlaybookWorld, case_id: str) -> None:
    """The workflow is paused and the courier is at work before the brake is enforced case by case."""
    await world.say(GRACE, "pause refunds The amounts are wrong.")
    answer = await world.answer(case_id)
    assert (answer["state"], answer["verdict"], answer["people"], answer["receipt"]) == ("held", None, [], None)
    await world.bot.courier.drain_once()


async def reviewed_afresh(world: PlaybookWorld, case_id: str) -> None:
    """The pause is enforced and ends, somebody else approves, and everything is sent."""
    await world.pass_time(minutes=2)
    case = await world.case(case_id)
    assert case.withheld
    assert case.interim is not None
    assert case.interim.in_force
    assert world.heard(case_id)[-1] == "case.held"
    assert (await world.answer(case_id))["state"] == "held"
    await world.say(GRACE, "resume refunds Mended.")
    await world.pass_time(seconds=5)
    await world.click(BEN, "approve", case_id)
    await world.drain()
    assert world.heard(case_id)[-2:] == ["case.released", "case.decided"]
    check = DatabaseCheck(world.bot.database, world.bot.vault, [world.bot.vkey])
    assert not (await check.everything()).findings


async def test_a_pause_right_after_the_approval_releases_nothing(both: PlaybookWorld) -> None:
    """Nobody has tried to tell the service: neither the release nor the verdict leaves; after the pause both are given afresh."""
    world = both
    case_id = await opened(world, "legal")
    await world.click(ANNA, "approve", case_id)
    await until_kept_back(world, case_id)
    assert world.heard(case_id) == ["case.held"]
    await reviewed_afresh(world, case_id)
    assert world.heard(case_id) == ["case.held", "case.held", "case.released", "case.decided"]


async def test_a_release_whose_answer_is_lost_when_the_pause_comes(both: PlaybookWorld) -> None:
    """It may have arrived: the verdict stays, the release is not repeated, and the service hears that the case is held."""
    world = both
    case_id = await opened(world, "legal")
    world.lose_answers(1)
    await world.click(ANNA, "approve", case_id)
    await world.bot.signing.tick()
    await world.bot.courier.drain_once()
    assert world.heard(case_id) == ["case.held", "case.released"]
    await until_kept_back(world, case_id)
    await reviewed_afresh(world, case_id)
    assert world.heard(case_id) == ["case.held", "case.released", "case.held", "case.released", "case.decided"]


async def test_a_release_written_by_hand_makes_no_service_act(both: PlaybookWorld) -> None:
    """Whatever event it points at: it stays here, as a verdict that the log does not prove."""
    world = both
    for kind in EventKind.RECEIVED, EventKind.INTERIM_SET, EventKind.PLAYBOOK_BEGUN:
        case_id = await opened(world, "legal")
        [about] = [one.index for one in await world.bot.reads.history(case_id) if one.kind is kind]

        def insert(connection: Connection, _now: object, case_id: str = case_id, about: int = about) -> None:
            held = outbox.c.case_id == case_id, outbox.c.callback == CallbackKind.HELD.value
            row = dict(connection.execute(select(outbox).where(*held)).mappings().one())
            new = {"id": row["id"] + 100_000, "callback": CallbackKind.RELEASED.value, "sequence": 9, "leaf_idx": about, "state": "ready"}
            connection.execute(outbox.insert().values(row | new | {"settled_at": None, "intent_at": None, "not_before": 0}))
            text = connection.execute(select(cases.c.snapshot).where(cases.c.id == case_id)).scalar_one()
            ended = Case.model_validate_json(text).model_copy(update={"interim": None})
            connection.execute(cases.update().where(cases.c.id == case_id).values(snapshot=ended.model_dump_json()))

        await world.bot.writer.write(insert)
        await world.drain()
        assert world.heard(case_id) == ["case.held"]
        assert EventKind.UNPROVEN in [one.kind for one in await world.bot.reads.history(case_id)]


async def test_a_refused_ticket_is_tried_again_under_the_same_id(world: PlaybookWorld) -> None:
    """500 now, taken later: one ticket. The card says that it waits until then."""
    world.sandbox.faults.add(Fault("tickets", "open", Mode.SERVER_ERROR, times=2))
    case_id = await world.submit(risk=LEGAL)
    await world.bot.courier.drain_once()
    assert (await world.steps(case_id))["wrong-money"]["ticket helpdesk"] == "waiting"
    await world.pass_time(minutes=2)
    assert len(world.sandbox.tickets.tries) == 3
    assert len(set(world.sandbox.tickets.tries)) == 1
    assert (await world.steps(case_id))["wrong-money"]["ticket helpdesk"] == "done"


async def test_a_ticket_that_is_gone_fails_and_can_be_sent_again(both: PlaybookWorld) -> None:
    """410 means never again: failed, on the card and in the log; by hand it waits again, and is done."""
    world = both
    world.sandbox.faults.add(Fault("tickets", "open", Mode.SERVER_ERROR, status=410))
    case_id = await opened(world, "legal")
    assert (await world.steps(case_id))["wrong-money"]["ticket helpdesk"] == "failed"
    assert "Ticket in helpdesk: *failed*, answered 410" in world.text(case_id)
    assert "playbook_step_failed" in [one.kind.value for one in await world.bot.reads.history(case_id)]
    [dead] = await world.given_up()
    assert await world.bot.outbox.retry([dead], OPERATOR) == 1
    assert (await world.steps(case_id))["wrong-money"]["ticket helpdesk"] == "waiting"
    await world.drain()
    assert (await world.steps(case_id))["wrong-money"]["ticket helpdesk"] == "done"


async def test_a_page_of_a_playbook(world: PlaybookWorld) -> None:
    """A tier without a pager says so, and everything else is done."""
    case_id = await opened(world, "executive")
    steps = (await world.steps(case_id))["pager"]
    assert steps["page"] == "failed"
    assert "tier 1 has no pager" in world.text(case_id)
    assert steps["tell review-ops"] == "done"


async def test_a_page_of_a_playbook_is_done_once_it_was_taken(world: PlaybookWorld) -> None:
    """It waits while PagerDuty does not answer, and rings once."""
    world.sandbox.faults.add(Fault("pagerduty", "enqueue", Mode.SERVER_ERROR, times=1))
    case_id = await world.submit(risk={"impact": "low", "likelihood": 0.1, "flags": ["executive", "regulated"]})
    await world.bot.courier.drain_once()
    assert (await world.case(case_id)).tier == 1
    assert (await world.steps(case_id))["pager"]["page"] == "waiting"
    await world.pass_time(minutes=2)
    assert (await world.steps(case_id))["pager"]["page"] == "done"
    assert "Whoever is on call was paged" in world.text(case_id)
    assert len(world.sandbox.pagerduty.incidents) == 1


MAILED = "{channel: review-tier1, group: frontline, ack: 15m, decide: 4h, email: [desk@northwind.example]}"


async def a_paging_world(folder: Path, url: str, tier: str, **more: Any) -> PlaybookWorld:
    """A world whose first tier is written so."""
    first = next(line.strip()[2:] for line in POLICY.splitlines() if "channel: review-tier1" in line)
    world = PlaybookWorld(folder, url, **more)
    world.policy = world.policy.replace(first, tier, 1)
    return world


@pytest.mark.parametrize("tier", ["ring", "mail"])
async def test_a_page_waits_until_somebody_is_asked(tmp_path: Path, sqlite_url: str, tier: str) -> None:
    """The service has to supply something first: the step is planned until it has, and then whoever is asked is paged."""
    ring = MAILED.replace("email: [desk@northwind.example]", 'pagerduty: {routing_key: "${PD_SECOND}"}')
    async with a_mail_server() as mail:
        made = await a_paging_world(tmp_path, sqlite_url, ring if tier == "ring" else MAILED, smtp_url=mail.url)
        async with running(made) as world:
            case_id = await opened(world, "executive", request="")
            assert (await world.case(case_id)).state is State.NEEDS_INFO
            assert (await world.steps(case_id))["pager"]["page"] == "planned"
            await world.sandbox.customer.supply_information(case_id, answer="x", case={"request": "I was charged twice."})
            await world.drain()
            assert (await world.steps(case_id))["pager"]["page"] == "done"
            assert (len(world.sandbox.pagerduty.incidents), len(mail.taken)) == ((1, 0) if tier == "ring" else (0, 1))


async def test_a_page_for_what_nobody_is_asked_is_not_needed(tmp_path: Path, sqlite_url: str) -> None:
    """Withdrawn before the service supplied what was missing: the step ends with the case."""
    async with a_mail_server() as mail, running(await a_paging_world(tmp_path, sqlite_url, MAILED, smtp_url=mail.url)) as world:
        case_id = await opened(world, "executive", request="")
        await world.sandbox.customer.withdraw(case_id, "over")
        await world.drain()
        assert (await world.steps(case_id))["pager"]["page"] == "needless"
        assert not mail.taken


async def test_a_mail_that_is_not_needed_ends_its_step(tmp_path: Path, sqlite_url: str) -> None:
    """A tier with e-mail alone: somebody takes the case while the server refuses, so the step does not wait for ever."""
    async with a_mail_server() as mail, running(await a_paging_world(tmp_path, sqlite_url, MAILED, smtp_url=mail.url)) as world:
        mail.answers = {"DATA": "550 no"}
        case_id = await opened(world, "executive")
        assert (await world.steps(case_id))["pager"]["page"] == "waiting"
        await world.click(ANNA, "claim", case_id)
        await world.drain()
        assert (await world.steps(case_id))["pager"]["page"] == "needless"
        assert "somebody had taken the case" in world.text(case_id)


async def test_what_stops_the_line_is_written_to_a_tier_with_email_alone(tmp_path: Path, sqlite_url: str) -> None:
    """At opening, as a tier with a pager is rung."""
    policy = POLICY.replace(
        'pagerduty: {routing_key: "${PD_TIER2}", severity: warning, escalation_policy: PPTIER2A}', "email: [a@b.example]", 1
    )
    assert policy != POLICY
    async with a_mail_server() as mail, running(GovernedWorld(tmp_path, sqlite_url, False, policy=policy, smtp_url=mail.url)) as world:
        await world.submit(risk={"impact": "low", "likelihood": 0.1, "flags": ["prohibited_content"]})
        await world.drain()
        assert len(mail.taken) == 1


async def test_nobody_answered(world: PlaybookWorld) -> None:
    """What waits for an exhausted ladder begins then, once, whatever happens after."""
    case_id = await opened(world)
    await world.pass_time(minutes=50)
    assert (await world.case(case_id)).state is State.HELD
    assert await world.steps(case_id) == {"nobody-came": {f"tell {GRACE}": "done"}}
    await world.click(DMITRI, "resume", case_id)
    await world.pass_time(hours=2)
    assert len((await world.case(case_id)).playbooks) == 1


async def test_a_legal_hold_keeps_the_content(both: PlaybookWorld) -> None:
    """Erasing is refused until whoever is named releases it with a reason; nobody else may."""
    world = both
    case_id = await opened(world, "legal")
    await world.click(ANNA, "approve", case_id)
    await world.drain()
    asked = {"case": case_id, "reason": "request 114"}
    answer = await erase_content(world.bot.database, world.bot.ledger, OPERATOR, asked)
    assert answer["erased"] is False
    assert "legal hold" in str(answer["why"])
    await world.say(HUGO, f"legal-release {case_id} The dispute is over.")
    assert "not among those" in world.told(HUGO)
    await world.say(GRACE, f"legal-release {case_id} The dispute is over.")
    await world.drain()
    assert (await world.case(case_id)).legal_holds == ()
    assert "The dispute is over." in world.thread(case_id)
    assert "Legal hold* by" not in world.text(case_id)
    assert (await erase_content(world.bot.database, world.bot.ledger, OPERATOR, asked))["erased"] is True
    await world.drain()


async def test_people_put_a_legal_hold(world: PlaybookWorld) -> None:
    """A supervisor does, in their own words, and a supervisor releases it; a reviewer may do neither."""
    case_id = await opened(world)
    await world.say(ANNA, f"legal-hold {case_id} I want to.")
    assert (await world.case(case_id)).legal_holds == ()
    await world.say(GRACE, f"legal-hold {case_id} Counsel asked.")
    await world.drain()
    assert "Counsel asked." in world.text(case_id)
    await world.click(ANNA, "approve", case_id)
    await world.drain()
    answer = await erase_content(world.bot.database, world.bot.ledger, OPERATOR, {"case": case_id, "reason": "request 114"})
    assert answer["erased"] is False
    await world.say(HUGO, f"legal-release {case_id} Counsel is done.")
    await world.drain()
    assert (await world.case(case_id)).legal_holds == ()


async def test_a_lost_reply_tells_nobody_twice(world: PlaybookWorld) -> None:
    """Slack posted it and the reply was lost: it is found again, and the step is done."""
    world.sandbox.faults.add(Fault("slack", "chat.postMessage", Mode.DROP_REPLY, times=3))
    case_id = await world.submit(risk=LEGAL)
    await world.pass_time(minutes=2)
    assert set((await world.steps(case_id))["wrong-money"].values()) == {"done"}
    assert len([one for one in posted(world, "C0OPS000001") if "with the bank" in one]) == 1


async def test_a_service_that_withdraws_releases_nothing(world: PlaybookWorld) -> None:
    """Nobody chooses their way out of a quarantine."""
    case_id = await opened(world, "medical")
    await world.sandbox.customer.withdraw(case_id, reason="Not needed.")
    await world.drain()
    case = await world.case(case_id)
    assert case.verdict is Verdict.WITHDRAWN
    assert case.interim is not None
    assert (case.interim.action, case.interim.ended) == ("quarantine", "kept")
    assert world.heard(case_id) == ["case.held", "case.held", "case.decided"]


async def test_what_arises_later_begins_then(world: PlaybookWorld) -> None:
    """Information that brings the flag begins the playbook, once."""
    case_id = await opened(world)
    await world.click(ANNA, "ask", case_id)
    await world.fill_in(ANNA, {"question": "Is there a dispute?"})
    await world.drain()
    await world.sandbox.customer.supply_information(case_id, answer="Yes.", case={"risk": LEGAL})
    await world.drain()
    assert list(await world.steps(case_id)) == ["wrong-money"]
    assert world.heard(case_id) == ["case.information_requested", "case.held"]
    await world.click(CHIARA, "comment", case_id)
