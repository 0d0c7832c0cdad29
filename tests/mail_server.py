"""A real SMTP server on loopback that keeps what it takes, and refuses or hangs up when told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class MailServer:
    """What it took, oldest first. `answers`: SMTP verb -> reply given in place of its own; `hangs_up` after the content came."""

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    hangs_up: bool = False
    after: Callable[[], object] = lambda: None
    """Called when it has taken one."""

    @property
    def url(self) -> str:
        """As a setting."""
        return f"smtp://127.0.0.1:{self.port}?from=tierline@northwind.example"

    @property
    def texts(self) -> list[str]:
        """The bodies of what it took."""
        return [str(one.get_content()) for one in self.taken]

    @property
    def different(self) -> int:
        """How many mails it took, one that came twice counted once."""
        return len({one["Message-ID"] for one in self.taken})

    async def handle_MAIL(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        """A sender is named."""
        if "MAIL" in self.answers:
            return self.answers["MAIL"]
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]) -> str:  # noqa: N802
        """A recipient is named."""
        if address in self.unknown:
            return "550 No such user here"
        envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """The content came."""
        if "DATA" in self.answers:
            return self.answers["DATA"]
        content = envelope.content or b""
        message = message_from_bytes(content if isinstance(content, bytes) else content.encode(), policy=default)
        assert isinstance(message, EmailMessage)
        self.taken.append(message)
        self.recipients.append(list(envelope.rcpt_tos))
        self.after()
        if self.hangs_up and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return "250 OK"


@asynccontextmanager
async def a_mail_server(kept: MailServer | None = None) -> AsyncIterator[MailServer]:
    """One that listens; what is still connected at the end is let go."""
    kept, loop = kept or MailServer(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(kept, loop=loop), "127.0.0.1", 0)
    kept.port = server.sockets[0].getsockname()[1]
    try:
        yield kept
    finally:
        server.close()


def a_letter() -> EmailMessage:
    """A mail as short as can be."""
    letter = EmailMessage()
    letter["Subject"] = "A page"
    letter.set_content("Somebody waits.\n")
    return letter
