"""A customer's service built on the receiver kit, and the callbacks that Tierline would send it."""

import importlib.util
import json
import sqlite3
import sys
from base64 import b64encode
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import rfc8785
from standardwebhooks.webhooks import Webhook

from tests.checkout import EXAMPLES
from tests.store.audit.small_log import SIGNER, a_leaf, a_receipt

KIT = EXAMPLES / "receiver" / "receiver.py"
SECRET = "whsec_" + b64encode(b"the callback secret, well kept").decode()
OLD_SECRET = "whsec_" + b64encode(b"the one before, now let go of").decode()
NOW = 1_795_000_000


def load_kit() -> ModuleType:
    """The kit as a module of its own, the way a customer's file is."""
    spec = importlib.util.spec_from_file_location("receiver", KIT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["receiver"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


kit: Any = load_kit()


def a_callback(verdict: str = "approved", sequence: int = 1, *, revision: int = 1, **changes: Any) -> dict[str, Any]:
    """What Tierline sends when a case is decided; `changes` are made after it was signed and proven."""
    action = {"type": "refund.create", "params": {"amount": "1240.00", "share": 0.1, "note": "für 8841"}}
    hashed = sha256(rfc8785.dumps(action | {"before": None})).hexdigest()  # type: ignore[arg-type]  # its own alias for JSON
    case = {"service": "refund-agent", "workflow": "refunds", "task_id": "t-17", "revision": revision}
    leaf = a_leaf(1, event="decided", case="c-17", fields={"verdict": verdict, "action_sha256": hashed}, **case)
    data = {"case_id": "c-17", "sequence": sequence, "verdict": verdict, "action": action, "action_sha256": hashed, **case}
    return {"type": "case.decided", "data": data | {"receipt": a_receipt([a_leaf(0), leaf, a_leaf(2)], 1)} | changes}


def signed(message: object, webhook_id: str = "msg_1", secret: str = SECRET, at: int = NOW) -> tuple[dict[str, str], bytes]:
    """Headers and body of a callback, signed by the reference library."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    signature = Webhook(secret).sign(webhook_id, datetime.fromtimestamp(at, UTC), body.decode())
    return {"Webhook-Id": webhook_id, "Webhook-Timestamp": str(at), "Webhook-Signature": signature}, body


class Customer:
    """A service that keeps its refunds in the same database as the kit's memory."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.fails = False
        with closing(sqlite3.connect(self.path)) as db:
            db.execute("CREATE TABLE IF NOT EXISTS refunds (case_id, params)")
            db.commit()
        self.receiver = self.started()

    def started(self, secrets: tuple[str, ...] = (OLD_SECRET, SECRET)) -> Any:  # noqa: ANN401 -- a module without types
        """The kit, as after a start of the service."""
        return kit.Receiver(self.path, secrets=secrets, vkeys=[str(SIGNER.vkey)], act=self.act, clock=lambda: NOW)

    def act(self, db: sqlite3.Connection, callback: Any) -> None:  # noqa: ANN401 -- of a module without types
        """What the customer writes."""
        if callback.may_execute:
            db.execute("INSERT INTO refunds VALUES (?, ?)", (callback.case_id, json.dumps(callback.action["params"])))
        if self.fails:
            raise ConnectionError

    def refunds(self) -> int:
        """How often money went out."""
        with closing(sqlite3.connect(self.path)) as db:
            return int(db.execute("SELECT count(*) FROM refunds").fetchone()[0])

    def receive(self, message: object, *args: Any, **more: Any) -> tuple[int, str]:
        """Deliver one signed callback."""
        answer: tuple[int, str] = self.receiver.receive(*signed(message, *args, **more))
        return answer
