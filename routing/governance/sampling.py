"""How many automatic approvals people check afterwards: the factor on the policy's rate, and what moves it (R8).

Doubles on an error that came to light, on drift, and on a new policy, model or prompt version; halves after seven clean days. Owns the
factor; which cases are drawn is `routing.evaluation.draw`'s.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from routing.authority import Automation
from routing.change import SYSTEM, Event, Message, Refused
from routing.governance.brake import Shift, shift
from routing.governance.control import Control
from routing.governance.permissions import refuse
from routing.governance.ruling import Governed, Ruling

MOST = 64.0
"""The factor never passes this: 5 % are all long before."""

CLEAN = timedelta(days=7)
SEGMENTS_MOST, VERSIONS_MOST = 100, 200

POLICY = "policy "
"""What the version of a policy begins with among the versions seen; all others are model and prompt versions."""


def caught(governed: Governed, workflow: str, segment: str, now: datetime) -> Ruling:
    """People found that the model was wrong: twice as many checks, and every one in this segment ("" for none)."""
    control = governed.governance.control(workflow)
    known = control.segments if not segment or segment in control.segments else (*control.segments, segment)[-SEGMENTS_MOST:]
    return _ruling(_raised(governed, control.model_copy(update={"segments": known}), now, "An error of the model came to light."))


def seen(governed: Governed, workflow: str, version: str, now: datetime) -> Ruling | None:
    """A version came in: `name version prompt` of a model, or `policy <sha256>`. None: it is known, or not told.

    The first model and the first policy of a workflow are what the others are compared with: they are remembered and change nothing.
    """
    control = governed.governance.control(workflow)
    if not version.strip() or version in control.known_versions:
        return None
    alike = any(one.startswith(POLICY) == version.startswith(POLICY) for one in control.known_versions)
    control = control.model_copy(update={"known_versions": (*control.known_versions, version)[-VERSIONS_MOST:]})
    if not alike:
        return Ruling(governed.governance.with_control(control), ())
    return _ruling(_raised(governed, control, now, f"A version not seen before: {version}"[:300]))


def calmed(governed: Governed, now: datetime) -> Ruling | Refused:
    """Halve the factor of every workflow that had seven clean days; at 1 nothing is left of it."""
    events: list[Event] = []
    messages: list[Message] = []
    due = [control for control in governed.governance.controls.values() if is_calm(control, now)]
    for control in due:
        factor = max(1.0, control.sampling / 2)
        quiet = {"sampling": factor, "sampling_since": now} | ({"segments": ()} if factor == 1.0 else {})
        after = level_by_factor(control.model_copy(update=quiet), "Seven days without an error: sampling is as the policy says.")
        step = shift(governed, after, SYSTEM, now, event=len(events), why="Seven days without an error: half as many checks.")
        governed = replace(governed, governance=step.governance)
        events.append(step.event)
        messages += step.messages
    return Ruling(governed.governance, tuple(events), tuple(messages)) if due else refuse("not_due")


def is_calm(control: Control, now: datetime) -> bool:
    """Whether the factor is to be halved now."""
    return control.sampling > 1.0 and control.sampling_since is not None and now - control.sampling_since >= CLEAN


def doubled(control: Control, now: datetime) -> Control:
    """With twice the factor, from now on."""
    return control.model_copy(update={"sampling": min(MOST, control.sampling * 2), "sampling_since": now})


def level_by_factor(control: Control, why: str) -> Control:
    """With the level that the factor shows, where nothing safer is in force: sampling raised or on."""
    if control.automation.level > Automation.SAMPLING_RAISED.level:
        return control
    level = Automation.SAMPLING_RAISED if control.sampling > 1.0 else Automation.ON
    if level is control.automation:
        return control
    return control.model_copy(update={"automation": level, "cause": "sampling", "by": "", "reason": why})


def _raised(governed: Governed, control: Control, now: datetime, why: str) -> Shift:
    return shift(governed, level_by_factor(doubled(control, now), why), SYSTEM, now, why=why)


def _ruling(step: Shift) -> Ruling:
    return Ruling(step.governance, (step.event,), step.messages)
