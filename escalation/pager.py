"""Pages through PagerDuty: what a tier's page says and the key under which it is one incident.

Owns the dedup keys and the events sent for them. No content of a case goes there: no title, request, output, parameters or evidence, only
what stands open in the audit log. It never decides who is paged or when, and PagerDuty never decides a case.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from escalation.digest_words import digest_details, digest_settled, digest_summary
from escalation.page_words import DRILL, first_steps, one_line, owner_words, summary_of, why_settled
from escalation.pagerduty_client import EventsClient, PagerDutyUnreadable, RestClient
from routing.case.case import Case
from routing.case.submission import moment_text
from routing.change import Message, MessageKind
from routing.governance.alert import Alert
from routing.governance.alert_lifecycle import INCIDENTS
from routing.governance.digest import Digest
from routing.policy.form.ladders import Paging
from routing.review.outlook import if_taken, upcoming
from routing.review.pages import route_of
from routing.vocabulary import PageRoute, State
from store.outbox.delivery import Delivered, Outgoing, SendError

SUMMARY_MOST = 1_024
"""https://developer.pagerduty.com/docs/events-api-v2-overview: longer summaries are refused, and so are events of over 512 KB."""

REASONS_MOST, REASON_MOST = 20, 500
"""How many reasons a page gives, and how much of each; the card has them all."""

