"""From what is known of the governance to what becomes of it: the value a governance step gets and the one it gives. Owns both shapes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from routing.canonical import Json
from routing.change import Event, Message, Opens, Refused
from routing.governance.governance import Governance
from routing.policy.policy import Policy


@dataclass(frozen=True, slots=True)
class Governed:
    """What a governance step gets to see: the locked value, the active policy, a new id (26 characters, to be put behind a prefix), and
    the policies it asked for, by hash (`wanted`): a proposed one, the one before. `services` are the names of the services that post to
    each workflow.
    """

    governance: Governance
    policy: Policy
    draw: str
    wanted: Mapping[str, Policy] = field(default_factory=dict)
    services: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ruling:
    """The value as it will be, what to record, what to send (each message names its `subject`), and the policy to activate, if any.

    `opens`: cases to be opened with it, each from the id it is given.
    """

    governance: Governance
    events: tuple[Event, ...]
    messages: tuple[Message, ...] = ()
    activate: Policy | None = None
    answer: Mapping[str, Json] | None = None
    opens: tuple[Opens, ...] = ()

    def then(self, following: "Ruling") -> "Ruling":
        """Both as one, where `following` was decided upon what this one left, activates nothing and answers for both."""
        shift = len(self.events) if following.events else 0  # what is only redrawn speaks of no event of its own
        messages = (replace(one, event=one.event + shift) for one in following.messages)
        return replace(
            self,
            governance=following.governance,
            events=(*self.events, *following.events),
            messages=(*self.messages, *messages),
            answer=following.answer,
            opens=(*self.opens, *following.opens),
        )


GovernStep = Callable[[Governed, datetime], Ruling | Refused]
"""Pure; may run twice."""

PAGES = "r_pages"
"""The one subject about pages that do not get through."""

DIGEST = "s_"
"""Prefix of the ids of digests of pages, of which there are some in a storm."""

PROPOSAL, WAIVER, ALERT, WORKFLOW, BINDING, BREAK_GLASS, PERSON, INCIDENT, DRILL = "p_", "x_", "a_", "w_", "b_", "g_", "u_", "i_", "d_"
"""Prefixes of the ids of subjects that are no case; a workflow's is followed by its name, so is that of what a name stands for, and a
person's by their Slack id.
"""
