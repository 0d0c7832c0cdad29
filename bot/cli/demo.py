"""`tierline demo`: everything on this machine, to press in or to watch. Owns the command and what it prints; `bot.demo` does the rest."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.terminal import FOUND, JsonFlag, emit, remark

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from bot.demo.play import Welcome
    from bot.demo.stage import Stage

TRY = """Try this, as different people (the page lets you choose who you are):
  - Approve Anna's small refund in #review-tier1, and watch the service execute it.
  - Press as Chiara on the access request she asked for herself.
  - Modify the price: somebody shifted the decimal point.
  - Release the supplier's new bank account in #review-tier2: reveal it, answer the checklist. It takes two people.
  - Check the summary "Returns, week 47", which nobody had to approve, against its notes.
  - Confirm one ticket and correct the other: within a minute an alert is in #review-ops, and Grace may resume.
  - Accept, as Hugo, the policy that Grace proposed in #review-owners, or decline it.
  - As Grace, type: /review pause refunds The model repeats itself.  Approve a refund as Anna; then /review resume refunds Mended.
  - Leave the locked account alone for three minutes: it climbs, and PagerDuty rings.
  - Leave the kettle alone in #review-owners: PagerDuty rings and mail comes every five minutes, three times; then it is held.
  - As Elena, type: /review break-glass access-731 Nobody of the frontline is here.  Grace and Hugo are asked whether that was right."""


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Play the whole story without hands; exit 0 only if every step was seen.")] = False,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the page (8000 if free); the bot takes the next.")] = None,
    policy: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Another policy, to send your own cases to.")] = None,
    fault: Annotated[str | None, typer.Option(hidden=True)] = None,
    patience: Annotated[float | None, typer.Option(hidden=True, min=0.1)] = None,
    as_json: JsonFlag = False,
) -> None:
    """Run a sandbox (somebody's Slack, PagerDuty and a service) with the bot, on loopback, from nothing. Nothing is kept."""
    import asyncio

    if not once:
        asyncio.run(_hands_on(None if policy is None else policy.read_bytes(), port, as_json=as_json))
        return
    if policy is not None:
        raise typer.BadParameter("--once plays its own story: without --policy")
    if not asyncio.run(_once(port, fault, patience, as_json=as_json)):
        raise typer.Exit(FOUND)


async def _once(port: int | None, fault: str | None, patience_s: float | None, *, as_json: bool) -> bool:
    from bot.demo.play import FAULTS, play_story
    from bot.demo.story import PATIENCE_S

    if fault is not None and fault not in FAULTS:
        raise typer.BadParameter(f"expected one of {', '.join(FAULTS)}", param_hint="--fault")
    seen = 0

    def chapter(title: str) -> None:
        if not as_json:
            print(f"\n{title}", flush=True)

    def step(text: str) -> None:
        nonlocal seen
        seen += 1
        if as_json:
            emit({"step": seen, "seen": True, "what": text})
        else:
            print(f"  ✓ {text}", flush=True)

    missing = await play_story(chapter, step, port=port, fault=fault, patience_s=patience_s or PATIENCE_S)
    if missing is None:
        if not as_json:
            print(f"\nAll {seen} steps were seen by the sandbox's own ledgers.")
        return True
    if as_json:
        emit({"step": seen + 1, "seen": False, "what": missing.step})
    else:
        print(f"  ✗ {missing.step}", flush=True)
    remark(f"Not seen: {missing.step}. The bot's log ends with:")
    for line in missing.log:
        remark(f"  {line}")
    return False


async def _hands_on(policy: bytes | None, port: int | None, *, as_json: bool) -> None:
    import asyncio
    import signal

    from bot.cli.files.configuration import Supposed
    from bot.cli.writing.control_commands import listening
    from bot.demo.play import play_hands_on

    told_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)

    def welcome(found: "Welcome") -> None:
        if as_json:
            emit({name: getattr(found, name) for name in ("page_url", "url", "service", "secret", "workflows", "cases", "settings")})
        else:
            _greet(found)

    def beside(stage: "Stage") -> "AbstractAsyncContextManager[None]":
        return listening(stage.app, stage.settings, Supposed(stage.environment))  # another policy may name other secrets

    await play_hands_on(welcome, told_to_stop.wait, policy=policy, port=port, beside=beside)


def _greet(found: "Welcome") -> None:
    print(f"Open {found.page_url} : Northwind's Slack, with PagerDuty and the service beside it.")
    print(f"Tierline itself answers at {found.url}. Everything is on this machine and gone at the end.\n")
    if found.cases:
        print(f"{found.cases} cases are posted. {TRY}\n")
    print(f"Send cases of your own, for {', '.join(found.workflows)}:")
    print(f"  tierline send cases.jsonl --url {found.url} --service {found.service} --secret {shlex.quote(found.secret)}\n")
    print("Commands that speak to a running bot (policy propose, policy rollback, status, retry) find this one with:")
    print("".join(f"  export {name}={shlex.quote(value)}\n" for name, value in found.settings.items()))
    print("Ctrl-C ends it.", flush=True)
