"""`tierline serve`: the bot, until it is told to stop. Owns the signals and the first words; `bot.app` does everything else."""

from typing import TYPE_CHECKING, Any

from bot.cli.terminal import JsonFlag, emit, remark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import SecretStr

    from bot.log_repeats import RepeatsHandler
    from bot.settings import Settings

COUNTS_EVERY_S = 10.0

SWITCH_S = 0.001
"""How long a thread that wants the interpreter waits for one that computes: what reads and writes is short, and somebody waits for it."""


def serve(*, as_json: JsonFlag = False) -> None:
    """Run the bot until SIGTERM or Ctrl-C. Settings come from TIERLINE_* names in the environment or in .env."""
    import asyncio

    from bot.clock import now, steady
    from bot.logs import set_up_logs
    from bot.settings import read_environment, read_settings

    environment = read_environment()
    settings = read_settings(environment)
    log = set_up_logs(settings.log_format, _secrets(settings), now, steady=steady)
    asyncio.run(_serve(settings, environment, log, as_json=as_json))


async def _serve(settings: "Settings", environment: dict[str, str], log: "RepeatsHandler", *, as_json: bool) -> None:
    import asyncio
    import signal

    from bot.app import App
    from bot.cli.writing.control_commands import listening
    from bot.loops import end

    told_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    counting = asyncio.create_task(_tell_counts(log))
    app = await App.start(settings, environment)
    be_prompt()
    try:
        async with listening(app, settings, environment):
            greet(app.url, app.deployment, (await app.readiness.standing()).said(), as_json=as_json)
            await told_to_stop.wait()
    finally:
        await app.stop()
        await end(counting)


def be_prompt() -> None:
    """Set the interpreter up for people who wait: threads take turns quickly, and what the start left in memory, which stays, is not looked
    through for garbage again and again (a tenth of a second each time, while nothing else happens).
    """
    import gc
    import sys

    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()


async def _tell_counts(log: "RepeatsHandler") -> None:
    """Have the log say what it counted, also when nothing more is said."""
    import asyncio

    while True:
        await asyncio.sleep(COUNTS_EVERY_S)
        log.tell()


def greet(url: str, deployment: str, said: "Mapping[str, Any]", *, as_json: bool) -> None:
    """The first words: where the bot answers, and what is in its way (`bot.readiness.Standing.said`)."""
    if as_json:
        emit({"url": url, "deployment": deployment, **said})
        return
    if not said["ready"]:
        remark(f"Tierline ({deployment}) runs at {url} and is not ready:")
        for sentence in said["obstacles"]:
            remark(f"  {sentence}")
        remark(f"{url}/readyz says when it is. Ctrl-C stops it.")
    else:
        remark(f"Tierline ({deployment}) takes cases at {url}/v1/cases; {url}/readyz says whether it can. Ctrl-C stops it.")
    for sentence in said["attention"]:
        remark(f"Needs attention: {sentence}")


def _secrets(settings: "Settings") -> "Iterator[SecretStr]":
    """Every secret among the settings, to be blotted out of the log."""
    from pydantic import SecretStr

    for name in type(settings).model_fields:
        value = getattr(settings, name)
        yield from (one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, SecretStr))
