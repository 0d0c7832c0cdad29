"""The mail server as it is named and as it answers: TLS wherever it is not this machine, and failures that say what is known."""

import asyncio

import pytest

from escalation.smtp_client import SmtpClient
from escalation.smtp_url import read_smtp_url
from store.outbox.delivery import SendError
from tests.mail_server import a_letter, a_mail_server

SECRET = "s3cret"


@pytest.mark.parametrize(
    ("url", "port", "security", "sender"),
    [
        ("smtp://duty%40northwind.example:s3cret@mail.example", 587, "starttls", "duty@northwind.example"),
        ("smtps://u:s3cret@mail.example?from=t@northwind.example", 465, "tls", "t@northwind.example"),
        ("smtps://127.0.0.1:2465", 2465, "tls", "tierline@127.0.0.1"),
        ("smtp://localhost:2525/", 2525, "none", "tierline@localhost"),
        ("smtp://[::1]:2525?from=t@northwind.example", 2525, "none", "t@northwind.example"),
        ("smtp://127.0.0.1.evil.example?from=t@northwind.example", 587, "starttls", "t@northwind.example"),
    ],
)
def test_a_url_says_how_mail_is_kept_from_others(url: str, port: int, security: str, sender: str) -> None:
    """Plain to this machine alone."""
    server = read_smtp_url(url)
    assert (server.port, server.security, server.sender) == (port, security, sender)
    assert SECRET not in repr(server)


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://u:s3cret@mail.example",
        "smtp://u@mail.example?from=t@northwind.example",
        "smtp://mail.example:port?from=t@northwind.example",
        "smtp://mail.example/path?from=t@northwind.example",
        "smtp://mail.example?from=t@northwind.example&tls=no",
        "smtp://mail.example?from=t%0d%0aBcc:%20e@evil.example",
        "smtp://mail.example?from=a@b@northwind.example",
        "smtp://mail.example?from=Name%20%3Ct@northwind.example%3E",
    ],
)
def test_a_url_that_is_none_is_refused_without_quoting_it(url: str) -> None:
    """It holds a password."""
    with pytest.raises(ValueError, match="expected") as raised:
        read_smtp_url(url)
    assert SECRET not in str(raised.value)


@pytest.mark.outside
@pytest.mark.parametrize(
    ("verb", "reply", "permanent"),
    [(verb, reply, reply[0] == "5") for verb in ("MAIL", "RCPT", "DATA") for reply in ("550 no", "554 no", "421 closing", "451 later")],
)
async def test_what_a_server_refuses(verb: str, reply: str, *, permanent: bool) -> None:
    """For good with 5yz, for now with 4yz; either way it is known that it has no mail."""
    async with a_mail_server() as server:
        server.answers[verb] = reply
        with pytest.raises(SendError) as raised:
            await SmtpClient(read_smtp_url(server.url)).send(a_letter(), ["duty@northwind.example"])
        assert (raised.value.permanent, raised.value.ambiguous) == (permanent, False)
        assert not server.taken


@pytest.mark.outside
async def test_a_server_that_hangs_up_may_have_it() -> None:
    """After the content nobody knows."""
    async with a_mail_server() as server:
        server.hangs_up = True
        with pytest.raises(SendError) as raised:
            await SmtpClient(read_smtp_url(server.url)).send(a_letter(), ["duty@northwind.example"])
        assert (raised.value.permanent, raised.value.ambiguous) == (False, True)


@pytest.mark.outside
async def test_nobody_there_and_no_tls_where_it_is_needed() -> None:
    """Neither is ambiguous, and a password never goes over a line that is open."""
    async with a_mail_server() as server:
        url = server.url
        demands = read_smtp_url("smtp://u:s3cret@mail.example?from=t@northwind.example")
        plain = type(demands)("127.0.0.1", server.port, demands.security, demands.user, demands.password, demands.sender)
        with pytest.raises(SendError, match="STARTTLS") as raised:
            await SmtpClient(plain).send(a_letter(), ["duty@northwind.example"])
        assert not raised.value.ambiguous
    with pytest.raises(SendError, match="connection refused"):
        await SmtpClient(read_smtp_url(url)).send(a_letter(), ["duty@northwind.example"])


@pytest.mark.outside
async def test_a_server_that_never_answers_is_given_up() -> None:
    """Within the client's own time."""
    writers = list[asyncio.StreamWriter]()
    listening = await asyncio.start_server(lambda _reader, writer: writers.append(writer), "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with listening:
        with pytest.raises(SendError, match="no answer in time") as raised:
            await SmtpClient(read_smtp_url(f"smtp://127.0.0.1:{port}"), timeout_s=0.05).send(a_letter(), ["duty@northwind.example"])
    for writer in writers:
        writer.close()
    assert not raised.value.permanent
