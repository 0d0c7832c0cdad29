"""Exceptions in force, applied to what the gates found (R14). Owns which signals a waiver takes back; grants none and counts no use."""

from dataclasses import dataclass

from routing.case.facts import Waived
from routing.signals import WAIVABLE, Signal, passed


@dataclass(frozen=True, slots=True)
class Exempted:
    """A signal that an exception waives: what it would have demanded, and what is left of it."""

    by: str
    was: Signal
    now: Signal


def exempt(signal: Signal, waived: tuple[Waived, ...], action_type: str) -> Exempted | None:
    """What the first exception that covers a signal makes of it; None where none does, or where nothing may be waived."""
    if signal.trigger not in WAIVABLE:
        return None
    for waiver in waived:
        if signal.trigger in waiver.waives and (not waiver.action_types or action_type in waiver.action_types):
            why = f"waived by the exception {waiver.id}: {signal.why}"
            return Exempted(waiver.id, signal, passed(signal.name, signal.value, why, signal.limit))
    return None
