"""The sandbox's mail server and monitor: what comes in is kept as it was sent, and what goes wrong on demand goes wrong."""

import asyncio
from collections.abc import AsyncIterator
from email.message import EmailMessage

import aiohttp
import pytest

from bot.sandbox.faults import Fault, Mode
from bot.sandbox.sandbox import Sandbox
from escalation.smtp_client import SmtpClient
from escalation.smtp_url import read_smtp_url
from store.outbox.delivery import SendError
from tests.bot.sandbox.slack.northwind import Clock

ELENA, HUGO = "elena@northwind.example", "hugo@northwind.example"


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """One that runs."""
    async with Sandbox(Clock()) as made:
        yield made


def letter(text: str = "Somebody waits.\n") -> EmailMessage:
    """A mail with a subject that is not all ASCII."""
    made = EmailMessage()
    made["Subject"] = "Es eilt: Kündigung"
    made.set_content(text)
    return made


async def test_a_mail_is_kept_as_it_was_written(sandbox: Sandbox) -> None:
    """Lines that begin with dots, long lines and letters of any alphabet arrive as they left; the page shows them."""
    text = ".\n..two dots\nGrüße, 東京\n" + "x" * 3_000 + "\n"
    client = SmtpClient(read_smtp_url(sandbox.mail.url))
    assert await client.send(letter(text), [ELENA, HUGO]) == (ELENA, HUGO)
    await client.send(letter("second\n"), [HUGO])
    first, second = sandbox.mail.letters
    assert (first.to, first.subject, first.text, second.to) == ((ELENA, HUGO), "Es eilt: Kündigung", text, (HUGO,))
    assert sandbox.mail.found(HUGO, "dots") is first
    assert sandbox.mail.found(HUGO, "eilt") is second
    assert sandbox.mail.found(ELENA, "second") is None
    async with aiohttp.ClientSession() as session, session.get(sandbox.page_url) as response:
        assert f"to {ELENA}, {HUGO}" in await response.text()


@pytest.mark.parametrize(("mode", "permanent"), [(Mode.SERVER_ERROR, True), (Mode.UNREACHABLE, False)])
async def test_it_refuses_or_hangs_up_when_told(sandbox: Sandbox, mode: Mode, permanent: bool) -> None:
    """Nothing is kept then, and the next mail is taken."""
    client = SmtpClient(read_smtp_url(sandbox.mail.url))
    sandbox.faults.add(Fault("mail", "deliver", mode, status=550))
    with pytest.raises(SendError) as refused:
        await client.send(letter(), [ELENA])
    assert (refused.value.permanent, sandbox.mail.letters) == (permanent, [])
    await client.send(letter(), [ELENA])
    assert len(sandbox.mail.letters) == 1


async def test_it_says_so_when_it_is_talked_to_wrongly(sandbox: Sandbox) -> None:
    """Content before anybody is named, no address, words it does not know: refused, and the talk goes on; a caller that leaves ends it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", sandbox.mail.port)
    assert (await reader.readline()).startswith(b"220")
    for said, answer in ((b"DATA", b"503"), (b"RCPT TO:nobody", b"501"), (b"VRFY anna", b"503"), (b"NOOP", b"250")):
        writer.write(said + b"\r\n")
        assert (await reader.readline()).startswith(answer)
    writer.close()


async def test_the_monitor_alarms_after_silence(sandbox: Sandbox) -> None:
    """It alarms once it has heard from somebody and then no more; before the first beat there is nobody to miss."""
    sandbox.monitor.silent_s = -1.0
    assert not sandbox.monitor.alarming
    async with aiohttp.ClientSession() as session, session.get(sandbox.monitor_url) as response:
        assert response.status == 200
    assert (sandbox.monitor.beats, sandbox.monitor.alarming) == (1, True)
    sandbox.monitor.silent_s = 3_600.0
    assert not sandbox.monitor.alarming
