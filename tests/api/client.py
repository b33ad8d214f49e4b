"""Somebody with a key, as the tests of the API have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

Sign = Callable[..., "Client"]


class Client:
    """Sends requests with a key.

    :ivar colleague: somebody else of the same role, where one person may not do everything.
    """

    colleague: Client

    def __init__(self, client: FlaskClient, token: str) -> None:
        self.token = token
        self.headers = {"Authorization": f"Bearer {token}"}
        self._client = client

    @property
    def prefix(self) -> str:
        """What the key is known by."""
        return self.token.split("_")[1]

    def get(self, path: str, **options: Any) -> TestResponse:
        """Send GET."""
        return self.send("GET", path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        """Send POST."""
        return self.send("POST", path, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        """Send DELETE."""
        return self.send("DELETE", path, **options)

    def send(
        self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any
    ) -> TestResponse:
        """Send a request."""
        return self._client.open(path, method=method, headers=self.headers | (headers or {}), **options)
