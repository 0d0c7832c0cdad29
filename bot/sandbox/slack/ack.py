"""What became of something a person did: how the app acknowledged it, and what Slack shows that person when it did not. A value."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.sandbox.slack.errors import Json

TIMED_OUT = "operation_timeout"
NO_CONNECTION = "no_connection"
CONNECTION_LOST = "connection_lost"


@dataclass(frozen=True, slots=True)
class Ack:
    """`status`: the HTTP status (200 too for a Socket Mode acknowledgement), or operation_timeout, no_connection, connection_lost.

    `body`: the JSON answered, or its text. `elapsed_s`: real seconds. `problem`: what the person is shown, None when all went well.
    `again`: the acknowledgement of the second delivery of the same payload. `payload`: what was sent.
    """

    status: int | str
    body: Json | str
    elapsed_s: float
    problem: str | None = None
    again: Ack | None = None
    payload: Json | None = None

    @property
    def ok(self) -> bool:
        """Acknowledged in time, and what it answered could be shown."""
        return self.status == 200 and self.problem is None

    @property
    def timed_out(self) -> bool:
        """The app did not acknowledge in time."""
        return self.status == TIMED_OUT

    def with_problem(self, problem: str) -> Ack:
        """The same, with what the person is shown."""
        return replace(self, problem=problem)
