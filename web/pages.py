"""The page, and what it is made of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog
from fastapi import APIRouter
from fastapi.staticfiles import StaticFiles
from starlette.responses import FileResponse

if TYPE_CHECKING:
    from starlette.types import Scope

STATIC: Final = Path(__file__).parent / "static"

HEADERS: Final = {"Cache-Control": "no-cache"}  # kept, but asked for again: it answers 304 until the file changes

log = structlog.get_logger()

router = APIRouter()


@router.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
@router.api_route("/r/{room}", methods=["GET", "HEAD"], include_in_schema=False)
async def page() -> FileResponse:
    """Serve the page. Which room it shows is between it and its address."""
    return FileResponse(STATIC / "index.html", headers=HEADERS)


class PageFiles(StaticFiles):
    """The files of the page, with the same headers as the page."""

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
