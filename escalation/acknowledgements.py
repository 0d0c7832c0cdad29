"""What PagerDuty tells us: Webhooks V3 in, checked on the raw bytes, counted once by event id, recorded on the case.

Owns the signature check and what each event means for a case or an alert. PagerDuty never decides: an acknowledgement stops the acknowledge
clock (given back, it runs anew) and marks an alert, a resolve there is a comment here, a note becomes part of the case.
"""

import asyncio
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum, unique
from hashlib import sha256
from typing import Any

from escalation.pager import AlertKey, DigestKey, IncidentKey, PageKey, read_key
from escalation.pagerduty_client import PagerDutyUnreadable, RestClient
from routing.authorize import refuse
from routing.change import Actor, Change, Refused, Subject
from routing.governance.alert_page_news import (
    AlertNews,
    alert_acknowledged,
    alert_reassigned,
    alert_reopened,
    alert_resolved,
    alert_unacknowledged,
)
from routing.governance.digest_news import digest_acknowledged, digest_listed, digest_reopened, digest_resolved, digest_unacknowledged
from routing.governance.ruling import Governed, GovernStep, Ruling
from routing.review.page_news import (
    PAGERDUTY,
    PagerNews,
    page_acknowledged,
    page_noted,
    page_reassigned,
    page_reopened,
    page_resolved,
    page_unacknowledged,
)
from routing.review.page_routes import page_untold
from routing.review.press import PressStep
from routing.vocabulary import PageRoute
from store.ledger.answers import Repeated, Ruled
from store.ledger.items import Step
from store.ledger.ledger import Ledger
from store.ledger.prefetch import InboxKey

NOTE_MOST = 20_000
ASKED_MOST = 10
NOTED = "incident.annotated"
ACKNOWLEDGED = "incident.acknowledged"
HANDED_ON = ("incident.reassigned", "incident.delegated", "incident.escalated")

STEPS: Mapping[str, Callable[[PagerNews], PressStep]] = {
    ACKNOWLEDGED: page_acknowledged,
    "incident.resolved": page_resolved,
    "incident.unacknowledged": page_unacknowledged,
    "incident.reopened": page_reopened,
    **dict.fromkeys(HANDED_ON, page_reassigned),
    NOTED: page_noted,
}
"""The event types that say something about a case. Source: https://developer.pagerduty.com/docs/webhooks-overview#event-types"""


ALERT_STEPS: Mapping[str, Callable[[AlertNews], GovernStep]] = {
    ACKNOWLEDGED: alert_acknowledged,
    "incident.unacknowledged": alert_unacknowledged,
    "incident.resolved": alert_resolved,
    "incident.reopened": alert_reopened,
    **dict.fromkeys(HANDED_ON, alert_reassigned),
}
"""The same for an alert of the guardrails."""


DigestStep = Callable[[str, Actor, PageRoute, datetime | None], GovernStep]

DIGEST_STEPS: Mapping[str, DigestStep] = {
    ACKNOWLEDGED: digest_acknowledged,
    "incident.resolved": digest_resolved,
    "incident.reopened": digest_reopened,
    **dict.fromkeys(("incident.unacknowledged", *HANDED_ON), digest_unacknowledged),
    NOTED: lambda digest_id, _who, _route, _at: digest_listed(digest_id),
}
"""The same for a digest of pages; what each means for a case that it lists stands in `STEPS`."""


@unique
class Receipt(Enum):
    """What became of a webhook; the value is the HTTP status to answer. PagerDuty drops a delivery on 4xx and repeats it on 5xx."""

    RECORDED = 202
    IGNORED = 200
    UNREADABLE = 400
    FORGED = 401


