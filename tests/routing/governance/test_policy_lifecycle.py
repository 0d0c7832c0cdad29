"""A policy from its proposal into force and out of it again: who may, how many, what everybody is told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from routing.authority import GovernanceVerb
from routing.case.people import GovernancePress, Person
from routing.change import SYSTEM, Actor, Message, MessageKind, Refused
from routing.governance.governance import Governance
from routing.governance.policy_lifecycle import Offer, accept, adopt, before, decline, propose, roll_back, widen
from routing.governance.ruling import Governed, GovernStep, Ruling
from routing.policy.file import load_policy
from routing.policy.policy import Policy
from routing.vocabulary import EventKind

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TEAM = "T0HOME"
TEXT = """
version: "{version}"
changes: "change number {version}"
{more}
roles: {{policy_owner: [governors]}}
channels: {{owners: review-owners}}
groups: {{frontline: {{usergroup: review-frontline}}, governors: {{users: [U0GOV]}}}}
ladders:
  standard: {{tiers: [{{channel: review-tier1, group: frontline}}]}}
  other: {{tiers: [{{channel: review-other, group: frontline}}]}}
workflows:
  refunds: {{ladder: standard}}
  payouts: {{ladder: standard}}
  notes: {{ladder: other}}
"""
SERVICES = {"refunds": ("refund-agent", "backup-agent"), "notes": ("scribe",)}


def a_policy(version: str, more: str = "owners: [U0OWNER, U0SECOND, U0THIRD]") -> Policy:
    """Three owners by id, and whoever is in the group of the role."""
    return load_policy(TEXT.format(version=version, more=more).encode(), {})


ONE, TWO, THREE = a_policy("1"), a_policy("2"), a_policy("3")


class Desk:
    """The ledger's part: applies steps one after the other to one value."""

    def __init__(self, active: Policy = ONE) -> None:
        self.active = active
        self.governance = Governance()
        self.known = {policy.sha256: policy for policy in (ONE, TWO, THREE, active)}
        self.now = NOON
        self.rulings: list[Ruling] = []

    def govern(self, step: GovernStep) -> Ruling | Refused:
        """Apply a step; it gives the same again when it runs twice."""
        self.now += timedelta(minutes=1)
        governed = Governed(self.governance, self.active, f"{len(self.rulings):026}", self.known, SERVICES)
        result = step(governed, self.now)
        assert result == step(governed, self.now)
        if isinstance(result, Ruling):
            self.governance = result.governance.model_copy(update={"revision": self.governance.revision + 1})
            self.active = result.activate or self.active
            self.rulings.append(result)
        return result

    def does(self, step: GovernStep) -> Ruling:
        """Apply a step that must not be refused."""
        result = self.govern(step)
        assert isinstance(result, Ruling), result
        return result

    def proposed(self, policy: Policy = TWO, by: str = "os:ada", **changes: Any) -> str:
        """Propose a policy; gives the proposal's id."""
        offer = Offer(policy, self.active.sha256, raises=False, workflows=("refunds",), replayed=True)
        self.does(propose(replace(offer, **changes), Actor("human", by)))
        return self.governance.proposals[-1].id


def a_press(verb: GovernanceVerb, subject: str, by: str = "U0OWNER", reason: str = "", **person: Any) -> GovernancePress:
    """A press by one of the owners."""
    return GovernancePress(verb, Person(by, TEAM, **person), TEAM, subject, reason)


def yes(subject: str, by: str = "U0OWNER", **person: Any) -> GovernStep:
    """Accept."""
    return accept(a_press(GovernanceVerb.ACCEPT_POLICY, subject, by, **person))


def kinds(ruling: Ruling) -> list[EventKind]:
    """What was recorded."""
    return [event.kind for event in ruling.events]


def sent(ruling: Ruling, kind: MessageKind) -> list[tuple[str, int]]:
    """Where messages of a kind go."""
    return [(message.destination, message.tier) for message in ruling.messages if message.kind is kind]


