"""Erasing what a case contained, as a command asks for it. Owns the order: record and delete in one write, then have it leave the disk."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from routing.change import Actor, Refused
from routing.review.erasure import erase
from store.database.database import Database
from store.ledger.answers import Changed
from store.ledger.ledger import Ledger
from store.vault.erasure import UndeliveredError, delete_content


async def erase_content(database: Database, ledger: Ledger, by: Actor, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Erase the content of `case` for `reason`. Gives {"erased", "case", "event", "gone_from_disk"}, or {"erased": false, "why"}."""
    case_id, reason = str(arguments["case"]), str(arguments["reason"])
    deleting = partial(delete_content, case_id=case_id, give_up=bool(arguments.get("give_up_callbacks")))
    try:
        result = await ledger.change(case_id, erase(by, reason), also=deleting)
    except UndeliveredError as undelivered:
        return {"erased": False, "case": case_id, "why": str(undelivered)}
    match result:
        case Changed(indices=(event, *_)):
            return {"erased": True, "case": case_id, "event": event, "gone_from_disk": await database.forget()}
        case Refused(text=text):
            return {"erased": False, "case": case_id, "why": text}
        case _:
            return {"erased": False, "case": case_id, "why": "There is no case with this id."}
