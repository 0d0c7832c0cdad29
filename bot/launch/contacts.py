"""Whether those who are named were ever reached: each tier that cases come to, and whoever hears alarms, by what they answered in drills.
Asks nobody but whoever says how people are called.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.launch.finding import Finding, missing, ok, warn
from bot.launch.stored import Standing, Stored
from routing.evaluation.work_templates import start_of
from routing.governance.drill_report import Contact
from routing.policy.policy import Policy
from routing.vocabulary import Lane, Template

LASTS = timedelta(days=90)
"""How long a contact that answered counts as tested (O1)."""


async def contacts(policy: Policy, stored: Stored, now: datetime, name_of: Callable[[str], Awaitable[str]]) -> Sequence[Finding]:
    """One line for each; one in all where nobody can have been tried yet, or nobody can tell. `name_of` says what somebody is called."""
    if stored.unused:
        first = next(iter(policy.workflows))
        said = "Nobody was tried yet: the bot was never in use."
        return [warn("contacts", said, f"Once it serves, run: tierline drill nobody-available --workflow {first}")]
    if stored.standing is not Standing.CURRENT:
        said = "Who answered a drill cannot be read from this database."
        return [warn("contacts", said, "Mend what is said of the database, then run this again.")]
    names = {by: await name_of(by) for by in dict.fromkeys(one.by for one in stored.answers)}
    last = {(one.ladder, one.tier): replace(one, by=names[one.by]) for one in stored.answers}
    return [*_tiers(policy, last, now), *_alarms(policy, last, now)]


def _tiers(policy: Policy, last: Mapping[tuple[str, int], Contact], now: datetime) -> Iterator[Finding]:
    for ladder, tiers in policy.tiers.items():
        starts = {
            name: start_of(workflow, Lane.REVIEW, Template.APPROVAL, len(tiers))
            for name, workflow in policy.workflows.items()
            if workflow.ladder == ladder
        }
        if not starts:
            continue
        name = min(starts, key=lambda one: (starts[one], one))  # of those that begin lowest the first: its drill comes to most tiers
        for tier in range(starts[name], len(tiers)):
            mend = f"Run: tierline drill nobody-available --workflow {name}, and have somebody of the tier press Claim."
            yield _line(f"{ladder}, tier {tier + 1}", last.get((ladder, tier)), now, mend)


def _alarms(policy: Policy, last: Mapping[tuple[str, int], Contact], now: datetime) -> Iterator[Finding]:
    """Said only where there is a place for alarms; that there is none is said elsewhere."""
    if policy.form.channels.operations is not None:
        mend = f"Run: tierline drill downstream-failure --workflow {next(iter(policy.workflows))}, and have somebody press Acknowledge."
        yield _line("alarms", last.get(("", 0)), now, mend)


def _line(about: str, last: Contact | None, now: datetime, mend: str) -> Finding:
    if last is None or last.at is None:
        return missing(about, "Nobody has ever answered a drill here.", mend)
    days = (now - last.at).days
    when = "today" if days == 0 else "yesterday" if days == 1 else f"{days} days ago"
    if now - last.at > LASTS:
        return missing(about, f"A drill was answered here last {when}, which is more than {LASTS.days} days.", mend)
    return ok(about, f"{last.by} answered a drill here {when}.")
