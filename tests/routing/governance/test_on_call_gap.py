"""The alarm that nobody is on call follows what PagerDuty says of an escalation policy, whoever asks, in whatever order."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.change import MessageKind, Refused
from routing.governance.governance import Governance
from routing.governance.on_call_gap import AGAIN, end_unpaged, nobody_on_call, somebody_on_call, unpaged
from routing.governance.ruling import ALERT, Governed, GovernStep
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from routing.vocabulary import EventKind
from tests.examples_drawn import examples
from tests.routing.governed import NOON, POLICY

POLICIES = ("PONE", "PTWO")
TIER = "channel: review-tier1, group: frontline, decide: 4h"
HEAD = """
version: "1"
changes: "for tests of who is on call"
groups: {frontline: {users: [U0FRONT]}}
channels: {operations: operations}
ladders:
  standard: """
WORKFLOWS = "workflows: {refunds: {ladder: standard, template: approval, requester: optional}}"
ASKS = st.tuples(
    st.sampled_from(["refunds", "payouts"]),
    st.sampled_from(["standard", "other"]),
    st.integers(0, 1),
    st.sampled_from(POLICIES),
    st.booleans(),
    st.sampled_from([timedelta(minutes=5), timedelta(hours=7), AGAIN]),
)


@dataclass
class Desk:
    """A governance under way, with what was said of it."""

    now: datetime = NOON
    policy: Policy = POLICY
    governance: Governance = field(default_factory=Governance)
    drawn: int = 0
    events: list[EventKind] = field(default_factory=list)
    posted: list[tuple[str, int]] = field(default_factory=list)

    def rule(self, step: GovernStep) -> bool:
        """Whether there was anything to say."""
        self.drawn += 1
        self.events, self.posted = [], []
        done = step(Governed(self.governance, self.policy, f"{self.drawn:026}"), self.now)
        if isinstance(done, Refused):
            return False
        self.governance = done.governance.model_copy(update={"revision": self.governance.revision + 1})
        self.events = [one.kind for one in done.events]
        self.posted = [(one.subject, one.tier) for one in done.messages if one.kind is MessageKind.BULLETIN]
        return True


@settings(max_examples=examples(150))
@given(asks=st.lists(ASKS, min_size=1, max_size=12))
def test_the_alarm_is_open_while_nobody_is_on_call(asks: list[tuple[str, str, int, str, bool, timedelta]]) -> None:
    """One for each escalation policy, shared by its ladders: raised at once, said again a day later, not over before somebody is there."""
    desk = Desk()
    told: dict[str, datetime] = {}
    places = set[tuple[str, int]]()
    for workflow, ladder, tier, policy, somebody, pause in asks:
        desk.now += pause
        spoke = desk.rule(somebody_on_call(policy) if somebody else nobody_on_call(workflow, ladder, tier, policy))
        due = policy in told if somebody else policy not in told or desk.now - told[policy] >= AGAIN
        assert spoke is due
        if spoke and somebody:
            assert desk.events == [EventKind.BREAKER_CLEARED]
            del told[policy]
        elif spoke:
            assert EventKind.BREAKER_CLEARED not in desk.events
            assert EventKind.NOBODY_ON_CALL in desk.events
            assert desk.posted
            assert not places & {*desk.posted}, "it would not be posted: something stands there already"
            places |= {*desk.posted}
            told[policy] = desk.now
        open_now = [one for one in desk.governance.alerts if not one.over]
        assert sorted(one.scope for one in open_now) == sorted(told)
        assert all(one.id.startswith(ALERT) for one in open_now)


@settings(max_examples=examples(60))
@given(
    paged=st.sets(st.sampled_from(POLICIES)),
    asks=st.lists(st.tuples(st.sampled_from(POLICIES), st.sampled_from([timedelta(hours=7), AGAIN, 2 * AGAIN])), max_size=6),
)
def test_an_alarm_about_whom_nobody_pages_ends_when_no_card_asks_any_more(paged: set[str], asks: list[tuple[str, timedelta]]) -> None:
    """With the policy in force paging these: the others' alarms end a day after they were said last, and only those."""
    more = "".join(
        f"\n  {one.lower()}: {{tiers: [{{{TIER}, pagerduty: {{routing_key: R0KEY, escalation_policy: {one}}}}}]}}" for one in paged
    )
    policy = load_policy(f"{HEAD}{{tiers: [{{{TIER}}}]}}{more}\n{WORKFLOWS}".encode(), {})
    desk = Desk(policy=policy)
    said: dict[str, datetime] = {}
    for name, pause in asks:
        desk.now += pause
        if desk.rule(nobody_on_call("refunds", "standard", 0, name)):
            said[name] = desk.now
        stale = {one for one, at in said.items() if one not in paged and desk.now - at > AGAIN}
        assert {one.scope for one in unpaged(desk.governance, policy, desk.now)} == stale
        assert desk.rule(end_unpaged) is bool(stale)
        said = {one: at for one, at in said.items() if one not in stale}
        assert {one.scope for one in desk.governance.alerts if not one.over} == set(said)
