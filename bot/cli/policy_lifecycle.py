"""`tierline policy diff|replay|shadow|propose|rollback`: what a policy would change, and the way into force. Owns these commands.

They decide nothing: `propose` asks other people, and `rollback` leads back to what they accepted before.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.terminal import FOUND, JsonFlag, emit, progress, remark, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.cli.files.past_cases import BadLinesError
    from bot.cli.writing.running_bot import DirectStore
    from routing.change import Actor
    from routing.policy.policy import Policy
    from routing.simulation.replay import Replayed, Report, Tally
    from store.reads.past_cases import Stored

SHOWN = 20
"""Cases that move, listed one by one."""

PolicyArgument = Annotated[Path, typer.Argument(help="A policy file.", exists=True, dir_okay=False)]
Reason = Annotated[str, typer.Option(help="Why, in one sentence. It stands in the log for ever, so it names nobody.")]


def register(app: typer.Typer) -> None:
    """Put the commands under `tierline policy`."""
    app.command(epilog="Example:  tierline policy diff policy.yml policy-new.yml")(diff)
    app.command(epilog="Example:  tierline policy replay policy-new.yml --against policy.yml --cases cases.jsonl --labels labels.jsonl")(
        replay
    )
    app.command(epilog="Example:  tierline policy shadow --json")(shadow)
    app.command(epilog="Example:  tierline policy propose policy-new.yml --share 10 --reason 'fewer cases for the experts'")(propose)
    app.command(epilog="Example:  tierline policy rollback --reason 'too many cases for the experts'")(rollback)


def diff(old: PolicyArgument, new: PolicyArgument, *, as_json: JsonFlag = False) -> None:
    """Say what a policy changes against another, workflow by workflow, and whether it lets the model do more. Exit 1 if they differ."""
    from routing.policy.diff import diff as compare

    found = compare(_loaded(old), _loaded(new))
    if as_json:
        emit(found.json())
    else:
        print(found.text(), end="")
    if found.items:
        raise typer.Exit(FOUND)


def replay(
    policy: PolicyArgument,
    *,
    cases: Annotated[
        Path | None, typer.Option(help="JSONL with cases; default: those of the store.", exists=True, dir_okay=False, show_default=False)
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help='JSONL with {"task_id", "correct"}.', exists=True, dir_okay=False, show_default=False)
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(help="Another policy; default: what became of the cases.", exists=True, dir_okay=False, show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option(help="The newest cases of the store, at most.", min=1)] = 10_000,
    own: Annotated[bool, typer.Option("--own", help="Of the store, only cases that this very policy routed.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Try a policy on earlier cases: where each would go, what that means for people, and where the model would have been wrong."""
    from routing.simulation.replay import replay as rehearse

    loaded, other = _loaded(policy), None if against is None else _loaded(against)
    chosen = _from_file(cases, labels) if cases is not None else _from_store(limit, labels, loaded.sha256 if own else None)
    with progress("replaying") as advance:
        report = rehearse(loaded, chosen, other, lambda done: advance(done, len(chosen)))
    unmatched = [] if labels is None else _strays(labels, chosen)
    if as_json:
        emit({**report.json(), "labels_without_case": unmatched})
    else:
        _show(report)
    if unmatched:
        more = ", ..." if len(unmatched) > SHOWN else ""
        labelled = "1 label matches" if len(unmatched) == 1 else f"{len(unmatched)} labels match"
        remark(f"{labels}: {labelled} no case, by task id: {', '.join(unmatched[:SHOWN])}{more}")


