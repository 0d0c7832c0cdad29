"""`tierline drill`: drills started, listed, reported on and stopped. Owns these commands; what a drill does is decided elsewhere."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.terminal import FOUND, USAGE, JsonFlag, emit, remark, table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from bot.cli.writing.running_bot import DirectStore
    from routing.change import Actor
    from routing.governance.drill import Drill
    from routing.governance.drill_report import Contact, DrillReport

app = typer.Typer(
    name="drill",
    help="Try out the ladder for real, with cases that are marked and count nowhere: who answers how soon, and which way fails.",
    no_args_is_help=True,
)

DrillId = Annotated[str, typer.Argument(help="Id of the drill, d_….", metavar="ID")]
Workflow = Annotated[
    str, typer.Option("--workflow", "-w", help="Whose ladder it goes. May be left out where the policy has one.", show_default=False)
]


@app.command("nobody-available", epilog="Example:  tierline drill nobody-available --workflow refunds")
def nobody_available(
    *,
    workflow: Workflow = "",
    tier: Annotated[int | None, typer.Option(help="How far it climbs, counted from 1.", show_default="the last tier")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Send a case up the ladder: each tier has its real time; whoever answers below the last sends it on to the next at once."""
    _start("nobody_available", workflow, tier=tier, as_json=as_json)


