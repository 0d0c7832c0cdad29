"""A loaded policy: what the file says, with its rules compiled. Owns the value; never reads a file and decides nothing."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from routing.authority import Role
from routing.case.case import Group, Tier
from routing.clock import Calendar
from routing.policy.clocks.row import ClockRow
from routing.policy.expressions import Expression
from routing.policy.form.form import PolicyForm, Rule, Workflow
from routing.policy.form.ladders import Ladder, Paging, Rung, TierPaging

T = TypeVar("T")

BREAK_GLASS = "@break_glass"
"""In place of a ladder: that of the cases which ask whether break-glass was right. No ladder of a policy can be called so."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy in force: the bytes of its file, their hash, what they say and its compiled rules.

    `workflows` are complete: what a workflow does not write stands there as the defaults have it. `tiers` are the rungs of
    each ladder as cases carry them. `own_clocks` are the rows of each workflow's clock table, `clocks` those of the policy's.
    """

    text: bytes
    sha256: str
    form: PolicyForm
    workflows: Mapping[str, Workflow]
    expressions: Mapping[str, tuple[tuple[Rule, Expression], ...]]
    groups: Mapping[str, Group]
    tiers: Mapping[str, tuple[Tier, ...]]
    own_clocks: Mapping[str, tuple[ClockRow, ...]]
    clocks: tuple[ClockRow, ...]
    _made: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def version(self) -> str:
        """The version as the file names it."""
        return self.form.version

    @property
    def changes(self) -> str:
        """The change note."""
        return self.form.changes

    @property
    def calendars(self) -> Mapping[str, Calendar]:
        """Calendars by name."""
        return self.form.calendars

    @property
    def ladders(self) -> Mapping[str, Ladder]:
        """Ladders by name."""
        return self.form.ladders

    @property
    def has_owners(self) -> bool:
        """Whether it names anybody who may accept the next policy."""
        return bool(self.form.owners or self.form.roles.get(Role.POLICY_OWNER))

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made when first asked for and kept as long as the policy: for what follows from the policy and `key` alone.
        There must be few keys, so none holds anything of a case that its service may choose freely.
        """
        try:
            made: T = self._made[key]
        except KeyError:
            made = self._made[key] = make()
        return made

    @property
    def roles(self) -> Mapping[Role, tuple[str, ...]]:
        """Groups by role, as cases carry them; who may decide by break-glass is said in its own part."""
        part = self.form.break_glass
        return self.form.roles if part is None else {**self.form.roles, Role.BREAK_GLASS_HOLDER: (part.group,)}

    def workflow(self, name: str) -> Workflow | None:
        """The workflow of this name, None when the policy has none."""
        return self.workflows.get(name)

    def clock_tables(self, workflow: str) -> tuple[tuple[ClockRow, ...], ...]:
        """The clock tables that a case of this workflow is looked up in, one after the other."""
        return self.own_clocks.get(workflow, ()), self.clocks

    def routing_key(self, ladder: str, tier_index: int, *, second: bool = False) -> str | None:
        """The PagerDuty routing key of a tier (0-based), or its second one; None where it has none or is gone from the policy."""
        paging: Paging | None
        if ladder == BREAK_GLASS:
            paging = self._supervisors
        else:
            rung = self._rung(ladder, tier_index)
            paging = rung.pagerduty if rung is not None else None
        return self.key_of(paging, second=second) if paging is not None else None

    def key_of(self, paging: Paging, *, second: bool = False) -> str | None:
        """The routing key of whoever pages, or the second one, for which the policy may have one for all: None where that is no other."""
        own = paging.second_key if isinstance(paging, TierPaging) else None
        key = (own or self.form.pages.second_key) if second else paging.routing_key
        return key.get_secret_value() if key is not None and not (second and key == paging.routing_key) else None

    @property
    def _supervisors(self) -> Paging | None:
        return self.form.break_glass.pagerduty if self.form.break_glass is not None else None

    def addresses(self, ladder: str, tier_index: int) -> tuple[str, ...]:
        """The e-mail addresses for pages of a tier (0-based), none where it names none or is gone from the policy."""
        if ladder == BREAK_GLASS:
            return self.form.pages.email if self._supervisors is not None else ()
        rung = self._rung(ladder, tier_index)
        return self.addresses_of(rung) if rung is not None else ()

    def addresses_of(self, rung: Rung) -> tuple[str, ...]:
        """The same: its own, else those for all tiers that page."""
        return rung.email or (self.form.pages.email if rung.pagerduty is not None else ())

    def escalation_policy(self, ladder: str, tier_index: int) -> str | None:
        """PagerDuty's id of the escalation policy of a tier (0-based), None where the policy names none."""
        rung = self._rung(ladder, tier_index)
        return rung.pagerduty.escalation_policy if rung is not None and rung.pagerduty is not None else None

    def _rung(self, ladder: str, tier_index: int) -> Rung | None:
        found = self.ladders.get(ladder)
        return found.tiers[tier_index] if found is not None and 0 <= tier_index < len(found.tiers) else None
