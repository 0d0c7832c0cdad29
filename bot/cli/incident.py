"""`tierline incident`: postmortems listed, shown with their timeline, and closed. Owns these commands; closes nothing itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.terminal import FOUND, JsonFlag, emit, remark, table

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.cli.writing.running_bot import DirectStore
    from routing.change import Actor
    from routing.governance.incident import Incident

app = typer.Typer(name="incident", help="Postmortems: what happened, what led to it, and what was done about it.", no_args_is_help=True)

IncidentId = Annotated[str, typer.Argument(help="Id of the incident, i_….", metavar="ID")]


@app.command("list", epilog="Example:  tierline incident list --json")
def list_incidents(*, as_json: JsonFlag = False) -> None:
    """List the incidents, open ones first, by when they are due. Exit 1 where one is overdue."""
    import asyncio

    from bot.clock import now

    found = asyncio.run(_read(_listed))
    ordered = sorted(found, key=lambda one: (one["closed"] is not None, one["due"] if one["closed"] is None else "", one["id"]))
    overdue = [one for one in ordered if one["closed"] is None and one["due"] < _text(now())]
    if as_json:
        emit({"incidents": ordered})
    else:
        rows = [[one["id"], one["kind"], one["workflow"], one["opened"], one["due"], one["owner"], _state(one)] for one in ordered]
        table("Incidents", ["id", "kind", "workflow", "opened", "due", "owner", "state"], rows)
    if overdue:
        remark(f"{len(overdue)} overdue.")
        raise typer.Exit(FOUND)


@app.command(epilog="Example:  tierline incident show i_01m7x9f69v8dn7qfj5xa4pwhb1")
def show(incident: IncidentId, *, as_json: JsonFlag = False) -> None:
    """Show one incident: the facts, the timeline from the log, who was told when, cause and remediation. Exit 1 where there is none."""
    import asyncio
    from functools import partial

    found = asyncio.run(_read(partial(_shown, wanted=incident)))
    if found is None:
        remark(f"There is no incident {incident}. `tierline incident list` shows those that there are.")
        raise typer.Exit(FOUND)
    if as_json:
        emit(found)
        return
    _print(found)


@app.command(epilog='Example:  tierline incident close ID --cause "…" --remediation "…" --example late-refund')
def close(
    incident: IncidentId,
    *,
    cause: Annotated[str, typer.Option(help="What caused it. Stands open in the audit log: name no customer.", show_default=False)],
    remediation: Annotated[str, typer.Option(help="What was done so that it does not come again. Open in the log.", show_default=False)],
    example: Annotated[
        str,
        typer.Option(
            help="Name of the new example in the policy in force, or a .json file with its case; none where its workflow is gone.",
            show_default=False,
        ),
    ] = "",
    as_json: JsonFlag = False,
) -> None:
    """Close an incident: with an example case that the policy in force has and the one at its opening had not. Exit 1 if not."""
    import asyncio

    named = str(Path(example).resolve()) if example.endswith(".json") else example
    arguments = {"incident": incident, "cause": cause, "remediation": remediation, "example": named}
    answer = asyncio.run(_close(arguments))
    if as_json:
        emit(answer)
    else:
        print(f"{incident} is closed, {_lesson(answer['example'])}." if answer["closed"] else f"Not closed. {answer['why']}")
    if not answer["closed"]:
        raise typer.Exit(FOUND)


async def _close(arguments: dict[str, Any]) -> dict[str, Any]:
    from bot.cli.writing.incidents import close_incident
    from bot.cli.writing.running_bot import carry_out

    async def directly(beside: "DirectStore", by: "Actor") -> dict[str, Any]:
        return await close_incident(beside.ledger, beside.reads, by, arguments)

    return await carry_out("incident_close", arguments, directly)


async def _read(query: Any) -> Any:  # noqa: ANN401 - what the query gives
    from bot.cli.files.configuration import reading

    async with reading() as (_settings, database):
        return await database.read(query)


def _listed(connection: "Connection") -> list[dict[str, Any]]:
    from store.ledger.sealed_head import read_ruling

    return [_facts(one) for one in read_ruling(connection).governance.incidents]


def _shown(connection: "Connection", *, wanted: str) -> dict[str, Any] | None:
    from store.ledger.sealed_head import read_ruling
    from store.reads.incident_timeline import timeline, told

    governance = read_ruling(connection).governance
    incident = governance.incident(wanted)
    if incident is None:
        return None
    events = [
        {
            "at": _text(one.at),
            "event": one.kind,
            "actor": f"{one.actor.kind}:{one.actor.id}",
            "about": one.about,
            "fields": dict(one.fields),
        }
        for one in timeline(connection, incident, governance)
    ]
    messages = [
        {"at": _text(one.at), "state": one.state, "peer": one.peer, "to": one.to, "what": one.what, "about": one.about}
        for one in told(connection, incident, governance)
    ]
    return {**_facts(incident), "timeline": events, "told": messages}


def _facts(incident: "Incident") -> dict[str, Any]:
    closed = {"at": _text(incident.closed_at), "by": incident.closed_by, "example": incident.example} if incident.closed_at else None
    return {
        "id": incident.id,
        "kind": incident.kind.value,
        "about": incident.about,
        "workflow": incident.workflow,
        "opened": _text(incident.at),
        "due": _text(incident.due),
        "owner": incident.owner,
        "why": incident.why,
        "more": incident.more,
        "others": list(incident.others),
        "policy": {"version": incident.policy_version, "sha256": incident.policy_sha256},
        "models": list(incident.models),
        "cause": incident.cause,
        "remediation": incident.remediation,
        "closed": closed,
    }


def _print(found: dict[str, Any]) -> None:
    facts = ("why", "about", "opened", "due", "owner")
    print(f"{found['id']}  {found['kind']} in {found['workflow']}  {_state(found)}")
    print("\n".join(f"  {name}: {found[name]}" for name in facts))
    if found["more"]:
        print(f"  again: {found['more']} times, last in {', '.join(found['others'][::-1]) or 'the same'}")
    print(f"  policy: {found['policy']['version']} ({found['policy']['sha256'][:12]})")
    print(f"  models: {', '.join(found['models']) or 'none is known'}")
    print("\nTimeline")
    for one in found["timeline"]:
        print(f"  {one['at']}  {one['event']}  {one['actor']}  {one['about']}")
    print("\nWho was told when")
    for one in found["told"]:
        print(f"  {one['at']}  {one['peer']} {one['to']}  {one['what']} about {one['about']}: {one['state']}")
    print(f"\nCause\n  {found['cause'] or '(not written yet)'}\nRemediation\n  {found['remediation'] or '(not written yet)'}")


def _state(found: dict[str, Any]) -> str:
    return "open" if found["closed"] is None else f"closed {found['closed']['at']} {_lesson(found['closed']['example'])}"


def _lesson(example: str) -> str:
    return f"with the example {example}" if example else "without an example: the policy had its workflow no more"


def _text(at: Any) -> str:  # noqa: ANN401 - a moment
    from routing.case.submission import moment_text

    return moment_text(at)
