"""What passes between the outbox and those who send: a row to send, what came of it, and the error of a try. Owns values only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from routing.change import Message

V_contra = TypeVar("V_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A row of the outbox that this process holds the lease of.

    `doubtful` is True when an earlier try, begun at `intent_at`, may have been applied: look before sending. `leaf_idx` is the event it
    speaks of, `attempts` counts the tries begun so far.
    """

    id: int
    case_id: str
    peer: str
    message: Message
    leaf_idx: int
    doubtful: bool
    attempts: int
    intent_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Delivered:
    """The peer has it. For a card: the channel's id, the message's `ts`, the face shown and the digest of the blocks delivered. For an
    e-mail: the addresses that the mail server takes it for, and how many it refused.
    """

    channel: str = ""
    ts: str = ""
    face: str = ""
    digest: str = ""
    told: tuple[str, ...] = ()
    refused: int = 0


class SendError(Exception):
    """A try failed. `permanent`: another cannot help. `ambiguous`: the peer may have applied it. `retry_after_s`: as the peer asked.

    `mendable`: the peer refuses for a cause that a person can mend, and until then refuses whatever goes to this destination.
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = False,
        ambiguous: bool = False,
        mendable: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        """`reason` is for operators and holds no content and no secret; of what is mendable it is the peer's code."""
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.ambiguous = ambiguous
        self.mendable = mendable
        self.retry_after_s = retry_after_s


class MessageGoneError(SendError):
    """The message that was to be changed, or answered under, is not there any more.

    `channel` and `ts` say where it stood; `again` whether it is wanted, so that it has to be posted anew.
    """

    def __init__(self, reason: str, channel: str, ts: str, *, again: bool) -> None:
        """As `SendError`."""
        super().__init__(reason)
        self.channel = channel
        self.ts = ts
        self.again = again


class UnprovenError(SendError):
    """The audit log does not prove what this message says, so it must not leave. `service_known`: the service may be told that much."""

    def __init__(self, reason: str, *, service_known: bool) -> None:
        """`reason` names rows and events, no content."""
        super().__init__(reason, permanent=True)
        self.service_known = service_known


class Sender(Protocol[V_contra]):
    """Sends to one peer. `view` is what there is to show, read just before."""

    async def send(self, outgoing: Outgoing, view: V_contra) -> Delivered:
        """Send once. Raises SendError."""
        ...
