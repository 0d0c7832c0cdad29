"""Whom we trust on the other end of TLS: one answer for every client of ours. Owns reading SSL_CERT_FILE and SSL_CERT_DIR."""

import ssl
from collections.abc import Mapping
from pathlib import Path

from bot.settings import SettingsError
from routing.errors import Problem

FILE, DIRECTORY = "SSL_CERT_FILE", "SSL_CERT_DIR"


def trusted(environment: Mapping[str, str]) -> ssl.SSLContext:
    """The authorities that the environment (or `.env`) names, else the system's, as OpenSSL does it. Raises SettingsError."""
    file, directory = environment.get(FILE) or None, environment.get(DIRECTORY) or None
    problems = []
    try:
        if file is not None and not Path(file).is_file():
            problems.append(Problem(FILE, "there is no such file"))
    except OSError:  # the folder it stands in is closed to us
        problems.append(Problem(FILE, "it cannot be read"))
    try:
        if directory is not None and not any(Path(one).is_dir() for one in directory.split(":")):
            problems.append(Problem(DIRECTORY, "there is no such directory"))
    except OSError:
        problems.append(Problem(DIRECTORY, "it cannot be read"))
    if not problems:
        try:
            return _context(file, directory)
        except ssl.SSLError:
            problems.append(Problem(FILE, "expected certificates in PEM"))
        except OSError:
            problems.append(Problem(FILE if file is not None else DIRECTORY, "it cannot be read"))
    raise SettingsError(problems, "settings")


def _context(file: str | None, directory: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=file)  # with a file, that one alone
    for one in (directory or "").split(":") if directory else ():
        context.load_verify_locations(capath=one)
    return context
