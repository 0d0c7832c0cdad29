"""A week of escalation, seen from PagerDuty (promises P3 and P4): whatever the office hours, the troubles and the people, every page that
was due was made in time, none twice, none for what was over.

By default a few cases of a week on each database; with `--full` many weeks, with troubles that last for hours.
"""

import dataclasses
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot.sandbox.northwind import PAGERDUTY
from bot.sandbox.record import Seen
from tests.mail_server import a_mail_server
from tests.postgres import Postgres
from tests.promises.week_company import POLICY, SERVICES, Company, Letters
from tests.promises.week_judge import judge
from tests.promises.week_story import WEEKS, Diary, Week
from tests.world import running

KEYS = {service.routing_key: service.id for service in PAGERDUTY.services}


@dataclasses.dataclass(frozen=True)
class Lived:
    """What there is to judge a week by."""

    diary: Diary
    seen: Sequence[Seen]
    letters: Sequence[tuple[float, str]]
    decided: frozenset[str]
    """Cases whose service was told a verdict."""

    def wrongs(self) -> list[str]:
        """The judge's verdict; and a press that was shown and did not count."""
        pressed = {told.id for told in self.diary.cases if any(act.verb in ("approve", "withdraw") for act in told.acts)}
        unheard = [f"{case_id} was decided, and its service never heard" for case_id in pressed - self.decided]
        return judge(self.diary, self.seen, self.letters, KEYS) + unheard


async def live(folder: Path, url: str, seed: str, *, cases: int, longest: timedelta, replicas: int = 1) -> Lived:
    """A company lives this week."""
    letters = Letters()
    async with a_mail_server(letters) as mail:
        company = Company(folder, url, socket_mode=False, policy=POLICY, services=SERVICES, smtp_url=mail.url)
        company.replicas = replicas
        week = Week(company, seed, cases, longest=longest)
        letters.clock, company.clock.now = company.clock.unix, week.begin
        async with running(company):
            diary = await week.live()
            decided = frozenset(str(one.data["case_id"]) for one in company.sandbox.customer.inbox if one.type == "case.decided")
            return Lived(diary, list(company.sandbox.pagerduty.record), list(letters.came), decided)


@contextmanager
def a_database(request: pytest.FixtureRequest, engine: str, folder: Path) -> Iterator[str]:
    """One of its own."""
    if engine == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "tierline.db")
        yield f"sqlite+aiosqlite:///{folder / 'tierline.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create()
    yield server.url(name)
    server.drop(name)


WAYS = {"sqlite": ("easter-2", 4), "postgresql": ("autumn-1", 4), "three replicas": ("ordinary-1", 2)}
"""By engine: the week that is lived by default, and how many cases it has."""

WEEKS_MANY = 6
"""With `--full`: so many of each kind."""


@pytest.mark.timeout(36_000)
@pytest.mark.parametrize("engine", WAYS)
async def test_every_page_of_a_week_is_made_once_and_in_time(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str, *, full: bool
) -> None:
    """Whatever PagerDuty, the clocks and the people do; and there were pages."""
    seed, cases = WAYS[engine]
    seeds, longest = [seed], timedelta(minutes=6)
    if full:
        seeds, cases, longest = [f"{week}-{number}" for number in range(WEEKS_MANY) for week in WEEKS], 20, timedelta(hours=2)
    for seed in seeds:
        folder = tmp_path / seed
        folder.mkdir()
        with a_database(request, engine, folder) as url:
            lived = await live(folder, url, seed, cases=cases, longest=longest, replicas=3 if engine == "three replicas" else 1)
        assert lived.wrongs() == [], seed
        assert sum(one.kind == "opened" for one in lived.seen) > cases, seed
