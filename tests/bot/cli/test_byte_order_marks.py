"""A byte-order mark, as Windows puts it in front of files, is passed over by every reader alike."""

import json
from codecs import BOM_UTF8
from pathlib import Path

import pytest

from bot.cli.files.cases import read_cases
from bot.cli.files.past_cases import labels_of_file
from bot.services import load_services
from bot.settings import read_environment
from routing.policy.file import load_policy
from routing.strict_json import loads
from tests.bot.cli.shell import a_refund, an_environment, served, tierline
from tests.checkout import EXAMPLES


def test_readers_of_files_pass_it_over(tmp_path: Path) -> None:
    """JSON, JSON Lines (also put together of several files), labels, the policy, the services, .env: as if it were not there."""
    case = json.dumps(a_refund()).encode()
    assert loads(BOM_UTF8 + case) == loads(case)
    for text, lines in ((case, False), (b"[" + case + b"]", False), (case + b"\n" + BOM_UTF8 + case, True), (case + b"\n" + case, False)):
        assert [one.problems for one in read_cases(BOM_UTF8 + text, lines=lines)] == [()] * (2 if text.count(b"workflow") > 1 else 1)
    (tmp_path / "labels.jsonl").write_bytes(BOM_UTF8 + b'{"task_id": "t-1", "correct": true}\n')
    assert labels_of_file(tmp_path / "labels.jsonl") == {"t-1": True}
    policy = (EXAMPLES / "policy.yml").read_bytes()
    environment = {"PAGERDUTY_ROUTING_KEY": "0" * 32}
    assert load_policy(BOM_UTF8 + policy, environment).version == load_policy(policy, environment).version
    secrets = {name: "whsec_" + letter * 44 for name, letter in zip(("A", "B"), "AB", strict=True)}
    services = (
        b"services:\n  - {name: one, secrets: ['${A}'], callback_secret: '${B}', callback_url: 'https://x.example/', workflows: [w]}\n"
    )
    assert load_services(BOM_UTF8 + services, secrets).by_name.keys() == {"one"}
    (tmp_path / ".env").write_bytes(BOM_UTF8 + b"TIERLINE_PORT=9001\n")
    assert read_environment(tmp_path / ".env")["TIERLINE_PORT"] == "9001"


@pytest.mark.outside
async def test_commands_and_the_bot_take_the_same_bytes(tmp_path: Path, empty_sqlite_url: str) -> None:
    """`send` a file of either form, and `explain`."""
    env = an_environment(tmp_path, empty_sqlite_url)
    (tmp_path / "case.json").write_bytes(BOM_UTF8 + json.dumps(a_refund()).encode())
    (tmp_path / "cases.jsonl").write_bytes(BOM_UTF8 + json.dumps(a_refund("r-2")).encode() + b"\n")
    async with served(env, tmp_path) as url:
        for file in ("case.json", "cases.jsonl"):
            assert (await tierline("send", file, "--url", url, cwd=tmp_path, env=env)).code == 0
        explained = await tierline("policy", "explain", "case.json", "--json", cwd=tmp_path, env=env)
        assert explained.code == 0, explained.err