@app.command("volume-spike", epilog="Example:  tierline drill volume-spike --workflow refunds --cases 5")
def volume_spike(
    *,
    workflow: Workflow = "",
    cases: Annotated[int | None, typer.Option(help="How many, 2 to 50.", show_default="as the policy says")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Post many cases at once; each ends with whoever takes it."""
    _start("volume_spike", workflow, cases=cases, as_json=as_json)


@app.command("downstream-failure", epilog="Example:  tierline drill downstream-failure --workflow refunds")
def downstream_failure(*, workflow: Workflow = "", as_json: JsonFlag = False) -> None:
    """Raise the alarm that a service takes no decisions; it ends with whoever acknowledges it. No case, and no service is touched."""
    _start("downstream_failure", workflow, as_json=as_json)


@app.command("low-confidence", epilog="Example:  tierline drill low-confidence --workflow refunds")
def low_confidence(*, workflow: Workflow = "", as_json: JsonFlag = False) -> None:
    """Have the policy route a case of which the model is not sure; it ends with whoever takes or decides it."""
    _start("low_confidence", workflow, as_json=as_json)


@app.command(epilog="Example:  tierline drill violation --workflow refunds")
def violation(*, workflow: Workflow = "", as_json: JsonFlag = False) -> None:
    """Send a case where those go that stop the line, with its page and its alarm. The workflow goes on: nothing is paused."""
    _start("violation", workflow, as_json=as_json)


@app.command("list", epilog="Example:  tierline drill list --json")
def list_drills(*, as_json: JsonFlag = False) -> None:
    """List the drills, newest first, when each tier last answered one, and what comes round by itself."""
    import asyncio

    found = asyncio.run(_read(_listed))
    if as_json:
        emit(found)
        return
    rows = [[one["id"], one["kind"], one["workflow"], one["begun"], one["by"], one["outcome"] or "runs"] for one in found["drills"]]
    table("Drills", ["id", "kind", "workflow", "begun", "by", "outcome"], rows)
    tested = [[one["ladder"] or "alarms", str(one["tier"] or ""), one["at"] or "never", one["by"]] for one in found["contacts"]]
    table("Last answered", ["ladder", "tier", "at", "by"], tested)
    if found["schedule"]:
        round_again = [[one["name"], one["workflow"], one["kinds"], one["due"], one["waits"]] for one in found["schedule"]]
        table("Comes round", ["name", "workflow", "kinds", "at the earliest", "waits because"], round_again)


@app.command(epilog="Example:  tierline drill show d_01m7x9f69v8dn7qfj5xa4pwhb1")
def show(drill: DrillId, *, as_json: JsonFlag = False) -> None:
    """Show the report of a drill: who answered in what time, what failed, when each tier last answered one. Exit 1 where there is none."""
    import asyncio
    from functools import partial

    found = asyncio.run(_read(partial(_shown, wanted=drill)))
    if found is None:
        remark(f"There is no drill {drill}. `tierline drill list` shows those that there are.")
        raise typer.Exit(FOUND)
    if as_json:
        emit(found)
    else:
        print("\n".join(_lines(found)))


@app.command(epilog="Example:  tierline drill stop d_01m7x9f69v8dn7qfj5xa4pwhb1")
def stop(
    drill: Annotated[str, typer.Argument(help="Id of the drill; none: the only one that runs.", metavar="[ID]", show_default=False)] = "",
    *,
    as_json: JsonFlag = False,
) -> None:
    """Stop a drill before its time: its cards close within seconds. Exit 1 where there is none to stop."""
    import asyncio

    answer = asyncio.run(_stop({"id": drill}))
    _told(answer, "{id} is stopped; its cards close within seconds.", as_json=as_json)


def _start(kind: str, workflow: str, *, tier: int | None = None, cases: int | None = None, as_json: bool) -> None:
    import asyncio

    arguments = {"kind": kind, "workflow": workflow, "tier": tier, "cases": cases}
    answer = asyncio.run(_begin(arguments))
    _told(answer, "{id} has begun. `tierline drill show {id}` has its report.", as_json=as_json)


async def _begin(arguments: dict[str, Any]) -> dict[str, Any]:
    from bot.cli.writing.drills import start_drill
    from bot.cli.writing.running_bot import carry_out

    if not arguments["workflow"]:
        there = await _read(_workflows)
        if len(there) != 1:
            remark(f"Say in which workflow: --workflow {' | '.join(there) or 'NAME'}")
            raise typer.Exit(USAGE)
        arguments |= {"workflow": there[0]}

    async def directly(beside: "DirectStore", by: "Actor") -> dict[str, Any]:
        return await start_drill(beside.ledger, by, arguments)

    return await carry_out("drill_start", arguments, directly)


async def _stop(arguments: dict[str, Any]) -> dict[str, Any]:
    from bot.cli.writing.drills import stop_drill
    from bot.cli.writing.running_bot import carry_out

    async def directly(beside: "DirectStore", by: "Actor") -> dict[str, Any]:
        return await stop_drill(beside.ledger, by, arguments)

    return await carry_out("drill_stop", arguments, directly)


def _told(answer: dict[str, Any], said: str, *, as_json: bool) -> None:
    if as_json:
        emit(answer)
    else:
        print(said.format(id=answer.get("id", "The drill")) if answer["done"] else answer["why"])
    if not answer["done"]:
        raise typer.Exit(FOUND)


async def _read(query: Callable[["Connection"], Any]) -> Any:  # noqa: ANN401 - what the query gives
    from bot.cli.files.configuration import reading

    async with reading() as (_settings, database):
        return await database.read(query)


def _workflows(connection: "Connection") -> Sequence[str]:
    form = _active_form(connection)
    return [] if form is None else sorted(form.workflows)


def _active_form(connection: "Connection") -> Any:  # noqa: ANN401 - the form of the active policy, None without one
    from sqlalchemy import select

    from routing.policy.file import read_form
    from store.ledger.sealed_head import head_row
    from store.schema import policies

    wanted = select(policies.c.body).where(policies.c.sha256 == head_row(connection).policy)
    body = connection.execute(wanted).scalar_one_or_none()
    return None if body is None else read_form(body)


def _listed(connection: "Connection") -> dict[str, Any]:
    from bot.clock import now
    from routing.governance.drill_lifecycle import due_at, what_is_the_matter
    from routing.governance.drill_report import Contact
    from store.ledger.sealed_head import read_ruling
    from store.reads.drills import last_answers

    governance, form = read_ruling(connection).governance, _active_form(connection)
    waits = what_is_the_matter(governance)
    schedule = [
        {
            "name": one.name,
            "workflow": one.workflow,
            "kinds": ", ".join(kind.typed for kind in one.kinds),
            "calendar": one.calendar,
            "due": _text(due_at(governance, one, now())),
            "waits": waits,
        }
        for one in (form.drills.schedule if form is not None else ())
    ]
    last = {(one.ladder, one.tier): one for one in last_answers(connection, governance)}
    ladders = form.ladders if form is not None else {}
    tiers = [(name, number, rung) for name, ladder in ladders.items() for number, rung in enumerate(ladder.tiers)]
    contacts = [
        {**_contact(last.get((name, number), Contact(name, number))), "channel": rung.channel, "owner": rung.owner, "backup": rung.backup}
        for name, number, rung in tiers
    ]
    contacts.append(_contact(last.get(("", 0), Contact("", 0))))
    return {"drills": [_facts(one) for one in reversed(governance.drills)], "contacts": contacts, "schedule": schedule}


def _shown(connection: "Connection", *, wanted: str) -> dict[str, Any] | None:
    from store.ledger.sealed_head import read_ruling
    from store.reads.drills import drill_report

    governance = read_ruling(connection).governance
    drill = governance.drill(wanted)
    return None if drill is None else {**_facts(drill), **_report(drill_report(connection, drill, governance))}


def _facts(drill: "Drill") -> dict[str, Any]:
    return {
        "id": drill.id,
        "kind": drill.kind.value,
        "workflow": drill.workflow,
        "ladder": drill.ladder,
        "to_tier": drill.to + 1,
        "by": drill.by,
        "schedule": drill.schedule,
        "begun": _text(drill.at),
        "ended": None if drill.ended_at is None else _text(drill.ended_at),
        "stopped_by": drill.stopped_by,
        "outcome": drill.outcome,
        "cases": list(drill.cases),
        "open": list(drill.left),
        "alert": drill.alert,
    }


def _report(told: "DrillReport") -> dict[str, Any]:
    from routing.governance.drill_report import SHOWN

    hops = [
        {
            "case": hop.case,
            "tier": hop.tier + 1,
            "channel": hop.channel,
            "since": _text(hop.since),
            "end": hop.end,
            "shown": SHOWN[hop.end],
            "by": hop.by,
            "seconds": hop.seconds,
        }
        for hop in told.hops
    ]
    contacts = [_contact(one) for one in told.contacts]
    return {
        "answered": told.answered,
        "asked": told.asked,
        "hops": hops,
        "failed": list(told.failed),
        "contacts": contacts,
        "reasons": list(told.reasons),
    }


def _contact(one: "Contact") -> dict[str, Any]:
    at = None if one.at is None else _text(one.at)
    return {"ladder": one.ladder, "tier": one.tier + 1 if one.ladder else None, "at": at, "by": one.by}


def _lines(found: dict[str, Any]) -> list[str]:
    from routing.governance.drill_report import named

    stands = found["outcome"] or ("being stopped" if found["stopped_by"] else "runs")
    lines = [f"{found['id']}  {found['kind']} in {found['workflow']}  {stands}", f"  begun: {found['begun']} by {found['by']}"]
    lines += [f"  ended: {found['ended']}"] if found["ended"] else []
    lines += ["", f"Who answered ({found['answered']} of {found['asked']})"]
    for hop in found["hops"]:
        place = f"tier {hop['tier']} (#{hop['channel'].removeprefix('#')})" if hop["channel"] else "the alarm"
        by = f" by {named(hop['by'])}" if hop["by"] else ""
        after = f" after {hop['seconds']:,.0f} s" if hop["seconds"] is not None else ""
        lines.append(f"  {hop['since']}  {place}: {hop['shown']}{by}{after}  ({hop['case']})")
    if found["kind"] == "low_confidence":
        lines += ["", "Where the policy sent it, and why", *(f"  {one}" for one in found["reasons"])]
    lines += ["", "What failed", *(f"  {one}" for one in found["failed"] or ["nothing was found"])]
    lines += ["", "Last answered"]
    for one in found["contacts"]:
        place = f"{one['ladder']}, tier {one['tier']}" if one["ladder"] else "alarms"
        lines.append(f"  {place}: {one['at']} by {named(one['by'])}" if one["at"] else f"  {place}: never")
    return lines


def _text(at: "datetime") -> str:
    from routing.case.submission import moment_text

    return moment_text(at)
