"""``xinheng serve``: the API on a real server."""

from __future__ import annotations

import importlib
import os
import secrets
import socket
from collections.abc import Sequence
from contextlib import suppress

import click
from granian import Granian
from granian.constants import Interfaces

from rules.titles import system_title
from scoring.cli.options import database_option
from scoring.cli.output import tell
from scoring.store import open_store
from scoring.store.connection import URL_VARIABLE
from scoring.store.scratch import own_directory

APPLICATION = "api.worker:create_worker"
METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
SECRET_VARIABLE = "XINHENG_SECRET"
SERVER_VARIABLE = "XINHENG_SERVER_PID"
PLACES_VARIABLE = "XINHENG_SERVER_PLACES"
STOP_SECONDS = 30
THREADS = 64
"""Many of them wait at any moment: for the audit log, which one of them writes for all."""

THREADS_A_PLACE = 5
"""A request waits for its turn, and for its body, in a thread: two are for look-ups, one is for pages, one
for bodies, and one for exports, large bodies and to refuse in (:mod:`api.around.crowd`)."""


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="The port.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 256), help="Processes.")
@click.option(
    "--threads",
    default=THREADS,
    show_default=True,
    type=click.IntRange(1, 1024),
    help="Requests that a worker works on at once.",
)
@database_option
def serve_command(host: str, port: int, workers: int, threads: int, database: str | None) -> None:
    """Serve the API and the pages until SIGTERM or Ctrl-C; requests under way are answered first.

    The documentation is at /docs, the settings come from XINHENG_… variables. The first key is made with
    `xinheng keys create`.

    Example: xinheng serve --host 0.0.0.0 --port 8000 --workers 4
    """
    if database:
        os.environ[URL_VARIABLE] = database
    os.environ.setdefault(SECRET_VARIABLE, secrets.token_urlsafe(32))  # one for all workers
    os.environ[SERVER_VARIABLE] = str(os.getpid())
    os.environ[PLACES_VARIABLE] = str(threads)
    open_store().close()
    _show_settings()
    _check_address(host, port)
    with own_directory() as counts:  # of each worker, so that any of them can tell the sum
        os.environ[METRICS_VARIABLE] = counts
        importlib.import_module(APPLICATION.partition(":")[0])  # once, and not again in each worker
        Granian(
            APPLICATION,
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=threads * THREADS_A_PLACE,
            factory=True,
            websockets=False,
            respawn_failed_workers=True,
            workers_kill_timeout=STOP_SECONDS,
        ).serve()


def _show_settings() -> None:
    """What the server will work with; read here as well, so that a mistake is told before it starts."""
    summary: dict[str, str] = importlib.import_module("api.settings").read_settings().summary()
    for name, value in summary.items():
        tell(f"{name}: {value}")


def free_port(host: str, ports: Sequence[int]) -> int:
    """The first of several ports at which a server can listen; where there is none, the first of all."""
    for port in ports:
        with suppress(click.ClickException):
            _check_address(host, port)
            return port
    return ports[0]


def _check_address(host: str, port: int) -> None:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise click.ClickException(
            f"端口不能使用 can't listen at {host}, port {port}: {system_title(error.strerror)}"
        ) from None
