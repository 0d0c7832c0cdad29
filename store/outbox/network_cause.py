"""Why a peer was not reached, in words: of whatever a client raised, the cause beneath. Owns the words; quotes nothing, because messages
hold addresses, and addresses may hold secrets.
"""

import errno
import socket
import ssl
from collections.abc import Iterator

_EXPIRED, _OTHER_NAME, _UNKNOWN_AUTHORITY = (9, 10), (62, 64), (2, 18, 19, 20, 21)
"""OpenSSL's codes of what is wrong with a certificate. Source: x509_vfy.h"""

_NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL)


def network_cause(error: BaseException) -> str:
    """The cause: name not resolved, refused, TLS, no route, time out, cut; for what is none of these the kind of the error."""
    chain = list(_chain(error))[::-1]  # the innermost first: what clients wrap around it is of its kind and says less
    for one in chain:
        if said := _said(one):
            return said
    return next((said for one in chain if (said := _by_kind(type(one).__name__))), type(error).__name__)


def _said(error: BaseException) -> str:
    match error:
        case socket.gaierror():
            return "the name cannot be resolved (DNS)"
        case ssl.SSLCertVerificationError():
            return f"TLS: {_certificate(getattr(error, 'verify_code', 0))}"
        case ssl.SSLError():
            return "TLS: the handshake failed"
        case ConnectionRefusedError():
            return "connection refused"
        case ConnectionResetError() | BrokenPipeError() | ConnectionAbortedError():
            return "the connection was cut"
        case TimeoutError():
            return "no answer in time"
        case OSError(errno=errno.ECONNREFUSED):
            return "connection refused"
        case OSError() if error.errno in _NO_ROUTE:
            return "no route to it"
        case _:
            return ""


def _certificate(code: int) -> str:
    if code in _EXPIRED:
        return "its certificate is not valid at this time"
    if code in _OTHER_NAME:
        return "its certificate is for another name"
    if code in _UNKNOWN_AUTHORITY:
        return "its certificate is of an authority that is not trusted (SSL_CERT_FILE and SSL_CERT_DIR name those that are)"
    return "its certificate is not accepted"


def _by_kind(name: str) -> str:
    """What clients raise on their own, known by name: their packages are not ours to import here."""
    if "Timeout" in name:
        return "no answer in time"
    return "the connection was cut" if name in ("ServerDisconnectedError", "RemoteProtocolError", "ReadError", "WriteError") else ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, each once, also what was hidden from tracebacks; for several tries of one connection, those too."""
    seen, waiting = list[BaseException](), [error]
    while waiting:
        one = waiting.pop(0)
        if any(one is earlier for earlier in seen):
            continue
        seen.append(one)
        yield one
        inside = [one.__cause__, one.__context__, getattr(one, "os_error", None)]
        inside += one.exceptions if isinstance(one, BaseExceptionGroup) else []
        waiting += [each for each in inside if isinstance(each, BaseException)]