def shadow(
    *, limit: Annotated[int, typer.Option(help="The newest cases of the store, at most.", min=1)] = 10_000, as_json: JsonFlag = False
) -> None:
    """Say what the policy in shadow would have done with the cases that came while it watched. It acted on none of them."""
    import asyncio
    from collections import Counter

    from bot.cli.files.past_cases import cases_of_store

    watched = [one for one in asyncio.run(cases_of_store(limit)) if one.shadow is not None]
    versions = Counter(str((one.shadow or {})["version"]) for one in watched)
    pairs = Counter((_lane_of(one), str((one.shadow or {})["lane"])) for one in watched)
    same = sum(count for (acted, watching), count in pairs.items() if acted == watching)
    if as_json:
        moves = [{"from": acted, "to": watching, "cases": count} for (acted, watching), count in sorted(pairs.items()) if acted != watching]
        lanes = {"before": Counter(acted for acted, _ in pairs.elements()), "after": Counter(watching for _, watching in pairs.elements())}
        emit({"cases": len(watched), "same": same, "versions": versions, "lanes": lanes, "moves": moves})
        return
    if not watched:
        print("No case was looked at by a policy in shadow.")
        return
    print(f"{len(watched)} cases looked at by {', '.join(f'version {version}' for version in versions)}: the same lane for {same}")
    table("Others", ["acted", "in shadow", "cases"], [[*pair, str(count)] for pair, count in sorted(pairs.items()) if pair[0] != pair[1]])


