"""The parts of the policy form about playbooks: what begins one, who is told, what is safe meanwhile, how automation goes on.

Owns keys and defaults. What a playbook comes to for a case is `routing.evaluation.playbooks`'; how its steps go is
`routing.review.playbook`'s.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from routing.policy.form.parts import Name, Part, Sentence, UserId
from routing.vocabulary import Lane, Risk
from routing.webhook import PrivateNetwork, SecretList, WebhookUrl

ChannelName = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class When(Part):
    """What begins a playbook: every key that is given has to fit; of a list, one of its items is enough."""

    rules: tuple[Name, ...] = Field(default=(), max_length=50, description="a rule of these fired")
    flags: tuple[str, ...] = Field(default=(), max_length=50, description="the case carries one of these risk flags")
    reasons: tuple[str, ...] = Field(default=(), max_length=50, description="one of these trigger codes is among its reasons")
    lanes: tuple[Lane, ...] = Field(default=(), max_length=6, description="it is in one of these lanes")
    risk: Risk | None = Field(default=None, description="its risk is at least this")
    exhausted: bool = Field(default=False, description="nobody answered: its ladder or its total time came to the safe state")

    @model_validator(mode="after")
    def _says_something(self) -> "When":
        if not (self.rules or self.flags or self.reasons or self.lanes or self.risk or self.exhausted):
            raise ValueError("expected at least one of rules, flags, reasons, lanes, risk, exhausted")
        return self


class Told(Part):
    """One message: into a channel, where people and groups are mentioned, or without one to each person directly."""

    words: Sentence = Field(description="what whoever is told should do")
    channel: ChannelName | None = None
    people: tuple[UserId, ...] = Field(default=(), max_length=20)
    groups: tuple[Name, ...] = Field(default=(), max_length=10, description="groups of the policy")

    @model_validator(mode="after")
    def _reaches_somebody(self) -> "Told":
        if self.channel is None and not (self.people or self.groups):
            raise ValueError("expected a channel, people or groups")
        return self


class LegalHolding(Part):
    """Keep the case's content from being erased until somebody who is named here releases it."""

    reason: Sentence
    released_by: tuple[UserId, ...] = Field(min_length=1, max_length=20, description="the people who may release it")


class PlaybookForm(Part):
    """What is done, written in advance, when something happens (E7)."""

    name: Name
    when: When
    workflows: tuple[Name, ...] = Field(default=(), max_length=200, description="none: every workflow")
    interim: Literal["hold", "quarantine"] | None = Field(
        default=None, description="asked of the service while the case is open; an approval releases it, any other end keeps it"
    )
    tell: tuple[Told, ...] = Field(default=(), max_length=10)
    page: bool = Field(default=False, description="page the tier the case is at")
    ticket: Name | None = Field(default=None, description="the ticket system that is told")
    legal_hold: LegalHolding | None = None
    re_enter: Annotated[str, StringConstraints(max_length=300)] = Field(
        default="", description="what has to be true before automation goes on; stands on the card"
    )

    @model_validator(mode="after")
    def _does_something(self) -> "PlaybookForm":
        if not (self.interim or self.tell or self.page or self.ticket or self.legal_hold):
            raise ValueError("expected something to do: interim, tell, page, ticket or legal_hold")
        if self.interim is not None and self.when.exhausted:
            raise ValueError("interim begins when the case opens, so it does not go with exhausted")
        return self


class TicketSystem(Part):
    """Where tickets are opened: a signed POST (Standard Webhooks), at least once, always under the same webhook-id."""

    model_config = ConfigDict(strict=False)  # its types read text themselves

    url: WebhookUrl = Field(description="https://…; plain http:// only together with networks")
    secret: SecretList = Field(description="whsec_<base64>, used for nothing else")
    networks: tuple[PrivateNetwork, ...] = Field(default=(), max_length=20, description="private networks this URL may reach")

    @model_validator(mode="after")
    def _not_in_the_open(self) -> "TicketSystem":
        if self.url.startswith("http://") and not self.networks:
            raise ValueError("plain http:// is for private networks only: list them in networks, or use https://")
        return self
