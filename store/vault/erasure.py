"""Deletes what a case contained: the boxes of its vault with their salts, and its key. Owns these deletions, inside the transaction that
records them. It never touches a leaf, so every proof holds, and never decides whether a case may be erased.
"""

from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from store.schema import IS_CHILD, UNSETTLED, among, case_keys, cases, micros, outbox, vault


class UndeliveredError(RuntimeError):
    """Callbacks of this case are not delivered yet, and they need its content; nothing was erased."""


def delete_content(connection: Connection, now: datetime, *, case_id: str, give_up: bool) -> None:
    """Delete vault values, salts and keys of a case and of its checks and roll backs, which hold the same content.

    Raises UndeliveredError while its service is still to be told something.

    With `give_up`, callbacks that were already given up hold nothing back: they are cancelled.
    """
    callbacks = (outbox.c.case_id == case_id, outbox.c.peer == "callback", among(outbox.c.state, UNSETTLED))
    if give_up:
        cancelled = {"state": "cancelled", "last_error": "the content was erased", "settled_at": micros(now)}
        connection.execute(update(outbox).where(*callbacks, outbox.c.state == "dead").values(cancelled))
    if connection.execute(select(func.count()).select_from(outbox).where(*callbacks)).scalar_one():
        raise UndeliveredError(UndeliveredError.__doc__)
    children = connection.execute(select(cases.c.id).where(IS_CHILD, cases.c.parent == case_id)).scalars()
    for each in (case_id, *children):
        connection.execute(delete(vault).where(vault.c.case_id == each))
        connection.execute(delete(case_keys).where(case_keys.c.case_id == each))
