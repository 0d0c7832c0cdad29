"""PagerDuty refuses a page, or is gone: it goes out another way, each hop on record, and nobody is rung twice for what is over."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from bot.sandbox.faults import Fault, Mode
from routing.case.case import Case
from routing.vocabulary import PageRoute
from tests.mail_server import MailServer, a_mail_server
from tests.world import DMITRI, World, running
from tests.written import POLICY

OPERATIONS, TIER2 = "review-ops", "review-tier2"
TITLE = "Refund for Jane Roe\r\nBcc: everybody@evil.example"
FIRST = 'pagerduty: {routing_key: "${PD_TIER2}", severity: warning, escalation_policy: PPTIER2A}}'
SECOND = FIRST.replace("severity: warning", 'second_key: "${PD_SECOND}", severity: warning')
MAIL = SECOND[:-1] + ", email: [duty@northwind.example, head@northwind.example]}"
BAD = "c0ffee00000000000000000000000bad"
PATIENT = POLICY.replace("ack: 15m, decide: 30m", "ack: 4h, decide: 9h")
ROUTED = PATIENT.replace(FIRST, MAIL)
assert POLICY != PATIENT != ROUTED


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    """The mail server."""
    async with a_mail_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
async def routed(request: pytest.FixtureRequest, tmp_path: Path, mail: MailServer) -> AsyncIterator[World]:
    """A world whose second tier has a second key and two addresses."""
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    async with running(World(tmp_path, url, socket_mode=False, policy=ROUTED, smtp_url=mail.url)) as world:
        yield world


@pytest.fixture
async def routed_sqlite(tmp_path: Path, sqlite_url: str, mail: MailServer) -> AsyncIterator[World]:
    """The same on SQLite alone."""
    async with running(World(tmp_path, sqlite_url, socket_mode=False, policy=ROUTED, smtp_url=mail.url)) as world:
        yield world


async def paged(world: World, **more: str) -> str:
    """A case that nobody took at the first tier, so that the second is paged this very moment."""
    case_id = await world.submit(**more)
    await world.pass_time(minutes=15)
    return case_id


async def kinds(world: World, case_id: str) -> list[str]:
    """What happened, by kind."""
    return [one.kind.value for one in await world.bot.reads.history(case_id)]


async def paged_at(world: World, case_id: str) -> datetime:
    """When the case was paged first."""
    return next(one.at for one in await world.bot.reads.history(case_id) if one.kind.value == "paged")


def sent_at(letter: EmailMessage) -> datetime:
    """When a mail was written."""
    return parsedate_to_datetime(str(letter["Date"]))


def gone(world: World) -> Fault:
    """PagerDuty is not there any more."""
    return world.sandbox.faults.add(Fault("pagerduty", "*", Mode.UNREACHABLE, times=None))


def refusing(world: World, status: int) -> Fault:
    """PagerDuty refuses whatever comes."""
    return world.sandbox.faults.add(Fault("pagerduty", "enqueue", Mode.SERVER_ERROR, status=status, times=None))


def alarms(world: World) -> list[str]:
    """What stands in the operations channel, oldest first."""
    [channel] = [one.id for one in world.sandbox.config.slack.channels if one.name == OPERATIONS]
    return [str(message["blocks"]) for message in world.sandbox.slack.messages(channel) if "page" in str(message["text"]).lower()]


def page_of(case: Case) -> tuple[tuple[PageRoute, ...], tuple[PageRoute, ...]]:
    """The routes that the one page of the case was given to, and those that took it."""
    [page] = case.pages
    return page.routes, page.accepted


async def test_a_page_that_pagerduty_takes_goes_no_other_way(routed: World, mail: MailServer) -> None:
    """Accepted, so on record, and nothing else follows, however long nobody answers."""
    case_id = await paged(routed)
    await routed.pass_time(minutes=10)
    assert page_of(await routed.case(case_id)) == ((PageRoute.PAGERDUTY,), (PageRoute.PAGERDUTY,))
    assert "page_accepted" in await kinds(routed, case_id)
    assert not mail.taken
    assert not alarms(routed)


async def test_gone_for_five_minutes(routed: World, mail: MailServer) -> None:
    """Both keys are PagerDuty's, so a mail goes out within the minute, operations are told, and PagerDuty still gets the page once."""
    away = gone(routed)
    case_id = await paged(routed, title=TITLE)
    await routed.pass_time(minutes=6)
    [letter] = mail.taken
    assert timedelta(minutes=5) <= sent_at(letter) - await paged_at(routed, case_id) <= timedelta(minutes=5, seconds=30)
    assert mail.recipients == [["duty@northwind.example", "head@northwind.example"]]
    assert "Jane" not in str(letter)
    assert "evil" not in str(letter)
    assert routed.card(case_id)["ts"].replace(".", "") in mail.texts[0]
    events = await kinds(routed, case_id)
    assert events.count("page_not_accepted") == 2
    [alarm] = alarms(routed)
    assert "taken by e-mail" in alarm
    assert "goes out by e-mail" in routed.thread(case_id)

    routed.sandbox.faults.remove(away)
    await routed.pass_time(minutes=1)
    keys = [one.key for one in routed.sandbox.pagerduty.incidents]
    assert len(keys) == len(set(keys)) == 2
    await routed.pass_time(minutes=1)
    assert "No page waits" in alarms(routed)[0]
    await routed.click(DMITRI, "approve", case_id)
    await routed.drain()
    assert {one.status for one in routed.sandbox.pagerduty.incidents} == {"resolved"}
    assert len(mail.taken) == 1


