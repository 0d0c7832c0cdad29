"""Somebody's mail server on loopback: takes mail for everybody at Northwind by SMTP and keeps it. It delivers nothing anywhere.

As much of RFC 5321 as a client that hands mail over needs: no TLS, no login, no extension.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default

from bot.sandbox.faults import Faults, Mode
from bot.sandbox.record import Record

HOST, NAME = "127.0.0.1", "mail.northwind.example"
SENDER = "tierline@northwind.example"
MOST_LINE = 2_000


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail that was taken. `at`: unix seconds; `to`: whom the server took it for, as the envelope says."""

    at: float
    to: tuple[str, ...]
    subject: str
    text: str


class Mail:
    """`letters` holds what it took, oldest first. Faults are those of peer `mail`, method `deliver`: `server_error` answers its `status` to
    every recipient, any other cuts the connection before one is named.
    """

    def __init__(self, clock: Callable[[], float], faults: Faults) -> None:
        self.record = Record("mail", clock)
        self.letters: list[Letter] = []
        self.port = 0
        self._clock = clock
        self._faults = faults
        self._server: asyncio.Server | None = None
        self._talks = set[asyncio.Task[None]]()

    @property
    def url(self) -> str:
        """As a setting of whoever sends mail."""
        return f"smtp://{HOST}:{self.port}?from={SENDER}"

    async def start(self) -> None:
        """Listen on a port of the system's choice."""
        self._server = await asyncio.start_server(self._taken_up, HOST, 0, family=socket.AF_INET, limit=MOST_LINE)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Hang up on everybody."""
        if self._server is None:
            return
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    def found(self, address: str, text: str) -> Letter | None:
        """The newest mail to an address that says `text` in its subject or body."""
        return next((one for one in reversed(self.letters) if address in one.to and text in f"{one.subject}\n{one.text}"), None)

    async def _taken_up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        if talk is not None:
            self._talks.add(talk)
            talk.add_done_callback(self._talks.discard)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            await self._talk(reader, writer)
        writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipients = list[str]()
        writer.write(f"220 {NAME}\r\n".encode())
        while line := await reader.readline():
            verb, _, argument = line.decode("ascii", "replace").strip().partition(" ")
            match verb.upper():
                case "EHLO" | "HELO" | "NOOP":
                    reply = f"250 {NAME}"
                case "MAIL" | "RSET":
                    recipients.clear()
                    reply = "250 OK"
                case "RCPT":
                    fault = self._faults.take("mail", "deliver")
                    if fault is not None and fault.mode != Mode.SERVER_ERROR:
                        return
                    address = argument.partition("<")[2].partition(">")[0]
                    reply = f"{fault.status} not now" if fault is not None else "250 OK" if address else "501 whom?"
                    self.record.add("recipient", address=address, answered=reply[:3])
                    recipients += [address] if reply.startswith("250") else []
                case "DATA" if recipients:
                    writer.write(b"354 Go on, and end with a dot\r\n")
                    self._keep(recipients, await _content(reader))
                    reply = "250 Taken"
                case "QUIT":
                    writer.write(b"221 Bye\r\n")
                    return
                case _:
                    reply = "503 Not now"
            writer.write(f"{reply}\r\n".encode())

    def _keep(self, recipients: list[str], content: bytes) -> None:
        message = message_from_bytes(content, policy=default)
        body = message.get_body(("plain",))
        text = str(body.get_content()).replace("\r\n", "\n") if body is not None else ""
        self.letters.append(Letter(self._clock(), tuple(recipients), str(message["Subject"] or ""), text))
        self.record.add("letter", to=list(recipients), subject=self.letters[-1].subject)


async def _content(reader: asyncio.StreamReader) -> bytes:
    """Lines up to the one with a dot alone; a dot that was doubled on the way is one again (RFC 5321, 4.5.2)."""
    lines = list[bytes]()
    while (line := await reader.readline()) not in (b".\r\n", b""):
        lines.append(line[1:] if line.startswith(b".") else line)
    return b"".join(lines)
