"""`tierline services`: the services file, described and checked. Owns these commands; `bot.services` knows what the file must be."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.terminal import FOUND, JsonFlag, emit, remark

app = typer.Typer(
    help="The services that may post cases (services.yml).", epilog="Example:  tierline services check services.yml", no_args_is_help=True
)

ServicesFile = Annotated[Path | None, typer.Argument(help="The file; default: TIERLINE_SERVICES, else services.yml.", show_default=False)]


@app.command(epilog="Example:  tierline services schema > services.schema.json")
def schema(*, as_json: JsonFlag = False) -> None:  # noqa: ARG001  # it is JSON anyway
    """Print the JSON Schema of services.yml, for editors."""
    from bot.services import services_schema

    emit(services_schema())


@app.command(epilog="Example:  tierline services check services.yml")
def check(file: ServicesFile = None, *, as_json: JsonFlag = False) -> None:
    """Check services.yml: every problem with file, line, key and what was expected. Exit 1 if there is one."""
    from bot.cli.files.configuration import Supposed, chosen_file, environment
    from bot.cli.files.file_problems import judge
    from bot.services import ServicesError, load_services

    path = chosen_file(file, "TIERLINE_SERVICES", "services.yml", "examples/services.yml is one to begin with.")
    supposed = Supposed(environment())
    try:
        services = load_services(path.read_bytes(), supposed, str(path))
    except ServicesError as error:
        judge(path, error.problems, sorted(supposed.unset), as_json=as_json)
        raise typer.Exit(FOUND) from None
    judge(path, (), sorted(supposed.unset), as_json=as_json)
    if not as_json:
        for service in services.by_name.values():
            remark(f"  {service.name}: {', '.join(sorted(service.workflows))} -> {service.callback_url}")
