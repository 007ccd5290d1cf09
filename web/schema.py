"""Where clients get the JSON Schema of the wire: `GET /connection/schema.json`."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from typing import Final, NamedTuple

import msgspec
from fastapi import APIRouter, Request
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import NotModifiedResponse

from chat.schema import document
from web.pages import ASK_AGAIN, BY_ENCODING, accepts_gzip

MEDIA_TYPE: Final = "application/schema+json"

router = APIRouter()


class _Served(NamedTuple):
    json: bytes
    gzipped: bytes
    etag: str


@cache
def _served() -> _Served:
    json = msgspec.json.encode(document())
    return _Served(json, gzip.compress(json, mtime=0), hashlib.sha256(json).hexdigest()[:16])


@router.api_route("/connection/schema.json", methods=["GET", "HEAD"], include_in_schema=False)
def wire_schema(request: Request) -> Response:
    """Serve the schema, or 304 to who has it."""
    served = _served()
    content = served.json
    headers = ASK_AGAIN | BY_ENCODING | {"ETag": f'"{served.etag}"'}
    if accepts_gzip(request.headers):
        content = served.gzipped
        headers |= {"Content-Encoding": "gzip", "ETag": f'"{served.etag}-gzip"'}
    if headers["ETag"] in request.headers.get("If-None-Match", ""):
        return NotModifiedResponse(Headers(headers))
    return Response(content, headers=headers, media_type=MEDIA_TYPE)
