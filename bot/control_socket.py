"""The running bot's ear for commands: a unix socket beside the SQLite file that only its owner can open.

Owns the socket, its one-line JSON protocol and who the caller is; both ends stand here. A command of a second process would be a second
writer, so it is carried out by the one that serves. It decides nothing: the commands are handed in.
"""

import asyncio
import json
import os
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import structlog

from bot.failures import failure
from bot.settings import Settings
from routing.change import Actor

Answer = Mapping[str, Any]
Command = Callable[[Actor, Mapping[str, Any]], Awaitable[Answer]]

MAX_LINE_BYTES = 65_536
TIMEOUT_S = 60.0

_LOG = structlog.get_logger("tierline.control")


class NobodyListensError(RuntimeError):
    """No bot serves this database now. Start it with `tierline serve`; it carries this command out."""


class CommandFailedError(RuntimeError):
    """The running bot did not carry the command out; its log says why."""


def socket_path(settings: Settings) -> Path:
    """Where the bot that serves this SQLite file listens."""
    return Path(f"{settings.database_file}.sock")


class Control:
    """The serving end. `commands`: name to what carries it out; each gets who asked, as the system knows it, and its arguments."""

    def __init__(self, path: Path, commands: Mapping[str, Command]) -> None:
        self._path = path
        self._commands = commands
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. What a killed process left is replaced: the lock on the database says that nobody else serves. Raises OSError."""
        self._path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            os.fchmod(listening.fileno(), 0o600)  # before it has a name, so that nobody slips in between
            listening.bind(os.fspath(self._path))
            self._path.chmod(0o600)
        except OSError:
            listening.close()
            raise
        self._server = await asyncio.start_unix_server(self._serve, sock=listening, limit=MAX_LINE_BYTES)

    async def stop(self) -> None:
        """Stop listening and take the socket away."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                answer = await self._answer(await _line(reader), _caller(writer.get_extra_info("socket")))
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (TimeoutError, OSError) as error:
            _LOG.warning("a command was not answered", cause=type(error).__name__)
        finally:
            writer.close()

    async def _answer(self, line: bytes, by: Actor) -> Answer:
        try:
            asked = json.loads(line)
            command = self._commands[asked["command"]]
            arguments = dict(asked["arguments"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return {"error": "the running bot does not know this command; is it another version?"}
        try:
            return {"answer": await command(by, arguments)}
        except Exception:  # noqa: BLE001  # the edge: the caller is told, the log gets the place
            _LOG.error("a command failed", command=asked["command"], **failure())
            return {"error": CommandFailedError.__doc__}


async def _line(reader: asyncio.StreamReader) -> bytes:
    """What was asked, nothing where its line has no end."""
    try:
        return await reader.readline()
    except ValueError:
        return b""


async def ask(path: Path, command: str, arguments: Mapping[str, Any]) -> Answer:
    """Have the running bot carry a command out. Raises NobodyListensError, CommandFailedError."""
    try:
        reader, writer = await asyncio.open_unix_connection(os.fspath(path), limit=MAX_LINE_BYTES)
    except (FileNotFoundError, ConnectionRefusedError):
        raise NobodyListensError(NobodyListensError.__doc__) from None
    try:
        writer.write(json.dumps({"command": command, "arguments": dict(arguments)}).encode() + b"\n")
        await writer.drain()
        line = await reader.readline()
    finally:
        writer.close()
    said: dict[str, Any] = json.loads(line) if line else {"error": CommandFailedError.__doc__}
    if "error" in said:
        raise CommandFailedError(said["error"])
    return dict(said["answer"])


def person_of(uid: int) -> Actor:
    """The operating system's user as an actor: a person, though never one that Slack knows."""
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return Actor("human", f"os:{name}")


def _caller(connection: socket.socket) -> Actor:
    """Who is at the other end, as the kernel says (Linux, unix(7) SO_PEERCRED); elsewhere our own user, who alone can open the socket."""
    if not hasattr(socket, "SO_PEERCRED"):
        return person_of(os.getuid())
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return person_of(struct.unpack("3i", credentials)[1])
