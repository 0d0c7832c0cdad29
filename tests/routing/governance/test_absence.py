"""One person is away under whatever id: whichever they type with, whichever the policy names, whichever they come back with."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalation.page_words import owner_words
from routing.authority import GovernanceVerb
from routing.case.case import Tier
from routing.case.people import GovernancePress, Person
from routing.change import Refused
from routing.governance.absence import come_back, leave
from routing.governance.governance import Governance
from routing.governance.ruling import Governed, GovernStep
from routing.policy.file import load_policy
from tests.routing.governed import NOON

IDS = ("U0HOME", "W0ENTERPRISE", "U0OTHER")
TOMORROW = NOON + timedelta(days=1)


def named(owner: str) -> Governed:
    """A policy whose one tier has this owner and a backup."""
    text = f"""
version: "1"
changes: "for absence"
groups: {{front: {{users: [U0FRONT]}}}}
ladders: {{standard: {{tiers: [{{channel: a, group: front, owner: {owner}, backup: U0BACKUP, decide: 4h}}]}}}}
workflows: {{refunds: {{ladder: standard}}}}
"""
    return Governed(Governance(), load_policy(text.encode(), {}), "0" * 26)


def press(verb: GovernanceVerb, typed_as: str) -> GovernancePress:
    """Somebody with three ids."""
    person = Person(typed_as, "T0HOME", aliases=frozenset(IDS) - {typed_as})
    return GovernancePress(verb, person, "T0HOME", "")


def after(step: GovernStep, before: Governed, now: datetime = NOON) -> Governed:
    """The governance as it is since."""
    done = step(before, now)
    assert not isinstance(done, Refused), done
    return Governed(done.governance, before.policy, before.draw)


@given(typed=st.sampled_from(IDS), owner=st.sampled_from(IDS), back=st.sampled_from(IDS))
def test_whatever_id_they_go_by(typed: str, owner: str, back: str) -> None:
    """The backup answers until they are back, by whichever id that is said, and nobody else is away."""
    tier = named(owner).policy.tiers["standard"][0]
    gone = after(leave(press(GovernanceVerb.AWAY, typed), TOMORROW), named(owner))
    away = gone.governance.away_at(NOON)
    assert tier.answering(away) == "U0BACKUP"
    assert set(away) == set(IDS)
    there = after(come_back(press(GovernanceVerb.BACK, back)), gone)
    assert not there.governance.away_at(NOON)
    assert isinstance(come_back(press(GovernanceVerb.BACK, back))(there, NOON), Refused)


@pytest.mark.parametrize(
    ("owner", "backup", "away", "said"),
    [
        ("U1", "U2", (), "U1"),
        ("U1", "U2", ("U2",), "U1"),
        ("U1", "U2", ("U1",), "U2, for U1, who is away until 2026-11-21 12:00 UTC"),
        ("U1", None, ("U1",), "nobody: U1, who is away until 2026-11-21 12:00 UTC"),
        ("U1", "U2", ("U1", "U2"), "nobody: U1, who is away until 2026-11-21 12:00 UTC and U2, who is away until 2026-11-21 12:00 UTC"),
        (None, "U2", (), "U2"),
        (None, None, (), ""),
    ],
)
def test_a_page_names_who_answers_and_for_whom(owner: str | None, backup: str | None, away: tuple[str, ...], said: str) -> None:
    """Never somebody who is away as if they were there."""
    tier = Tier(channel="a", group="front", owner=owner, backup=backup, decide_s=60)
    assert owner_words(tier, dict.fromkeys(away, TOMORROW)) == said
