"""The mail server as we use it: one message, one connection, one try. Owns how its failures read.

It never decides what is written or to whom, nor when it is tried again (the outbox does).
"""

import ssl
from collections.abc import Sequence
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP as WIRE

import aiosmtplib

from escalation.smtp_url import MailServer
from store.outbox.delivery import SendError
from store.outbox.network_cause import network_cause

SMTP_TIMEOUT_S = 8.0

NEVER = 500
"""Codes from here on say that trying again is of no use (RFC 5321, 4.2.1)."""


class SmtpClient:
    """Hands messages to one mail server. `timeout_s` bounds each wait for it (None: nothing does); `tls` says whom to trust."""

    def __init__(self, server: MailServer, timeout_s: float | None = SMTP_TIMEOUT_S, tls: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._timeout_s = timeout_s
        self._tls = tls or ssl.create_default_context()

    @property
    def sender(self) -> str:
        """The address that mail comes from."""
        return self._server.sender

    async def send(self, message: EmailMessage, recipients: Sequence[str]) -> tuple[str, ...]:
        """Hand one message over, to all recipients in one go; gives those whom the server takes mail for. Raises SendError: permanent where
        it refuses the message or everybody (5yz, RFC 5321, 4.2.1), ambiguous where the reply to the content got lost.
        """
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=self._tls if server.security != "none" else None,
            timeout=self._timeout_s,
        )
        handed_over = False
        try:
            await client.connect()
            await client.mail(server.sender)
            refusals = [await _refusal(client, one) for one in recipients]
            taken = [one for one, code in zip(recipients, refusals, strict=True) if not code]
            if not taken:
                never = all(code >= NEVER for code in refusals)
                raise SendError("the mail server takes mail for none of the addresses" + ("" if never else " now"), permanent=never)
            handed_over = True
            await client.data(message.as_bytes(policy=WIRE))
        except aiosmtplib.SMTPResponseException as error:
            raise SendError(f"SMTP {error.code}", permanent=error.code >= NEVER) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise SendError(f"mail server: {_cause(error)}", ambiguous=handed_over) from error
        else:
            with suppress(aiosmtplib.SMTPException, OSError):  # it has the mail; that it does not say goodbye changes nothing
                await client.quit()
        finally:
            client.close()
        return tuple(taken)


async def _refusal(client: aiosmtplib.SMTP, recipient: str) -> int:
    """The code with which the server takes no mail for this address, now or ever; 0 where it does. A full mailbox keeps it from nobody."""
    try:
        await client.rcpt(recipient)
    except aiosmtplib.SMTPRecipientRefused as error:
        return error.code
    return 0


def _cause(error: BaseException) -> str:
    if isinstance(error, aiosmtplib.SMTPNotSupported) or type(error) is aiosmtplib.SMTPException:  # raised bare for this alone (5.1)
        return "it does not offer what is needed: STARTTLS, or AUTH for the user"
    if isinstance(error, aiosmtplib.SMTPServerDisconnected):
        return "it hung up"
    return network_cause(error)
