"""A bot that is served, and the commands that work on it while it runs and after."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from store.vault.keys import signing_key, vault_key
from tests.bot.cli.shell import a_note, a_refund, a_service, an_environment, names_in, served, tierline


@pytest.fixture
def env(tmp_path: Path, empty_sqlite_url: str) -> dict[str, str]:
    """Settings of a bot on SQLite."""
    return an_environment(tmp_path, empty_sqlite_url)


async def test_sending_a_file_twice_changes_nothing(tmp_path: Path, env: dict[str, str]) -> None:
    """Every case is answered on a line of its own; the second time with the first answer, whatever order and spaces the file has now."""
    cases = [a_refund(f"r-{number}", f"{number}00.00") for number in range(1, 13)]
    (tmp_path / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
    (tmp_path / "again.json").write_text(json.dumps(cases[::-1], indent=2))
    async with served(env, tmp_path) as url:
        first = await tierline("send", "cases.jsonl", "--url", url, cwd=tmp_path, env=env)
        again = await tierline("send", "again.json", "--url", url, cwd=tmp_path, env=env)
    assert (first.code, again.code) == (0, 0)
    assert {answer["status"] for answer in first.lines} == {202}
    assert {answer["status"] for answer in again.lines} == {200}
    ids = [{answer["task_id"]: answer["answer"]["id"] for answer in ran.lines} for ran in (first, again)]
    assert len(set(ids[0].values())) == len(cases)
    assert ids[0] == ids[1]
    assert "12 of 12 taken (10 review, 2 expert)" in first.err
    assert "12 of them known before" in again.err


async def test_what_is_not_taken_is_said_and_the_rest_is_sent(tmp_path: Path, env: dict[str, str]) -> None:
    """A line that is no JSON and a case that is refused do not keep the others back; the exit code says so."""
    text = "\n".join([json.dumps(a_refund()), '{"workflow": ', json.dumps(a_refund("r-2") | {"titel": ""})])
    async with served(env, tmp_path) as url:
        ran = await tierline("send", "-", "--url", url, cwd=tmp_path, env=env, stdin=text)
        wrong = await tierline(
            "send", "-", "--url", url, "--service", "agent", "--secret", "whsec_" + "A" * 44, stdin=json.dumps(a_refund("r-3"))
        )
    assert ran.code == 1
    assert {answer["line"]: answer["status"] for answer in ran.lines} == {1: 202, 2: None, 3: 422}
    assert wrong.code == 1
    assert [answer["status"] for answer in wrong.lines] == [401]


async def test_nothing_is_sent_in_the_name_of_another_service(tmp_path: Path, env: dict[str, str]) -> None:
    """The bot says whose secret it is; a name that is another's is refused before anything is sent, and none need be given."""
    case, secret = json.dumps(a_refund()), env["AGENT_SECRET"]
    async with served(env, tmp_path) as url:
        wrong = await tierline("send", "-", "--url", url, "--service", "nobody", "--secret", secret, stdin=case)
        right = await tierline("send", "-", "--url", url, "--secret", secret, stdin=case)
    assert (wrong.code, wrong.lines) == (2, [])
    assert "the secret is that of agent, not of nobody" in wrong.err
    assert (right.code, right.lines[0]["status"]) == (0, 202)


