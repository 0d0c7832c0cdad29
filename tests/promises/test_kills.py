"""The process is killed with SIGKILL again and again while cases pour in and people press: nothing accepted is lost, nothing is doubled.

Keeps P1, P2, P4, P6, P7 and P10 with a real process on both databases; the sandbox's ledgers judge. A failure names its seed.
"""

import asyncio
from collections import defaultdict
from pathlib import Path

import pytest
from sqlalchemy import select

from routing.case.case import Case
from store.audit.export import export
from store.audit.signed_note import Signer, VerifierKey
from store.audit.verify import verify_export
from store.database.database import Database
from store.schema import cases
from store.vault.keys import signing_key
from tests.promises.judge import cards_in, doubled, mistold, rung_after_resolve
from tests.promises.kills import REVIEWERS, KillRun
from tests.promises.replay import replay

SEED = 20_261_120


@pytest.mark.timeout(3_600)
async def test_killed_again_and_again(tmp_path: Path, empty_database_url: str, *, full: bool) -> None:
    """On PostgreSQL most of the time is spent waiting for leases of dead processes to run out, so by default there are fewer kills."""
    sqlite = empty_database_url.startswith("sqlite")
    cases, kills = (500, 50) if full else (60, 5) if sqlite else (36, 3)
    run = KillRun(tmp_path / "run", empty_database_url, cases=cases, kills=kills, seed=SEED if sqlite else SEED + 1)
    problem = (await asyncio.gather(run.run(patience_s=900.0), return_exceptions=True))[0]
    found = [] if problem is None else [repr(problem), *run.waiting_for()]
    found += await wrong_with(run)
    assert not found, f"{run.database_url} seed {run.seed}, log {run.log}\n" + "\n".join(found)
    print(f"{run.database_url}: {len(run.accepted)} cases, {run.kills} kills")  # noqa: T201 - the figure of the promise


async def wrong_with(run: KillRun) -> list[str]:
    """Everything that the ledgers of the peers and the database say is wrong."""
    sandbox = run.sandbox
    database = await Database.open(run.database_url, serving=False)
    try:
        snapshots = await database.read(lambda connection: connection.execute(select(cases.c.snapshot)).scalars().all())
        found = [*run.wrong, *await replay(database), *await broken_log(run, database)]
    finally:
        await database.close()
    kept = {case.id: case for case in map(Case.model_validate_json, snapshots)}
    found += [f"{case_id} was accepted and is lost" for case_id in run.accepted.values() if case_id not in kept]
    found += [f"{len(kept)} cases for {run.cases} that were posted"] if len(kept) != run.cases else []
    found += [f"{case.id} is open and nothing is ever due" for case in kept.values() if case.open and case.due_at is None]
    shown = {case_id for case_id, _ in cards_in(sandbox)}
    found += [f"{case_id} has no card" for case_id in kept if case_id not in shown]
    found += doubled(sandbox) + rung_after_resolve(sandbox)
    for case in kept.values():
        found += [f"{case.id}: {what}" for what in mistold(sandbox, case)]
    return found + changed_answers(run) + broken_words(run, kept) + loose_words(run)


async def broken_log(run: KillRun, database: Database) -> list[str]:
    """What an auditor finds in an export."""
    vkey = str(Signer(f"tierline/{run.deployment}", signing_key(run.folder / "signing.pem", create=False)).vkey)
    await export(database, run.folder / "export", [VerifierKey.parse(vkey)])
    return list(verify_export(run.folder / "export", trusted_vkey=vkey).problems)


def changed_answers(run: KillRun) -> list[str]:
    """Webhook-ids that were answered with more than one case (promise P2)."""
    answers = defaultdict[str, set[str]](set)
    for posted in run.sandbox.customer.posted:
        if posted.status in (200, 202):
            answers[posted.webhook_id].add(str(posted.answer["id"]))
    return [f"{webhook_id} was answered {sorted(ids)}" for webhook_id, ids in answers.items() if len(ids) != 1]


def broken_words(run: KillRun, kept: dict[str, Case]) -> list[str]:
    """People who were told that their approval is recorded, of cases that know nothing of it (promise P7)."""
    approved = {case.action_sha256[:12]: {vote.by for vote in case.votes} for case in kept.values()}
    found = []
    for person in REVIEWERS:
        for told in run.sandbox.slack.ephemerals(person):
            if "Recorded: you approved" in told["text"]:
                shown = told["text"].split("action ")[1][:12]
                if person not in approved.get(shown, set()):
                    found.append(f"{person} was told that action {shown} is approved")
    return found


def loose_words(run: KillRun) -> list[str]:
    """Secrets and content that the processes wrote to their log (promise P18)."""
    said, config = run.log.read_text(), run.sandbox.config
    secrets = (config.slack.app.bot_token, config.slack.app.signing_secret, config.pagerduty.api_token, config.customer.secret)
    words = (*secrets, *config.pagerduty.webhook_secrets, *config.customer.callback_secrets, "charged twice", "customer 8841")
    return [f"{word!r} stands in the log lines" for word in words if word in said]
