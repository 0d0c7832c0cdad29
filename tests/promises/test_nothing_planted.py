"""What cases, people and responders write stands nowhere in the clear: not in the database, its files, the log, an export or the log lines.

Keeps P14 for content that was not erased yet (its key is what erasing destroys) and P18 for secrets.
"""

import base64
import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Connection, select

from bot.logs import set_up_logs
from routing.vocabulary import Verdict
from store.schema import metadata
from tests.promises.crash_point import Fate
from tests.promises.crashing_world import a_crashing_world
from tests.promises.judge import judge
from tests.promises.stories import decided
from tests.world import CHIARA, NOON

PLANT = "Zwetschgenkuchen"


def plant(spot: str) -> str:
    """A string that is nowhere else; `spot` says where it was planted."""
    return f"{PLANT}-{spot}"


CONTENT = {
    "title": plant("title"),
    "request": plant("request"),
    "output": plant("output"),
    "urgency_reason": plant("urgency"),
    "prefill": {"category": plant("category"), "summary": plant("summary")},
    "action": {
        "type": "refund.create",
        "params": {"iban": plant("param"), "amount": "80.00"},
        "before": {"owner": plant("before")},
        "reversible": True,
    },
    "model": {"name": "m", "version": "1", "confidence": 0.95, "rationale": plant("rationale"), "counterfactual": plant("otherwise")},
    "checks": [{"name": "sanctions", "result": "pass", "detail": plant("check")}],
    "evidence": [
        {"id": "e-1", "kind": "record", "title": plant("evidence-title"), "text": plant("evidence")},
        {"id": "e-2", "kind": "url", "url": f"https://crm.example/{plant('address')}"},
    ],
    "context": {"stale": [plant("stale")], "conflicts": [plant("conflict")]},
    "entities": [{"type": "person", "id": plant("entity")}],
    "subject": {"id": plant("subject"), "type": "customer"},
    "requester": {"email": f"{plant('requester')}@customer.example"},
    "labels": {"team": plant("label")},
}


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """What this process logs from here on, with nothing blotted out."""
    root = logging.getLogger()
    handlers, level, stream = root.handlers[:], root.level, io.StringIO()
    set_up_logs("json", [], lambda: NOON, stream)
    yield stream
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def spellings(word: str) -> set[bytes]:
    """How a word may stand in a file: as it is, as UTF-16, in hex, and in base64 at each of its three offsets."""
    raw = word.encode()
    shifted = {base64.b64encode(b"." * shift + raw)[4:-4] for shift in range(3)}
    return {raw, word.encode("utf-16-le"), raw.hex().encode(), *shifted}


def found_in(place: str, content: bytes, words: set[str]) -> list[str]:
    """Which words stand in some bytes."""
    return [f"{word} stands in {place}" for word in words if any(spelling in content for spelling in spellings(word))]


def found_in_files(folder: Path, words: set[str]) -> list[str]:
    """Which words stand in any file of a folder but the service's own and the settings'."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "kit.db"]
    return [problem for path in files for problem in found_in(path.name, path.read_bytes(), words)]


def every_row(connection: Connection) -> dict[str, bytes]:
    """Each table's rows, as bytes."""
    rows = {}
    for table in metadata.sorted_tables:
        values = [value for row in connection.execute(select(table)) for value in row]
        rows[table.name] = b"\0".join(value if isinstance(value, bytes) else str(value).encode() for value in values)
    return rows


async def test_planted_words_stand_nowhere(tmp_path: Path, database_url: str, said: io.StringIO) -> None:
    """A case full of planted words goes all the way, with talk, a page, a failed callback; its words are only where people read them."""
    async with a_crashing_world(tmp_path, database_url, Fate()) as world_that_crashes:
        world = world_that_crashes.world
        case_id = await world_that_crashes.post(1, **CONTENT)
        await world_that_crashes.settle()
        assert PLANT in world.text(case_id), "the search would prove nothing"
        await world_that_crashes.press(CHIARA, "comment", case_id, lambda _case: PLANT in world.thread(case_id), text=plant("comment"))
        await world_that_crashes.press(CHIARA, "ask", case_id, lambda case: case.state.value == "needs_info", question=plant("question"))
        await world_that_crashes.settle()
        await world_that_crashes.write(case_id, 1, "information", answer=plant("answer"), case={"request": plant("second-request")})
        await world_that_crashes.settle()
        await world_that_crashes.press(CHIARA, "reject", case_id, decided, reason="other", text=plant("reject"))
        await world_that_crashes.settle()
        assert await judge(world, {case_id: Verdict.REJECTED}) == []
        config = world.sandbox.config
        secrets = {
            config.slack.app.bot_token,
            config.slack.app.signing_secret,
            config.pagerduty.api_token,
            config.pagerduty.webhook_secrets[0],
            config.pagerduty.services[0].routing_key,
            config.customer.secret,
            config.customer.callback_secrets[0],
        }
        words = {PLANT, *secrets}
        found = []
        for table, content in (await world.bot.database.read(every_row)).items():
            found += found_in(f"table {table}", content, words)
        found += found_in_files(tmp_path, words)
    found += found_in("the log lines", said.getvalue().encode(), words)
    assert not found, "\n".join(found)
