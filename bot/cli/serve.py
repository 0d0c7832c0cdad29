"""`tierline serve`: the bot, until it is told to stop. Owns the signals and the first words; `bot.app` does everything else."""

from typing import TYPE_CHECKING

from bot.cli.terminal import JsonFlag, emit, remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import SecretStr

    from bot.settings import Settings


def serve(*, as_json: JsonFlag = False) -> None:
    """Run the bot until SIGTERM or Ctrl-C. Settings come from TIERLINE_* names in the environment or in .env."""
    import asyncio

    from bot.clock import now
    from bot.logs import set_up_logs
    from bot.settings import read_environment, read_settings

    environment = read_environment()
    settings = read_settings(environment)
    set_up_logs(settings.log_format, _secrets(settings), now)
    asyncio.run(_serve(settings, environment, as_json=as_json))


async def _serve(settings: "Settings", environment: dict[str, str], *, as_json: bool) -> None:
    import asyncio
    import signal
    from functools import partial

    from bot.app import App
    from bot.cli.dead import revive
    from bot.cli.erasing import erase_content
    from bot.cli.proposals import COMMANDS
    from bot.cli.recovering import go_on
    from bot.control import Command, Control, socket_path
    from routing.policy_file import load_policy

    told_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    app = await App.start(settings, environment)
    load = partial(load_policy, environment=environment)
    try:
        commands: dict[str, Command] = {
            "retry": partial(revive, app.database, app.outbox),
            "erase": partial(erase_content, app.database, app.ledger),
            "recover": partial(go_on, app.signing, app.outbox),
            **{name: partial(command, app.proposing, app.reads, load) for name, command in COMMANDS.items()},
        }
        control = Control(socket_path(settings), commands) if settings.on_sqlite else None
        if control is not None:
            await control.start()
        try:
            _greet(app.url, app.deployment, as_json=as_json)
            await told_to_stop.wait()
        finally:
            if control is not None:
                await control.stop()
    finally:
        await app.stop()


def _greet(url: str, deployment: str, *, as_json: bool) -> None:
    if as_json:
        emit({"url": url, "deployment": deployment})
    else:
        remark(f"Tierline ({deployment}) takes cases at {url}/v1/cases; {url}/readyz says whether it can. Ctrl-C stops it.")


def _secrets(settings: "Settings") -> "Iterator[SecretStr]":
    """Every secret among the settings, to be blotted out of the log."""
    from pydantic import SecretStr

    for name in type(settings).model_fields:
        value = getattr(settings, name)
        yield from (one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, SecretStr))
