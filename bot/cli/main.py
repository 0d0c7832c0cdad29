"""`tierline`: the command line's root. Owns the list of commands and what becomes of their errors; each command has its own file.

Imports inside commands are made when the command runs, so that help and completion stay quick.
"""

import sys
from typing import Annotated

import typer

from bot.cli import audit, db, demo, drill, incident, init, policy, readiness, send, serve, services, status, watch
from bot.cli.error_sentences import sentence
from bot.cli.terminal import remark

app = typer.Typer(
    name="tierline",
    help="People review, decide and escalate in Slack what AI systems propose.",
    epilog="Begin with:  tierline demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(epilog="Example:  TIERLINE_POLICY=policy.yml TIERLINE_SERVICES=services.yml tierline serve")(serve.serve)
app.command(epilog="Example:  tierline demo --port 8000")(demo.demo)
app.command(epilog="Example:  tierline init tierline")(init.init)
app.command(epilog="Example:  tierline readiness --page")(readiness.readiness)
app.command(epilog="Example:  tierline send cases.jsonl --url http://127.0.0.1:8080 --service refund-agent")(send.send)
app.add_typer(policy.app, name="policy")
app.add_typer(services.app, name="services")
app.add_typer(audit.app, name="audit")
app.command(epilog="Example:  tierline status --json")(status.status)
app.command(epilog="Example:  tierline retry --peer callback")(status.retry)
app.command(epilog="Example:  TIERLINE_WATCH_ROUTING_KEY=… tierline watch http://10.0.0.5:8080")(watch.watch)
app.add_typer(incident.app, name="incident")
app.add_typer(drill.app, name="drill")
app.add_typer(db.app, name="db")


def _version(asked: bool) -> None:
    """Print the version and end."""
    if asked:
        from importlib.metadata import version

        print(version("tierline"))
        raise typer.Exit


@app.callback()
def _tierline(
    *, version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False
) -> None:
    """Options of the command itself."""


def main() -> None:
    """Run a command. Errors of ours end in a sentence and an exit code, never in a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # whoever read our output has enough
        sys.stderr.close()
        sys.exit(141)
    except Exception as error:
        told = sentence(error)
        if told is None:
            raise
        remark(f"tierline: {told[0]}")
        sys.exit(told[1])


if __name__ == "__main__":
    main()
