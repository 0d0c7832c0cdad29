"""What somebody sees who types `tierline` for the first time."""

from importlib.metadata import version

import pytest

from tests.bot.cli.shell import tierline

COMMANDS = [
    ("init",),
    ("readiness",),
    ("serve",),
    ("demo",),
    ("send",),
    ("status",),
    ("retry",),
    ("incident", "list"),
    ("incident", "show"),
    ("incident", "close"),
    ("watch",),
    ("policy", "init"),
    ("policy", "check"),
    ("policy", "explain"),
    ("policy", "schema"),
    ("services", "check"),
    ("services", "schema"),
    ("audit", "export"),
    ("audit", "verify"),
    ("audit", "checkpoint"),
    ("audit", "key"),
    ("audit", "erase"),
    ("db", "upgrade"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
async def test_every_command_explains_itself_with_an_example(command: tuple[str, ...]) -> None:
    """`--help` shows an example of exactly this command, and that it can print JSON."""
    ran = await tierline(*command, "--help")
    assert ran.code == 0
    assert "Example:" in ran.out
    assert f"tierline {' '.join(command)}" in " ".join(ran.out.partition("Example:")[2].split())
    assert "--json" in ran.out


async def test_the_version_is_told() -> None:
    """`--version` is that of the distribution."""
    assert (await tierline("--version")).out.strip() == version("tierline")


async def test_what_is_not_understood_ends_with_2() -> None:
    """An unknown command, an unknown option and a missing argument are usage errors."""
    for arguments in (("frobnicate",), ("status", "--frobnicate"), ("send",), ("retry", "--peer", "fax")):
        assert (await tierline(*arguments)).code == 2, arguments


async def test_a_mistyped_setting_is_named_and_nothing_starts() -> None:
    """`serve` says which name it does not know and which was meant, without a traceback."""
    ran = await tierline("serve", env={"TIERLINE_POLCY": "policy.yml"})
    assert ran.code == 2
    assert "TIERLINE_POLCY" in ran.err
    assert 'did you mean "TIERLINE_POLICY"?' in ran.err
    assert "Traceback" not in ran.err
