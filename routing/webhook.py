"""Where signed webhooks go and what signs them, as the policy and the services file write it: secrets, URLs, private networks.

Owns these forms. It quotes no secret and opens no connection: whether an address may be reached is decided when connecting.
"""

import re
from base64 import b64decode
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

PREFIX = "whsec_"
MIN_KEY_BYTES, MAX_KEY_BYTES = 24, 64

_SECRET = re.compile(f"{PREFIX}([A-Za-z0-9+/_-]+)(=*)")
_URL_SAFE = str.maketrans("-_", "+/")

Network = IPv4Network | IPv6Network


class BadSecret(ValueError):
    """expected whsec_ and the base64 of 24 to 64 random bytes (make one: `echo whsec_$(head -c 32 /dev/urandom | base64)`)"""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def read_secret(text: str) -> bytes:
    """The key in `whsec_<base64>`, of either alphabet of RFC 4648, with its padding or without any, blanks around it.

    The receiver kit reads it the same way. Raises `BadSecret`, which never quotes it.
    """
    found = _SECRET.fullmatch(text.strip())
    if found is None or len(found[1]) % 4 == 1 or found[2] not in ("", "=" * (-len(found[1]) % 4)):
        raise BadSecret
    key = b64decode(found[1].translate(_URL_SAFE) + "=" * (-len(found[1]) % 4))
    if not MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES:
        raise BadSecret
    return key


def _listed(value: object) -> object:
    """Text with commas is a list, so that one `${NAME}` may hold the old and the new secret."""
    parts = value if isinstance(value, list) else [value]
    texts = [part for part in parts if isinstance(part, str)]
    return [piece.strip() for text in texts for piece in text.split(",")] if len(texts) == len(parts) else value


def _secret(value: SecretStr) -> SecretStr:
    read_secret(value.get_secret_value())
    return value


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError("expected a URL like https://host.example/path") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or parts.fragment:
        raise ValueError("expected a URL like https://host.example/path, without user name and fragment")
    return value


def _network(value: object) -> object:
    try:
        return ip_network(str(value), strict=True)
    except ValueError:
        raise ValueError("expected a network like 10.20.0.0/16, with no bits set behind the prefix") from None


Secret = Annotated[SecretStr, AfterValidator(_secret)]
Several = Annotated[tuple[Secret, ...], Field(min_length=1, max_length=8)]
SecretList = Annotated[Several, BeforeValidator(_listed, json_schema_input_type=str | Several)]
"""One secret, or several during a rotation."""
WebhookUrl = Annotated[str, AfterValidator(_url)]
PrivateNetwork = Annotated[Network, BeforeValidator(_network)]