async def test_nobody_there_is_said_at_once() -> None:
    """Where nobody listens, nothing is tried six times and the sentence says what to start."""
    ran = await tierline("send", "-", "--url", "http://127.0.0.1:9", "--secret", "whsec_" + "A" * 44, stdin=json.dumps(a_refund()))
    assert ran.code == 2
    assert "tierline serve" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_a_message_that_was_given_up_is_seen_and_sent_again(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """`status` shows what was given up and ends with 1; `retry` has it sent again, with an event in the case's history."""
    database = str(request.getfixturevalue("empty_sqlite_url" if engine == "sqlite" else "empty_postgres_url"))
    async with a_service() as service:
        env = an_environment(tmp_path, database, service.url)
        if engine == "postgresql":
            env |= {"TIERLINE_SIGNING_KEY_FILE": str(tmp_path / "s.pem"), "TIERLINE_VAULT_KEY_FILE": str(tmp_path / "v.key")}
            signing_key(tmp_path / "s.pem", create=True)
            vault_key(tmp_path / "v.key", create=True)
        service.status = 410
        async with served(env, tmp_path) as url:
            await tierline("send", "-", "--url", url, cwd=tmp_path, env=env, stdin=json.dumps(a_note()))
            await service.told()
            standing = await _until_dead(env, tmp_path)
            assert (standing["dead"][0]["peer"], standing["dead"][0]["kind"]) == ("callback", "callback")
            service.status = 200
            other = await tierline("retry", "--peer", "slack", "--json", env=env, cwd=tmp_path)
            assert other.json == {"retried": 0}
            ran = await tierline("retry", env=env, cwd=tmp_path)
            assert (ran.code, ran.out) == (0, "1 message will be sent again.\n")
            assert (await service.told())["data"]["verdict"] == "auto_approved"
        after = await tierline("status", "--json", env=env, cwd=tmp_path)
        assert (after.code, after.json["dead"]) == (0, [])


async def _until_dead(env: dict[str, str], cwd: Path) -> dict[str, list[dict[str, str]]]:
    """The bot settles a message a moment after its receiver has answered."""
    while not (ran := await tierline("status", "--json", env=env, cwd=cwd)).json["dead"]:
        pass
    assert ran.code == 1
    found: dict[str, list[dict[str, str]]] = ran.json
    return found


async def test_retry_without_a_running_bot_says_what_to_start(tmp_path: Path, env: dict[str, str]) -> None:
    """On SQLite only the serving process writes."""
    async with served(env, tmp_path):
        pass
    ran = await tierline("retry", env=env, cwd=tmp_path)
    assert ran.code == 2
    assert "tierline serve" in ran.err


async def test_the_log_is_exported_while_the_bot_runs_and_verified_without_it(tmp_path: Path, env: dict[str, str]) -> None:
    """Export, key and checkpoint come from the database; `verify` needs the directory only, and finds a changed bit and a cut end."""
    async with a_service() as service:
        env = an_environment(tmp_path, env["TIERLINE_DATABASE_URL"], service.url)
        async with served(env, tmp_path) as url:
            await tierline("send", "-", "--url", url, cwd=tmp_path, env=env, stdin=json.dumps(a_note()))
            await service.told()
            early = tmp_path / "early"
            exported = await tierline("audit", "export", early, "--json", env=env, cwd=tmp_path)
            await tierline("send", "-", "--url", url, cwd=tmp_path, env=env, stdin=json.dumps(a_note("n-2")))
            await service.told()
            (tmp_path / "checkpoint").write_text((await tierline("audit", "checkpoint", env=env, cwd=tmp_path)).out)
            late = tmp_path / "late"
            await tierline("audit", "export", late, env=env, cwd=tmp_path)
        key = (await tierline("audit", "key", env=env, cwd=tmp_path)).out.strip()
    assert exported.code == 0
    assert exported.json["vkey"] == key
    sound = await tierline("audit", "verify", late, "--older", tmp_path / "checkpoint", "--key", key, "--json")
    assert (sound.code, sound.json["ok"], sound.json["notes"]) == (0, True, [])
    assert sound.json["events"] > exported.json["events"]
    cut = await tierline("audit", "verify", early, "--older", tmp_path / "checkpoint")
    assert cut.code == 1
    assert "cut" in cut.out
    shutil.copytree(late, tmp_path / "changed")
    bundle = next((tmp_path / "changed" / "tile" / "entries").rglob("*.p/*"))
    bundle.write_bytes(bundle.read_bytes().replace(b"auto_approved", b"auto_rejected"))
    assert (await tierline("audit", "verify", tmp_path / "changed", "--key", key)).code == 1


async def test_the_database_is_held_against_its_log(tmp_path: Path, env: dict[str, str]) -> None:
    """Beside the bot and after it nothing is found; a row that somebody changed is, in a sentence, and so is a damaged event."""
    async with served(env, tmp_path) as url:
        await tierline("send", "-", "--url", url, cwd=tmp_path, env=env, stdin=json.dumps(a_refund()))
        beside = await tierline("audit", "verify", "--database", "--json", env=env, cwd=tmp_path)
    assert (beside.code, beside.json["problems"], beside.json["cases"]) == (0, [], 1)
    path = env["TIERLINE_DATABASE_URL"].removeprefix("sqlite+aiosqlite:///")
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE cases SET snapshot = replace(snapshot, '\"revision\":1', '\"revision\":2')")
        database.execute("DROP TRIGGER leaves_update")
        database.execute("UPDATE leaves SET body = x'00' WHERE idx = 1")
        database.commit()
    found = await tierline("audit", "verify", "--database", env=env, cwd=tmp_path)
    assert found.code == 1
    assert "WRONG  event 1: its bytes are not those that were recorded" in found.out
    assert "the row is not as event" in found.out
    assert "leaves_update" in found.out
    assert "Traceback" not in found.err
    both = await tierline("audit", "verify", "--database", tmp_path, env=env, cwd=tmp_path)
    assert (both.code, "--database goes alone" in both.err) == (2, True)


async def test_looking_makes_no_database(tmp_path: Path, env: dict[str, str]) -> None:
    """Reading commands refuse a database that is not there instead of making an empty one; `db upgrade` makes it."""
    for arguments in (("status",), ("audit", "key"), ("audit", "checkpoint"), ("audit", "export", "out")):
        ran = await tierline(*arguments, env=env, cwd=tmp_path)
        assert ran.code == 2, arguments
        assert "no database" in ran.err
    assert not [name for name in names_in(tmp_path) if name.startswith("tierline.db")]
    assert (await tierline("db", "upgrade", env=env, cwd=tmp_path)).code == 0
    log = (await tierline("status", "--json", env=env, cwd=tmp_path)).json["log"]
    assert log == {"events": 0, "signed": 0, "looked_at": 0, "complete_percent": 100.0}


async def test_a_second_bot_on_the_same_file_is_turned_away(tmp_path: Path, env: dict[str, str]) -> None:
    """SQLite has one serving process; the other one hears why in a sentence."""
    async with served(env, tmp_path):
        second = await tierline("serve", env=env, cwd=tmp_path)
        upgrade = await tierline("db", "upgrade", env=env, cwd=tmp_path)
    assert (second.code, upgrade.code) == (2, 2)
    assert "Another process serves this SQLite database" in second.err
    assert "Traceback" not in second.err