_KEY = re.compile(
    r"(?P<deployment>.+)/(?P<case>c_[0-9a-z]{26})/(?P<tier>[1-9][0-9]{0,2})/(?P<round>[1-9][0-9]{0,8})(?P<second>/second)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class PageKey:
    """Names one incident: deployment, case, tier (0-based here, counted from 1 in the text) and round; `second` is that at the service of
    the second routing key.
    """

    deployment: str
    case_id: str
    tier: int
    round: int
    second: bool = False

    def __str__(self) -> str:
        return f"{self.deployment}/{self.case_id}/{self.tier + 1}/{self.round}{'/second' if self.second else ''}"

    @classmethod
    def read(cls, text: str) -> "PageKey | None":
        """The key that `str` wrote, None for anybody else's."""
        found = _KEY.fullmatch(text)
        if found is None:
            return None
        return cls(found["deployment"], found["case"], int(found["tier"]) - 1, int(found["round"]), found["second"] is not None)


_ALERT_KEY = re.compile(r"(?P<deployment>.+)/(?P<alert>a_[^/]+)/(?P<round>[1-9][0-9]{0,8})", re.ASCII)


@dataclass(frozen=True, slots=True)
class AlertKey:
    """Names one incident of an alert: deployment, alert and round."""

    deployment: str
    alert_id: str
    round: int

    def __str__(self) -> str:
        return f"{self.deployment}/{self.alert_id}/{self.round}"

    @classmethod
    def read(cls, text: str) -> "AlertKey | None":
        """The key that `str` wrote, None for anybody else's."""
        found = _ALERT_KEY.fullmatch(text)
        return cls(found["deployment"], found["alert"], int(found["round"])) if found is not None else None


_DIGEST_KEY = re.compile(r"(?P<deployment>.+)/(?P<digest>s_[^/]+)(?P<second>/second)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class DigestKey:
    """Names one incident of a digest of pages: deployment and digest; `second` is that at the service of the second routing key."""

    deployment: str
    digest_id: str
    second: bool = False

    def __str__(self) -> str:
        return f"{self.deployment}/{self.digest_id}{'/second' if self.second else ''}"

    @classmethod
    def read(cls, text: str) -> "DigestKey | None":
        """The key that `str` wrote, None for anybody else's."""
        found = _DIGEST_KEY.fullmatch(text)
        return cls(found["deployment"], found["digest"], found["second"] is not None) if found is not None else None


IncidentKey = PageKey | AlertKey | DigestKey


def read_key(text: str) -> IncidentKey | None:
    """The key of an incident of ours, None for anybody else's."""
    return PageKey.read(text) or AlertKey.read(text) or DigestKey.read(text)


class Seen(Protocol):
    """What the pager needs of a case as it is when sending: the case and a link to its card ("" when there is none)."""

    @property
    def case(self) -> Case:
        """The case as it is."""
        ...

    @property
    def links(self) -> str:
        """The permalink of the current card."""
        ...

    @property
    def away(self) -> Mapping[str, datetime]:
        """The people who are away, with until when."""
        ...


@runtime_checkable
class Noticed(Protocol):
    """What the pager needs of something about more than one case: only alerts and digests page."""

    @property
    def about(self) -> object:
        """The alert or the digest as it is."""
        ...

    @property
    def listed(self) -> Sequence[Case]:
        """The cases of a digest as they are."""
        ...


RoutingKey = Callable[[str, str, int, bool], str | None]
"""From the hash of a policy, a ladder, a tier (0-based) and whether it is the second one to a routing key; None where there is none."""


class Pager:
    """The sender of pages. `routing_key`: of a tier by the policy that its case lives by.
    `incidents`: whom an alert pages by the active policy, None where it names nobody.

    With a REST wire it asks, before it triggers a second time, whether PagerDuty knows the key: a person may have resolved the incident
    while our first try was out, and a second trigger would ring again. A digest is sent again all the same while its incident is open: what
    it lists may be more by now.
    """

    def __init__(
        self,
        deployment: str,
        wire: EventsClient,
        routing_key: RoutingKey,
        rest: RestClient | None = None,
        incidents: Callable[[], Paging | None] = lambda: None,
    ) -> None:
        self._deployment = deployment
        self._wire = wire
        self._routing_key = routing_key
        self._rest = rest
        self._incidents = incidents

    async def send(self, outgoing: Outgoing, view: Seen | Noticed) -> Delivered:
        """Send one page, acknowledgement or resolve. Raises SendError."""
        message = outgoing.message
        if message.kind is MessageKind.PAGE_ACKNOWLEDGE and _given_back(message, view):
            return Delivered()
        if isinstance(view, Noticed):
            about = self._about_digest if isinstance(view.about, Digest) else self._about_alert
            routing_key, key, event = about(outgoing, view)
        else:
            routing_key, key, event = self._about_case(outgoing, view)
        if message.kind is MessageKind.PAGE and isinstance(view, Noticed) and isinstance(view.about, Digest):
            again = outgoing.doubtful or route_of(message) in view.about.accepted
            if again and await self._asked(key, RestClient.resolved):
                raise SendError("its incident was resolved there, and we have not heard of it yet")
        elif message.kind is MessageKind.PAGE and outgoing.doubtful and await self._asked(key, RestClient.knows):
            return Delivered()
        await self._wire.send(routing_key, event)
        return Delivered()

    def _about_case(self, outgoing: Outgoing, view: Seen) -> tuple[str, str, dict[str, Any]]:
        """Routing key, dedup key and event."""
        message = outgoing.message
        second = route_of(message) is PageRoute.SECOND_KEY
        routing_key = self._routing_key(view.case.route.policy_sha256, view.case.route.ladder, message.tier, second)
        if routing_key is None:
            raise SendError("the policy has no routing key for this tier", permanent=True)
        key = PageKey(self._deployment, outgoing.case_id, message.tier, message.round, second)
        return routing_key, str(key), event_of(message.kind, key, view)

    def _about_alert(self, outgoing: Outgoing, view: Noticed) -> tuple[str, str, dict[str, Any]]:
        """The same."""
        incidents, message = self._incidents(), outgoing.message
        if incidents is None or not isinstance(view.about, Alert):
            raise SendError("the policy names nobody whom an alert pages", permanent=True)
        key = str(AlertKey(self._deployment, view.about.id, message.round))
        event = alert_event_of(message.kind, key, view.about, self._deployment, incidents.severity)
        return incidents.routing_key.get_secret_value(), key, event

    def _about_digest(self, outgoing: Outgoing, view: Noticed) -> tuple[str, str, dict[str, Any]]:
        """The same."""
        digest, message = view.about, outgoing.message
        if not isinstance(digest, Digest):
            raise SendError("there is no such digest", permanent=True)
        second = route_of(message) is PageRoute.SECOND_KEY
        routing_key = self._routing_key(digest.policy_sha256, digest.ladder, digest.tier, second)
        if routing_key is None:
            raise SendError("the policy has no routing key for this tier", permanent=True)
        key = str(DigestKey(self._deployment, digest.id, second))
        return routing_key, key, digest_event_of(message.kind, key, digest, view.listed, self._deployment)

    async def _asked(self, key: str, whether: Callable[[RestClient, str], Awaitable[bool]]) -> bool:
        if self._rest is None:
            return False
        try:
            return await whether(self._rest, key)
        except PagerDutyUnreadable:
            return False  # a page too many is better than none: the key joins whatever is still open


def _given_back(message: Message, view: Seen | Noticed) -> bool:
    """Whether nobody has it any more whose acknowledgement was to be sent: that would silence what waits for somebody again."""
    if isinstance(view, Noticed):
        return isinstance(view.about, Alert | Digest) and not view.about.acknowledged_by
    return any((one.tier, one.round) == (message.tier, message.round) and not one.acknowledged_by for one in view.case.pages)


def event_of(kind: MessageKind, key: PageKey, view: Seen) -> dict[str, Any]:
    """The Events API v2 event about a case, without its routing key."""
    if kind is MessageKind.PAGE:
        return _trigger(key, view)
    return _later(kind, str(key)) | (_settled(key, view) if kind is MessageKind.PAGE_RESOLVE else {})


def digest_event_of(kind: MessageKind, key: str, digest: Digest, cases: Sequence[Case], deployment: str) -> dict[str, Any]:
    """The Events API v2 event about a digest, without its routing key. Sent again while its incident is open it rings nobody anew."""
    origin = {"source": f"tierline/{deployment}", "severity": digest.page.severity}
    if kind is MessageKind.PAGE_RESOLVE:
        told = {"digest": digest.id, "settled": digest_settled(digest)}
        mark = f"{DRILL} " if digest.drill else ""
        return _later(kind, key) | {"payload": {"summary": f"{mark}Digest: {digest_settled(digest)}", **origin, "custom_details": told}}
    if kind is not MessageKind.PAGE:
        return _later(kind, key)
    details = dict(digest_details(digest, cases))
    payload = {"summary": digest_summary(digest, cases)[:SUMMARY_MOST], **origin, "component": digest.ladder, "class": "digest"}
    return {"event_action": "trigger", "dedup_key": key, "client": "Tierline", "payload": {**payload, "custom_details": details}}


def alert_event_of(kind: MessageKind, key: str, alert: Alert, deployment: str, severity: str) -> dict[str, Any]:
    """The Events API v2 event about an alert, without its routing key: the rule, the figures and what was done."""
    if kind is not MessageKind.PAGE:
        return _later(kind, key) | (_over(alert, deployment, severity) if kind is MessageKind.PAGE_RESOLVE else {})
    done = f"is now {alert.action.value.replace('_', ' ')}" if alert.changed else f"stays {alert.action.value.replace('_', ' ')}"
    return {
        "event_action": "trigger",
        "dedup_key": key,
        "client": "Tierline",
        "payload": {
            "summary": _title(
                f"{DRILL} {alert.workflow}: {alert.why}" if alert.drill else f"Workflow {alert.workflow} {done}: {alert.why}"
            ),
            "source": f"tierline/{deployment}",
            "severity": severity,
            "component": alert.workflow,
            "group": INCIDENTS,
            "class": alert.rule,
            "custom_details": {
                "alert": alert.id,
                "workflow": alert.workflow,
                "rule": alert.rule,
                "scope": alert.scope,
                "why": alert.why,
                "figures": dict(alert.figures),
                "automation": alert.action.value,
                "since": moment_text(alert.at),
            },
        },
    }


def _over(alert: Alert, deployment: str, severity: str) -> dict[str, Any]:
    """Why the incident of an alert is over, for its log in PagerDuty."""
    why = "the alert is over" if alert.over else "nobody has to come any more"
    told = {"alert": alert.id, "settled": why, "figures": dict(alert.figures), "over_since": _time(alert.cleared_at)}
    summary = _title(f"Workflow {alert.workflow}, {alert.rule}: {why}")
    return {"payload": {"summary": summary, "source": f"tierline/{deployment}", "severity": severity, "custom_details": told}}


def _later(kind: MessageKind, key: str) -> dict[str, Any]:
    """What follows a page."""
    match kind:
        case MessageKind.PAGE_ACKNOWLEDGE:
            return {"event_action": "acknowledge", "dedup_key": key}
        case MessageKind.PAGE_RESOLVE:
            return {"event_action": "resolve", "dedup_key": key}
        case _:
            raise ValueError(f"{kind} is not for PagerDuty")


def _trigger(key: PageKey, view: Seen) -> dict[str, Any]:
    case = view.case
    tier = case.route.tiers[key.tier]
    first, decision = (upcoming(case), if_taken(case)) if case.tier == key.tier else (None, None)
    links = [{"href": view.links, "text": "Open the card in Slack"}] if view.links else []
    return {
        "event_action": "trigger",
        "dedup_key": str(key),
        "client": "Tierline",
        "links": links,
        "payload": {
            "summary": _title(summary_of(case, key.tier)),
            **_from(key, case),
            "component": case.workflow,
            "group": tier.group,
            "class": case.action_type,
            "custom_details": {
                "case": case.id,
                "workflow": case.workflow,
                "action_type": case.action_type,
                "action_sha256": case.action_sha256[:12],
                "risk": case.route.risk.value,
                "lane": case.route.lane.value,
                "tier": f"{key.tier + 1} of {len(case.route.tiers)}",
                "channel": tier.channel,
                "owner": owner_words(tier, view.away),
                "do_first": list(first_steps(case, key.tier, view.links)),
                "reasons": [one_line(reason.text)[:REASON_MOST] for reason in case.route.reasons[:REASONS_MOST]],
                "due": _time(first.at if first is not None else None),
                "next": first.consequence.value if first is not None else "",
                "decide_by": _time(decision.at if decision is not None and case.state is State.PENDING else None),
                "deadline": _time(case.clocks.deadline),
                "revision": case.revision,
            },
        },
    }


def _from(key: PageKey, case: Case) -> dict[str, Any]:
    """What every payload needs besides its summary."""
    page = case.route.tiers[key.tier].page
    return {"source": f"tierline/{key.deployment}", "severity": page.severity if page is not None else "error"}


def _settled(key: PageKey, view: Seen) -> dict[str, Any]:
    """Why an incident is over, for its log in PagerDuty: the event takes a payload as a trigger does."""
    case, why = view.case, why_settled(view.case, key.tier)
    mark = f"{DRILL} " if case.drill is not None else ""
    summary = _title(f"{mark}{case.action_type} of {case.workflow} at tier {key.tier + 1}: {why}")
    told = {"case": case.id, "settled": why, "state": case.state.value, "verdict": case.verdict.value if case.verdict is not None else ""}
    return {"payload": {"summary": summary, **_from(key, case), "custom_details": told}}


def _title(text: str) -> str:
    """One line of at most as many characters as a summary may have."""
    return one_line(text)[:SUMMARY_MOST]


def _time(at: datetime | None) -> str:
    return moment_text(at) if at is not None else ""
