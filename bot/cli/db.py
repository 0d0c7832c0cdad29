"""`tierline db`: the database's schema. Owns the command; `store.migrate` knows what is older and what is newer."""

import typer

from bot.cli.terminal import JsonFlag, emit

app = typer.Typer(help="Look after the database.", epilog="Example:  tierline db upgrade", no_args_is_help=True)


@app.callback()
def _db() -> None:
    """Look after the database."""


@app.command(epilog="Example:  tierline db upgrade")
def upgrade(*, as_json: JsonFlag = False) -> None:
    """Bring the database to this version's schema, as `serve` does at its start. Refuses one that is newer."""
    import asyncio

    from bot.cli.files.configuration import settings

    found = settings()
    asyncio.run(_upgrade(found.database_url.get_secret_value()))
    if as_json:
        emit({"upgraded": True})
    else:
        print("The database has this version's schema.")


async def _upgrade(url: str) -> None:
    from store.database.database import Database

    await (await Database.open(url)).close()