@pytest.mark.parametrize("status", [400, 403, 410])
async def test_refused_goes_out_another_way_at_once(routed_sqlite: World, mail: MailServer, status: int) -> None:
    """Whatever PagerDuty calls it; and as soon as it takes pages again it has it, within a minute."""
    world = routed_sqlite
    refuses = refusing(world, status)
    case_id = await paged(world)
    assert len(mail.taken) == 1
    [alarm] = alarms(world)
    assert f"HTTP {status}" in alarm
    history = [one for one in await world.bot.reads.history(case_id) if one.kind.value == "page_not_accepted"]
    assert [(one.fields["routes"], one.fields["cause"], one.fields["next"]) for one in history] == [
        (["pagerduty"], f"HTTP {status}", "second_key"),
        (["second_key"], f"HTTP {status}", "email"),
    ]
    world.sandbox.faults.remove(refuses)
    await world.pass_time(seconds=45)
    assert {one.key.count("/second") for one in world.sandbox.pagerduty.incidents} == {0, 1}


async def test_a_wrong_key_is_the_second_ones_turn(tmp_path: Path, sqlite_url: str, mail: MailServer) -> None:
    """PagerDuty is there and does not know the first key: whoever stands behind the second is rung, and may acknowledge."""
    policy = ROUTED.replace("${PD_TIER2}", BAD)
    async with running(World(tmp_path, sqlite_url, socket_mode=False, policy=policy, smtp_url=mail.url)) as world:
        case_id = await paged(world)
        [incident] = world.sandbox.pagerduty.incidents
        assert incident.key.endswith("/2/1/second")
        assert incident.service.name == "Review experts"
        assert not mail.taken
        await world.sandbox.pagerduty.acknowledge(incident.id, "PDMITRI1")
        await world.drain()
        assert (await world.case(case_id)).acknowledged_by == "pagerduty:PDMITRI1"
        await world.pass_time(minutes=6)
        assert not mail.taken
        await world.click(DMITRI, "approve", case_id)
        await world.drain()
        assert [one.status for one in world.sandbox.pagerduty.incidents] == ["resolved"]


async def test_what_is_decided_meanwhile_is_paged_nowhere(routed: World, mail: MailServer) -> None:
    """Resolved by hand while a retry is out: no trigger, no mail, no incident."""
    away = gone(routed)
    case_id = await paged(routed)
    await routed.click(DMITRI, "approve", case_id)
    await routed.pass_time(minutes=10)
    routed.sandbox.faults.remove(away)
    await routed.pass_time(minutes=2)
    assert not mail.taken
    assert not routed.sandbox.pagerduty.incidents
    assert not alarms(routed)


async def test_taken_here_while_it_is_on_its_way(routed: World, mail: MailServer) -> None:
    """Somebody claimed the case: whoever else the page would have reached can sleep on."""
    gone(routed)
    case_id = await paged(routed)
    await routed.click(DMITRI, "claim", case_id)
    await routed.pass_time(minutes=10)
    assert not mail.taken
    assert not alarms(routed)


@pytest.mark.parametrize("answers", [{"MAIL": "550 not you"}, {"DATA": "421 closing"}])
async def test_all_routes_gone_is_said_again_and_again(routed_sqlite: World, mail: MailServer, answers: dict[str, str]) -> None:
    """Nobody has the page but Slack: the alarm says so, is repeated, and `/readyz` says it; the mail comes when the server takes it."""
    world = routed_sqlite
    gone(world)
    mail.answers = answers
    case_id = await paged(world)
    await world.pass_time(minutes=6)
    [alarm] = alarms(world)
    assert "nobody has it" in alarm
    assert case_id in alarm
    standing = await world.bot.readiness.standing()
    assert not standing.obstacles
    assert any("reached nobody" in one.sentence for one in standing.attention)
    mail.answers = {}
    await world.pass_time(minutes=16)
    assert len(mail.taken) == 1
    assert "taken by e-mail" in alarms(world)[-1]


async def test_the_alarm_is_repeated_while_nobody_has_it(tmp_path: Path, sqlite_url: str) -> None:
    """Every quarter of an hour, and what stood before points to it."""
    async with running(World(tmp_path, sqlite_url, socket_mode=False, policy=PATIENT)) as world:
        gone(world)
        await paged(world)
        await world.pass_time(minutes=36)
        posted = alarms(world)
        assert len(posted) == 3
        assert ["nobody has it" in one for one in posted] == [False, False, True]


