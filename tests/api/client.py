"""Somebody with a key, as the tests of the API have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from flask.testing import FlaskClient
from repairing import steps
from seeing import having_looked
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
        """Send POST; a step on a case, having looked at it."""
        if "json" in options:
            options["json"] = having_looked(lambda place: self.get(place).json, path, options["json"])
        return self.send("POST", path, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        """Send DELETE."""
        return self.send("DELETE", path, **options)

    def send(
        self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any
    ) -> TestResponse:
        """Send a request."""
        return self._client.open(path, method=method, headers=self.headers | (headers or {}), **options)


def repaired(client: Client, number: str, by: Client | None = None, **mark: Any) -> TestResponse:
    """Apply for the repair of a record, admit that, and have somebody decide it; the last answer.

    :param by: who decides; a colleague, where the client has one.
    :param mark: what each step says.
    """
    address = f"/v1/records/{quote(number, safe='')}"
    for path, body in steps(mark):
        answer = (by or getattr(client, "colleague", client) if path == "repairs" else client).post(
            f"{address}/{path}", json=body
        )
        if answer.status_code != 201:
            break
    return answer
