"""The first tour of the demonstration: five things that a newcomer does on the page of the sandbox. Values only; whether they were done is
the word of the sandbox's ledgers.
"""

from typing import Any

from bot.demo.people import ANNA, BEN, CHIARA, HUGO, SLACK_IDS
from bot.sandbox.page.tour import Task
from bot.sandbox.record import Seen

TIER1, OWNERS = "C0TIER10001", "C0OWNERS001"


def _callback(entry: Seen) -> dict[str, Any]:
    """What the service was told, empty for what is no callback."""
    payload = entry.data["payload"] if (entry.peer, entry.kind) == ("customer", "callback") else {}
    return {"type": payload.get("type"), **payload.get("data", {})}


def _was_refused(entry: Seen) -> bool:
    told = entry.kind == "chat.postEphemeral" or (entry.kind == "response_url" and entry.data["path"].startswith("actions/"))
    return told and entry.data["ok"] and entry.data["user"] == SLACK_IDS[CHIARA]


TOUR = (
    Task(
        "Approve a refund",
        "You are Anna. Read the card of the broken teapot and press Approve: the service beside Slack gets the decision, signed, and pays.",
        SLACK_IDS[ANNA],
        TIER1,
        "broken teapot",
        lambda entry: _callback(entry).get("verdict") == "approved",
    ),
    Task(
        "Correct a price",
        "The lamp would cost 11.90 instead of 119.00. Press Modify, put the price right and look at the difference before you send it.",
        SLACK_IDS[ANNA],
        TIER1,
        "Nordlys",
        lambda entry: _callback(entry).get("verdict") == "modified",
    ),
    Task(
        "Ask before you decide",
        "You are Ben. Something is missing to answer this customer: choose Ask the service behind the three dots. The clock waits.",
        SLACK_IDS[BEN],
        TIER1,
        "where her order is",
        lambda entry: _callback(entry)["type"] == "case.information_requested",
    ),
    Task(
        "Answer a page",
        "A kettle may burn somebody, and nobody looks: Hugo's phone rings. Acknowledge in PagerDuty: the card says so, nothing is decided.",
        SLACK_IDS[HUGO],
        OWNERS,
        "kettle",
        lambda entry: (entry.peer, entry.kind) == ("pagerduty", "acknowledged"),
        beside=True,
    ),
    Task(
        "Be refused",
        "You are Chiara, and this access is for you. Press Approve: nobody decides what they asked for. You alone are told, the log too.",
        SLACK_IDS[CHIARA],
        TIER1,
        "billing export",
        _was_refused,
    ),
)