async def test_without_a_mail_server_it_is_said(tmp_path: Path, sqlite_url: str) -> None:
    """Addresses without TIERLINE_SMTP_URL are no route: operations are told at once, and `/readyz` says so from the start."""
    async with running(World(tmp_path, sqlite_url, socket_mode=False, policy=ROUTED)) as world:
        said = [one.sentence for one in (await world.bot.readiness.standing()).attention]
        assert any("TIERLINE_SMTP_URL is not set" in one for one in said)
        refusing(world, 403)
        await paged(world)
        await world.drain()
        [alarm] = alarms(world)
        assert "nobody has it" in alarm


async def test_one_address_of_two_is_unknown(routed_sqlite: World, mail: MailServer) -> None:
    """The other one has the mail, and the log says how many had it."""
    mail.unknown = {"duty@northwind.example"}
    refusing(routed_sqlite, 400)
    case_id = await paged(routed_sqlite)
    assert mail.recipients == [["head@northwind.example"]]
    [taken] = [one for one in await routed_sqlite.bot.reads.history(case_id) if one.kind.value == "page_accepted"]
    assert (taken.fields["addresses"], taken.fields["refused"], taken.opened["to"]) == (1, 1, ["head@northwind.example"])
    assert "head@" not in str(taken.fields)


async def test_a_mail_whose_reply_is_lost_comes_again_under_its_id(routed_sqlite: World, mail: MailServer) -> None:
    """One too many is better than none; mail systems know by the id that it is the same."""
    mail.hangs_up = True
    refusing(routed_sqlite, 400)
    await paged(routed_sqlite)
    mail.hangs_up = False
    await routed_sqlite.pass_time(minutes=1)
    assert len(mail.taken) >= 2
    assert len({one["Message-ID"] for one in mail.taken}) == 1


async def test_a_restart_in_the_middle(routed: World, mail: MailServer) -> None:
    """The patience of a page runs on, and each route is taken once."""
    away = gone(routed)
    await paged(routed)
    await routed.pass_time(minutes=3)
    await routed.restart()
    await routed.pass_time(minutes=2, seconds=40)
    assert len(mail.taken) == 1
    await routed.restart()
    routed.sandbox.faults.remove(away)
    await routed.pass_time(minutes=2)
    assert len(mail.taken) == 1
    assert sorted(one.key.count("/second") for one in routed.sandbox.pagerduty.incidents) == [0, 1]


async def test_a_page_about_an_alert_that_is_refused_is_said_where_the_alert_stands(tmp_path: Path, sqlite_url: str) -> None:
    """Operations and owners read that nobody is rung, until PagerDuty takes the page after all."""
    async with running(World(tmp_path, sqlite_url, socket_mode=False, policy=POLICY)) as world:
        refuses = refusing(world, 403)
        await world.submit(risk={"impact": "low", "likelihood": 0.1, "recoverability": "easy", "flags": ["prohibited_content"]})
        await world.drain()
        [alert] = (await world.bot.reads.governance()).alerts
        assert alert.unpaged == "HTTP 403"
        assert any("nobody is rung" in one for one in everything(world, OPERATIONS))
        world.sandbox.faults.remove(refuses)
        await world.pass_time(minutes=1)
        assert not any("nobody is rung" in one for one in everything(world, OPERATIONS))
        assert [one.service.name for one in world.sandbox.pagerduty.incidents if one.key.split("/")[1] == alert.id] == ["Duty manager"]


@pytest.mark.parametrize(("verb", "status"), [("claim", "acknowledged"), ("approve", "resolved")])
async def test_what_follows_a_page_is_not_given_up_either(routed_sqlite: World, verb: str, status: str) -> None:
    """Refused when somebody takes or decides the case: within a minute of the mending nobody is rung for it any more."""
    case_id = await paged(routed_sqlite)
    refuses = refusing(routed_sqlite, 403)
    await routed_sqlite.click(DMITRI, verb, case_id)
    await routed_sqlite.pass_time(minutes=20)
    assert [one.status for one in routed_sqlite.sandbox.pagerduty.incidents] == ["triggered"]
    routed_sqlite.sandbox.faults.remove(refuses)
    await routed_sqlite.pass_time(minutes=1)
    assert [one.status for one in routed_sqlite.sandbox.pagerduty.incidents] == [status]


def everything(world: World, name: str) -> list[str]:
    """All messages of a channel."""
    [channel] = [one.id for one in world.sandbox.config.slack.channels if one.name == name]
    return [str(message["blocks"]) for message in world.sandbox.slack.messages(channel)]


@pytest.mark.parametrize("status", [200, 302, 503])
async def test_an_answer_that_is_none_counts_as_unclear(routed_sqlite: World, mail: MailServer, status: int) -> None:
    """Neither accepted nor refused, whatever the body says: after five minutes the page is written by mail."""
    refusing(routed_sqlite, status)
    case_id = await paged(routed_sqlite)
    assert not mail.taken
    await routed_sqlite.pass_time(minutes=6)
    [letter] = mail.taken
    assert timedelta(minutes=5) <= sent_at(letter) - await paged_at(routed_sqlite, case_id) <= timedelta(minutes=6)
