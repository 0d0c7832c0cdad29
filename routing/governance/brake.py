"""One workflow's brake from one level to the next: what is recorded and who is told. Owns these events and messages; decides no level."""

from dataclasses import dataclass
from datetime import datetime

from routing.authority import Automation
from routing.canonical import Json
from routing.change import Actor, Event, Message, MessageKind
from routing.governance.control import Control
from routing.governance.governance import Governance
from routing.governance.ruling import WORKFLOW, Governed
from routing.policy.policy import Policy
from routing.vocabulary import CallbackKind, EventKind

OPERATIONS, FRONT = 0, 1
"""The two places a change of level is said in: the operations channel, and the channel of the workflow's first tier."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A workflow's brake in its new place, the event that says so and whom to tell."""

    governance: Governance
    event: Event
    messages: tuple[Message, ...]


def shift(
    governed: Governed, after: Control, actor: Actor, now: datetime, *, event: int = 0, operations: bool = True, why: str = ""
) -> Shift:
    """Put `after` in the place of its workflow's brake.

    A change of level is told to services, with `operations` to the operations channel and, unless it is one of sampling only, to the
    workflow's first channel. Anything else (the factor of sampling, one more case that stops the line) is only recorded, with `why` in
    place of the reason. `event` is the position of its event in the ruling.
    """
    before, number = governed.governance.control(after.workflow), next_number(governed)
    moved = before.automation is not after.automation
    if moved:
        after = after.model_copy(update={"since": now, "posted": number})
    fields: dict[str, Json] = {
        "subject": WORKFLOW + after.workflow,
        "workflow": after.workflow,
        "before": before.automation.value,
        "after": after.automation.value,
        "cause": after.cause,
        "by": after.by,
        "reason": why or after.reason,
        "number": number,
    }
    if before.sampling != after.sampling:
        fields |= {"sampling_before": before.sampling, "sampling": after.sampling}
    messages: tuple[Message, ...] = ()
    if moved:
        front = max(before.automation.level, after.automation.level) > Automation.SAMPLING_RAISED.level
        places = _places(governed.policy, after.workflow, operations=operations, front=front)
        messages = (*_redrawn(governed.policy, before, event), *_posted(places, after, event), *_told(governed, before, after, event))
    return Shift(governed.governance.with_control(after), Event(EventKind.AUTOMATION_CHANGED, actor, fields), messages)


def next_number(governed: Governed) -> int:
    """The revision that the governance has once this ruling is written; it numbers callbacks and bulletins of workflows."""
    return governed.governance.revision + 1


def front_channel(policy: Policy, workflow: str) -> str | None:
    """The channel of a workflow's first tier, None where the policy has no such workflow."""
    found = policy.workflow(workflow)
    return policy.tiers[found.ladder][0].channel if found is not None else None


def bulletin_tier(number: int, place: int) -> int:
    """What tells the bulletins of one workflow apart: every change of level posts new ones."""
    return 2 * number + place


def shown_number(tier: int) -> int:
    """The number of the change that a workflow's bulletin was posted for."""
    return tier // 2


def callback_of(before: Automation, after: Automation) -> CallbackKind:
    """The type of the callback for a change of level."""
    if (before.level >= Automation.PAUSED.level) == (after.level >= Automation.PAUSED.level):
        return CallbackKind.WORKFLOW_CHANGED
    return CallbackKind.WORKFLOW_PAUSED if after.level > before.level else CallbackKind.WORKFLOW_RESUMED


def _places(policy: Policy, workflow: str, *, operations: bool = True, front: bool = True) -> dict[int, str]:
    """Channel by place; one that would be told twice is told as the operations channel."""
    found = {OPERATIONS: policy.form.channels.operations if operations else None, FRONT: front_channel(policy, workflow) if front else None}
    return {
        place: channel for place, channel in found.items() if channel is not None and (place == OPERATIONS or channel != found[OPERATIONS])
    }


def _posted(places: dict[int, str], after: Control, event: int) -> tuple[Message, ...]:
    subject = WORKFLOW + after.workflow
    return tuple(
        Message(MessageKind.BULLETIN, channel, bulletin_tier(after.posted, place), event=event, urgent=True, subject=subject)
        for place, channel in places.items()
    )


def _redrawn(policy: Policy, before: Control, event: int) -> tuple[Message, ...]:
    """The bulletins of the level before lose their buttons."""
    if not before.posted:
        return ()
    subject = WORKFLOW + before.workflow
    return tuple(
        Message(MessageKind.BULLETIN_UPDATE, channel, bulletin_tier(before.posted, place), event=event, subject=subject)
        for place, channel in _places(policy, before.workflow).items()
    )


def _told(governed: Governed, before: Control, after: Control, event: int) -> tuple[Message, ...]:
    kind, subject = callback_of(before.automation, after.automation), WORKFLOW + after.workflow
    return tuple(
        Message(MessageKind.CALLBACK, service, callback=kind, sequence=next_number(governed), event=event, subject=subject)
        for service in governed.services.get(after.workflow, ())
    )
