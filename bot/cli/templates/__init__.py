"""Policies to begin with, one file for each use case. Owns where they lie and what each is about; knows nothing of what they say."""

from collections.abc import Mapping
from importlib.resources import files

import typer

from routing.problems import did_you_mean

_FIRST = "first_policy.yml"


def templates() -> Mapping[str, str]:
    """What each template is about, by name: the first line of its file."""
    found = sorted((file.name, file.read_text("utf-8")) for file in files(__name__).iterdir() if file.name.endswith(".yml"))
    return {name.removesuffix(".yml"): text.splitlines()[0].removeprefix("# ") for name, text in found}


def template_bytes(name: str) -> bytes:
    """A template by name, the small one without. Raises `BadParameter` for a name that is none."""
    if not name:
        return files("bot.cli").joinpath(_FIRST).read_bytes()
    known = list(templates())
    if name not in known:
        raise typer.BadParameter(f'there is no template "{name}"{did_you_mean(name, known)}; `tierline policy init --list` names them')
    return files(__name__).joinpath(f"{name}.yml").read_bytes()