def propose(
    file: PolicyArgument,
    *,
    share: Annotated[int, typer.Option(help="Percent of the new cases that follow it once accepted.", min=1, max=100)] = 100,
    shadow: Annotated[bool, typer.Option("--shadow", help="Once accepted, let it route every case and act on none.")] = False,
    reason: Reason = "",
    cases: Annotated[
        Path | None, typer.Option(help="JSONL to replay it on; default: the store.", exists=True, dir_okay=False, show_default=False)
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="JSONL with labels for --cases.", exists=True, dir_okay=False, show_default=False)
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Propose a policy, with its diff and its replay. It takes effect when other people accept it in Slack. Exit 1 if it was refused."""
    import asyncio

    if shadow and share != 100:  # percent
        raise typer.BadParameter("a policy in shadow acts on no case; leave --share out", param_hint="--share")
    _loaded(file)  # what is wrong with it is said here, by line, before anybody is asked
    arguments = {"policy": str(file.resolve()), "share": share, "shadow": shadow, "reason": _sentence(reason)}
    arguments |= {name: None if path is None else str(path.resolve()) for name, path in (("cases", cases), ("labels", labels))}
    answer = asyncio.run(_carried_out("propose", arguments))
    if as_json:
        emit(answer)
    elif answer["proposed"]:
        people = "1 person" if answer["needs"] == 1 else f"{answer['needs']} different people"
        print(f"Version {answer['version']} is proposed ({answer['proposal']}). It takes {people} to accept it in Slack.")
        remark(f"Replayed on {answer['replayed']} cases, of which {answer['changed']} would go elsewhere.")
        if answer["raises_autonomy"]:
            remark("It lets the model do more: `tierline policy diff` shows where.")
    else:
        print(f"Not proposed. {answer['why']}")
    if not answer["proposed"]:
        raise typer.Exit(FOUND)


def rollback(*, reason: Reason = "", as_json: JsonFlag = False) -> None:
    """Go back to the policy that was in force before, at once; a policy that is only staged is taken off. Exit 1 if there is none."""
    import asyncio

    answer = asyncio.run(_carried_out("rollback", {"reason": _sentence(reason)}))
    if as_json:
        emit(answer)
    elif not answer["rolled_back"]:
        print(f"Not rolled back. {answer['why']}")
    elif answer.get("ended"):
        print(f"Version {answer['ended']} is off the stage; version {answer['active']} decides every new case.")
    else:
        print(f"Version {answer['active']} is in force again, for every new case.")
    if not answer["rolled_back"]:
        raise typer.Exit(FOUND)


async def _carried_out(command: str, arguments: dict[str, Any]) -> dict[str, Any]:
    from bot.cli.writing.proposals import COMMANDS
    from bot.cli.writing.running_bot import carry_out
    from bot.policy.proposing import Proposing

    async def directly(beside: "DirectStore", by: "Actor") -> dict[str, Any]:
        proposing = Proposing(beside.database, beside.ledger, beside.reads, beside.vault)
        return await COMMANDS[command](proposing, beside.reads, beside.load, by, arguments)

    return await carry_out(command, arguments, directly)


def _loaded(path: Path) -> "Policy":
    from bot.cli.files.configuration import Supposed, environment
    from routing.policy.file import load_policy

    return load_policy(path.read_bytes(), Supposed(environment()), str(path))


def _from_file(cases: Path, labels: Path | None) -> "Sequence[Replayed]":
    from bot.cli.files.past_cases import BadLinesError, cases_of_file
    from bot.clock import now

    try:
        with progress("reading") as advance:
            return cases_of_file(cases, labels, now(), advance)
    except BadLinesError as error:
        raise _bad_lines(error) from None


def _strays(labels: Path, cases: "Sequence[Replayed]") -> list[str]:
    """Task ids of labels that match no case; the file was read once already."""
    from bot.cli.files.past_cases import strays

    return strays(labels, cases)


def _from_store(limit: int, labels: Path | None, routed_by: str | None) -> "Sequence[Replayed]":
    import asyncio
    from dataclasses import replace

    from bot.cli.files.past_cases import BadLinesError, cases_of_store, labels_of_file

    try:
        known = {} if labels is None else labels_of_file(labels)
    except BadLinesError as error:
        raise _bad_lines(error) from None
    stored = asyncio.run(cases_of_store(limit))
    found = [one.replayed for one in stored if routed_by in (None, one.policy_sha256)]
    return [replace(one, label=known.get(one.task_id, one.label)) for one in found]


def _bad_lines(error: "BadLinesError") -> typer.Exit:
    from bot.cli.files.file_problems import placed

    for problem in error.problems:
        remark(placed(error.path, problem))
    return typer.Exit(FOUND)


def _lane_of(one: "Stored") -> str:
    return one.replayed.was.lane.value if one.replayed.was is not None else ""


def _sentence(reason: str) -> str:
    from routing.governance.permissions import REASON_MOST

    said = " ".join(reason.split())
    if len(said) > REASON_MOST:
        raise typer.BadParameter(f"expected at most {REASON_MOST} characters", param_hint="--reason")
    return said


def _show(report: "Report") -> None:
    from routing.vocabulary import Lane

    before, after = report.before, report.after
    versions = f"version {report.version}" + (f" against version {report.against}" if report.against else "")
    lanes = before.lanes if before else report.recorded

    def row(name: str, key: str) -> list[str]:
        return [name, str(getattr(before, key)) if before else "", str(getattr(after, key))]

    rows = [
        [f"lane {lane}", str(lanes[lane]) if lanes else "", str(after.lanes[lane])] for lane in Lane if lanes[lane] or after.lanes[lane]
    ]
    rows += [row("sent back for information", "information"), row("people's steps", "reviews"), row("checks afterwards", "checks")]
    rows += [row("pages at opening", "pages")]
    if after.labelled:
        rows += [row(name.replace("_", " "), name) for name in ("false_approvals", "false_escalations", "false_rejections")]
        rows += _labelled(before, after)
    table(f"{after.cases} cases, {versions}", ["", "before", "after"], rows)
    if report.unknown:
        remark(f"{report.unknown} cases of workflows that the policy does not have were left out.")
    if before or report.recorded:
        listed = [[one.task_id, one.workflow, one.before, one.after, " ".join(one.why)] for one in report.moved[:SHOWN]]
        count = "1 case goes" if report.changed == 1 else f"{report.changed} cases go"
        table(f"{count} elsewhere" + (f", the first {SHOWN}" if report.changed > SHOWN else ""), MOVED, listed)


MOVED = ["task", "workflow", "from", "to", "why"]


def _labelled(before: "Tally | None", after: "Tally") -> list[list[str]]:
    from routing.vocabulary import Lane

    found = []
    for word in ("wrong", "right"):
        for lane in Lane:
            there, was = getattr(after, word)[lane], getattr(before, word)[lane] if before else 0
            if there or was:
                found.append([f"model {word}, lane {lane}", str(was) if before else "", str(there)])
    return found
