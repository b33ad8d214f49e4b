"""A mixed load for a while: look-ups, explanations, pages and posts, with an ingest and a run in the middle.

``python -m benchmarks.soak --minutes 30 --database postgresql+psycopg:///xinheng_soak``

It fills an empty store with the sample district, serves it as ``xinheng serve`` does and says for each kind
of request how many were answered, in what time, and how much memory the server's processes hold. Exit code 1
where an answer was an error, the slowest hundredth of a kind took more than ten times its median, or memory
grew by more than a tenth after the first third.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import sqlalchemy as sa

from fixtures.district import write_district
from scoring.access.keys import Role, create_key
from scoring.cli.demo import AS_OF, SHOWN
from scoring.cli.output import progress
from scoring.cli.score import grade_store
from scoring.facts.ingest.files import ingest_paths
from scoring.store import create_store, open_store
from scoring.store.timelines import GradedSubject

MOST_SPREAD = 10
"""How many times the median the slowest hundredth of a kind may take."""

MOST_GROWTH = 1.1
"""How much of its memory after the first third the server may hold at the end."""

_KINDS = {"grade": 60, "explanation": 15, "page": 15, "post": 10}
_XINHENG = (sys.executable, "-c", "from scoring.cli import main; main(prog_name='xinheng')")


@dataclass
class Told:
    """What was seen.

    :ivar seconds: kind of request → how long each took.
    :ivar errors: what was no good answer, in words.
    :ivar memory: bytes held by the server's processes, by and by.
    """

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """A table of the kinds, and the memory."""
        yield f"{'':12} {'answers':>9} {'median ms':>10} {'99th ms':>9} {'times':>6}"
        for kind, taken in sorted(self.seconds.items()):
            middle, slow = _quantiles(taken)
            yield f"{kind:12} {len(taken):9,} {middle * 1000:10.1f} {slow * 1000:9.1f} {slow / middle:6.1f}"
        first, last = self._settled()
        yield f"memory {first / 2**20:,.0f} MiB after a third, {last / 2**20:,.0f} MiB at the end"
        yield from self.errors[:20]

    def is_well(self) -> bool:
        """Whether nothing is over its bound."""
        first, last = self._settled()
        spread = (slow / middle for middle, slow in map(_quantiles, self.seconds.values()))
        return not self.errors and max(spread) <= MOST_SPREAD and last <= MOST_GROWTH * first

    def _settled(self) -> tuple[int, int]:
        return self.memory[len(self.memory) // 3], self.memory[-1]


def _quantiles(taken: Sequence[float]) -> tuple[float, float]:
    if len(taken) < 2:
        return taken[0], taken[0]
    hundredths = statistics.quantiles(taken, n=100)
    return hundredths[49], hundredths[98]


class Visitor:
    """Asks one thing after another over one connection, by chance and the same again for the same seed."""

    def __init__(self, port: int, token: str, subjects: Sequence[str], seed: int, told: Told) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._subjects, self._chance, self._told = subjects, random.Random(seed), told
        self._numbers = (f"SOAK-{seed}-{number}" for number in itertools.count())
        self._cookie = self._sign_in(token)

    def ask(self) -> None:
        """One request of some kind, noted."""
        kind = self._chance.choices(list(_KINDS), list(_KINDS.values()))[0]
        subject = self._chance.choice(self._subjects)
        begun = time.monotonic()
        try:
            status, body = self._asked(kind, subject)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()  # the next one opens it again
            status, body = 0, repr(error).encode()
        self._told.seconds[kind].append(time.monotonic() - begun)
        if status != 200:
            self._told.errors.append(f"{kind} of {subject}: {status} {body[:200]!r}")

    def _asked(self, kind: str, subject: str) -> tuple[int, bytes]:
        if kind == "post":
            return self._request("POST", "/v1/records", json.dumps({"records": [self._record(subject)]}))
        if kind == "page":
            return self._request("GET", f"/subjects/{SHOWN}/{subject}", headers={"Cookie": self._cookie})
        return self._request("GET", f"/v1/subjects/{subject}/{kind}")

    def _record(self, subject: str) -> dict[str, str]:
        """A complaint that is settled: it counts, and settles nothing for others."""
        known = {"record_id": next(self._numbers), "subject_id": subject, "occurred_on": AS_OF.isoformat()}
        return known | {"kind": "complaint", "level": "settled", "status": "effective"}

    def _sign_in(self, token: str) -> str:
        """The cookie of a person at the pages."""
        self._connection.request("GET", "/sign-in", headers={"Accept": "text/html"})
        answer = self._connection.getresponse()
        page, before = answer.read().decode(), _cookies(answer)
        form = re.search(r'name="form_token" value="([^"]+)"', page)
        assert form is not None
        headers = {"Cookie": before, "Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request(
            "POST", "/sign-in", urlencode({"key": token, "form_token": form[1]}), headers
        )
        answer = self._connection.getresponse()
        answer.read()
        return _cookies(answer)

    def _request(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        self._connection.request(method, path, body, headers or self._headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()


def _cookies(answer: http.client.HTTPResponse) -> str:
    return "; ".join(line.split(";")[0] for line in answer.headers.get_all("Set-Cookie") or ())


def soak(
    url: str,
    seconds: float,
    visitors: int,
    on_half: Callable[[], None],
    least: int = 1,
    advance: Callable[[int, int], None] = lambda done, whole: None,
) -> Told:
    """Load a server on a filled store for a while.

    :param on_half: what else is done when half of the time is over.
    :param least: how many things each visitor asks at least, however long it takes.
    :param advance: told how many seconds are over, and of how many.
    """
    with closing(open_store(url)) as store:
        token = create_key(store, Role.REGULATOR, "soak").token
        with store.reading() as session:
            subjects = list(session.scalars(sa.select(GradedSubject.subject_id).where(_OF_SHOWN)))
    told = Told()
    with _served(url) as (port, process):
        begun = time.monotonic()
        until = begun + seconds
        threads = [
            threading.Thread(target=_visit, args=(Visitor(port, token, subjects, seed, told), until, least))
            for seed in range(visitors)
        ]
        for thread in threads:
            thread.start()
        middle = threading.Timer(seconds / 2, _noted, (on_half, told))
        middle.start()
        while any(thread.is_alive() for thread in threads):
            told.memory.append(_memory_of(process))
            advance(int(time.monotonic() - begun), int(seconds))
            threads[0].join(max(seconds / 300, 0.2))
        middle.join()
    return told


_OF_SHOWN = GradedSubject.pack_id == SHOWN


def _visit(visitor: Visitor, until: float, least: int) -> None:
    asked = 0
    while asked < least or time.monotonic() < until:
        visitor.ask()
        asked += 1


def _noted(work: Callable[[], None], told: Told) -> None:
    try:
        work()
    except (OSError, subprocess.CalledProcessError) as error:
        told.errors.append(f"in the middle: {error}")


@contextmanager
def _served(url: str) -> Iterator[tuple[int, int]]:
    """The port of ``xinheng serve``, and its process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [*_XINHENG, "serve", "--port", str(port), "--workers", "2"],
        env=os.environ | {"XINHENG_DATABASE_URL": url, "XINHENG_LOG_LEVEL": "error"},
        stdout=subprocess.DEVNULL,
    )
    try:
        while not _is_ready(port):
            if process.poll() is not None:
                raise RuntimeError("the server did not start")
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _memory_of(process: int) -> int:
    """What a process and its children hold alone, in bytes."""
    family = [process, *map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split())]
    return sum(map(_held, family))


