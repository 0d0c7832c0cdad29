"""What stands beside Slack: PagerDuty's incidents, the mail that came, the service's ledger, as plain values for the templates.

Changes nothing.
"""

from __future__ import annotations

import json
from typing import Any

from markupsafe import Markup

from bot.sandbox.customer import Callback, Customer, Posted
from bot.sandbox.mail import Letter, Mail
from bot.sandbox.page.names import Reader
from bot.sandbox.page.text import link, with_links
from bot.sandbox.pagerduty.account import Incident
from bot.sandbox.pagerduty.pagerduty import PagerDuty

Json = dict[str, Any]

GOOD = frozenset({"approved", "auto_approved", "modified"})
BAD = frozenset({"rejected", "auto_rejected", "expired", "withdrawn"})
SHOWN = 50  # of each list, newest first


class PeersScene:
    """The right-hand panes at one moment, in the reader's time zone."""

    def __init__(self, pagerduty: PagerDuty, customer: Customer, mail: Mail, reader: Reader) -> None:
        self._pagerduty = pagerduty
        self._customer = customer
        self._mail = mail
        self._reader = reader
        self.service = customer.config.name
        self.duplicates = customer.duplicates
        self.refused = customer.refused
        self.posted_count = len(customer.posted)
        self.callback_count = len(customer.inbox)

    @property
    def open_incidents(self) -> int:
        """How many incidents are not resolved."""
        return sum(incident.is_open for incident in self._pagerduty.incidents)

    @property
    def incidents(self) -> list[Json]:
        """All incidents: open ones first, newest first."""
        newest = sorted(self._pagerduty.incidents, key=lambda incident: (incident.is_open, incident.number), reverse=True)
        return [self._incident(incident) for incident in newest[:SHOWN]]

    @property
    def letters(self) -> list[Json]:
        """The mail that came, newest first; nothing where none did."""
        return [self._letter(letter) for letter in self._mail.letters[: -SHOWN - 1 : -1]]

    @property
    def callbacks(self) -> list[Json]:
        """The service's inbox, newest first."""
        return [self._callback(callback) for callback in self._customer.inbox[: -SHOWN - 1 : -1]]

    @property
    def posted(self) -> list[Json]:
        """The cases it posted, newest first."""
        return [self._posted(posted) for posted in self._customer.posted[: -SHOWN - 1 : -1]]

    def _incident(self, incident: Incident) -> Json:
        opened = self._pagerduty.opened(incident.key)
        assignees = self._pagerduty.assignees(incident)
        return {
            "id": incident.id,
            "number": incident.number,
            "status": incident.status,
            "severity": incident.severity,
            "time": self._reader.time(incident.created_at),
            "title": incident.title,
            "service": incident.service.name,
            "assignee": assignees[0].name if assignees and incident.is_open else "",
            "triggers": incident.triggers,
            "reopened": opened if opened > 1 else 0,
            "key": incident.key,
            "details": [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in incident.custom_details.items()],
            "links": [_link(item) for item in incident.links],
            "log": [{"time": self._reader.time(entry.at), "text": f"{entry.agent}: {entry.text}"} for entry in incident.log],
        }

    def _letter(self, letter: Letter) -> Json:
        return {
            "time": self._reader.time(letter.at),
            "to": ", ".join(letter.to),
            "subject": letter.subject,
            "drawn": with_links(letter.text),
        }

    def _callback(self, callback: Callback) -> Json:
        data = callback.data
        automation = f"automation {data['automation']}" if data.get("automation") else ""
        verdict = str(data.get("verdict") or automation or callback.type.removeprefix("case."))
        return {
            "id": callback.webhook_id,
            "time": self._reader.time(callback.at),
            "label": verdict.replace("_", " "),
            "tone": "good" if verdict in GOOD else "bad" if verdict in BAD else "",
            "title": self._title(data),
            "sequence": data.get("sequence"),
            "outcome": callback.outcome,
            "type": callback.type,
            "json": _pretty(callback.payload),
        }

    def _title(self, data: Json) -> str:
        task_id, workflow = data.get("task_id"), data.get("workflow")
        titles = [posted.case.get("title") for posted in self._customer.posted if posted.case.get("task_id") == task_id]
        return str(titles[-1] if titles else workflow or data.get("case_id") or "")

    def _posted(self, posted: Posted) -> Json:
        answer = posted.answer
        said = [str(answer[name]) for name in ("state", "lane", "risk") if answer.get(name)]
        return {
            "id": posted.webhook_id,
            "time": self._reader.time(posted.at),
            "status": posted.status,
            "answer": " · ".join(said) or str(answer.get("title") or ""),
            "title": str(posted.case.get("title") or posted.case.get("task_id") or "a case"),
            "workflow": str(posted.case.get("workflow") or "case"),
            "task_id": posted.case.get("task_id"),
            "json": _pretty({"posted": posted.case, "answered": answer}),
        }


def _link(item: Json) -> Markup:
    return link(str(item.get("href", "")), str(item.get("text") or item.get("href", "")))


def _pretty(payload: Json) -> str:
    return json.dumps(payload, indent=2, ensure_ascii=False)
