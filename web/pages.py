"""The page, and what it is made of.

Two kinds of address lead to a file: `/static/{version}/app.js`, which the page uses, never changes; `/static/app.js`
is whatever the file is now. Texts go out compressed, as they were when the server started (web/release.py).
"""

from __future__ import annotations

import gzip
import hashlib
import html
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import NotModifiedResponse

from web.release import Release, stamp
from web.security_headers import content_security_policy

if TYPE_CHECKING:
    import os
    from os import PathLike

    from starlette.types import Scope

STATIC: Final = Path(__file__).parent / "static"

ASK_AGAIN: Final = {"Cache-Control": "no-cache"}
"""Kept, but asked for again: it answers 304 until the file changes."""

FOR_EVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}

BY_ENCODING: Final = {"Vary": "Accept-Encoding"}

log = structlog.get_logger()

router = APIRouter()


class Served:
    """The page of the newest release.

    If `CHAT_TOKEN_URL` is set it says where it fetches its user's token, and its policy lets it.
    """

    def __init__(self, token_url: str | None) -> None:
        self._meta = ""
        self.headers = ASK_AGAIN | BY_ENCODING
        if token_url is not None:
            self._meta = f'  <meta name="token-url" content="{html.escape(token_url)}" />\n  '
            address = urlsplit(token_url)
            if address.netloc:
                self.headers |= content_security_policy(f"{address.scheme}://{address.netloc}")
        self._load()

    def _load(self) -> None:
        self.release = Release(STATIC)
        self.html = self.release.html().replace("</head>", f"{self._meta}</head>")
        self.gzipped = gzip.compress(self.html.encode(), mtime=0)
        self.etag = hashlib.sha256(self.html.encode()).hexdigest()[:16]

    def refresh(self) -> None:
        """Take the files anew if one was changed, as by somebody who works on the page."""
        if not self.release.is_current():
            self._load()


@router.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
@router.api_route("/r/{room:path}", methods=["GET", "HEAD"], include_in_schema=False)
def page(request: Request) -> Response:
    """Serve the page. Which room it shows is between it and its address. Not on the event loop: it asks the disk."""
    served: Served = request.app.state.page
    served.refresh()
    content: str | bytes = served.html
    headers = served.headers | {"ETag": f'"{served.etag}"'}
    if accepts_gzip(request.headers):
        content = served.gzipped
        headers |= {"Content-Encoding": "gzip", "ETag": f'"{served.etag}-gzip"'}
    if headers["ETag"] in request.headers.get("If-None-Match", ""):
        return NotModifiedResponse(Headers(headers))
    return HTMLResponse(content, headers=headers)


class PageFiles(StaticFiles):
    """The files of the page."""

    def __init__(self, served: Served) -> None:
        super().__init__(directory=STATIC)
        self._root = STATIC.resolve()
        self._served = served

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve one file, by either of its addresses. Those of other releases lead nowhere."""
        version, _, rest = path.partition("/")
        return await super().get_response(rest if version == self._served.release.version else path, scope)

    def file_response(
        self, full_path: str | PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Return the file, or that part of it which is asked for, or that it is the one which the browser has."""
        release = self._served.release
        asked = Headers(scope=scope)
        file = release.files.get(Path(full_path).relative_to(self._root).as_posix())
        if file is not None and file.stamp != stamp(stat_result):
            file = None  # changed since: it is no longer of this release
        is_constant = file is not None and self.get_path(scope).startswith(release.version)
        headers = (FOR_EVER if is_constant else ASK_AGAIN) | BY_ENCODING
        response: Response = FileResponse(full_path, status_code, headers, stat_result=stat_result)
        if file is not None and file.gzipped is not None and accepts_gzip(asked) and "Range" not in asked:
            etag = response.headers["ETag"].removesuffix('"') + '-gzip"'
            kept = {name: response.headers[name] for name in ("Content-Type", "Last-Modified")}
            headers |= kept | {"Content-Encoding": "gzip", "ETag": etag}
            response = Response(file.gzipped, status_code, headers)
        if self.is_not_modified(response.headers, asked):
            return NotModifiedResponse(response.headers)
        return response


def accepts_gzip(headers: Headers) -> bool:
    """Tell whether the answer may be compressed: gzip is named, and not with the quality 0."""
    for accepted in headers.get("Accept-Encoding", "").lower().split(","):
        coding, _, quality = accepted.replace(" ", "").partition(";q=")
        if coding == "gzip":
            return quality.strip("0.") != "" or not quality
    return False


def page_files(served: Served) -> PageFiles:
    """Return the application that serves the page's files; say so if the libraries among them are missing."""
    if not (STATIC / "vendor").is_dir():
        log.warning("page.libraries_missing", hint="`make run` installs them; the chat itself works without")
    return PageFiles(served)
