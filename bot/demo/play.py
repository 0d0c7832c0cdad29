"""The two ways to run the demonstration: the story without hands, and hands on until it is stopped. Owns the directory, the bot's log and
what can be broken on purpose; prints nothing.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from bot import clock
from bot.demo.cases import read_cases
from bot.demo.observer import MissingError
from bot.demo.people import GRACE, SLACK_IDS
from bot.demo.proposal import next_policy
from bot.demo.scene import Scene
from bot.demo.stage import SERVICE, Stage, set_up
from bot.demo.story import PATIENCE_S, play
from bot.logs import set_up_logs
from bot.sandbox.faults import Fault, Mode
from routing.change import Actor

FAULTS: Mapping[str, Fault] = {
    "callbacks": Fault("customer", "callback", Mode.UNREACHABLE, times=None),
    "pagerduty": Fault("pagerduty", "enqueue", Mode.SERVER_ERROR, times=None),
    "slack": Fault("slack", "chat.postMessage", Mode.SERVER_ERROR, times=None),
    "presses": Fault("slack", "interactive", Mode.UNREACHABLE, times=None),
}
"""What can be broken on purpose, to see the story fail."""

HANDS_ON = (
    *("small-refund", "large-refund", "sofa", "access", "reply", "bank", "price", "candle", "lock", "summary", "summary-close"),
    *("ticket-charged", "ticket-smell", "parcel", "recall"),
)
"""The cases to press in; the candle is posted twice, as a run that stumbled would. What stops the line is left to the story."""

PAGE_PORT = 8000
LOG_LINES = 20


@dataclass(frozen=True, slots=True)
class Missing:
    """The step that the sandbox's ledgers did not see, and the end of the bot's log."""

    step: str
    log: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Welcome:
    """What a person needs to begin: the page, the bot, and how the service signs. `cases`: how many were posted."""

    page_url: str
    url: str
    service: str
    secret: str
    workflows: tuple[str, ...]
    cases: int
    settings: Mapping[str, str]
    """What other commands have to find in their environment to speak to this bot."""


async def play_story(
    chapter: Callable[[str], None],
    step: Callable[[str], None],
    *,
    port: int | None = None,
    fault: str | None = None,
    patience_s: float = PATIENCE_S,
) -> Missing | None:
    """Play the whole story in a fresh sandbox, its page on `port` or any. None when its ledgers saw every step. Raises OSError."""
    with _directory() as (directory, log):
        async with set_up(directory, page_ports=(port or 0,), unhurried=True) as stage:
            if fault is not None:
                stage.sandbox.faults.add(FAULTS[fault])
            try:
                await play(Scene(stage, chapter, step, patience_s))
            except MissingError as missing:
                return Missing(str(missing), tuple(log.read_text().splitlines()[-LOG_LINES:]))
    return None


async def play_hands_on(
    welcome: Callable[[Welcome], None],
    until: Callable[[], Awaitable[object]],
    *,
    policy: bytes | None,
    port: int | None,
    beside: Callable[[Stage], AbstractAsyncContextManager[object]] = nullcontext,
) -> None:
    """Start everything, post the cases, tell where they are, and keep running until `until()` returns; `beside` runs along.

    The page is on `port` (8000 if that is free, else any), the bot on the one after it if that is free. Raises PolicyError, OSError.
    """
    page_ports = (PAGE_PORT, 0) if port is None else (port,)
    with _directory() as (directory, _):
        async with set_up(directory, policy_text=policy, page_ports=page_ports) as stage, beside(stage):
            posted = await _prepare(stage) if policy is None else 0
            sandbox = stage.sandbox
            welcome(
                Welcome(sandbox.page_url, stage.app.url, SERVICE, stage.secret, tuple(stage.policy.workflows), posted, settings_of(stage))
            )
            reporting = asyncio.create_task(report_outcomes(stage))
            try:
                await until()
            finally:
                reporting.cancel()
                with suppress(asyncio.CancelledError):
                    await reporting


def settings_of(stage: Stage) -> dict[str, str]:
    """Where the database is, and the files that go with it."""
    settings = stage.settings
    return {"TIERLINE_DATABASE_URL": settings.database_url.get_secret_value(), "TIERLINE_VAULT_KEY_FILE": str(settings.vault_key_path)}


async def report_outcomes(stage: Stage) -> None:
    """Until cancelled, the service says of each action that it executed it, as a real one would; the card then shows it."""
    customer, arrived, reported = stage.sandbox.customer, asyncio.Event(), 0
    stop = customer.record.watch(lambda _seen: arrived.set())
    try:
        while True:
            arrived.clear()
            for callback in customer.executed[reported:]:
                case_id, sha256 = str(callback.data["case_id"]), callback.data["action_sha256"]
                await customer.report_outcome(case_id, "executed", executed_action_sha256=sha256)
                reported += 1
            await arrived.wait()
    finally:
        stop()


async def _prepare(stage: Stage) -> int:
    """The service posts its cases and Grace proposes another policy. Gives how many cases were taken."""
    cases = read_cases(stage.clock())
    posts = [cases[name] for name in HANDS_ON] + [cases["candle"] | {"task_id": "price-3022"}]
    answers = [await stage.sandbox.customer.post(case) for case in posts]
    await stage.app.proposing.propose(next_policy(stage), stage.app.policy(), Actor("human", SLACK_IDS[GRACE]), reason="Two chargebacks.")
    return sum(status == 202 for status, _ in answers)


@contextmanager
def _directory() -> Iterator[tuple[Path, Path]]:
    """A directory that is gone afterwards, and the bot's log in it."""
    with tempfile.TemporaryDirectory(prefix="tierline-demo-") as name:
        log = Path(name) / "tierline.log"
        with log.open("w") as stream:
            set_up_logs("json", (), clock.now, stream)
            try:
                yield Path(name), log
            finally:
                set_up_logs("json", (), clock.now)
