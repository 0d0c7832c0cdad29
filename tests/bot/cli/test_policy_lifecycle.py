"""The commands about a changed policy, as its owner types them: compare, rehearse, propose, go back."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from routing.governance.ruling import Governed, Ruling
from routing.policy.file import load_policy
from store.schema import outbox
from store.vault.keys import signing_key
from tests.bot.cli.shell import POLICY, a_note, a_refund, an_environment, served, tierline
from tests.checkout import EXAMPLES
from tests.store.a_store import VAULT_KEY, open_books

OWNED = POLICY.replace('changes: "for', 'owners: [U0OWNER]\nchanges: "for')
NEXT = OWNED.replace('version: "7"', 'version: "8"').replace("template: auto", "template: approval")


@pytest.fixture
def env(tmp_path: Path, empty_sqlite_url: str) -> dict[str, str]:
    """Settings of a bot on SQLite whose policy names an owner; `next.yml` is what shall follow it."""
    found = an_environment(tmp_path, empty_sqlite_url)
    write(tmp_path)
    return found


def write(directory: Path) -> None:
    """The two policies, and three cases with their labels."""
    (directory / "policy.yml").write_text(OWNED)
    (directory / "next.yml").write_text(NEXT)
    cases = [a_note("n-1"), a_note("n-2"), a_refund("r-1", "2000.00")]
    (directory / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
    labels = {"n-1": True, "n-2": False, "r-1": True}
    (directory / "labels.jsonl").write_text("".join(json.dumps({"task_id": one, "correct": was}) + "\n" for one, was in labels.items()))


def given_keys(directory: Path, vault: bytes = VAULT_KEY) -> dict[str, str]:
    """On PostgreSQL both keys must be there before the first start."""
    signing_key(directory / "s.pem", create=True)
    (directory / "v.key").write_bytes(vault)
    (directory / "v.key").chmod(0o600)
    return {"TIERLINE_SIGNING_KEY_FILE": str(directory / "s.pem"), "TIERLINE_VAULT_KEY_FILE": str(directory / "v.key")}


async def test_replay_names_labels_that_match_no_case(tmp_path: Path, env: dict[str, str]) -> None:
    """A label with a misspelt task id would count for nothing, and nobody would know."""
    with (tmp_path / "labels.jsonl").open("a") as labels:
        labels.write(json.dumps({"task_id": "N-1", "correct": True}) + "\n")
    arguments = ("policy", "replay", "next.yml", "--cases", "cases.jsonl", "--labels", "labels.jsonl")
    ran = await tierline(*arguments, cwd=tmp_path, env=env)
    assert "1 label matches no case, by task id: N-1" in ran.err
    assert (await tierline(*arguments, "--json", cwd=tmp_path, env=env)).json["labels_without_case"] == ["N-1"]


async def test_diff_says_what_changes_and_exits_1(tmp_path: Path, env: dict[str, str]) -> None:
    """Nothing differs: 0. Something does: 1, by workflow, for people and for programs."""
    same = await tierline("policy", "diff", "policy.yml", "policy.yml", cwd=tmp_path, env=env)
    assert (same.code, same.out) == (0, "Version 7 does the same as version 7.\n")
    ran = await tierline("policy", "diff", "next.yml", "policy.yml", cwd=tmp_path, env=env)
    assert ran.code == 1
    assert "notes\n  - how people work on it (template): approval → auto  [loosens, lets the model do more]" in ran.out
    told = (await tierline("policy", "diff", "next.yml", "policy.yml", "--json", cwd=tmp_path, env=env)).json
    assert (told["raises_autonomy"], told["differences"][0]["key"]) == (True, "template")


async def test_replay_of_a_file_gives_the_figures_of_two_policies(tmp_path: Path, env: dict[str, str]) -> None:
    """The keys that others rely on, and both policies side by side for people."""
    arguments = ("policy", "replay", "policy.yml", "--against", "next.yml", "--cases", "cases.jsonl", "--labels", "labels.jsonl")
    told = (await tierline(*arguments, "--json", cwd=tmp_path, env=env)).json
    figures = {key: told[key] for key in ("cases", "lanes", "changed", "reviews", "pages", "false_approvals", "false_escalations")}
    expected: dict[str, Any] = {"cases": 3, "lanes": {"auto": 2, "expert": 1}, "changed": 2, "reviews": 1, "pages": 0}
    assert figures == expected | {"false_approvals": 1, "false_escalations": 1}
    assert [one["task_id"] for one in told["moved"]] == ["n-1", "n-2"]
    assert told["before"]["false_escalations"] == 2
    ran = await tierline(*arguments, cwd=tmp_path, env=env)
    assert ran.code == 0
    assert "3 cases, version 7 against version 8" in ran.out
    assert "2 cases go elsewhere" in ran.out


async def test_bad_lines_are_all_named(tmp_path: Path, env: dict[str, str]) -> None:
    """A case that is none and a label that is none: the file, the line and what was expected, exit 1."""
    (tmp_path / "cases.jsonl").write_text(json.dumps(a_note() | {"titel": ""}) + "\n{\n")
    ran = await tierline("policy", "replay", "policy.yml", "--cases", "cases.jsonl", cwd=tmp_path, env=env)
    assert ran.code == 1
    assert "cases.jsonl:1: /titel" in ran.err
    assert "cases.jsonl:2: " in ran.err
    (tmp_path / "labels.jsonl").write_text('{"task_id": "n-1", "correct": "yes"}\n')
    labels = ("--cases", "cases.jsonl", "--labels", "labels.jsonl")
    ran = await tierline("policy", "replay", "policy.yml", *labels, cwd=tmp_path, env=env)
    assert ran.code == 1
    assert "labels.jsonl:1: " in ran.err


async def test_the_example_policies_are_compared_as_the_handbook_does() -> None:
    """The airline's policy against its draft, on made-up cases: less work, fewer wrong ones past a single person."""
    files = ("--cases", EXAMPLES / "airline-cases.jsonl", "--labels", EXAMPLES / "airline-labels.jsonl")
    against = ("--against", EXAMPLES / "airline-draft.yml")
    told = (await tierline("policy", "replay", EXAMPLES / "airline.yml", *against, *files, "--json")).json
    assert (told["before"]["reviews"], told["reviews"]) == (14, 10)
    assert (told["before"]["wrong"]["review"], told["wrong"]["review"]) == (5, 1)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_what_was_routed_is_rehearsed_and_proposed(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Cases sent to a bot: its own policy moves none of them; another one is proposed, by the bot or beside it, and not twice."""
    env = an_environment(tmp_path, str(request.getfixturevalue("empty_sqlite_url" if engine == "sqlite" else "empty_postgres_url")))
    if engine == "postgresql":
        env |= given_keys(tmp_path)
    write(tmp_path)
    async with served(env, tmp_path) as at:
        sent = await tierline("send", "cases.jsonl", "--url", at, "--service", "agent", cwd=tmp_path, env=env)
        assert sent.code == 0
        own = await tierline("policy", "replay", "policy.yml", "--own", "--json", cwd=tmp_path, env=env)
        assert (own.json["cases"], own.json["changed"], own.json["moved"]) == (3, 0, [])
        other = await tierline("policy", "replay", "next.yml", "--labels", "labels.jsonl", "--json", cwd=tmp_path, env=env)
        assert (other.json["changed"], other.json["labelled"]) == (2, 3)
        assert other.json["before"] == {"lanes": {"auto": 2, "expert": 1}}
        nothing = await tierline("policy", "shadow", cwd=tmp_path, env=env)
        assert "No case was looked at" in nothing.out
        made = await tierline("policy", "propose", "next.yml", "--share", "10", "--reason", "a try", "--json", cwd=tmp_path, env=env)
        assert made.code == 0
        assert {"proposed": True, "version": "8", "needs": 1, "replayed": 3, "changed": 2}.items() <= made.json.items()
        again = await tierline("policy", "propose", "next.yml", cwd=tmp_path, env=env)
        assert again.code == 1
        assert "proposed or staged already" in again.out
        back = await tierline("policy", "rollback", cwd=tmp_path, env=env)
        assert back.code == 1
        assert "nothing to go back to" in back.out


async def test_services_hear_of_a_policy_rolled_back_beside_the_bot(tmp_path: Path, empty_postgres_url: str) -> None:
    """On PostgreSQL the command writes by itself; whose workflows change is told all the same."""
    env = an_environment(tmp_path, empty_postgres_url) | given_keys(tmp_path)
    write(tmp_path)
    before = load_policy(NEXT.encode(), {})

    def going_on(governed: Governed, _now: datetime) -> Ruling:
        return Ruling(governed.governance.model_copy(update={"activated": (before.sha256,)}), ())

    async with open_books(empty_postgres_url, policy=OWNED.encode()) as books:
        await books.ledger.govern(going_on, keep=before)
        back = await tierline("policy", "rollback", "--reason", "too many cases", "--json", cwd=tmp_path, env=env)
        assert back.code == 0, back.err
        assert back.json["active"] == "8"
        rows = await books.database.read(lambda c: c.execute(select(outbox.c.destination, outbox.c.callback, outbox.c.case_id)).all())
        assert ("agent", "workflow.changed", "w_notes") in [tuple(row) for row in rows]


async def test_another_vault_key_is_said_in_a_sentence(tmp_path: Path, empty_postgres_url: str) -> None:
    """Nothing is written to a log whose seal does not fit, and whoever typed the command is told what to do."""
    env = an_environment(tmp_path, empty_postgres_url) | given_keys(tmp_path, b"x" * 32)
    write(tmp_path)
    async with open_books(empty_postgres_url, policy=OWNED.encode()):
        pass
    proposed = await tierline("policy", "propose", "next.yml", "--reason", "Trying.", cwd=tmp_path, env=env)
    assert proposed.code != 0
    assert "Traceback" not in proposed.err
    assert "used with another vault key" in proposed.err


async def test_a_policy_with_a_mistake_is_refused_with_its_line(tmp_path: Path, env: dict[str, str]) -> None:
    """Nobody is asked to accept what does not compile; without a bot there is nobody to ask."""
    (tmp_path / "next.yml").write_text(NEXT.replace("template: approval", "template: aproval"))
    ran = await tierline("policy", "propose", "next.yml", cwd=tmp_path, env=env)
    assert ran.code == 2
    assert "/workflows/notes/template" in ran.err
    (tmp_path / "next.yml").write_text(NEXT)
    nobody = await tierline("policy", "propose", "next.yml", cwd=tmp_path, env=env)
    assert nobody.code == 2
    assert "tierline serve" in nobody.err
