"""Drills on the command line: started by the running bot, listed, reported on, stopped; what cannot be played is said."""

from pathlib import Path

from tests.bot.cli.shell import an_environment, served, tierline


async def test_a_drill_is_started_shown_and_stopped(tmp_path: Path, empty_sqlite_url: str) -> None:
    """Of several workflows one has to be named; a tier that the ladder has not, a second stop and an unknown drill end with 1."""
    env, notes = an_environment(tmp_path, empty_sqlite_url), ("--workflow", "notes")
    async with served(env, tmp_path):
        unclear = await tierline("drill", "nobody-available", cwd=tmp_path, env=env)
        assert (unclear.code, "--workflow notes | refunds" in unclear.err) == (2, True)
        wrong = await tierline("drill", "nobody-available", *notes, "--tier", "8", cwd=tmp_path, env=env)
        assert (wrong.code, "of which cases begin at tier 1" in wrong.out) == (1, True)
        other = await tierline("drill", "violation", "--workflow", "nots", cwd=tmp_path, env=env)
        assert (other.code, "did you mean" in other.out) == (1, True)
        begun = await tierline("drill", "nobody-available", *notes, "--json", cwd=tmp_path, env=env)
        assert begun.code == 0, begun.out + begun.err
        drill = begun.json["id"]
        shown = await tierline("drill", "show", drill, "--json", cwd=tmp_path, env=env)
        assert (shown.json["kind"], shown.json["workflow"], shown.json["outcome"]) == ("nobody_available", "notes", "")
        assert [hop["end"] for hop in shown.json["hops"]] == ["waits"]
        twice = await tierline("drill", "nobody-available", *notes, cwd=tmp_path, env=env)
        assert (twice.code, drill in twice.out) == (1, True)
        stopped = await tierline("drill", "stop", cwd=tmp_path, env=env)
        assert (stopped.code, f"{drill} is stopped" in stopped.out) == (0, True)
        listed = await tierline("drill", "list", "--json", cwd=tmp_path, env=env)
        while not listed.json["drills"][0]["outcome"]:  # its case is closed by the next tick
            listed = await tierline("drill", "list", "--json", cwd=tmp_path, env=env)
        assert [(one["id"], one["outcome"]) for one in listed.json["drills"]] == [(drill, "stopped")]
        assert {(one["ladder"], one["at"]) for one in listed.json["contacts"]} == {("standard", None), ("", None)}
        read = await tierline("drill", "show", drill, cwd=tmp_path, env=env)
        assert "the drill was stopped" in read.out
        assert "standard, tier 1: never" in read.out
        missing = await tierline("drill", "show", "d_0", cwd=tmp_path, env=env)
        assert (missing.code, "There is no drill d_0" in missing.err) == (1, True)
