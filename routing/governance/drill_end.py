"""How a drill ends: the event, the message in the operations channel and its report in the thread. Owns these; says nothing of when."""

from datetime import datetime

from routing.canonical import Json
from routing.change import SYSTEM, Event, Message, MessageKind
from routing.governance.drill import Drill
from routing.policy.policy import Policy
from routing.vocabulary import EventKind

ROOT, REPORT = 0, 1
"""The message of a drill in the operations channel, and its report in the thread of that."""


def ended(policy: Policy, drill: Drill, now: datetime, event: int = 0) -> tuple[Event, Drill, tuple[Message, ...]]:
    """The event, the drill as it is now and the messages; `event` is the position that the event will have."""
    over = drill.model_copy(update={"ended_at": now, "left": ()})
    fields: dict[str, Json] = {**about(over), "outcome": over.outcome, "unanswered": over.unanswered}
    root = posted(policy, over, MessageKind.BULLETIN_UPDATE, ROOT, event)
    return Event(EventKind.DRILL_ENDED, SYSTEM, fields), over, (*root, *posted(policy, over, MessageKind.BULLETIN, REPORT, event))


def about(drill: Drill) -> dict[str, Json]:
    """What every event of a drill says."""
    return {"subject": drill.id, "workflow": drill.workflow, "kind": drill.kind.value}


def posted(policy: Policy, drill: Drill, kind: MessageKind, place: int, event: int = 0) -> tuple[Message, ...]:
    """One of its messages; nowhere where the policy has no operations channel."""
    channel = policy.form.channels.operations
    return () if channel is None else (Message(kind, channel, place, event=event, subject=drill.id),)
