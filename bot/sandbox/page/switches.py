"""The faults a person can switch on for teaching. Owns which are on; what they do is for `Faults`."""

from __future__ import annotations

from dataclasses import dataclass

from bot.sandbox.faults import EVERYTHING, Fault, Faults, Mode


@dataclass(frozen=True, slots=True)
class Switch:
    """One fault with its name and what a person reads."""

    name: str
    label: str
    peer: str
    method: str
    mode: Mode
    seconds: float = 0.0


SWITCHES = (
    Switch("slack_down", "Slack is down", "slack", EVERYTHING, Mode.UNREACHABLE),
    Switch("slack_slow", "Slack answers after 4 s", "slack", EVERYTHING, Mode.DELAY, 4.0),
    Switch("slack_replies", "Slack's replies get lost", "slack", EVERYTHING, Mode.DROP_REPLY),
    Switch("pagerduty_down", "PagerDuty is down", "pagerduty", EVERYTHING, Mode.UNREACHABLE),
    Switch("service_down", "The service answers 503", "customer", EVERYTHING, Mode.SERVER_ERROR),
)


class Switchboard:
    """The switches and their positions."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._on: dict[str, Fault] = {}

    @property
    def faults(self) -> list[dict[str, object]]:
        """Every switch as the template draws it."""
        return [{"name": switch.name, "label": switch.label, "on": switch.name in self._on} for switch in SWITCHES]

    @property
    def any_fault(self) -> str:
        """The labels of those that are on."""
        return ", ".join(switch.label for switch in SWITCHES if switch.name in self._on)

    def turn(self, name: str, *, on: bool) -> None:
        """Set one switch. Raises KeyError for one that is not there."""
        switch = {switch.name: switch for switch in SWITCHES}[name]
        if fault := self._on.pop(name, None):
            self._faults.remove(fault)
        if on:
            self._on[name] = self._faults.add(Fault(switch.peer, switch.method, switch.mode, times=None, seconds=switch.seconds))
