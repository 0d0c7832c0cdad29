"""`audit erase`, from the command line to the bot that serves the database."""

import json
from pathlib import Path

from tests.bot.cli.shell import a_note, a_service, an_environment, served, tierline


async def test_erasing_goes_through_the_running_bot(tmp_path: Path, empty_sqlite_url: str) -> None:
    """A case that was told to its service is erased once; the second time, and for a case that is not there, the command says why not."""
    async with a_service() as service:
        env = an_environment(tmp_path, empty_sqlite_url, service.url)
        async with served(env, tmp_path) as url:
            sent = await tierline("send", "-", "--url", url, cwd=tmp_path, env=env, stdin=json.dumps(a_note()))
            case_id = sent.json["answer"]["id"]
            await service.told()
            asking = ("audit", "erase", case_id, "--reason", "request 114", "--json")
            ran = await tierline(*asking, env=env, cwd=tmp_path)
            while "not delivered" in ran.json.get("why", ""):  # the bot settles a callback a moment after its receiver has answered
                ran = await tierline(*asking, env=env, cwd=tmp_path)
            assert ran.code == 0, ran
            assert (ran.json["erased"], ran.json["gone_from_disk"]) == (True, True)
            again = await tierline(*asking[:-1], env=env, cwd=tmp_path)
            assert (again.code, again.out) == (1, "Not erased. The content of this case has already been erased.\n")
            nowhere = await tierline("audit", "erase", "c_01m7wd7tg00w3ge1r70w3ge1r7", "--reason", "x", "--json", env=env, cwd=tmp_path)
            assert (nowhere.code, nowhere.json["erased"]) == (1, False)
        standing = await tierline("status", env=env, cwd=tmp_path)
        assert "Audit completeness: 100.0 % of the last" in standing.out
    alone = await tierline("audit", "erase", case_id, "--reason", "request 114", env=env, cwd=tmp_path)
    assert alone.code == 2
    assert "tierline serve" in alone.err
