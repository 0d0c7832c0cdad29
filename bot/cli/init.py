"""`tierline init`: the files to begin with. Owns which files those are; their text lies beside, and the policy is that of `policy init`."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.terminal import JsonFlag, emit, remark

FILES = {".env.example": "first_settings.env", "services.yml": "first_services.yml", "policy.yml": "first_policy.yml"}
"""What is written, and from which text."""

NEXT = """\
Next:
  1. cp .env.example .env && chmod 600 .env, then fill in what is empty
  2. put your channels, groups and workflows into policy.yml, your service into services.yml
  3. tierline readiness        says what is still missing, and how to mend it
  4. tierline serve            starts the bot"""


def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write them.", show_default=False)] = Path(),
    *,
    as_json: JsonFlag = False,
) -> None:
    """Write .env.example, services.yml and a first policy.yml, to begin with. Nothing that is there is overwritten."""
    from importlib.resources import files

    there = [name for name in FILES if (directory / name).exists() or (directory / name).is_symlink()]
    if directory.exists() and not directory.is_dir():
        raise typer.BadParameter(f"{directory} is no directory; name one, or leave it out for this one")
    if there:
        raise typer.BadParameter(f"{', '.join(there)}: there already, so nothing was written; name an empty directory")
    directory.mkdir(parents=True, exist_ok=True)
    for name, source in FILES.items():
        with (directory / name).open("xb") as out:
            out.write(files("bot.cli").joinpath(source).read_bytes())
    if as_json:
        emit({"directory": str(directory), "files": list(FILES)})
        return
    print("\n".join(f"{directory / name} written." for name in FILES))
    remark(NEXT if directory == Path() else NEXT.replace("Next:", f"Next, in {directory}:"))