def _held(process: int) -> int:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return 0
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    return 1024 * int(found[1]) if found else 0


def fill(url: str, directory: Path, enterprises: int = 6_000) -> Path:
    """Fill a store with the graded sample district, or a smaller one; where its files of enterprises are."""
    write_district(directory, enterprises=enterprises, records=30 * enterprises)
    files = directory / "enterprise"
    with closing(create_store(url)) as store:
        ingest_paths(store, [files], "enterprise")
        grade_store(store, SHOWN, AS_OF)
    return files


def ingest_and_score(url: str, files: Path) -> None:
    """What happens in the middle, as an operator does it."""
    aside = ["--quarantine", str(files.parent / "quarantine")]
    for command in (["ingest", str(files), "--vocabulary", "enterprise", *aside], ["score", "--pack", SHOWN]):
        subprocess.run(
            [*_XINHENG, *command],
            env=os.environ | {"XINHENG_DATABASE_URL": url},
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--database", help="an empty one; by default SQLite in a temporary directory")
    parser.add_argument("--visitors", type=int, default=6)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        url = wanted.database or f"sqlite:///{directory}/xinheng.db"
        with progress("fill"):
            files = fill(url, Path(directory, "district"))
        with progress("soak") as advance:
            told = soak(
                url,
                wanted.minutes * 60,
                wanted.visitors,
                lambda: ingest_and_score(url, files),
                advance=advance,
            )
    print("\n".join(told.lines()))
    sys.exit(0 if told.is_well() else 1)


if __name__ == "__main__":
    main()
