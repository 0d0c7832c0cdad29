"""Everything that is decided about more than one case, as one small value in one row. Owns the shape; the verbs beside it change it."""

import operator
from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from routing.case.break_glass import BreakGlassUse
from routing.governance.alert import Alert
from routing.governance.binding import Binding
from routing.governance.control import Control, untouched
from routing.governance.digest import Digest
from routing.governance.drill import Drill
from routing.governance.incident import Incident
from routing.governance.paging_alarm import PagingAlarm
from routing.governance.proposal import Proposal, Rollout
from routing.governance.told import Told
from routing.governance.waiver import Waiver

KEPT = 200
"""Ended proposals, exceptions, alerts, drills and uses of break-glass that stay in the value, newest last; the audit log keeps them all."""


class Governance(BaseModel):
    """Frozen format v1; written as one row by the ledger only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    v: int = 1
    revision: int = 0
    controls: dict[str, Control] = Field(default_factory=dict, description="by workflow; none: untouched")
    proposals: tuple[Proposal, ...] = ()
    rollout: Rollout | None = None
    activated: tuple[str, ...] = Field(default=(), description="hashes of the policies that were active before, newest last")
    waivers: tuple[Waiver, ...] = ()
    alerts: tuple[Alert, ...] = ()
    break_glass: tuple[BreakGlassUse, ...] = ()
    incidents: tuple[Incident, ...] = ()
    bindings: dict[str, Binding] = Field(default_factory=dict, description="by name: what names of channels and user groups stand for")
    paging: PagingAlarm | None = Field(
        default=None, exclude_if=operator.not_, description="the latest alarm about pages that do not get through"
    )
    digests: tuple[Digest, ...] = Field(default=(), exclude_if=operator.not_, description="pages of a storm, each an incident of its own")
    rung: dict[str, tuple[AwareDatetime, ...]] = Field(
        default_factory=dict, exclude_if=operator.not_, description="when pages rang by themselves lately, by routing key (a digest of it)"
    )
    drills: tuple[Drill, ...] = Field(default=(), exclude_if=operator.not_)
    away: dict[str, AwareDatetime] = Field(
        default_factory=dict, exclude_if=operator.not_, description="until when, by Slack id; over by itself"
    )

    told: dict[str, Told] = Field(
        default_factory=dict, exclude_if=operator.not_, description="by Slack id: what people were told directly that they owe"
    )

    def away_at(self, now: datetime) -> Mapping[str, datetime]:
        """Who is away now, and until when."""
        return {person: until for person, until in self.away.items() if until > now}

    @property
    def dark(self) -> Mapping[str, str]:
        """Slack's code for why nothing can be sent there, by every spelling of a channel of which that is so."""
        found: dict[str, str] = {}
        for one in self.bindings.values():
            if one.trouble and not one.name.startswith("@"):
                found |= dict.fromkeys(one.spellings, one.trouble)
        return found

    def control(self, workflow: str) -> Control:
        """The brake of a workflow."""
        return self.controls.get(workflow) or untouched(workflow)

    def proposal(self, wanted: str) -> Proposal | None:
        """A proposal by its id."""
        return next((one for one in self.proposals if one.id == wanted), None)

    def waiver(self, wanted: str) -> Waiver | None:
        """An exception by its id."""
        return next((one for one in self.waivers if one.id == wanted), None)

    def alert(self, wanted: str) -> Alert | None:
        """An alert by its id."""
        return next((one for one in self.alerts if one.id == wanted), None)

    def incident(self, wanted: str) -> Incident | None:
        """An incident by its id."""
        return next((one for one in self.incidents if one.id == wanted), None)

    def digest(self, wanted: str) -> Digest | None:
        """A digest by its id."""
        return next((one for one in self.digests if one.id == wanted), None)

    def drill(self, wanted: str) -> Drill | None:
        """A drill by its id."""
        return next((one for one in self.drills if one.id == wanted), None)

    def binding(self, name: str) -> Binding | None:
        """What a name stands for (`#channel`, `@group`), None while nobody asked."""
        return self.bindings.get(name)

    def with_binding(self, binding: Binding) -> "Governance":
        """With this in place of what its name stood for."""
        return self.model_copy(update={"bindings": {**self.bindings, binding.name: binding}})

    def with_paging(self, alarm: PagingAlarm) -> "Governance":
        """With this alarm about pages."""
        return self.model_copy(update={"paging": alarm})

    def with_digest(self, digest: Digest) -> "Governance":
        """With this digest in place of the one with its id, or added."""
        return self.model_copy(update={"digests": _kept(self.digests, digest)})

    def with_rung(self, key: str, at: tuple[datetime, ...], since: datetime) -> "Governance":
        """With these times for a routing key; keys that have not rung since then are forgotten."""
        lately = {name: times for name, times in self.rung.items() if times and times[-1] > since}
        return self.model_copy(update={"rung": {**lately, key: at}})

    def with_control(self, control: Control) -> "Governance":
        """With this brake in place of the one of its workflow."""
        return self.model_copy(update={"controls": {**self.controls, control.workflow: control}})

    def with_proposal(self, proposal: Proposal) -> "Governance":
        """With this proposal in place of the one with its id, or added."""
        return self.model_copy(update={"proposals": _kept(self.proposals, proposal)})

    def with_waiver(self, waiver: Waiver) -> "Governance":
        """With this exception in place of the one with its id, or added."""
        return self.model_copy(update={"waivers": _kept(self.waivers, waiver)})

    def with_alert(self, alert: Alert) -> "Governance":
        """With this alert in place of the one with its id, or added."""
        return self.model_copy(update={"alerts": _kept(self.alerts, alert)})

    def with_use(self, use: BreakGlassUse) -> "Governance":
        """With this use of break-glass in place of the one with its id, or added."""
        return self.model_copy(update={"break_glass": _kept(self.break_glass, use)})

    def with_incident(self, incident: Incident) -> "Governance":
        """With this incident in place of the one with its id, or added."""
        return self.model_copy(update={"incidents": _kept(self.incidents, incident)})

    def with_told(self, person: str, told: Told) -> "Governance":
        """With this told to a person."""
        return self.model_copy(update={"told": {**self.told, person: told}})

    def with_drill(self, drill: Drill) -> "Governance":
        """With this drill in place of the one with its id, or added."""
        newest = {one.schedule: one.id for one in self.drills if one.schedule}  # by it is known when the next one is due
        return self.model_copy(update={"drills": _kept(self.drills, drill, frozenset(newest.values()))})


Entry = TypeVar("Entry", Proposal, Waiver, Alert, BreakGlassUse, Incident, Digest, Drill)


def _kept(values: tuple[Entry, ...], value: Entry, needed: frozenset[str] = frozenset()) -> tuple[Entry, ...]:
    """With `value` in its place or at the end; the oldest that ended make room, what is open or still `needed` never does."""
    if any(one.id == value.id for one in values):
        return tuple(value if one.id == value.id else one for one in values)
    spare = max(0, len(values) - KEPT + 1)
    gone = {one.id for one in [one for one in values if one.over and one.id not in needed][:spare]}
    left: list[Entry] = [one for one in values if one.id not in gone]
    left.append(value)
    return tuple(left)
