"""Northwind, with everybody and everything that a policy names: channels, user groups, owners, pagers. Owns what is made up for a policy
that the sandbox does not know; values only.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from bot.sandbox.customer import CustomerConfig
from bot.sandbox.northwind import PAGERDUTY
from bot.sandbox.pagerduty.account import ROUTING_KEY_LENGTH, PagedService, PagerDutyConfig
from bot.sandbox.sandbox import SandboxConfig
from bot.sandbox.slack.config import AppIdentity, ChannelSeed, SlackConfig
from bot.sandbox.slack.people import Group, User
from bot.sandbox.slack.seed import BOT, SLACK, TEAM
from routing.policy.form.ladders import Paging, Rung
from routing.policy.policy import Policy

ACK_S, WEBHOOK_S = 3.0, 5.0
"""How long Slack waits for an acknowledgement, and PagerDuty for the answer to a webhook."""

UNHURRIED_TRIGGER_S = 60.0
"""How long a form may take to open after a press where nobody's seconds count."""

REVIEWERS = tuple(user.id for user in SLACK.users[:8])
"""Northwind's reviewers; a group that the sandbox does not know gets two of them, so that two different people can be asked."""


def workspace_for(
    policy: Policy, app: AppIdentity, customer: CustomerConfig, pager: PagerDutyConfig = PAGERDUTY, *, unhurried: bool = False
) -> SandboxConfig:
    """A sandbox in which every card of this policy finds its channel, people and pager; `unhurried`: it waits as long as it takes."""
    rungs = [rung for ladder in policy.ladders.values() for rung in ladder.tiers]
    slack, pagerduty = _slack(policy, rungs, app), _pagerduty(policy, rungs, pager)
    if unhurried:
        slack = replace(slack, trigger_s=UNHURRIED_TRIGGER_S)
    else:
        slack, pagerduty = replace(slack, ack_timeout_s=ACK_S), replace(pagerduty, webhook_timeout_s=WEBHOOK_S)
    return SandboxConfig(slack=slack, pagerduty=pagerduty, customer=customer)


def _slack(policy: Policy, rungs: list[Rung], app: AppIdentity) -> SlackConfig:
    named = [person for rung in rungs for person in (rung.owner, rung.backup) if person]
    named += [*(person for group in policy.groups.values() for person in group.users), *policy.form.owners]
    named += [person for playbook in policy.form.playbooks for one in playbook.tell for person in one.people]
    strangers = tuple(_user(person) for person in _new(named, (user.id for user in SLACK.users)))
    handles = _new(filter(None, (group.usergroup for group in policy.groups.values())), _spellings(SLACK.groups))
    groups = tuple(_group(handle, place) for place, handle in enumerate(handles))
    everybody = (*REVIEWERS, *(user.id for user in strangers), BOT)
    told = [one.channel for playbook in policy.form.playbooks for one in playbook.tell]
    told += [policy.form.channels.operations, policy.form.channels.owners]
    desks = [desk.channel for rung in rungs for desk in rung.queues]
    ours = {channel.removeprefix("#") for channel in (*(rung.channel for rung in rungs), *desks, *told) if channel is not None}
    opened = tuple(
        replace(channel, members=tuple(dict.fromkeys((*channel.members, *everybody)))) if {channel.name, channel.id} & ours else channel
        for channel in SLACK.channels
    )
    known = {spelling for channel in SLACK.channels for spelling in (channel.name, channel.id)}
    made = tuple(ChannelSeed(_slack_id("C", name), name.lower(), everybody) for name in sorted(ours - known))
    return replace(
        SLACK,
        app=app,
        users=(*SLACK.users, *strangers),
        groups=(*SLACK.groups, *groups),
        channels=(*(opened if made else SLACK.channels), *made),
    )


def _pagerduty(policy: Policy, rungs: list[Rung], pager: PagerDutyConfig) -> PagerDutyConfig:
    known = {service.routing_key for service in pager.services}
    pagings = dict[str, tuple[str, Paging]]()
    for rung in rungs:
        if rung.pagerduty:
            pagings[rung.pagerduty.routing_key.get_secret_value()] = (rung.channel, rung.pagerduty)
            if (second := policy.key_of(rung.pagerduty, second=True)) is not None:
                pagings.setdefault(second, ("second key", rung.pagerduty.model_copy(update={"escalation_policy": None})))
    if (incidents := policy.form.incidents) is not None:
        pagings.setdefault(incidents.routing_key.get_secret_value(), ("incidents", incidents))
    made = [_paged(key, *found) for key, found in pagings.items() if key not in known and len(key) == ROUTING_KEY_LENGTH]
    on_call = {service.escalation_policy_id: ("PHUGO001", "PGRACE01") for service in made} | dict(pager.on_call)
    return replace(pager, services=(*pager.services, *made), on_call=on_call)


def _paged(key: str, whose: str, paging: Paging) -> PagedService:
    name = f"Pager of {whose}"
    return PagedService(_slack_id("PS", key)[:8], name, key, paging.escalation_policy or _slack_id("PP", key)[:8], name)


def _user(person: str) -> User:
    word = person.lstrip("UW0123456789").capitalize() or person
    return User(
        id=person,
        name=person.lower(),
        real_name=word,
        team_id=TEAM,
        title="Named in the policy",
        email=f"{person.lower()}@northwind.example",
    )


def _group(handle: str, place: int) -> Group:
    pair = tuple(REVIEWERS[(2 * place + step) % len(REVIEWERS)] for step in (0, 1))
    is_id = handle.startswith("S") and handle.isupper()
    return Group(handle if is_id else _slack_id("S", handle), TEAM, handle, handle.removeprefix("@").lower(), pair)


def _spellings(groups: Iterable[Group]) -> set[str]:
    return {spelling for group in groups for spelling in (group.id, group.handle, f"@{group.handle}")}


def _new(names: Iterable[str], known: Iterable[str]) -> list[str]:
    there = set(known)
    return [name for name in dict.fromkeys(names) if name not in there]


def _slack_id(prefix: str, text: str) -> str:
    return f"{prefix}0{hashlib.sha256(text.encode()).hexdigest()[:9].upper()}"
