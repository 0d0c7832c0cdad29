"""A policy comes into force, goes on stage or leaves it: what becomes of the others, what is recorded and who is told.

Owns that and nothing of who may decide it (`routing.governance.policy_lifecycle`). Channels and services hear of it when cases of
theirs may be treated differently from now on: a policy in shadow is told to nobody but its owners.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from routing.canonical import Json
from routing.change import Actor, Event, Message, MessageKind
from routing.governance.brake import front_channel, next_number
from routing.governance.governance import Governance
from routing.governance.proposal import Proposal, Rollout
from routing.governance.ruling import WORKFLOW, Governed, Ruling
from routing.policy.policy import Policy
from routing.vocabulary import CallbackKind, EventKind


@dataclass(frozen=True, slots=True)
class Taking:
    """A policy on its way: the proposal behind it, who takes the step, why, and what was recorded of this step already."""

    governed: Governed
    proposal: Proposal
    policy: Policy
    by: Actor
    reason: str
    events: tuple[Event, ...] = ()


def put_in_force(taking: Taking, activated: tuple[str, ...]) -> Ruling:
    """From now on every new case follows it. The policy before is over, with whatever was proposed or staged against it.

    `activated` are the policies to which a roll back leads from here, newest last.
    """
    governed, proposal, at = taking.governed, taking.proposal, len(taking.events)
    staged, active = governed.governance.rollout, governed.policy.sha256
    over = (
        one
        for one in governed.governance.proposals
        if one.state == "open" or (staged and one.id == staged.proposal) or (one.state == "accepted" and one.sha256 == active)
    )
    governance, gone = _superseded(governed.governance, [one for one in over if one.id != proposal.id])
    notices, told = _notices(taking)
    card = () if proposal.origin == "person" else posted(governed.policy, proposal, at)
    drawn = (proposal, *gone) if proposal.origin == "person" else gone
    event = event_of(EventKind.POLICY_ACTIVATED, taking.by, proposal, taking.reason, before=governed.policy.sha256, percent=100)
    return Ruling(
        governance.model_copy(update={"rollout": None, "activated": activated}).with_proposal(told),
        (*taking.events, event),
        (*redrawn(governed.policy, drawn, at), *card, *notices, *_callbacks(governed, proposal.workflows, at)),
        activate=taking.policy,
        answer={"active": taking.policy.version, "sha256": taking.policy.sha256},
    )


def stage(taking: Taking, percent: int, now: datetime) -> Ruling:
    """Let it act on a share of the new cases; at 0 it is in shadow. What was on stage before leaves it."""
    governed, proposal, at = taking.governed, taking.proposal, len(taking.events)
    before = governed.governance.rollout
    over = governed.governance.proposal(before.proposal) if before is not None and before.proposal != proposal.id else None
    governance, gone = _superseded(governed.governance, [over] if over is not None else [])
    notices, told = _notices(taking) if percent else ((), proposal)
    event = event_of(EventKind.POLICY_STAGED, taking.by, proposal, taking.reason, before=governed.policy.sha256, percent=percent)
    rollout = Rollout(sha256=proposal.sha256, version=proposal.version, percent=percent, since=now, proposal=proposal.id)
    return Ruling(
        governance.model_copy(update={"rollout": rollout}).with_proposal(told),
        (*taking.events, event),
        (
            *redrawn(governed.policy, (proposal, *gone), at),
            *notices,
            *(_callbacks(governed, proposal.workflows, at) if percent else ()),
        ),
        answer={"staged": proposal.version, "percent": percent},
    )


def end_stage(governed: Governed, rollout: Rollout, by: Actor, reason: str) -> Ruling:
    """Take it off the stage; the active policy alone decides again."""
    ended = governed.governance.proposal(rollout.proposal)
    if ended is None:
        raise LookupError("a staged policy without its proposal")
    ended = ended.model_copy(update={"state": "declined", "declined_by": by.id})
    event = event_of(EventKind.POLICY_DECLINED, by, ended, reason, before=governed.policy.sha256, percent=0)
    return Ruling(
        governed.governance.model_copy(update={"rollout": None}).with_proposal(ended),
        (event,),
        (*redrawn(governed.policy, (ended,)), *(_callbacks(governed, ended.workflows, 0) if rollout.percent else ())),
        answer={"active": governed.policy.version, "sha256": governed.policy.sha256, "ended": rollout.version},
    )


def event_of(kind: EventKind, by: Actor, proposal: Proposal, reason: str, **more: Json) -> Event:
    """What every event of a policy's life says: which one, of which proposal, for which workflows, and why."""
    fields: dict[str, Any] = {"subject": proposal.id, "version": proposal.version, "sha256": proposal.sha256, "reason": reason}
    return Event(kind, by, fields | {"workflows": list(proposal.workflows)} | more)


def posted(policy: Policy, proposal: Proposal, event: int = 0) -> tuple[Message, ...]:
    """Its card in the owners' channel, where the policy names one."""
    channel = policy.form.channels.owners
    return () if channel is None else (Message(MessageKind.BULLETIN, channel, event=event, urgent=True, subject=proposal.id),)


def redrawn(policy: Policy, proposals: Iterable[Proposal], event: int = 0) -> tuple[Message, ...]:
    """The messages of these proposals brought up to date: the card in the owners' channel, and the notices so far."""
    return tuple(
        Message(MessageKind.BULLETIN_UPDATE, channel, tier, event=event, urgent=True, subject=one.id)
        for one in proposals
        for tier, channel in enumerate((policy.form.channels.owners, *one.places))
        if channel is not None
    )


def _superseded(governance: Governance, over: Iterable[Proposal]) -> tuple[Governance, tuple[Proposal, ...]]:
    """These proposals are over; another policy took their place."""
    gone = tuple(one.model_copy(update={"state": "superseded"}) for one in over)
    for one in gone:
        governance = governance.with_proposal(one)
    return governance, gone


def _notices(taking: Taking) -> tuple[tuple[Message, ...], Proposal]:
    """A bulletin in the first channel of each workflow concerned, unless it has one; and the proposal that knows of it."""
    proposal, active = taking.proposal, taking.governed.policy
    known = {active.form.channels.owners, *proposal.places}
    channels = [front_channel(policy, name) for name in proposal.workflows for policy in (taking.policy, active)]
    new = tuple(dict.fromkeys(channel for channel in channels if channel is not None and channel not in known))
    at, first = len(taking.events), len(proposal.places) + 1
    messages = (Message(MessageKind.BULLETIN, channel, tier, event=at, subject=proposal.id) for tier, channel in enumerate(new, first))
    return tuple(messages), proposal.model_copy(update={"places": (*proposal.places, *new)})


def _callbacks(governed: Governed, workflows: Iterable[str], event: int) -> tuple[Message, ...]:
    number = next_number(governed)
    return tuple(
        Message(
            MessageKind.CALLBACK, service, callback=CallbackKind.WORKFLOW_CHANGED, sequence=number, event=event, subject=WORKFLOW + name
        )
        for name in workflows
        for service in governed.services.get(name, ())
    )
