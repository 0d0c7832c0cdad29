"""How `TIERLINE_SMTP_URL` reads: which mail server, as whom, and whether TLS is required. Owns that alone; connects to nothing."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import parse_qsl, unquote, urlsplit

SUBMISSION, SUBMISSIONS = 587, 465
"""Ports of RFC 6409 with STARTTLS, and of RFC 8314 with TLS from the first byte."""

_SAYS = "expected smtp://USER:PASSWORD@HOST:PORT or smtps://…, and ?from=ADDRESS where the user is no address"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail goes, as whom, and how it is kept from others: TLS from the start, STARTTLS, or neither on this machine."""

    host: str
    port: int
    security: str
    user: str
    password: str = field(repr=False)
    sender: str = ""


def read_smtp_url(url: str) -> MailServer:
    """What `TIERLINE_SMTP_URL` says. `smtp://` is for STARTTLS, which must be offered, and plain for loopback alone. Raises ValueError,
    which quotes nothing of it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        asked = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    except ValueError:
        raise ValueError(_SAYS) from None
    if parts.scheme not in ("smtp", "smtps") or not host or parts.path not in ("", "/") or parts.fragment or asked.keys() - {"from"}:
        raise ValueError(_SAYS)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        raise ValueError("expected a password with the user, or neither")
    sender = asked.get("from") or (user if "@" in user else f"tierline@{host}" if _is_loopback(host) else "")
    if not sender.isascii() or any(one.isspace() or not one.isprintable() or one in '<>,;:"' for one in sender) or sender.count("@") != 1:
        raise ValueError("expected ?from=ADDRESS, the sender of the mail, where the user is no address")
    security = "tls" if parts.scheme == "smtps" else "none" if _is_loopback(host) else "starttls"
    return MailServer(host, port or (SUBMISSIONS if security == "tls" else SUBMISSION), security, user, password, sender)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
