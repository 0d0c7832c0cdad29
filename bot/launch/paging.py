"""PagerDuty: routing keys of the right form, tried on request with a page that is resolved at once; somebody on call. Owns these lines."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from secrets import token_hex

from bot.launch.finding import Finding, missing, ok, warn
from bot.settings import Settings
from escalation.pagerduty_client import EventsClient, PagerDutyUnreadable, RestClient
from escalation.ways_out import rings
from routing.policy.policy import Policy
from store.outbox.delivery import SendError

KEY = re.compile(r"[A-Za-z0-9]{32}")
"""Source: https://developer.pagerduty.com/docs/events-api-v2-overview, routing_key: "the 32 character Integration Key"."""

MEND = "Put the Integration Key of an Events API v2 integration there (PagerDuty: the service, Integrations)."
TOKEN, SECRET = "TIERLINE_PAGERDUTY_API_TOKEN", "TIERLINE_PAGERDUTY_WEBHOOK_SECRET"
SUMMARY = "Test page of the launch checklist: nothing to do, it resolves by itself."


async def routing_keys(
    policy: Policy, keys: Mapping[str, Sequence[str]], events: EventsClient | None, unset: frozenset[str]
) -> Sequence[Finding]:
    """A line for each key, by its places, and one where the policy rings nobody. `events` pages each. `unset` stands in for variables of
    the policy file that are not set.
    """
    found: list[Finding] = []
    if not rings(policy):
        mend = "Give a tier pagerduty with a routing_key, so that somebody is woken."
        found.append(warn("routing keys", "The policy pages nobody.", mend))
    return found + list(await asyncio.gather(*(_key(key, places, events) for key, places in keys.items() if key not in unset)))


async def _key(key: str, places: Sequence[str], events: EventsClient | None) -> Finding:
    about = _named(places)
    if KEY.fullmatch(key) is None:
        return missing(about, "It is no routing key: those have 32 letters and digits.", MEND)
    return ok(about, "It has the right form; --page tries it.") if events is None else await _paged(key, about, events)


async def _paged(key: str, about: str, events: EventsClient) -> Finding:
    """One page, and its end. Whatever became of the first, the second is sent, unless the first was certainly refused or never left."""
    dedup_key = f"tierline-readiness-{token_hex(8)}"
    payload = {"summary": SUMMARY, "source": "tierline readiness", "severity": "info"}
    try:
        await events.send(key, {"event_action": "trigger", "dedup_key": dedup_key, "client": "Tierline", "payload": payload})
    except SendError as error:
        if error.permanent:
            return missing(about, f"PagerDuty refuses a test page for it ({error.reason}).", MEND)
        if error.ambiguous:
            await _resolved(key, dedup_key, events)
        return missing(about, f"A test page was not accepted ({error.reason}).", "See that PagerDuty can be reached, then run this again.")
    except asyncio.CancelledError:
        await _resolved(key, dedup_key, events)
        raise
    if why := await _resolved(key, dedup_key, events):
        return missing(about, f"A test page was accepted and could not be resolved ({why}).", f"Resolve {dedup_key} in PagerDuty by hand.")
    return ok(about, "A test page was accepted, and is resolved.")


async def _resolved(key: str, dedup_key: str, events: EventsClient) -> str:
    """Ends a page; gives why that failed."""
    try:
        await events.send(key, {"event_action": "resolve", "dedup_key": dedup_key})
    except SendError as error:
        return error.reason
    return ""


async def on_call(settings: Settings, policies: Mapping[str, Sequence[str]], rest: RestClient | None, *, pages: bool) -> Sequence[Finding]:
    """Whether somebody is on call for each escalation policy that is named, and whether acknowledgements come back."""
    found: list[Finding] = []
    if pages and not settings.pagerduty_webhook_secret:
        said = f"{SECRET} is not set: acknowledgements in PagerDuty do not come back."
        found.append(warn("webhooks", said, "Add a Generic Webhook (v3) to /pagerduty/webhooks, and set it to the secret that is shown."))
    if rest is None:
        if policies:
            said = f"{TOKEN} is not set: who is on call cannot be told, and cards name the tier's owner."
            found.append(warn("on call", said, f"Set {TOKEN} to a read-only REST API key."))
        return found or [ok("on call", "The policy names no escalation policy.")]
    found += await asyncio.gather(*(_on_call(rest, policy, places) for policy, places in policies.items()))
    return found or [ok("on call", "The policy names no escalation policy.")]


async def _on_call(rest: RestClient, policy: str, places: Sequence[str]) -> Finding:
    about = f"on call, {policy}"
    try:
        name = await rest.on_call(policy)
        if not name and not await rest.has_escalation_policy(policy):
            said = f"Nobody is on call: PagerDuty has no such escalation policy ({'; '.join(places)})."
            return missing(about, said, "Write the id into the policy that stands in the address of the escalation policy in PagerDuty.")
    except PagerDutyUnreadable as error:
        if error.status in (401, 403):
            return missing(about, f"PagerDuty refuses {TOKEN} (HTTP {error.status}).", f"Set {TOKEN} to a read-only REST API key.")
        mend = "See that TIERLINE_PAGERDUTY_API_URL can be reached, then run this again."
        return missing(about, "PagerDuty does not say who is on call.", mend)
    if not name:
        return missing(about, "Nobody is on call now.", "Put somebody on the schedule of that escalation policy in PagerDuty.")
    return ok(about, f"{name} is on call.")


def _named(places: Sequence[str]) -> str:
    return f"routing key, {'; '.join(places)}"
