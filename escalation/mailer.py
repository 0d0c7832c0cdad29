"""Pages by e-mail: the last route but Slack. Owns how a mail is put together and addressed.

No content of a case goes there, as in a page. It never decides who is written to or when. A mail whose reply got lost is sent again under
the same Message-ID: mail knows no better way, and one too many is better than none.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from typing import Protocol, runtime_checkable

from escalation.digest_words import digest_mail
from escalation.mail_words import body_of, subject_of
from escalation.smtp_client import SmtpClient
from routing.case.case import Case
from routing.governance.digest import Digest
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


@runtime_checkable
class Noticed(Protocol):
    """What the mailer needs of a digest of pages: the digest, its cases, and that moment."""

    @property
    def about(self) -> object:
        """The digest as it is."""
        ...

    @property
    def listed(self) -> Sequence[Case]:
        """Its cases as they are."""
        ...

    @property
    def now(self) -> datetime:
        """Aware UTC."""
        ...


class Mailer:
    """The sender of e-mail. `addresses`: by hash of a policy, ladder and tier (0-based); without a `client` nothing can be sent."""

    def __init__(self, deployment: str, client: SmtpClient | None, addresses: Callable[[str, str, int], tuple[str, ...]]) -> None:
        self._deployment = deployment
        self._client = client
        self._addresses = addresses

    async def send(self, outgoing: Outgoing, view: object) -> Delivered:
        """Send one mail. Raises SendError."""
        if self._client is None:
            raise SendError("TIERLINE_SMTP_URL is not set", permanent=True)
        recipients, subject, body, now = self._about_digest(view) if isinstance(view, Noticed) else self._about_case(outgoing, view)
        if not recipients:
            raise SendError("the policy names no address for this tier", permanent=True)
        message = outgoing.message
        mail = EmailMessage(policy=WIRE)
        mail["From"] = f"Tierline <{self._client.sender}>"
        mail["To"] = ", ".join(recipients)
        mail["Subject"] = subject
        mail["Date"] = format_datetime(now)
        about = f"{outgoing.case_id}.{message.tier + 1}.{message.round}.{outgoing.id}"
        mail["Message-ID"] = f"<{about}@{_domain(self._client.sender)}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answer
        mail["X-Priority"] = "1"
        mail.set_content(body)
        taken = await self._client.send(mail, recipients)
        return Delivered(told=taken, refused=len(recipients) - len(taken))

    def _about_case(self, outgoing: Outgoing, view: object) -> tuple[tuple[str, ...], str, str, datetime]:
        """Recipients, subject, body and the moment at which they are true."""
        message = outgoing.message
        if not isinstance(view, Seen):
            raise SendError("there is no mail about this", permanent=True)
        case = view.case
        page = next((one for one in case.pages if one.round == message.round), None)
        recipients = self._addresses(case.route.policy_sha256, case.route.ladder, message.tier) if page is not None else ()
        body = body_of(case, page, view.links, view.now, self._deployment) if page is not None else ""
        return recipients, subject_of(case, message.tier), body, view.now

    def _about_digest(self, view: "Noticed") -> tuple[tuple[str, ...], str, str, datetime]:
        """The same."""
        digest = view.about
        if not isinstance(digest, Digest):
            raise SendError("there is no mail about this", permanent=True)
        subject, body = digest_mail(digest, view.listed, view.now, self._deployment)
        return self._addresses(digest.policy_sha256, digest.ladder, digest.tier), subject, body, view.now


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
