"""The receiver kit as the demonstration's service uses it. Owns finding the file: beside this one in a wheel, under `examples/` in a
checkout, in both cases the file that users copy.
"""

import importlib.util
import sqlite3
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

PLACES = (Path(__file__).with_name("receiver.py"), Path(__file__).parents[2] / "examples" / "receiver" / "receiver.py")

Verify = Callable[[bytes, Mapping[str, str]], object]


def verifying(database: Path, secret: str, vkey: str, clock: Callable[[], float]) -> Verify:
    """The kit's judgement of one callback: it remembers it in `database`, or raises ValueError with why it does not believe it.

    `clock` gives seconds since 1970.
    """
    receiver = _load().Receiver(str(database), secrets=[secret], vkeys=[vkey], act=_act, clock=clock)

    def verify(body: bytes, headers: Mapping[str, str]) -> object:
        status, answer = receiver.receive(headers, body)
        if status != 200:
            raise ValueError(f"receiver kit: {answer}")
        return answer

    return verify


def _act(_database: sqlite3.Connection, _callback: Any) -> None:  # noqa: ANN401  # of a module without types
    """The sandbox's service keeps its own list of what it executed."""


def _load() -> ModuleType:
    path = next((path for path in PLACES if path.exists()), None)
    spec = importlib.util.spec_from_file_location("tierline_receiver_kit", path) if path is not None else None
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"{PLACES[0]}: the receiver kit is not installed")
    kit = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = kit  # dataclasses look their module up
    spec.loader.exec_module(kit)
    return kit
