"""A worker of ``xinheng serve``: the application, in a process that ends with the server that started it."""

from __future__ import annotations

import os
import select
import signal
import threading
import time

from flask import Flask

from api.app import create_app
from api.around.crowd import guard
from scoring.cli.serve import PLACES_VARIABLE, SERVER_VARIABLE, STOP_SECONDS


def create_worker() -> Flask:
    """The application on the environment's store."""
    end_with(int(os.environ[SERVER_VARIABLE]))
    app = create_app()
    guard(app, int(os.environ[PLACES_VARIABLE]), app.config["MAX_CONTENT_LENGTH"])
    return app


def end_with(server: int) -> None:
    """Have this process end soon after the process that started it, however that ends.

    A server that is killed can't tell its workers: they would go on listening, and no new one could start.
    Requests under way are answered first, for so long as a server that is stopped would wait for them.
    """

    def watch() -> None:
        _wait_for_end(server)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-server", daemon=True).start()


def _wait_for_end(server: int) -> None:
    """Return when the server is gone: at once where it is gone already."""
    try:
        server_ends = os.pidfd_open(server)
    except (AttributeError, OSError):  # not on Linux, or gone
        while os.getppid() == server:
            time.sleep(1)
        return
    if os.getppid() == server:
        waiting = select.poll()
        waiting.register(server_ends, select.POLLIN)
        waiting.poll()
    os.close(server_ends)
