"""Secrets that show by their look: keys as their issuers shape them, private keys, bearer tokens, passwords in addresses.

Owns these patterns. Hashes, ids and other random-looking text stay as they are; `labelled_values` beside it finds what is only
named a secret.
"""

import re
from collections.abc import Iterator

from routing.privacy.spans import Span, scan

_KEYS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("AKIA", "ASIA"), r"[0-9A-Z]{16}(?![0-9A-Za-z])"),
    (("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"), r"[0-9A-Za-z_]{20,255}"),
    (("glpat-",), r"[0-9A-Za-z_-]{20,255}"),
    (("xoxa-", "xoxb-", "xoxe-", "xoxe.", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xapp-"), r"[0-9A-Za-z.-]{10,255}"),
    (("hooks.slack.com/services/",), r"[0-9A-Za-z/]{20,255}"),
    (("sk_live_", "sk_test_", "rk_live_", "rk_test_"), r"[0-9A-Za-z]{10,255}"),
    (("whsec_",), r"[0-9A-Za-z+/=]{16,255}"),
    (("AIza",), r"[0-9A-Za-z_-]{35}"),
    (("sk-",), r"(?<![\w-]...)(?=[A-Za-z_-]{0,40}[0-9])[0-9A-Za-z_-]{20,255}"),
    (("npm_",), r"[0-9A-Za-z]{36}"),
    (("eyJ",), r"(?<![\w-]...)[0-9A-Za-z_-]{10,4096}\.eyJ[0-9A-Za-z_-]{10,8192}\.[0-9A-Za-z_-]{0,4096}"),
    (("-----BEGIN ",), r"[A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)"),
    (("Bearer ", "bearer "), r"[0-9A-Za-z._~+/-]{16,8192}={0,2}"),
)
"""How a key begins, and what follows: AWS, GitHub, GitLab, Slack, Stripe, Standard Webhooks, Google, OpenAI-like, npm, JWT (RFC 7519),
PEM (RFC 7468), bearer (RFC 6750).

Sources: https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
"""

_SHAPES = tuple((begins, re.compile(f"(?:{'|'.join(map(re.escape, begins))}){rest}")) for begins, rest in _KEYS)

_USER_INFO = re.compile(r"://[^\s/@:]{0,64}:(?P<value>[^\s/@]{1,256})@")
"""The password in an address (RFC 3986, 3.2.1)."""


def credentials(text: str) -> Iterator[Span]:
    """The secrets of a text."""
    for begins, shape in _SHAPES:
        if any(begin in text for begin in begins):  # much faster than to search for the shape
            yield from scan(shape, text, lambda match: Span(match.start(), match.end(), "secret"))
    if "://" in text:
        yield from scan(_USER_INFO, text, lambda match: Span(match.start("value"), match.end("value"), "secret"))
