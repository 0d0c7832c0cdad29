"""Who is on call is asked while a case is shown: that it cannot be recorded keeps no case from being shown, and is said later."""

from typing import Any

from escalation.rota import Rota
from routing.policy.file import load_policy
from store.reads.on_call import OnCallBook
from tests.store.a_store import open_books
from tests.store.ledger.test_consequences import OWN, Loader, the_governance


class Schedule:
    """What PagerDuty says."""

    def __init__(self) -> None:
        self.name = ""

    async def on_call(self, _policy: str) -> str:
        """Who is on call first."""
        return self.name


async def test_news_that_cannot_be_told_is_told_later(database_url: str) -> None:
    """While the policy cannot be read the card says who is on call all the same; a minute after that is mended the alarm follows."""
    load, failed = Loader(), list[str]()
    schedule: Any = Schedule()
    async with open_books(database_url, policy=OWN, load=load) as books:
        case = await books.open()
        book = OnCallBook(books.database, books.writer)
        rota = Rota(
            book, lambda _case, _tier: "PONE", books.clock, schedule, books.ledger, report=lambda policy, _error: failed.append(policy)
        )

        def readable(*, there: bool) -> None:
            books.policies._compiled.clear()  # noqa: SLF001 - as in a process that was started since
            books.policies._broken.clear()  # noqa: SLF001
            books.policies.remember(load_policy(OWN, {}).sha256, OWN)
            load.broken = () if there else (OWN,)

        for name, over in (("", False), ("Dmitri", True)):
            schedule.name = name
            readable(there=False)
            books.clock.forward(301)
            assert (await rota.on_call(case, 0)).name == name
            readable(there=True)
            books.clock.forward(61)
            assert (await rota.on_call(case, 0)).name == name
            [alert] = (await the_governance(books)).alerts
            assert alert.over is over
        assert failed == ["PONE", "PONE"]