def test_a_second_person_puts_a_policy_in_force() -> None:
    """The card stands in the owners' channel; who accepts it activates it; the workflow's channel and services hear of it."""
    desk = Desk()
    proposal = desk.proposed()
    assert sent(desk.rulings[-1], MessageKind.BULLETIN) == [("review-owners", 0)]
    ruling = desk.does(yes(proposal))
    assert desk.active is TWO
    assert kinds(ruling) == [EventKind.POLICY_ACCEPTED, EventKind.POLICY_ACTIVATED]
    assert all(event.fields["subject"] == proposal for event in ruling.events)
    assert sent(ruling, MessageKind.BULLETIN_UPDATE) == [("review-owners", 0)]
    assert sent(ruling, MessageKind.BULLETIN) == [("review-tier1", 1)]
    callbacks = [message for message in ruling.messages if message.kind is MessageKind.CALLBACK]
    assert callbacks == [
        Message(MessageKind.CALLBACK, service, callback="workflow.changed", sequence=2, event=1, subject="w_refunds")
        for service in SERVICES["refunds"]
    ]
    assert ruling.events[callbacks[0].event].kind is EventKind.POLICY_ACTIVATED
    assert desk.governance.activated == (ONE.sha256,)


@pytest.mark.parametrize(
    ("by", "person", "reason"),
    [
        ("U0NOBODY", {}, "not_in_role"),
        ("U0FRONT", {"groups": frozenset({"frontline"})}, "not_in_role"),
        ("U0OWNER", {"guest": True}, "guest"),
        ("U0OWNER", {"bot": True}, "bot"),
        ("U0OWNER", {"deleted": True}, "deactivated"),
        ("U0OWNER", {"stranger": True}, "stranger"),
        ("U0OWNER", {"known": False}, "slack_unreachable"),
        ("os:ada", {"known": False}, "slack_unreachable"),
        ("os:ada", {}, "not_in_role"),
        ("U0GOV", {"groups": frozenset({"governors"})}, ""),
    ],
)
def test_only_owners_of_the_active_policy_accept(by: str, person: dict[str, Any], reason: str) -> None:
    """Those it names by id and those in the group of the role; never the command line, nobody Slack does not vouch for."""
    desk = Desk()
    result = desk.govern(yes(desk.proposed(), by, **person))
    assert (result.reason if isinstance(result, Refused) else "") == reason
    assert (desk.active is TWO) is (reason == "")


def test_a_policy_does_not_name_its_own_judges() -> None:
    """Owners that only the proposed policy names have no say in it."""
    desk = Desk()
    own = a_policy("2", "owners: [U0SELF]")
    desk.known[own.sha256] = own
    assert isinstance(desk.govern(yes(desk.proposed(own), "U0SELF")), Refused)


def test_who_proposes_never_accepts() -> None:
    """An owner may take the own proposal back, and not accept it."""
    desk = Desk()
    proposal = desk.proposed(by="U0OWNER")
    refused = desk.govern(yes(proposal))
    assert isinstance(refused, Refused)
    assert refused.reason == "own_proposal"
    desk.does(decline(a_press(GovernanceVerb.DECLINE_POLICY, proposal)))
    assert desk.governance.proposals[-1].declined_by == "U0OWNER"
    assert isinstance(desk.govern(yes(proposal, "U0SECOND")), Refused)
    assert desk.active is ONE


def test_more_autonomy_needs_a_replay_and_two_people() -> None:
    """Without a replay nobody can accept it; with one it takes two different people."""
    desk = Desk()
    blind = desk.proposed(raises=True, replayed=False)
    refused = desk.govern(yes(blind))
    assert isinstance(refused, Refused)
    assert refused.reason == "replay_needed"
    desk.does(decline(a_press(GovernanceVerb.DECLINE_POLICY, blind)))
    proposal = desk.proposed(raises=True)
    first = desk.does(yes(proposal))
    assert (desk.active, kinds(first)) == (ONE, [EventKind.POLICY_ACCEPTED])
    again = desk.govern(yes(proposal))
    assert isinstance(again, Refused)
    assert again.reason == "already_accepted"
    desk.does(yes(proposal, "U0SECOND"))
    assert desk.active is TWO
    assert desk.governance.proposals[-1].accepted_by == ("U0OWNER", "U0SECOND")


