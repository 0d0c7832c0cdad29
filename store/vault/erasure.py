"""Deletes what a case contained: the boxes of its vault with their salts, and its key. Owns these deletions, inside the transaction that
records them, and that messages which stand by themselves are rewritten. It never touches a leaf, so every proof holds, and never decides
whether a case may be erased.
"""

from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from routing.change import MessageKind
from store.schema import IS_CHILD, UNSETTLED, among, case_keys, cases, micros, outbox, vault

REWRITTEN = {MessageKind.PLAYBOOK_NOTICE: MessageKind.PLAYBOOK_NOTICE_UPDATE}
"""Messages with content that are no cards and do not stand under one, and what takes it out of them."""


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
        for posted, rewriting in REWRITTEN.items():
            there = (outbox.c.case_id == each, outbox.c.kind == posted.value, outbox.c.state == "done")
            again = {"kind": rewriting.value, "state": "ready", "attempts": 0, "not_before": 0, "settled_at": None}
            connection.execute(update(outbox).where(*there).values(again))
