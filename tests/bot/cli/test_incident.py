"""Postmortems on the command line: listed, shown with their timeline, closed by the running bot once the policy has learnt something."""

import json
from pathlib import Path

from tests.bot.cli.shell import POLICY, a_note, an_environment, served, tierline

WITH = POLICY.replace('changes: "for', 'activation: file\npostmortems: {owner: U0OWNER, within: 1s}\nchanges: "for')
LESSON = {"action": a_note()["action"], "model": a_note()["model"], "risk": {**a_note()["risk"], "flags": ["prohibited_content"]}}


async def test_an_incident_is_listed_shown_and_closed_with_a_lesson_only(tmp_path: Path, empty_sqlite_url: str) -> None:
    """A case stops the line; overdue ends with 1; it is not closed before the policy in force has an example that it had not."""
    env = an_environment(tmp_path, empty_sqlite_url)
    (tmp_path / "policy.yml").write_text(WITH)
    (tmp_path / "cases.jsonl").write_text(json.dumps({**a_note("n-1"), **LESSON}) + "\n")
    words = ("--cause", "No rule.", "--remediation", "A rule.", "--example", "late-note")
    async with served(env, tmp_path) as url:
        assert (await tierline("send", "cases.jsonl", "--url", url, "--service", "agent", cwd=tmp_path, env=env)).code == 0
        listed = await tierline("incident", "list", "--json", cwd=tmp_path, env=env)
        [found] = listed.json["incidents"]
        assert (found["kind"], found["workflow"], found["owner"], found["closed"]) == ("stop", "notes", "U0OWNER", None)
        shown = await tierline("incident", "show", found["id"], "--json", cwd=tmp_path, env=env)
        assert {"received", "breaker_tripped", "incident_opened"} <= {one["event"] for one in shown.json["timeline"]}
        assert shown.json["told"]
        read = await tierline("incident", "show", found["id"], cwd=tmp_path, env=env)
        assert "stop in notes" in read.out
        assert "(not written yet)" in read.out
        refused = await tierline("incident", "close", found["id"], *words, cwd=tmp_path, env=env)
        assert refused.code == 1
        assert "has no example “late-note”" in refused.out
        missing = await tierline("incident", "show", "i_0", cwd=tmp_path, env=env)
        assert (missing.code, "There is no incident i_0" in missing.err) == (1, True)
    example = json.dumps({"name": "late-note", "case": LESSON, "lane": "stop"})
    learnt = WITH.replace("action_types: [note.file]", f"action_types: [note.file], examples: [{example}]").replace('"7"', '"8"')
    (tmp_path / "policy.yml").write_text(learnt)
    async with served(env, tmp_path):
        overdue = await tierline("incident", "list", cwd=tmp_path, env=env)
        assert (overdue.code, "1 overdue" in overdue.err) == (1, True)
        closed = await tierline("incident", "close", found["id"], *words, cwd=tmp_path, env=env)
        assert closed.code == 0, closed.out + closed.err
        again = await tierline("incident", "list", "--json", cwd=tmp_path, env=env)
        assert (again.code, again.json["incidents"][0]["closed"]["example"]) == (0, "late-note")
