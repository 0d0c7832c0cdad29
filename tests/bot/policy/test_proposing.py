"""A changed policy file from the start of the bot to the day it is rolled back, against a real ledger."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from bot.policy.active import ActivePolicy
from bot.policy.proposing import FULL, Proposed, Proposing, Staging
from routing.authority import GovernanceVerb
from routing.case.people import GovernancePress, Person
from routing.case.submission import read_submission
from routing.change import Actor, Refused
from routing.governance.policy_lifecycle import accept, decline
from routing.governance.proposal import Proposal
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from routing.review.opening import open_case
from store.ledger.answers import Opened, Ruled
from store.reads.cases import Reads
from store.schema import outbox
from tests.store.a_store import SECRET, Books, a_delivery, open_books

TEXT = """
version: "{version}"
changes: "change number {version}"
{who}
channels: {{owners: review-owners}}
defaults: {{undo: 0s}}
groups: {{frontline: {{users: [U0FRONT]}}}}
ladders: {{standard: {{tiers: [{{channel: review-tier1, group: frontline, decide: 4h}}]}}}}
workflows: {{refunds: {{ladder: standard, template: {template}, requester: optional}}}}
"""
OWNERS = "owners: [U0OWNER, U0SECOND]"
ADA = Actor("human", "os:ada")


def a_text(version: str, template: str = "approval", who: str = OWNERS) -> bytes:
    """A policy with one workflow."""
    return TEXT.format(version=version, template=template, who=who).encode()


def a_policy(version: str, template: str = "approval", who: str = OWNERS) -> Policy:
    """The same, compiled."""
    return load_policy(a_text(version, template, who), {})


@dataclass
class Office:
    """Books with everything that has to do with policies."""

    books: Books

    def __post_init__(self) -> None:
        books = self.books
        self.reads = Reads(books.database, books.vault, books.policies)
        self.proposing = Proposing(books.database, books.ledger, self.reads, books.vault)

    async def start(self, offered: Policy) -> Policy:
        """A start of the bot with this file; gives the policy that is active then."""
        active = ActivePolicy(self.books.database, self.books.ledger, self.reads, self.books.policies, self.proposing)
        await active.load(offered)
        return active()

    async def proposals(self) -> tuple[Proposal, ...]:
        """All there are."""
        return (await self.reads.governance()).proposals

    async def press(self, verb: GovernanceVerb, by: str = "U0OWNER") -> None:
        """Accept or decline the newest proposal."""
        found = (await self.proposals())[-1]
        press = GovernancePress(verb, Person(by, "T0HOME"), "T0HOME", found.id)
        step = accept(press) if verb is GovernanceVerb.ACCEPT_POLICY else decline(press)
        assert isinstance(await self.books.ledger.govern(step, wanted=(found.sha256,), press=press), Ruled)

    async def version(self) -> str:
        """Version of the active policy."""
        active = await self.reads.active_policy()
        assert active is not None
        return active.version

    async def post(self, task_id: str) -> None:
        """A case that an automatic policy would let pass."""
        document = {
            "workflow": "refunds",
            "task_id": task_id,
            "title": SECRET,
            "output": f"The customer asked for a copy of the invoice. {SECRET}",
            "action": {"type": "note.file", "params": {}, "reversible": True},
            "model": {"confidence": 0.99},
            "risk": {"impact": "low", "likelihood": 0.1, "recoverability": "easy"},
        }
        assert isinstance(await self.books.ledger.open(a_delivery(task_id), open_case("refund-agent", read_submission(document))), Opened)


@pytest.fixture
def logs() -> Iterator[list[dict[str, object]]]:
    """What is logged."""
    with capture_logs() as captured:
        yield captured  # type: ignore[misc]


async def test_a_changed_file_is_proposed_by_itself_and_only_once(database_url: str, logs: list[dict[str, object]]) -> None:
    """The active policy stays; the proposal holds the diff and the replay; a second start proposes nothing again."""
    async with open_books(database_url, policy=a_text("1")) as books:
        office = Office(books)
        for number in range(3):
            await office.post(f"t-{number}")
        new = a_policy("2", "auto")
        assert (await office.start(new)).version == "1"
        assert (await office.start(new)).version == "1"
        [proposal] = await office.proposals()
        assert (proposal.by, proposal.raises, proposal.needs, proposal.replayed) == ("tierline", True, 2, True)
        assert proposal.workflows == ("refunds",)
        assert proposal.summary["replay"]["before"]["lanes"] == {"review": 3}
        assert proposal.summary["replay"]["after"]["lanes"] == {"auto": 3}
        assert proposal.summary["replay"]["changed"] == 3
        assert proposal.summary["differences"][0]["text"] == "how people work on it (template): approval → auto"
        assert SECRET not in proposal.model_dump_json()
        statement = select(outbox.c.destination).where(outbox.c.kind == "bulletin")
        assert await books.database.read(lambda connection: list(connection.execute(statement).scalars())) == ["review-owners"]
        assert logs[0]["event"] == "the policy file differs from the active policy and is proposed"


async def test_accepted_it_is_in_force_and_rolled_back_it_stays_out(database_url: str) -> None:
    """Two people accept; new cases follow it; one command leads back; the file, unchanged, does not bring it up again."""
    async with open_books(database_url, policy=a_text("1")) as books:
        office, new = Office(books), a_policy("2", "auto")
        await office.post("t-1")
        await office.start(new)
        await office.press(GovernanceVerb.ACCEPT_POLICY)
        assert await office.version() == "1"
        await office.press(GovernanceVerb.ACCEPT_POLICY, "U0SECOND")
        assert await office.version() == "2"
        assert (await office.start(new)).version == "2"
        assert await office.proposing.roll_back(ADA, "too early") == {"active": "1", "sha256": a_policy("1").sha256}
        assert await office.version() == "1"
        before = len(await office.proposals())
        assert (await office.start(new)).version == "1"
        assert len(await office.proposals()) == before
        assert isinstance(await office.proposing.roll_back(ADA), Refused)


async def test_a_declined_file_may_be_proposed_by_hand(sqlite_url: str) -> None:
    """By itself it is not brought up again; somebody may, and with what stage they like."""
    async with open_books(sqlite_url, policy=a_text("1")) as books:
        office, new = Office(books), a_policy("2")
        await office.start(new)
        await office.press(GovernanceVerb.DECLINE_POLICY)
        await office.start(new)
        assert len(await office.proposals()) == 1
        active = await office.reads.active_policy()
        assert active is not None
        made = await office.proposing.propose(new, active, ADA, reason="asked for", staging=Staging("share", 10))
        assert isinstance(made, Proposed)
        await office.press(GovernanceVerb.ACCEPT_POLICY)
        rollout = (await office.reads.governance()).rollout
        assert rollout is not None
        assert (rollout.percent, await office.version()) == (10, "1")
        assert await office.proposing.roll_back(ADA) == {"active": "1", "sha256": active.sha256, "ended": "2"}


async def test_by_file_it_takes_effect_at_once_until_it_is_rolled_back(sqlite_url: str) -> None:
    """`activation: file` without owners: no second person; a roll back holds although the file still says otherwise."""
    by_file = "activation: file"
    async with open_books(sqlite_url, policy=a_text("1", who=by_file)) as books:
        office, new = Office(books), a_policy("2", who=by_file)
        assert (await office.start(new)).version == "2"
        assert (await office.proposing.roll_back(ADA)) == {"active": "1", "sha256": a_policy("1", who=by_file).sha256}
        assert (await office.start(new)).version == "1"
        assert (await office.start(a_policy("3", who=by_file))).version == "3"


async def test_where_nobody_may_accept_nothing_is_proposed(sqlite_url: str, logs: list[dict[str, object]]) -> None:
    """A policy without owners and without the role stays, and the log says why."""
    async with open_books(sqlite_url, policy=a_text("1", who="")) as books:
        office = Office(books)
        assert (await office.start(a_policy("2"))).version == "1"
        assert await office.proposals() == ()
        assert "names nobody who may accept" in str(logs[0]["event"])


async def test_the_same_policy_twice_is_refused(sqlite_url: str) -> None:
    """What is proposed already is not proposed again."""
    async with open_books(sqlite_url, policy=a_text("1")) as books:
        office = Office(books)
        active = await office.reads.active_policy()
        assert active is not None
        assert isinstance(await office.proposing.propose(a_policy("2"), active, ADA, staging=FULL), Proposed)
        refused = await office.proposing.propose(a_policy("2"), active, ADA)
        assert isinstance(refused, Refused)
        assert refused.reason == "proposed_already"
