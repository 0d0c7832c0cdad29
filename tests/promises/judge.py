"""The verdict on a story, from what stands outside the bot: Slack's channels, PagerDuty's incidents, the service's inbox, an exported log.

Owns what "kept" means for P1, P4, P6, P7, P10, P11 and P12. Never asks the bot what it believes it did, but where the two are compared.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.demo.pressing import offered_by
from bot.sandbox.sandbox import Sandbox
from routing.case.case import Case
from routing.vocabulary import CaseKind, Verdict
from store.audit.export import export
from store.audit.signed_note import VerifierKey
from store.audit.verify import verify_export
from store.schema import cases, outbox
from tests.promises.replay import replay
from tests.world import World


def cards_in(sandbox: Sandbox) -> Counter[tuple[str, int]]:
    """How many cards stand for each case and tier, over all channels."""
    marks = [mark for mark in _marks(sandbox) if mark["event_type"] == "tierline_card"]
    return Counter((mark["event_payload"]["case"], mark["event_payload"]["tier"]) for mark in marks)


def notes_in(sandbox: Sandbox) -> Counter[tuple[str, int]]:
    """How many thread notes stand for each case and leaf."""
    marks = [mark for mark in _marks(sandbox) if mark["event_type"] == "tierline_note"]
    return Counter((mark["event_payload"]["case"], mark["event_payload"]["leaf"]) for mark in marks)


def bulletins_in(sandbox: Sandbox) -> Counter[tuple[str, int]]:
    """How many bulletins stand for each subject and tier, over all channels."""
    marks = [mark for mark in _marks(sandbox) if mark["event_type"] == "tierline_bulletin"]
    return Counter((mark["event_payload"]["subject"], mark["event_payload"]["tier"]) for mark in marks)


def _marks(sandbox: Sandbox) -> list[dict[str, Any]]:
    marks: list[dict[str, Any]] = []
    direct = [sandbox.slack.workspace.direct(user.id).id for user in sandbox.config.slack.users if not user.is_bot]
    for channel in (*(one.id for one in sandbox.config.slack.channels), *direct):
        for message in sandbox.slack.messages(channel):
            replies = sandbox.slack.thread(channel, message["ts"]) if message.get("reply_count") else []
            marks += [one["metadata"] for one in (message, *replies) if one.get("metadata")]
    return marks


def doubled(sandbox: Sandbox) -> list[str]:
    """Everything that exists twice at a peer, one sentence each."""
    found = [f"card {key} stands {count} times" for key, count in cards_in(sandbox).items() if count > 1]
    found += [f"note {key} stands {count} times" for key, count in notes_in(sandbox).items() if count > 1]
    found += [f"bulletin {key} stands {count} times" for key, count in bulletins_in(sandbox).items() if count > 1]
    told = Counter(str(mark["event_payload"]) for mark in _marks(sandbox) if mark["event_type"] == "tierline_playbook")
    found += [f"people were told {count} times: {payload}" for payload, count in told.items() if count > 1]
    found += [f"tickets: {one.kind} {one.data}" for one in sandbox.tickets.record if one.kind != "opened"]
    keys = Counter(incident.key for incident in sandbox.pagerduty.incidents)
    found += [f"incident {key} was opened {count} times" for key, count in keys.items() if count > 1]
    executed = Counter((one.data["case_id"], one.data["revision"]) for one in sandbox.customer.executed)
    found += [f"{key} was executed {count} times" for key, count in executed.items() if count > 1]
    return found


def rung_after_resolve(sandbox: Sandbox) -> list[str]:
    """Triggers that came after our own resolve of the same key."""
    resolved, found = set[str](), []
    for event in sandbox.pagerduty.record.find("event"):
        if event.data["action"] == "resolve":
            resolved.add(event.data["key"])
        elif event.data["action"] == "trigger" and event.data["key"] in resolved:
            found.append(f"{event.data['key']} was triggered after it was resolved")
    return found


async def kept_back(world: World, case_id: str) -> set[int]:
    """Numbers of the callbacks with a verdict that were never tried because the workflow was paused meanwhile."""
    verdicts = select(outbox.c.sequence).where(outbox.c.case_id == case_id, outbox.c.callback == "case.decided")
    never = verdicts.where(outbox.c.state == "cancelled", outbox.c.attempts == 0)
    return set(await world.bot.database.read(lambda connection: connection.execute(never).scalars().all()))


def mistold(sandbox: Sandbox, case: Case, kept: Collection[int] = ()) -> list[str]:
    """Callbacks of a case that are missing (but for those `kept` back), out of order, refused or about something else."""
    got = [one for one in sandbox.customer.inbox if one.data.get("case_id") == case.id]
    numbers = [one.data["sequence"] for one in got]
    promised = [one for one in range(1, case.sequence + 1) if one not in kept]
    found = [] if numbers == promised else [f"callbacks {numbers} of {case.sequence} came"]
    found += [f"callback {one.data['sequence']} is {one.outcome}" for one in got if one.outcome == "stale"]
    verdicts = [one.data for one in got if one.type == "case.decided"]
    asked = [one for one in got if one.type == "case.rollback_requested"]
    if len(asked) > case.rollbacks:
        found.append(f"the service was asked {len(asked)} times to undo it")
    if case.verdict is not None and case.kind is CaseKind.CASE:
        said = [(one["verdict"], one["revision"], one["action_sha256"]) for one in verdicts]
        if said != [(case.verdict.value, case.revision, case.action_sha256)]:
            found.append(f"the service was told {said}")
    return found


async def unsettled(world: World) -> list[str]:
    """Messages that are neither delivered nor needless."""
    columns = select(outbox.c.id, outbox.c.kind, outbox.c.state, outbox.c.last_error)
    rows = await world.bot.database.read(lambda connection: connection.execute(columns).all())
    return [f"message {row.id} ({row.kind}) is {row.state}: {row.last_error}" for row in rows if row.state not in ("done", "cancelled")]


async def log_is_broken(world: World, folder: Path) -> list[str]:
    """What an auditor finds in an export of the whole log with a key he was given before."""
    world.clock.now += timedelta(seconds=10)
    await world.bot.signing.tick()
    checkpoint = await export(world.bot.database, folder, [VerifierKey.parse(str(world.bot.vkey))])
    report = verify_export(folder, trusted_vkey=str(world.bot.vkey))
    found = list(report.problems)
    if not report.ok or report.events != checkpoint.size:
        found.append(f"{report.events} of {checkpoint.size} events were verified")
    return found


async def mistold_workflows(world: World) -> list[str]:
    """Callbacks about workflows and bulletins that are missing, twice or out of order, by what was promised."""
    columns = (outbox.c.case_id, outbox.c.kind, outbox.c.state, outbox.c.tier, outbox.c.leaf_idx, outbox.c.destination, outbox.c.callback)
    mine = select(*columns).where(~outbox.c.case_id.startswith("c_")).order_by(outbox.c.id)
    rows = await world.bot.database.read(lambda connection: connection.execute(mine).all())
    posted = {(row.case_id, row.tier) for row in rows if row.kind == "bulletin" and not (row.state == "cancelled" and _direct(row.case_id))}
    standing = set(bulletins_in(world.sandbox))
    found = [] if posted == standing else [f"bulletins {sorted(posted ^ standing)} are missing or nobody's"]
    promised = [(row.callback, f"{row.case_id}.{row.leaf_idx}.{row.destination}") for row in rows if row.kind == "callback"]
    got = [(one.type, one.webhook_id) for one in world.sandbox.customer.inbox if "case_id" not in one.data]
    for workflow in {webhook_id.split(".")[0] for _, webhook_id in promised + got}:
        ours, theirs = ([one for one in told if one[1].startswith(f"{workflow}.")] for told in (promised, got))
        found += [] if ours == theirs else [f"of {workflow} the service was promised {ours} and told {theirs}"]
    return found


def _direct(subject: str) -> bool:
    """Whether a bulletin is what one person is told directly: needless once nothing is owed any more."""
    return subject.startswith("u_")


async def judge(world: World, ends: Mapping[str, Verdict]) -> list[str]:
    """Everything that is wrong at the end of a story whose cases came to these verdicts."""
    sandbox, governance = world.sandbox, await world.bot.reads.governance()
    known = await world.bot.database.read(lambda connection: set(connection.execute(select(cases.c.id)).scalars()))
    found = [] if known == ends.keys() else [f"there are the cases {sorted(known)}"]
    opens = sum(alert.page_round for alert in governance.alerts)
    for case_id, verdict in ends.items():
        case = await world.case(case_id)
        opens += case.page_rounds
        wrong = _misjudged(world, case, verdict) + mistold(sandbox, case, await kept_back(world, case_id))
        found += [f"{case_id}: {what}" for what in wrong]
    found += doubled(sandbox) + rung_after_resolve(sandbox) + await mistold_workflows(world)
    found += [f"incident {one.key} is {one.status}" for one in sandbox.pagerduty.incidents if one.status != "resolved"]
    if len(sandbox.pagerduty.incidents) != opens:
        found.append(f"{len(sandbox.pagerduty.incidents)} incidents for {opens} pages")
    found += await unsettled(world)
    found += await replay(world.bot.database)
    found += await log_is_broken(world, world.folder / "export")
    return found


def _misjudged(world: World, case: Case, verdict: Verdict) -> list[str]:
    """What is wrong with one case in the end."""
    found = [] if case.verdict is verdict else [f"the case came to {case.state}, {case.verdict}"]
    climbed = 0 if case.tier_since is None else case.tier - case.first_tier + 1
    cards = {key: count for key, count in cards_in(world.sandbox).items() if key[0] == case.id}
    if len(cards) != climbed:
        found.append(f"{cards} are not the cards of {climbed} tiers")
    found += [
        f"step {step.kind} {step.to} of the playbook {playbook.name} is {step.state}"
        for playbook in case.playbooks
        for step in playbook.steps
        if step.state not in ("done", "needless")
    ]
    tickets = {
        f"{case.id}.playbook.{at}.{number}"
        for at, one in enumerate(case.playbooks)
        for number, step in enumerate(one.steps)
        if step.kind == "ticket"
    }
    if tickets != (there := {name for name in world.sandbox.tickets.opened if name.startswith(case.id)}):
        found.append(f"tickets {there} were opened, and {tickets} are in the playbooks")
    deciding = {"tierline:approve", "tierline:reject"}
    found += [f"the card {card['ts']} still offers a decision" for card in world.cards(case.id) if deciding & set(offered_by(card))]
    return found
