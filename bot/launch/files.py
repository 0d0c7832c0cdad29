"""The settings and the two files, read as a start would read them, with every problem a line. Owns what remains usable where one is wrong,
so that the rest can be looked at, and which policy a start would put in force.

A variable that is not set is stood in for by whoever hands in `values`; `unset` holds what stands in, by name, as it was asked for.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext, create_default_context

from bot.launch.finding import Finding, missing, ok, warn
from bot.launch.stored import Stored
from bot.services import Services, ServicesError, load_services
from bot.settings import PREFIX, Settings, SettingsError, read_settings
from bot.tls import trusted
from routing.errors import PolicyError, Problem
from routing.governance.policy_lifecycle import by_file
from routing.policy.file import load_policy
from routing.policy.policy import Policy

NAME = re.compile(rf"{PREFIX}\w+")
OPEN_TO_OTHERS = 0o077
MADE = "; this makes a secret: echo whsec_$(head -c 32 /dev/urandom | base64)"


@dataclass(frozen=True, slots=True)
class Variables:
    """What `${NAME}` takes its value from."""

    values: Mapping[str, str]
    unset: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Given:
    """The settings, without those that cannot be used: these have their defaults, and `broken` names them."""

    settings: Settings
    tls: SSLContext
    broken: frozenset[str]
    found: tuple[Finding, ...]


def settings(environment: Mapping[str, str], env_file: Path) -> Given:
    """The settings as far as they can be used. Each pass sets aside what is complained of, since one problem may hide another."""
    found, broken = list[Finding](), set[str]()
    usable = _usable(environment, found, broken)
    try:
        tls = trusted(environment)
    except SettingsError as error:
        found += [_setting(problem) for problem in error.problems]
        tls = create_default_context()
    if env_file.is_file() and env_file.stat().st_mode & OPEN_TO_OTHERS:
        found.append(warn("settings", f"Others on this machine can read {env_file}.", f"Run: chmod 600 {env_file}"))
    return Given(usable, tls, frozenset(broken), tuple(found or [ok("settings", "They can be read.")]))


def _usable(environment: Mapping[str, str], found: list[Finding], broken: set[str]) -> Settings:
    """The settings without what is complained of, which goes into `found` and, by name, into `broken`."""
    try:
        return read_settings(environment)
    except SettingsError as error:
        found += [_setting(problem) for problem in error.problems]
        given = {problem.pointer for problem in error.problems} & environment.keys()
        wanted = {name for problem in error.problems if problem.pointer not in given for name in NAME.findall(problem.pointer)}
        broken |= given | wanted
        left = {name: value for name, value in environment.items() if name not in given} | dict.fromkeys(wanted, "not set")
        return _usable(left, found, broken) if left != environment else read_settings({})


def policy_file(path: Path, variables: Variables) -> tuple[Policy | None, Sequence[Finding]]:
    """The policy of the file, None where there is none that could be used."""
    if not path.exists():
        return None, ()
    before = set(variables.unset)
    try:
        policy = load_policy(path.read_bytes(), variables.values, str(path))
    except OSError as error:
        return None, [
            missing(str(path), f"It cannot be read: {error.strerror}.", "Let this user read it, or name another in TIERLINE_POLICY.")
        ]
    except PolicyError as error:
        mend = "Write there what is expected; tierline policy check says whether it is right."
        return None, [*_problems(path, error.problems, mend), *_unset(path, variables, before)]
    return policy, _unset(path, variables, before)


def in_force(path: Path, offered: Policy | None, stored: Stored, variables: Variables) -> tuple[Policy | None, Sequence[Finding]]:
    """The policy that a start would put in force: the one in the database where there is one, unless that lets the file have its way."""
    if stored.active is None:
        if offered is None and not path.exists():
            said = f"There is no {path}, and no policy in the database that could be read."
            return None, [missing("policy", said, f"Write one to begin with: tierline policy init {path}")]
        since = "is in force from the first start" if stored.unused else "can be used; which one is in force could not be read"
        return offered, [] if offered is None else [ok("policy", f"{path}, version {offered.version}, {since}.")]
    try:
        active = load_policy(stored.active, variables.values, "the policy in force")
    except PolicyError as error:
        mend = "Set what it takes from the environment, or have another policy accepted."
        return offered, _problems(Path("policy in force"), error.problems, mend)
    found: list[Finding] = []
    if offered is None or offered.sha256 == active.sha256:
        found.append(ok("policy", f"Version {active.version} is in force."))
    elif by_file(active):
        found.append(ok("policy", f"{path}, version {offered.version}, takes effect at the next start (activation: file)."))
        active = offered
    else:
        said = f"{path} is not the policy in force, which is version {active.version} and is looked at here."
        found.append(
            warn("policy", said, "Have it accepted in Slack (tierline policy propose puts it before the owners), or put the file back.")
        )
    return active, [*found, *_roll_back(stored, variables)]


def services_file(path: Path, variables: Variables) -> tuple[Services | None, Sequence[Finding]]:
    """The services of the file, None where it could not be used."""
    before = set(variables.unset)
    try:
        services = load_services(path.read_bytes(), variables.values, str(path))
    except OSError:
        return None, [missing(str(path), "It cannot be read.", "Write one (tierline init does), or name another in TIERLINE_SERVICES.")]
    except ServicesError as error:
        mend = "Write there what is expected; tierline services check says whether it is right."
        return None, [*_problems(path, error.problems, mend), *_unset(path, variables, before, MADE)]
    return services, _unset(path, variables, before, MADE)


def _roll_back(stored: Stored, variables: Variables) -> Sequence[Finding]:
    """Whether there is a policy to go back to."""
    if stored.earlier is None:
        return [ok("roll back", "The policy in force is the first: there is none to go back to yet.")]
    try:
        earlier = load_policy(stored.earlier, variables.values, "the policy before")
    except PolicyError:
        said = "The policy before the one in force cannot be read any more, so nobody can go back to it."
        return [warn("roll back", said, "Set again what it took from the environment, or have a policy to go back to accepted.")]
    return [ok("roll back", f"Version {earlier.version} can be put in force again with one command.")]


def _setting(problem: Problem) -> Finding:
    said = f"{problem.message[:1].upper()}{problem.message[1:]}{'' if problem.message.endswith('?') else '.'}"
    return missing(problem.pointer or "settings", said, "Correct it in .env or in the environment; README.md lists the settings.")


def _problems(path: Path, problems: Sequence[Problem], mend: str) -> list[Finding]:
    return [
        missing(f"{path}{'' if one.line is None else f':{one.line}'}", f"{one.pointer or '/'}: {one.message}", mend) for one in problems
    ]


def _unset(path: Path, variables: Variables, before: set[str], hint: str = "") -> list[Finding]:
    names = [name for name in variables.unset if name not in before]
    return [missing(str(path), f"${{{name}}} is not set.", f"Put {name}=… into .env or the environment{hint}.") for name in names]
