"""Put RO-Crate's JSON-LD context into the validator's cache of web pages: tests need no network but the registries.

Run by the Python of the validator's environment: remember.py CONTEXT CACHE
"""

import io
import sys
from pathlib import Path

from requests import PreparedRequest, Response
from requests_cache import CachedSession  # type: ignore[import-not-found]  # of the validator's environment only
from urllib3 import HTTPResponse

CONTEXT = "https://w3id.org/ro/crate/1.1/context"


def remember(content: bytes, cache: str) -> None:
    """Answer CONTEXT with this content from now on."""
    request = PreparedRequest()
    request.prepare(method="GET", url=CONTEXT, headers={})
    response = Response()
    response.status_code = 200
    response.url = CONTEXT
    response.request = request
    response.headers["Content-Type"] = "application/ld+json"
    response._content = content
    response.raw = HTTPResponse(io.BytesIO(content), status=200, headers=dict(response.headers), preload_content=False)
    with CachedSession(cache_name=cache, backend="sqlite") as session:
        session.cache.save_response(response)


if __name__ == "__main__":
    remember(Path(sys.argv[1]).read_bytes(), sys.argv[2])