def test_a_proposal_against_a_policy_that_is_gone_is_over() -> None:
    """Of two proposals one comes into force; the other was compared with what is no longer there and has to be made again."""
    desk = Desk()
    two, three = desk.proposed(TWO), desk.proposed(THREE)
    ruling = desk.does(yes(two))
    assert ("review-owners", 0) in sent(ruling, MessageKind.BULLETIN_UPDATE)
    assert {message.subject for message in ruling.messages if message.kind is MessageKind.BULLETIN_UPDATE} == {two, three}
    refused = desk.govern(yes(three, "U0SECOND"))
    assert isinstance(refused, Refused)
    assert refused.reason == "superseded"
    stale = desk.govern(propose(Offer(THREE, ONE.sha256, raises=False), SYSTEM))
    assert isinstance(stale, Refused)
    assert stale.reason == "changed_meanwhile"


def test_the_same_policy_is_not_proposed_twice() -> None:
    """Neither while it is open or staged, nor when it is the active one."""
    desk = Desk()
    desk.proposed(stage="share", share=10)
    for policy, reason in ((TWO, "proposed_already"), (ONE, "active_already")):
        refused = desk.govern(propose(Offer(policy, ONE.sha256, raises=False), SYSTEM))
        assert isinstance(refused, Refused)
        assert refused.reason == reason
    desk.does(yes(desk.governance.proposals[-1].id))
    assert isinstance(desk.govern(propose(Offer(TWO, ONE.sha256, raises=False), SYSTEM)), Refused)


def test_a_share_first_and_all_later() -> None:
    """Accepted for 10 %, it is given 50 % and then everything; channels are told once and brought up to date."""
    desk = Desk()
    proposal = desk.proposed(stage="share", share=10)
    staged = desk.does(yes(proposal))
    assert kinds(staged) == [EventKind.POLICY_ACCEPTED, EventKind.POLICY_STAGED]
    assert (desk.active, desk.governance.rollout and desk.governance.rollout.percent) == (ONE, 10)
    assert sent(staged, MessageKind.BULLETIN) == [("review-tier1", 1)]
    for percent, reason in ((10, "not_wider"), (101, "not_wider")):
        refused = desk.govern(widen(a_press(GovernanceVerb.WIDEN_POLICY, proposal, "U0SECOND"), percent))
        assert isinstance(refused, Refused)
        assert refused.reason == reason
    wider = desk.does(widen(a_press(GovernanceVerb.WIDEN_POLICY, proposal, "U0SECOND"), 50))
    assert desk.governance.rollout is not None
    assert desk.governance.rollout.percent == 50
    assert sent(wider, MessageKind.BULLETIN) == []
    assert sent(wider, MessageKind.BULLETIN_UPDATE) == [("review-owners", 0), ("review-tier1", 1)]
    other = desk.govern(widen(a_press(GovernanceVerb.WIDEN_POLICY, "p_other", "U0SECOND"), 100))
    assert isinstance(other, Refused)
    assert other.reason == "not_staged"
    whole = desk.does(widen(a_press(GovernanceVerb.WIDEN_POLICY, "", "U0SECOND"), 100))
    assert desk.active is TWO
    assert desk.governance.rollout is None
    assert kinds(whole) == [EventKind.POLICY_ACTIVATED]


def test_shadow_is_nobodys_business_but_the_owners() -> None:
    """A policy in shadow acts on no case, so no channel and no service hears of it."""
    desk = Desk()
    ruling = desk.does(yes(desk.proposed(stage="shadow", share=0)))
    assert desk.governance.rollout is not None
    assert desk.governance.rollout.percent == 0
    assert [message.kind for message in ruling.messages] == [MessageKind.BULLETIN_UPDATE]


def test_a_roll_back_takes_one_person_and_leads_step_by_step() -> None:
    """From 3 to 2 to 1 at once, each with its own notice; from the first there is nothing to go back to."""
    desk = Desk()
    for policy in (TWO, THREE):
        desk.does(yes(desk.proposed(policy)))
    assert before(desk.governance) == (TWO.sha256,)
    for policy in (TWO, ONE):
        ruling = desk.does(roll_back(Actor("human", "os:ada"), "too many cases"))
        assert desk.active is policy
        assert kinds(ruling) == [EventKind.POLICY_ACTIVATED]
        assert sent(ruling, MessageKind.BULLETIN) == [("review-owners", 0)]
    assert before(desk.governance) == ()
    refused = desk.govern(roll_back(SYSTEM))
    assert isinstance(refused, Refused)
    assert refused.reason == "nothing_before"


