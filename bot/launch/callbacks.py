"""The services: their workflows are the policy's, and their callbacks lead where they may. Owns these lines; connects to nobody."""

import asyncio
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from bot.delivery.guarded_client import guard_for
from bot.launch.finding import Finding, missing, ok, warn
from bot.services import Service, Services
from routing.policy.policy import Policy


async def callbacks(services: Services, policy: Policy | None) -> Sequence[Finding]:
    """A line for each service that is not right, and for each workflow that nobody posts to."""
    found = [finding for one in services.by_name.values() for finding in await _service(one, policy)]
    posted = services.by_workflow
    for name in policy.workflows if policy is not None else ():
        if name not in posted:
            said = "No service may post cases for it."
            found.append(
                warn(f"workflow {name}", said, "List it under workflows of a service in services.yml, or take it out of the policy.")
            )
    return found


async def _service(service: Service, policy: Policy | None) -> Sequence[Finding]:
    about = f"service {service.name}"
    found: list[Finding] = []
    unknown = sorted(service.workflows - set(policy.workflows)) if policy is not None else []
    if unknown:
        said = f"The policy has no workflow {', '.join(unknown)}, so its cases are refused."
        found.append(missing(about, said, "Write the workflow into the policy, or take it out of services.yml."))
    found += await _leads(service, about)
    return found or [ok(about, f"Its callbacks may reach {urlsplit(service.callback_url).hostname}.")]


async def _leads(service: Service, about: str) -> Sequence[Finding]:
    parts = urlsplit(service.callback_url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        resolved = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        said = f"The name {host} of its callback_url cannot be resolved."
        return [missing(about, said, "Correct callback_url in services.yml, or have the name resolved on this machine (DNS).")]
    guard = guard_for(service.callback_url, service.networks)
    addresses = sorted({str(one[4][0]) for one in resolved})
    closed = [one for one in addresses if not guard.allows(one.partition("%")[0])]
    if not closed:
        return ()
    why = "is in none of its networks" if parts.scheme == "http" else "is not public, and in none of its networks"
    said = f"Its callback_url leads to {', '.join(closed)}, which {why}."
    judged = missing if len(closed) == len(addresses) else warn
    return [judged(about, said, "List the network of that address under networks of this service, or correct callback_url.")]
