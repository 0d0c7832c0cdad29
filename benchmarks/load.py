"""The load: a process of its own that sends prepared requests over kept connections and times each answer.

`send` starts it and gives what it measured. Bounded by the number of requests and by time; loopback only.
"""

import asyncio
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import count, cycle
from pathlib import Path

HOST = "127.0.0.1"
MOST_S = 60.0


@dataclass(frozen=True)
class Measured:
    """What came back: seconds from first request to last answer, milliseconds of each, and how many answers had which status."""

    seconds: float
    latencies_ms: Sequence[float]
    statuses: dict[str, int]

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies_ms) / self.seconds

    def percentile(self, percent: float) -> float:
        """Milliseconds within which that many percent were answered."""
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


async def send(requests: Sequence[bytes], port: int | Sequence[int], senders: int, rate_per_s: float = 0.0) -> Measured:
    """Send everything from a process of its own, `senders` at a time; with a rate, each at its moment instead of as fast as it goes. To
    several ports, each sender to one of them in turn.
    """
    ports = ",".join(map(str, [port] if isinstance(port, int) else port))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requests"
        file.write_bytes(b"".join(len(each).to_bytes(4, "big") + each for each in requests))
        told = map(str, (file, ports, senders, rate_per_s))
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "benchmarks.load", *told, stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the load process failed")
    return Measured(**json.loads(out))


async def _main(requests: Sequence[bytes], ports: str, senders: str, rate_per_s: str) -> Measured:
    lines = [await asyncio.open_connection(HOST, int(port)) for _, port in zip(range(int(senders)), cycle(ports.split(",")), strict=False)]
    loop = asyncio.get_running_loop()
    latencies, statuses, numbers = list[float](), Counter[str](), count()
    start = loop.time()

    async def send_some(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in numbers:
            now = loop.time()
            if number >= len(requests) or now - start > MOST_S:
                break
            if float(rate_per_s):
                due = start + number / float(rate_per_s)
                await asyncio.sleep(max(0.0, due - now))
                now = due  # what waits for a free sender waits for its answer
            writer.write(requests[number])
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(_length(head))
            latencies.append((loop.time() - now) * 1000)
            statuses[head[9:12].decode()] += 1
        writer.close()

    await asyncio.gather(*(send_some(*line) for line in lines))
    return Measured(loop.time() - start, latencies, dict(statuses))


def _split(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : end]
        at = end


def _length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"content-length: ")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(_main(list(_split(Path(sys.argv[1]).read_bytes())), *sys.argv[2:])))))
