"""A leaf and a message as rows of their tables. Owns which columns say what; never decides what is recorded or sent."""

from datetime import datetime

from routing.case.case import Case
from routing.change import Message, MessageKind
from routing.vocabulary import EventKind
from store.audit.merkle import leaf_hash
from store.ledger.draft import Row
from store.schema import micros

PEERS = {
    MessageKind.CARD: "slack",
    MessageKind.CARD_UPDATE: "slack",
    MessageKind.NOTE: "slack",
    MessageKind.NOTICE: "slack",
    MessageKind.PLAYBOOK_NOTICE: "slack",
    MessageKind.PLAYBOOK_NOTICE_UPDATE: "slack",
    MessageKind.TICKET: "ticket",
    MessageKind.BULLETIN: "slack",
    MessageKind.BULLETIN_UPDATE: "slack",
    MessageKind.PAGE: "pagerduty",
    MessageKind.PAGE_ACKNOWLEDGE: "pagerduty",
    MessageKind.PAGE_RESOLVE: "pagerduty",
    MessageKind.EMAIL: "email",
    MessageKind.CALLBACK: "callback",
}

GOVERNANCE_PRIORITY = 2_000
"""Messages about more than one case go before those of any case."""


def leaf_row(index: int, body: bytes, kind: EventKind, now: datetime, *, event_id: str, subject: str | None) -> Row:
    """A leaf. `subject` is what its history is read by: the id of a case, or of whatever a governance event is about."""
    return {
        "idx": index,
        "body": body,
        "hash": leaf_hash(body),
        "event_id": event_id,
        "case_id": subject,
        "kind": kind.value,
        "at": micros(now),
    }


def message_row(message: Message, case: Case | None, leaf_idx: int, now: datetime) -> Row:
    """A message that is ready to be sent: about its `subject`, or the case where it names none. Its id is given when it is taken."""
    about = message.subject or (case.id if case is not None else "")
    if not about:
        raise ValueError(f"a {message.kind.value} that is about nothing")
    governs = case is None or about != case.id
    return {
        "case_id": about,
        "peer": PEERS[message.kind],
        "destination": message.destination,
        "kind": message.kind.value,
        "tier": message.tier,
        "round": message.round,
        "callback": message.callback,
        "sequence": message.sequence,
        "leaf_idx": leaf_idx,
        "priority": GOVERNANCE_PRIORITY if governs or case is None else case.route.priority,
        "urgent": governs or message.urgent,
        "state": "ready",
        "attempts": 0,
        "not_before": 0,
        "lease_owner": "",
        "lease_until": None,
        "intent_at": None,
        "last_error": "",
        "created_at": micros(now),
        "settled_at": None,
    }
