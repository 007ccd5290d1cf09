"""The page, and what it is made of."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter
from fastapi.staticfiles import StaticFiles
from starlette.requests import Request
from starlette.responses import HTMLResponse

from web.security_headers import content_security_policy

if TYPE_CHECKING:
    from starlette.types import Scope

STATIC: Final = Path(__file__).parent / "static"

HEADERS: Final = {"Cache-Control": "no-cache"}  # kept, but asked for again: it answers 304 until the file changes

log = structlog.get_logger()

router = APIRouter()


class Served:
    """What depends on `CHAT_TOKEN_URL`: the page says where it fetches its user's token, and its policy lets it."""

    def __init__(self, token_url: str | None) -> None:
        self.html = (STATIC / "index.html").read_text(encoding="utf-8")
        self.headers = HEADERS
        if token_url is not None:
            meta = f'<meta name="token-url" content="{html.escape(token_url)}" />'
            self.html = self.html.replace("</head>", f"  {meta}\n  </head>")
            address = urlsplit(token_url)
            if address.netloc:
                self.headers = HEADERS | content_security_policy(f"{address.scheme}://{address.netloc}")


@router.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
@router.api_route("/r/{room}", methods=["GET", "HEAD"], include_in_schema=False)
async def page(request: Request) -> HTMLResponse:
    """Serve the page. Which room it shows is between it and its address."""
    served: Served = request.app.state.page
    return HTMLResponse(served.html, headers=served.headers)


class PageFiles(StaticFiles):
    """The files of the page."""

    async def get_response(self, path: str, scope: Scope) -> Any:
        """Serve one file."""
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        return response


def page_files() -> PageFiles:
    """Return the application that serves the page's files; say so if the libraries among them are missing."""
    if not (STATIC / "vendor").is_dir():
        log.warning("page.libraries_missing", hint="`make run` installs them; the chat itself works without")
    return PageFiles(directory=STATIC)
