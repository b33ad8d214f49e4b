"""Applications on the server that ``xinheng serve`` uses, set up as it sets it up."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from scoring.cli.serve import serve_command

HERE = Path(__file__).parent
DEFAULTS = serve_command.make_context("serve", []).params


@contextmanager
def served(application: str, environment: Mapping[str, str]) -> Iterator[int]:
    """The application's port.

    :param application: ``module:factory``.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--interface", "wsgi", "--factory", "--no-ws", "--port", str(port), "--log-level", "error"]
    workers = ["--workers", str(DEFAULTS["workers"]), "--blocking-threads", str(DEFAULTS["threads"])]
    process = subprocess.Popen(
        [sys.executable, "-m", "granian", *options, *workers, "--workers-kill-timeout", "5", application],
        cwd=HERE.parent,
        env=os.environ | environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the server did not start")
