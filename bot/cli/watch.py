"""`tierline watch`: a second process, best on another machine, that pages by itself when the bot cannot be relied on. Owns the signals and
what is printed; `bot.watch` decides when.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.terminal import FOUND, JsonFlag, emit, remark

if TYPE_CHECKING:
    from bot.watch.routed_events import RoutedEvents
    from bot.watch.watcher import News


def watch(
    url: Annotated[str, typer.Argument(help="Where the bot answers; its /readyz is looked at.")],
    *,
    within: Annotated[float, typer.Option(help="Seconds within which the page is out, at worst.")] = 60.0,
    once: Annotated[
        bool, typer.Option("--once", help="Look once, send nothing; exit 1 where the bot is not ready or PagerDuty is not there.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Page through PagerDuty when the bot at URL is not ready for a minute, and resolve that when it is again.

    Run it on another machine than the bot. It needs TIERLINE_WATCH_ROUTING_KEY, the integration key of a service in PagerDuty, and no
    database. It ends with 0 when it is told to (SIGTERM, Ctrl-C), and with 2 when it cannot be understood.
    """
    import asyncio

    from bot.settings import PREFIX, SettingsError, read_environment, read_settings
    from bot.tls import trusted
    from bot.watch.look import readyz
    from bot.watch.routed_events import RoutedEvents
    from bot.watch.watcher import Pace
    from routing.errors import Problem

    try:
        address = readyz(url)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="URL") from None
    if unsound := Pace(within_s=within).unsound():
        raise typer.BadParameter(unsound, param_hint="--within")
    environment = read_environment()
    settings = read_settings(environment)
    if settings.watch_routing_key is None:
        problem = Problem(f"{PREFIX}WATCH_ROUTING_KEY", "needed to page: the integration key (Events API v2) of a service in PagerDuty")
        raise SettingsError([problem], "settings")
    events = RoutedEvents(settings.pagerduty_events_url, settings.watch_routing_key.get_secret_value(), trusted(environment))
    try:
        asyncio.run(_watch(address, events, within, once=once, as_json=as_json))
    finally:
        events.close()


async def _watch(url: str, events: "RoutedEvents", within_s: float, *, once: bool, as_json: bool) -> None:
    import asyncio
    import signal
    from contextlib import suppress

    import aiohttp

    from bot.clock import now, steady
    from bot.watch.look import look
    from bot.watch.watcher import Pace, Watcher
    from routing.case.submission import moment_text

    failed = list[str]()

    def tell(news: "News") -> None:
        at = moment_text(now())
        if as_json:
            emit({"at": at, "event": news.kind, "url": url, "sentence": news.sentence})
        if news.failed or not as_json:
            remark(f"{at} {news.sentence}")
        if news.failed:
            failed.append(news.sentence)

    pace = Pace(within_s=within_s)
    connector = aiohttp.TCPConnector(ssl=events.tls, force_close=True)
    bound = aiohttp.ClientTimeout(total=None)  # the whole look has one
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=bound, trust_env=False) as session:
        watcher = Watcher(url, lambda: look(session, url, pace.answer_s), events, pace=pace, steady=steady, now=now, tell=tell)
        if once:
            seen = await watcher.look(page=False)
            if seen.wrong or failed:
                raise typer.Exit(FOUND)
            return
        remark(f"Watching {url}: a page is out within {within_s:g} s of its last good answer. Ctrl-C ends it.")
        watching = asyncio.create_task(watcher.run())
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, watching.cancel)
        with suppress(asyncio.CancelledError):
            await watching
