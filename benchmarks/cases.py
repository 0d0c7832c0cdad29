"""Cases as an airline's agent posts them (about 3 KB each), and the signed requests that bring them. Owns no measurement."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from bot.standard_webhooks import sign
from routing.webhook import read_secret

POLICY = Path(__file__).parent.parent / "examples" / "airline.yml"
WORKFLOW = "airline-agent"
BAGGAGE = "update_reservation_baggages"
"""Goes to the first tier."""

CANCELLATION = "cancel_reservation"
"""Goes to the second tier, whose next one is paged."""

_DUTY = """        ack: 5m
        decide: 30m
        pagerduty: {routing_key: "${PAGERDUTY_ROUTING_KEY}", severity: error}
"""
_EXECUTIVE = """        decide: 4h
        repeat: {every: 5m, most: 12}
        pagerduty: {routing_key: "${PAGERDUTY_ROUTING_KEY}", second_key: "${PAGERDUTY_SECOND_KEY}", severity: critical}
        email: [duty@northwind.example]
"""
_PLAYBOOKS = """
tickets:
  helpdesk: {url: "${TICKETS_URL}", secret: "${TICKETS_SECRET}", networks: ["127.0.0.0/8"]}
playbooks:
  - name: no-way-back
    when: {rules: [cancellation]}
    interim: hold
    tell: [{words: "Keep the seats of this reservation until it is decided.", channel: airline-duty}]
    ticket: helpdesk
"""

SECRETS = tuple(f"whsec_YmVuY2htYXJrLWludGFrZS1zZWNyZXQtbm8t{tail}" for tail in ("MDAw", "MDAx", "MDAy", "MDAz"))
"""One per service: each service may post 1,000 a second, so four are needed to find the limit."""

_TOLD = (
    "Reservation EHGLP3 of customer emma_kim_9957, two passengers, economy, JFK to DEN on 2026-12-04, flights HAT084 and HAT213, "
    "paid with gift card gift_card_8190333; one checked bag each. The customer confirmed by message that a third bag is to be added "
    "for passenger one, at the price of 50 USD, to be charged to the same gift card. "
)


STORM = "\npages: {storm: {most: 5, within: 10m}}\n"
"""From the sixth page on they are listed in a digest."""


def escalating(folder: Path, more: str = "") -> Path:
    """The policy with all there is to escalation, in a file: a last tier that is paged again and again, by PagerDuty with a second key and
    by e-mail, and for cancellations a playbook that holds the service, tells people and opens a ticket. `more` is added to it.
    """
    airline = POLICY.read_text()
    assert _DUTY in airline
    file = folder / "policy.yml"
    file.write_text(airline.replace(_DUTY, _EXECUTIVE) + _PLAYBOOKS + more)
    return file


def a_case(number: int, action: str) -> bytes:
    """A change of a reservation that people review."""
    document = {
        "workflow": WORKFLOW,
        "task_id": f"reservation-{number}",
        "title": f"Add one checked bag to reservation EH{number:06}",
        "request": _TOLD + "Please add the bag today.",
        "output": "The customer may add bags before departure; the gift card covers the price.",
        "action": {
            "type": action,
            "params": {"reservation_id": f"EH{number:06}", "total_baggages": 3, "nonfree_baggages": 1, "payment_id": "gift_card_8190333"},
            "before": {"total_baggages": 2, "nonfree_baggages": 0},
            "reversible": True,
        },
        "model": {"name": "airline-agent", "version": "2026-10", "prompt_version": "12", "rationale": _TOLD},
        "checks": [{"name": "policy-rules", "by": "rules-engine", "result": "pass"}],
        "evidence": [{"id": f"source-{each}", "kind": "record", "title": f"Source {each}", "text": _TOLD} for each in range(4)],
        "risk": {"impact": "low", "likelihood": 0.1, "recoverability": "easy", "amount": "50.00", "currency": "USD"},
        "subject": {"id": f"emma_kim_{number}", "type": "customer"},
    }
    return json.dumps(document).encode()


def posts(first: int, count: int, now: datetime, action: str = BAGGAGE) -> Sequence[bytes]:
    """Whole HTTP requests that post cases `first` and following, signed in turn by each service."""
    keys = [read_secret(secret) for secret in SECRETS]
    found = []
    for number in range(first, first + count):
        body = a_case(number, action)
        headers = sign([keys[number % len(keys)]], f"msg_{number}", now, body)
        found.append(request("/v1/cases", headers | {"content-type": "application/json"}, body))
    return found


def request(path: str, headers: dict[str, str], body: bytes) -> bytes:
    """A POST as it goes over a connection that is kept."""
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join([*lines, f"content-length: {len(body)}"]) + "\r\n\r\n").encode() + body
