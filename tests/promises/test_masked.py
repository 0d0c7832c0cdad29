"""Sensitive values of a case reach nobody who may not see them: not in Slack, not in PagerDuty, not in a log line (I6).

They reach the service that sent them, unmasked, and whoever the policy lets reveal them, which is recorded.
"""

import io
import json
from pathlib import Path
from typing import Any

from bot.sandbox.record import Record
from routing.vocabulary import EventKind
from tests.promises.test_nothing_planted import said  # noqa: F401  # a fixture
from tests.world import ANNA, CHIARA, a_world

MAIL, IBAN, CARD, PHONE = "anna.plank@northwind.example", "DE89370400440532013000", "4242424242424242", "+493012345678"
DECLARED, IN_COMMENT = "Zwetschgenkuchen", "ben.plank@northwind.example"
CANARIES = (MAIL, "anna.plank", IBAN, CARD, PHONE, DECLARED, IN_COMMENT)
CONTENT: dict[str, Any] = {
    "title": f"Refund 80.00 USD to {MAIL}",
    "request": f"Pay it to {IBAN}, or call {PHONE}.",
    "action": {
        "type": "refund.create",
        "params": {"iban": IBAN, "holder": DECLARED, "amount": "80.00", "notify": [{"to": MAIL}], "card": int(CARD)},
        "before": {"iban": "", "holder": DECLARED[:-1]},
        "reversible": True,
    },
    "evidence": [{"id": "e-1", "kind": "url", "text": f"Card {CARD}", "url": f"https://crm.example/?q={MAIL}"}],
    "labels": {"contact": MAIL},
    "sensitive": ["action.params.holder", "action.before.holder"],
}


def canaries_in(text: str) -> list[str]:
    """Which planted values can be read in some text."""
    return [value for value in (*CANARIES, DECLARED[:-1]) if value in text]


def told(record: Record) -> str:
    """Everything we sent to Slack or answered there, but for the modals that reveal; what people typed themselves is left out."""
    ours = ({name: value for name, value in seen.data.items() if name != "payload"} for seen in record)
    entries = (json.dumps(data, ensure_ascii=False, default=str) for data in ours)
    return "\n".join(entry for entry in entries if "Who looked is recorded." not in entry)


async def test_sensitive_values_reach_only_who_may_see_them(tmp_path: Path, database_url: str, said: io.StringIO) -> None:  # noqa: F811
    """A case full of them is shown, talked about, escalated, paged, revealed, changed and decided."""
    async with a_world(tmp_path, database_url) as world:
        case_id = await world.submit(**CONTENT)
        await world.drain()
        await world.click(ANNA, "comment", case_id)
        await world.fill_in(ANNA, {"text": f"I have written to {IN_COMMENT}."})
        await world.click(ANNA, "open_evidence", case_id)
        await world.click(ANNA, "escalate", case_id)
        await world.fill_in(ANNA, {"reason": "unsure", "text": f"Who is {IN_COMMENT}?"})
        await world.drain()
        assert world.sandbox.pagerduty.incidents, "nothing was paged, so nothing is shown"
        assert canaries_in(told(world.sandbox.slack.record)) == []

        await world.click(ANNA, "reveal", case_id)
        assert "role" in world.told(ANNA)
        await world.click(CHIARA, "reveal", case_id)
        modal = json.dumps(world.sandbox.slack.open_view(CHIARA), ensure_ascii=False)
        assert [value for value in CANARIES if value not in modal] == []
        [looked] = [one for one in await world.bot.reads.history(case_id) if one.kind is EventKind.REVEALED]
        assert (looked.actor.id, "action.params.holder" in str(looked.fields["paths"])) == (CHIARA, True)

        await world.click(CHIARA, "modify", case_id)
        typed = {"param:/amount": "70.00", "reason": "wrong_amount", "text": "Ten were paid already."}
        await world.fill_in(CHIARA, typed)
        await world.fill_in(CHIARA, typed)
        await world.drain()
        decided = world.callbacks(case_id)[-1]
        assert decided["action"]["params"] == CONTENT["action"]["params"] | {"amount": "70.00"}
        assert (decided["action"]["before"], decided["labels"]) == (CONTENT["action"]["before"], CONTENT["labels"])
        _status, answer = await world.sandbox.customer.get(f"/v1/cases/{case_id}")
        assert answer["action"] == decided["action"]

        assert canaries_in(told(world.sandbox.slack.record)) == []
        assert canaries_in(str(world.sandbox.pagerduty.incidents)) == []
    assert canaries_in(said.getvalue()) == []
