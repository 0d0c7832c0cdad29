"""Pages by e-mail: the last route but Slack. Owns how a mail is put together and addressed.

No content of a case goes there, as in a page. It never decides who is written to or when. A mail whose reply got lost is sent again under
the same Message-ID: mail knows no better way, and one too many is better than none.
"""

from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from typing import Protocol, runtime_checkable

from escalation.mail_words import body_of, subject_of
from escalation.smtp_client import SmtpClient
from routing.case.case import Case
from store.outbox.delivery import Delivered, Outgoing, SendError


@runtime_checkable
class Seen(Protocol):
    """What the mailer needs of a case as it is when sending: the case, a link to its card ("" when there is none), and that moment."""

    @property
    def case(self) -> Case:
        """The case as it is."""
        ...

    @property
    def links(self) -> str:
        """The permalink of the current card."""
        ...

    @property
    def now(self) -> datetime:
        """Aware UTC."""
        ...


class Mailer:
    """The sender of e-mail. `addresses` of a case's tier by the policy it lives by; without a `client` nothing can be sent."""

    def __init__(self, deployment: str, client: SmtpClient | None, addresses: Callable[[Case, int], tuple[str, ...]]) -> None:
        self._deployment = deployment
        self._client = client
        self._addresses = addresses

    async def send(self, outgoing: Outgoing, view: object) -> Delivered:
        """Send one mail. Raises SendError."""
        if not isinstance(view, Seen):
            raise SendError("there is no mail about this", permanent=True)
        if self._client is None:
            raise SendError("TIERLINE_SMTP_URL is not set", permanent=True)
        case, message = view.case, outgoing.message
        recipients = self._addresses(case, message.tier)
        page = next((one for one in case.pages if one.round == message.round), None)
        if not recipients or page is None:
            raise SendError("the policy names no address for this tier", permanent=True)
        mail = EmailMessage(policy=WIRE)
        mail["From"] = f"Tierline <{self._client.sender}>"
        mail["To"] = ", ".join(recipients)
        mail["Subject"] = subject_of(case, message.tier)
        mail["Date"] = format_datetime(view.now)
        mail["Message-ID"] = f"<{case.id}.{message.tier + 1}.{message.round}.{outgoing.id}@{_domain(self._client.sender)}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answer
        mail["X-Priority"] = "1"
        mail.set_content(body_of(case, page, view.links, view.now, self._deployment))
        taken = await self._client.send(mail, recipients)
        return Delivered(told=taken, refused=len(recipients) - len(taken))


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