@pytest.mark.parametrize(
    ("workflow", "channel", "services"), [("notes", "review-other", ("scribe",)), ("refunds", "review-tier1", SERVICES["refunds"])]
)
def test_a_roll_back_is_said_where_it_changes_something(workflow: str, channel: str, services: tuple[str, ...]) -> None:
    """In the first channel of the workflows that are treated differently then, and to their services; nowhere else."""
    changed = load_policy(
        TEXT.replace(f"{workflow}: {{{{", f"{workflow}: {{{{template: dual, ").format(version="4", more="owners: [U0OWNER]").encode(), {}
    )
    desk = Desk()
    desk.known[changed.sha256] = changed
    desk.does(yes(desk.proposed(changed)))
    ruling = desk.does(roll_back(Actor("human", "os:ada"), "too many cases"))
    assert sent(ruling, MessageKind.BULLETIN) == [("review-owners", 0), (channel, 1)]
    told = [(one.destination, one.subject) for one in ruling.messages if one.kind is MessageKind.CALLBACK]
    assert told == [(service, f"w_{workflow}") for service in services]


def test_a_roll_back_ends_what_is_staged_first() -> None:
    """While a policy is on stage, going back means to take it off; the active one stays."""
    desk = Desk()
    proposal = desk.proposed(stage="share", share=25)
    desk.does(yes(proposal))
    press = a_press(GovernanceVerb.ROLL_BACK_POLICY, proposal, reason="wrong lanes")
    ruling = desk.does(roll_back(Actor("human", "U0OWNER"), press.reason, press))
    assert (desk.active, desk.governance.rollout, kinds(ruling)) == (ONE, None, [EventKind.POLICY_DECLINED])
    assert [message.callback for message in ruling.messages if message.kind is MessageKind.CALLBACK] == ["workflow.changed"] * 2


def test_an_old_message_rolls_back_nothing() -> None:
    """The button belongs to one policy: once another is in force it is refused, and the message was brought up to date."""
    desk = Desk()
    two = desk.proposed(TWO)
    desk.does(yes(two))
    over = desk.does(yes(desk.proposed(THREE)))
    assert two in {message.subject for message in over.messages if message.kind is MessageKind.BULLETIN_UPDATE}
    press = a_press(GovernanceVerb.ROLL_BACK_POLICY, two)
    refused = desk.govern(roll_back(Actor("human", "U0OWNER"), "", press))
    assert isinstance(refused, Refused)
    assert refused.reason == "not_in_force"
    assert desk.active is THREE


def test_a_file_takes_effect_by_itself_only_where_the_active_policy_leaves_it_that() -> None:
    """With `activation: file` and no owners, by id or by role; what was before is kept for a roll back."""
    owned = (ONE, a_policy("0", "activation: file\nowners: [U0OWNER]"), a_policy("0", "activation: file"))
    assert all(isinstance(Desk(one).govern(adopt(TWO, ("refunds",))), Refused) for one in owned)
    text = a_policy("0", "activation: file").text.replace(b"policy_owner", b"supervisor")
    by_file = Desk(load_policy(text, {}))
    before_it = by_file.active.sha256
    ruling = by_file.does(adopt(TWO, ("refunds",)))
    assert (by_file.active, by_file.governance.activated) == (TWO, (before_it,))
    assert (ruling.events[0].fields["reason"], ruling.events[0].actor) == ("file", SYSTEM)


@pytest.mark.parametrize("share", [0, 100])
def test_a_share_of_all_or_nothing_is_no_stage(share: int) -> None:
    """It is refused when it is proposed, not when the last person has accepted it."""
    refused = Desk().govern(propose(Offer(TWO, ONE.sha256, raises=False, stage="share", share=share), Actor("human", "U0OWNER")))
    assert isinstance(refused, Refused)
    assert refused.reason == "no_share"


def test_a_proposal_without_a_replay_is_replaced_by_one_with_it() -> None:
    """A raise that was proposed on an empty database is no dead end: proposed again with cases, the first one is over."""
    desk = Desk()
    first = desk.proposed(raises=True, replayed=False)
    desk.does(propose(Offer(TWO, ONE.sha256, raises=True, replayed=True), SYSTEM))
    assert [one.state for one in desk.governance.proposals if one.id == first] == ["superseded"]
    [second] = [one for one in desk.governance.proposals if not one.over]
    desk.does(yes(second.id))
    desk.does(yes(second.id, "U0SECOND"))
    assert desk.active.sha256 == TWO.sha256