class Acknowledgements:
    """Takes webhooks. `secrets`: several during rotation; with none every webhook is forged. `deployment`: only its own keys count.

    A note names its incident by PagerDuty's id only, so the id of each incident is remembered with the first event that names our key;
    `rest` is asked where that event never came.
    """

    def __init__(self, ledger: Ledger, deployment: str, secrets: Sequence[str], rest: RestClient | None = None) -> None:
        self._ledger = ledger
        self._deployment = deployment
        self._secrets = tuple(secret.encode() for secret in secrets if secret)
        self._rest = rest
        self._digests = asyncio.Lock()

    async def take(self, body: bytes, signature: str) -> Receipt:
        """One delivery: its raw body and its `X-PagerDuty-Signature`.

        Raises NotRecordingError, CannotRecordError: then it has to come again.
        """
        if not self._genuine(body, signature):
            return Receipt.FORGED
        try:
            event = _Event(json.loads(body), sha256(body).hexdigest())
        except (ValueError, RecursionError):
            return Receipt.UNREADABLE
        key = await self._key(event) if event.incident_id else None
        if key is None or key.deployment != self._deployment:
            return Receipt.IGNORED
        if event.kind == ACKNOWLEDGED and not event.who:  # what we acknowledged there ourselves
            return Receipt.IGNORED
        once = InboxKey("pagerduty", "webhook", event.id)
        match key:
            case PageKey() if event.kind in STEPS:
                await self._ledger.change(key.case_id, STEPS[event.kind](event.of_page(key)), key=once)
            case AlertKey() if event.kind in ALERT_STEPS:
                await self._ledger.govern(ALERT_STEPS[event.kind](event.of_alert(key)), key=once)
            case DigestKey() if event.kind in DIGEST_STEPS:
                async with self._digests:  # what happened first is told to all of its cases first
                    await self._of_digest(event, key, once)
            case _:
                return Receipt.IGNORED
        return Receipt.RECORDED

    async def _of_digest(self, event: "_Event", key: DigestKey, once: InboxKey) -> None:
        """First the digest, which takes no more cases then, and so each case that it lists: where this ends half-way, PagerDuty tells it
        again, and each counts once.
        """
        still_taken = event.kind in HANDED_ON and not event.rings
        mean = DIGEST_STEPS[NOTED if still_taken else event.kind]
        step = mean(key.digest_id, event.actor, event.route(second=key.second), event.at)
        ruled = await self._ledger.govern(step, key=once)
        answer = ruled.answer if isinstance(ruled, Ruled | Repeated) else None
        named: Mapping[str, Any] = answer or {}
        listed = [PageKey(key.deployment, one["case"], one["tier"], one["round"], key.second) for one in named.get("pages", ())]
        await asyncio.gather(
            *(self._of_listed(event, one, key.digest_id) for one in listed),
            *(self._ledger.change(one["case"], page_untold(one["round"])) for one in named.get("untold", ())),
        )

    async def _of_listed(self, event: "_Event", page: PageKey, digest: str) -> None:
        once = InboxKey("pagerduty", "webhook", f"{event.id}/{page.case_id}")
        await self._ledger.change(page.case_id, STEPS[event.kind](event.of_page(page, digest)), key=once)

    def _genuine(self, body: bytes, signature: str) -> bool:
        """Whether one of the listed signatures is ours. Source: https://developer.pagerduty.com/docs/verifying-webhook-signatures"""
        listed = (part.strip() for part in signature.split(","))
        given = [part.removeprefix("v1=").encode("utf-8", "replace") for part in listed if part.startswith("v1=")]
        valid = [hmac.new(secret, body, "sha256").hexdigest().encode() for secret in self._secrets]
        return any(hmac.compare_digest(one, other) for one in given for other in valid)

    async def _key(self, event: "_Event") -> IncidentKey | None:
        remembered = InboxKey("pagerduty", "incident", event.incident_id)
        key = read_key(event.incident_key)
        if isinstance(key, PageKey) and key.deployment == self._deployment:
            await self._ledger.change(key.case_id, _remember(str(key)), key=remembered)
        if isinstance(key, DigestKey) and key.deployment == self._deployment:
            await self._ledger.govern(_remember_digest(str(key)), key=remembered)
        if key is not None or event.kind != NOTED:
            return key
        known = await self._ledger.change("", _remember(""), key=remembered)  # no case has this id: gives what is remembered, or nothing
        if isinstance(known, Repeated) and known.answer is not None:
            return read_key(str(known.answer.get("dedup_key")))
        return await self._ask(event.incident_id)

    async def _ask(self, incident_id: str) -> IncidentKey | None:
        if self._rest is None:
            return None
        try:
            return read_key(await self._rest.key_of(incident_id))
        except PagerDutyUnreadable:
            return None


class _Event:
    """What we read of an event, whatever its shape: most of their types are not about an incident, and none of them is an error of theirs.

    `digest` stands for an id where there is none; `who` is "" for what no person did; `asked` are those whom PagerDuty asks now, by name.
    """

    def __init__(self, delivery: object, digest: str) -> None:
        event = _object(_object(delivery).get("event"))
        data, agent = _object(event.get("data")), _object(event.get("agent"))
        self.kind = str(event.get("event_type"))
        incident = _object(data.get("incident")) if self.kind == NOTED else data
        self.id = _text(event.get("id"), 255) or digest
        self.incident_id = _text(incident.get("id"), 255)
        self.incident_key = str(incident.get("incident_key") or "")
        by_person = agent.get("type") == "user_reference"
        self.who = _text(agent.get("id") or "unknown", 100) if by_person else ""
        self.name = _text(agent.get("summary"), 200) if by_person else ""
        self.text = _text(data.get("content"), NOTE_MOST) if self.kind == NOTED else ""
        asked = data.get("assignees") or [data.get("escalation_policy")]
        named = [_text(_object(one).get("summary"), 200) for one in asked] if isinstance(asked, list) else []
        self.asked = tuple(name for name in named if name)[:ASKED_MOST]
        self.rings = data.get("status") == "triggered"
        self.at = _moment(event.get("occurred_at"))

    @property
    def actor(self) -> Actor:
        """The person there, else PagerDuty by its own rules."""
        return Actor("human", f"pagerduty:{self.who}") if self.who else PAGERDUTY

    def route(self, *, second: bool) -> PageRoute:
        """Which of a page's incidents it is about."""
        return PageRoute.SECOND_KEY if second else PageRoute.PAGERDUTY

    def of_alert(self, key: AlertKey) -> AlertNews:
        """What it says about the page of an alert."""
        return AlertNews(key.alert_id, key.round, self.who, self.rings, self.at)

    def of_page(self, key: PageKey, digest: str = "") -> PagerNews:
        """What it says about a page; `digest`: the one whose incident stands for it."""
        how = self.kind.rpartition(".")[2]
        route = self.route(second=key.second)
        return PagerNews(key.tier, key.round, self.who, route, self.name, self.text, how, self.asked, self.rings, self.at, digest)


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object, most: int) -> str:
    """A text the database takes: no NUL, no lone surrogates."""
    return str(value or "").replace("\0", "").encode("utf-8", "replace").decode()[:most]


def _moment(value: object) -> datetime | None:
    """An ISO 8601 time with its zone, None for anything else."""
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return read.astimezone(UTC) if read is not None and read.tzinfo is not None else None


def _remember(dedup_key: str) -> Step:
    def step(subject: Subject, _now: datetime) -> Change | Refused:
        return Change(subject.case, (), answer={"dedup_key": dedup_key}) if dedup_key else refuse("unknown_page")

    return step


def _remember_digest(dedup_key: str) -> GovernStep:
    def step(governed: Governed, _now: datetime) -> Ruling | Refused:
        return Ruling(governed.governance, (), answer={"dedup_key": dedup_key})

    return step
