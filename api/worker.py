"""A worker of ``xinheng serve``: the application, in a process that ends with the server that started it."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from contextlib import suppress

from flask import Flask

from api.app import create_app
from api.around.crowd import guard
from rules.fault import PackError
from rules.identity import identity
from scoring.answers.timelines import judge_of
from scoring.cli.serve import PLACES_VARIABLE, SERVER_VARIABLE, STOP_SECONDS
from scoring.runs.published import current_runs
from scoring.store import Store, StoreError
from scoring.store.packs import stored_pack
from scoring.store.rulebook import known_packs


def create_worker() -> Flask:
    """The application on the environment's store."""
    end_with(int(os.environ[SERVER_VARIABLE]))
    app = create_app()
    guard(app, int(os.environ[PLACES_VARIABLE]), app.config["MAX_CONTENT_LENGTH"])
    threading.Thread(target=warm, args=(app,), name="warm", daemon=True).start()
    return app


def warm(app: Flask) -> None:
    """Read and compile what pages need, so that nobody's first page waits for it: the packs of the latest
    runs, which take a fifth of a second each, the versions of the rule book with their identities, and the
    templates.
    """
    store: Store = app.extensions["store"]
    with suppress(StoreError, PackError):  # whoever asks for a page is told
        for run in current_runs(store):
            judge_of(stored_pack(store, run.pack_hash))
        for pack in known_packs(store):
            identity(pack)
    for name in app.jinja_env.list_templates(extensions=["html"]):
        app.jinja_env.get_template(name)


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
