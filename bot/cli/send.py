"""`tierline send`: cases from a file, posted as a service would. Owns the command and its words; `bot.cli.posting` does the sending."""

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.terminal import FOUND, Advance, JsonFlag, emit, progress, remark

if TYPE_CHECKING:
    from bot.cli.files.cases import Line
    from bot.cli.posting import Answer


def send(
    file: Annotated[str, typer.Argument(help="Cases as JSON or JSONL; - for standard input.")],
    *,
    url: Annotated[str, typer.Option(help="Where the bot listens.")] = "http://127.0.0.1:8080",
    service: Annotated[str, typer.Option(help="As which service; default: the only one in TIERLINE_SERVICES.", show_default=False)] = "",
    secret: Annotated[
        str, typer.Option(help="Its secret, whsec_…; default: from the file that TIERLINE_SERVICES names.", show_default=False)
    ] = "",
    as_json: JsonFlag = False,  # noqa: ARG001  # answers are JSON anyway
) -> None:
    """Post cases, signed, up to 16 at once. One JSON line per answer; a summary on standard error.

    The webhook-id comes from the service and the content, so that a second send changes nothing. Exit 1 if a case was not taken.
    """
    import asyncio

    from bot.cli.files.cases import read_cases

    name, keys = _sender(service, secret)
    data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    lines = read_cases(data, lines=Path(file).suffix in (".jsonl", ".ndjson"))
    if not lines:
        raise typer.BadParameter(f"{file}: there is no case in it")
    with progress("sending", shown=not sys.stdout.isatty()) as advance:
        answers = asyncio.run(_send(lines, url, name, keys, advance))
    _sum_up(answers)
    if not all(answer.taken for answer in answers):
        raise typer.Exit(FOUND)


async def _send(lines: "list[Line]", url: str, service: str, keys: tuple[bytes, ...], advance: Advance) -> "list[Answer]":
    """Print each answer as it comes."""
    import asyncio

    from bot.cli.posting import posting

    answers: list[Answer] = []
    async with posting(url, service, keys) as post:
        await post.reach()
        if (signer := await post.signer()) and service not in ("", signer):
            raise typer.BadParameter(f"the secret is that of {signer}, not of {service}; nothing was sent", param_hint="--service")
        for done in asyncio.as_completed(map(post.send, lines)):
            answer = await done
            emit(answer.json())
            answers.append(answer)
            advance(len(answers), len(lines))
    return answers


def _sender(service: str, secret: str) -> tuple[str, tuple[bytes, ...]]:
    """Name and key of the service: as given, else from the services file. Raises `BadParameter`."""
    from bot.cli.files.configuration import chosen_file, environment
    from bot.services import load_services
    from routing.webhook import BadSecret, read_secret

    if secret:
        try:
            return service, (read_secret(secret),)
        except BadSecret as error:
            raise typer.BadParameter(str(error), param_hint="--secret") from None
    hint = "Give --secret, or name the services file with TIERLINE_SERVICES."
    path = chosen_file(None, "TIERLINE_SERVICES", "services.yml", hint)
    services = load_services(path.read_bytes(), environment(), str(path)).by_name
    if not service and len(services) == 1:
        service = next(iter(services))
    if service not in services:
        raise typer.BadParameter(f"expected one of {', '.join(sorted(services))}", param_hint="--service")
    return service, services[service].keys[:1]


def _sum_up(answers: "list[Answer]") -> None:
    """Counts by lane of what was taken, and what was not."""
    sent_back = "sent back for information"
    lanes = Counter(
        sent_back if answer.body.get("state") == "needs_info" else str(answer.body.get("lane")) for answer in answers if answer.taken
    )
    known = sum(answer.status == 200 for answer in answers)
    told = ", ".join(f"{count} {lane}" for lane, count in lanes.most_common())
    failed = [answer for answer in answers if not answer.taken]
    taken = len(answers) - len(failed)
    remark(f"{taken} of {len(answers)} taken{f' ({told})' if told else ''}{f', {known} of them known before' if known else ''}")
    for answer in failed[:10]:
        errors = answer.body.get("errors") or [{}]
        first = f" {errors[0].get('pointer', '')}: {errors[0].get('detail') or errors[0].get('message', '')}" if errors[0] else ""
        remark(f"  line {answer.line.number}: {answer.status or 'not answered'} {answer.body.get('title', '')}{first}")
