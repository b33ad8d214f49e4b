"""The last touches to an answer: ETag and 304, gzip, security headers."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from flask import Flask, Response

from api.around.request import current

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SMALLEST = 1024
_LEVEL = 5
_TEXTS = ("application/json", "application/problem+json", "application/x-ndjson", "application/yaml", "text/")
_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cache-Control", "private, no-cache"),
)
_ONLY_HTTPS = ("Strict-Transport-Security", "max-age=31536000")


def install(app: Flask) -> None:
    """Finish every answer. Flask calls the last one registered first."""
    app.wsgi_app = Secured(app.wsgi_app)  # type: ignore[method-assign]
    app.after_request(compress)
    app.after_request(conditional)


def conditional(response: Response) -> Response:
    """A GET's answer gets an ETag; 304 without a body where the client has it already."""
    request = current()
    if request.method in ("GET", "HEAD") and response.status_code == 200 and not response.is_streamed:
        response.add_etag(weak=True)
        if "If-None-Match" in request.headers:
            response.make_conditional(request)
    return response


def compress(response: Response) -> Response:
    """Gzip for clients that take it, where it is worth it."""
    streamed = response.is_streamed
    if not (streamed or (response.content_length or 0) >= _SMALLEST) or not _may_compress(response):
        return response
    response.vary.add("Accept-Encoding")
    if not current().accept_encodings["gzip"]:
        return response
    if streamed:
        response.response = _gzipped(response.response)
    else:
        response.set_data(gzip.compress(response.get_data(), _LEVEL, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    return response


class Secured:
    """Has every answer carry the headers by which browsers keep others out; a page may have set its own."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *failure: Any) -> Any:
            given = {name for name, _ in headers}
            headers += [header for header in _HEADERS if header[0] not in given]
            if environ["wsgi.url_scheme"] == "https":
                headers.append(_ONLY_HTTPS)
            return start_response(status, headers, *failure)

        return self._application(environ, start)


def _may_compress(response: Response) -> bool:
    return (
        (response.mimetype or "").startswith(_TEXTS)
        and not response.direct_passthrough
        and "Content-Encoding" not in response.headers
    )


def _gzipped(chunks: Iterable[bytes | str]) -> Iterator[bytes]:
    packer = zlib.compressobj(_LEVEL, wbits=zlib.MAX_WBITS | 16)
    for chunk in chunks:
        packed = packer.compress(chunk.encode() if isinstance(chunk, str) else chunk)
        if packed:
            yield packed
    yield packer.flush()
