"""Who notices when Tierline itself is gone, and the way out by e-mail. Owns these lines. The heartbeat is never sent from here: a receiver
that hears one believes that the bot lives.
"""

import asyncio
from collections.abc import Sequence
from ssl import SSLContext
from urllib.parse import urlsplit

from bot.launch.finding import Finding, missing, ok
from bot.settings import Settings
from escalation.smtp_url import read_smtp_url
from escalation.ways_out import unsendable
from routing.policy.policy import Policy
from store.outbox.network_cause import network_cause

GREETING = b"220"
"""A mail server that is at service. Source: RFC 5321, section 4.3.2"""

MEND = "Set TIERLINE_SMTP_URL to your mail server, smtp://host:587 or smtps://host:465, and see that it answers from here."


async def heartbeat(settings: Settings) -> Sequence[Finding]:
    """Whether somebody outside is told that the bot lives."""
    if settings.heartbeat_url is None:
        said = "Nobody outside notices when the bot is gone."
        mend = "Set TIERLINE_HEARTBEAT_URL to the address that a hosted receiver gives you (docs/guides/dead-mans-switch.md)."
        return [missing("heartbeat", said, mend)]
    return [ok("heartbeat", f"{urlsplit(settings.heartbeat_url.get_secret_value()).hostname} hears from the bot while all is well.")]


async def mail(settings: Settings, tls: SSLContext, policy: Policy | None) -> Sequence[Finding]:
    """Whether the mail server greets, where one is set, and whether there is one where the policy needs it."""
    if policy is not None and (why := unsendable(policy, mail_server=settings.smtp_url is not None)):
        return [missing("e-mail", why, MEND)]
    if settings.smtp_url is None:
        return [ok("e-mail", "TIERLINE_SMTP_URL is not set: nobody is written to by e-mail.")]
    server = read_smtp_url(settings.smtp_url.get_secret_value())
    host, port = server.host, server.port
    try:
        greeting = await _greeting(host, port, tls if server.security == "tls" else None)
    except (OSError, ValueError) as error:
        return [missing("e-mail", f"The mail server {host}:{port} cannot be reached: {network_cause(error)}.", MEND)]
    if not greeting.startswith(GREETING):
        return [missing("e-mail", f"Whoever answers at {host}:{port} is no mail server at service.", MEND)]
    return [ok("e-mail", f"The mail server {host}:{port} greets.")]


async def _greeting(host: str, port: int, tls: SSLContext | None) -> bytes:
    reader, writer = await asyncio.open_connection(host, port, ssl=tls, limit=4_096)
    try:
        line = await reader.readline()
        writer.write(b"QUIT\r\n")
        await writer.drain()
    finally:
        writer.close()
    return line
