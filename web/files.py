"""Files by HTTP: `POST /files?key=…&name=…` brings one, `GET /files/{id}?key=…` fetches it, `…/thumb` a small image.

The key, of rpc `files`, says who it is, in which room, and what they may. What one may not fetch is as if it were not
there. Nothing that is fetched can run: what is not an image of four formats is saved rather than shown, all of it has
a policy of its own that allows nothing, and a browser takes the type from nowhere but here.

Disk and images are for threads: four for the disk, one for images, since one may take 200 MB while it is decoded. What
waits for them is bounded by the uploads that may be under way.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
import structlog
from fastapi import APIRouter
from pykka import ActorDeadError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response

from actors.replies import error_of
from actors.runtime import MailboxFull
from chat import images
from chat.errors import (
    FILE_NOT_FOUND,
    INTERNAL,
    LIMIT_EXCEEDED,
    PERMISSION_DENIED,
    TOO_MANY_REQUESTS,
    CommandError,
    Error,
    bad_request,
)
from chat.file_store import StoreFullError
from chat.files import PLAIN, clean_name, disposition, new_id
from chat.log import File, Upload
from web.gateway import address_of

if TYPE_CHECKING:
    import os
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

    from actors.runtime import Future
    from actors.system import ChatSystem
    from chat.file_store import FileStore, Part
    from chat.files import Access, Files
    from chat.images import Picture
    from chat.rates import Kind

T = TypeVar("T")

DISK_THREADS: Final = 4
WRITE_BYTES: Final = 262_144
"""How much is written at once: a hop to a thread for each 64 KiB that the server hands over would cost more."""
MAX_DOWNLOADS: Final = 128
MAX_DOWNLOADS_PER_ADDRESS: Final = 48
"""What is being fetched at a time: each has a file open."""

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, max-age=31536000, immutable",  # an id means one content for ever
}
NO_STORE: Final = {"Cache-Control": "no-store"}

log = structlog.get_logger()


class _Refused(Exception):  # noqa: N818  (an answer, not a fault)
    def __init__(self, status: int, error: Error) -> None:
        super().__init__(error.message)
        self.status = status
        self.error = error


class Slots:
    """Counts what is under way: in all, and by who it is. On one thread."""

    def __init__(self, total: int, **most: int) -> None:
        """Make it for `total` in all, and for each kind of who it is so many."""
        self._total = total
        self._most = most
        self._taken: Counter[tuple[str, str]] = Counter()
        self._all = 0

    def take(self, **who: str) -> bool:
        """Count one more, if there is room for it. An empty name has no limit."""
        keys = [(kind, name) for kind, name in who.items() if name]
        if self._all >= self._total or any(self._taken[key] >= self._most[key[0]] for key in keys):
            return False
        self._all += 1
        self._taken.update(keys)
        return True

    def give_back(self, **who: str) -> None:
        """Count one that was taken no longer."""
        self._all -= 1
        for key in [(kind, name) for kind, name in who.items() if name]:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]


def make_router() -> APIRouter:
    """Make the routes, where nothing is found if the chat has no store for files."""
    router, routes = APIRouter(include_in_schema=False), _Routes()
    router.add_api_route("/files", routes.upload, methods=["POST"])
    router.add_api_route("/files/{file_id}", routes.file, methods=["GET", "HEAD"])
    router.add_api_route("/files/{file_id}/thumb", routes.thumb, methods=["GET", "HEAD"])
    return router


class _Routes:
    def __init__(self) -> None:
        self._disk = ThreadPoolExecutor(DISK_THREADS, "files")
        self._images = ThreadPoolExecutor(1, "images")
        self._uploads: Slots | None = None
        self._downloads = Slots(MAX_DOWNLOADS, address=MAX_DOWNLOADS_PER_ADDRESS)

    async def upload(self, request: Request) -> Response:
        """Take a file."""
        try:
            chat, files = _chat(request)
            upload = await self._upload(request, chat, files)
        except _Refused as refused:
            return _error(refused.status, refused.error)
        except CommandError as failure:
            return _error(503, failure.error)
        except ClientDisconnect:
            return Response(status_code=400)  # which nobody hears
        except OSError as error:
            log.error("files.write_failed", reason=error.strerror)  # noqa: TRY400  (no bug)
            return _error(503, INTERNAL)
        chat.counts.uploads += 1
        chat.counts.uploaded_bytes += upload.file.size
        log.info("files.uploaded", user=upload.user, room=upload.room, file=upload.file.id, bytes=upload.file.size)
        return Response(msgspec.json.encode(upload.file), 201, NO_STORE, "application/json")

    async def _upload(self, request: Request, chat: ChatSystem, files: Files) -> Upload:
        access = files.keys.read(request.query_params.get("key", ""), time.time())
        if access is None or not access.upload:
            raise _Refused(403, PERMISSION_DENIED)
        if request.app.state.gateway.draining:
            raise _Refused(503, Error(INTERNAL.code, "shutting down", temporary=True))
        address, limits = address_of(request), files.limits
        _check_length(request, chat, limits.max_file_bytes)
        if self._uploads is None:
            per = {"address": limits.max_uploads_per_address, "user": limits.max_uploads_per_user}
            self._uploads = Slots(limits.max_uploads, **per)
        user = access.user
        _check_rate(chat, "upload", user, address)
        if not self._uploads.take(address=address, user=user):
            raise _limited(chat, "max_uploads", 429, TOO_MANY_REQUESTS)
        try:
            return await self._take(request, chat, files, access)
        finally:
            self._uploads.give_back(address=address, user=user)

    async def _take(self, request: Request, chat: ChatSystem, files: Files, access: Access) -> Upload:
        store = files.store
        part = await _in(self._disk, store.begin)
        try:
            try:
                async with asyncio.timeout(files.limits.upload_timeout_s):
                    await self._receive(request, chat, part, files.limits.max_file_bytes)
            except TimeoutError:
                raise _limited(chat, "upload_timeout_s", 408, Error(LIMIT_EXCEEDED.code, "took too long")) from None
            if not part.size:
                raise _Refused(400, bad_request("the file is empty").error)
            size = part.size
            picture = await _in(self._images, lambda: _picture(part))
            digest = await _in(self._disk, lambda: store.keep(part, picture.thumb if picture else None))
        except StoreFullError:
            full = Error(LIMIT_EXCEEDED.code, "the server has no room for more files")
            raise _limited(chat, "files_max_bytes", 507, full) from None
        finally:
            await _in(self._disk, lambda: store.drop(part))
        file = _described(request.query_params.get("name", ""), size, picture)
        upload = Upload(file, digest, access.room, access.user, time.time_ns() // 1_000_000)
        await self._record(chat, store, upload)
        return upload

    async def _receive(self, request: Request, chat: ChatSystem, part: Part, most: int) -> None:
        """Write what comes to the part. A part is for one thread at a time: each write is waited for."""
        waiting = bytearray()
        async for chunk in request.stream():
            waiting += chunk
            if part.size + len(waiting) > most:
                raise _too_large(chat, most)
            if len(waiting) >= WRITE_BYTES:
                data, waiting = bytes(waiting), bytearray()
                await _in(self._disk, partial(part.write, data))
        await _in(self._disk, partial(part.write, bytes(waiting)))

    async def _record(self, chat: ChatSystem, store: FileStore, upload: Upload) -> None:
        fits = False
        try:
            fits = await _asked(lambda: chat.keep_upload(upload))
        finally:
            store.release(upload.hash, referred=fits)
        if not fits:
            unsent = Error(LIMIT_EXCEEDED.code, "too much that was uploaded and not sent")
            raise _limited(chat, "max_unsent_bytes", 429, unsent)

    async def file(self, request: Request, file_id: str) -> Response:
        """Give a file out."""
        return await self._fetch(request, file_id, thumb=False)

    async def thumb(self, request: Request, file_id: str) -> Response:
        """Give the small image of a file out."""
        return await self._fetch(request, file_id, thumb=True)

    async def _fetch(self, request: Request, file_id: str, *, thumb: bool) -> Response:
        try:
            return await self._open(request, file_id, thumb=thumb)
        except _Refused as refused:
            return _error(refused.status, refused.error)
        except CommandError as failure:
            return _error(503, failure.error)

    async def _open(self, request: Request, file_id: str, *, thumb: bool) -> Response:
        chat, files = _chat(request)
        access = files.keys.read(request.query_params.get("key", ""), time.time())
        if access is None:
            raise _not_found()
        address = address_of(request)
        _check_rate(chat, "history", access.user, address)  # it is read by the reader, as history is
        upload = await _asked(lambda: chat.find_upload(file_id))
        if upload is None or not _may_read(access, upload) or (thumb and not upload.file.thumb):
            raise _not_found()
        headers = _headers(upload, thumb=thumb)
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        path = files.store.thumb_path(upload.hash) if thumb else files.store.path(upload.hash)
        try:
            found = await _in(self._disk, path.stat)
        except OSError as error:
            log.error("files.missing", file=file_id, reason=error.strerror)  # noqa: TRY400  (no bug)
            raise _not_found() from None
        if not self._downloads.take(address=address):
            raise _limited(chat, "downloads", 503, TOO_MANY_REQUESTS)
        chat.counts.downloads += 1
        kind = images.THUMB_TYPE if thumb else upload.file.type
        ended = self._downloads.give_back
        return _Download(path, found, headers, kind, files.limits.upload_timeout_s, lambda: ended(address=address))


class _Download(FileResponse):
    """A file on its way out, for a limited time; `ended` is called once it is over."""

    def __init__(
        self,
        path: Path,
        found: os.stat_result,
        headers: dict[str, str],
        media_type: str,
        timeout_s: float,
        ended: Callable[[], None],
    ) -> None:
        super().__init__(path, headers=headers, media_type=media_type, stat_result=found)
        self._timeout_s = timeout_s
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await super().__call__(scope, receive, send)
        except TimeoutError:
            log.warning("files.fetched_too_slowly")  # and the server, whose answer is not whole, cuts the connection
        finally:
            self._ended()


def _may_read(access: Access, upload: Upload) -> bool:
    """Tell whether a key is for the room of an upload; what was not sent yet is its user's alone."""
    return access.room == upload.room and (upload.offset is not None or access.user == upload.user)


def _headers(upload: Upload, *, thumb: bool) -> dict[str, str]:
    shown = thumb or upload.file.type != PLAIN
    name = f"{upload.file.name}.webp" if thumb else upload.file.name
    return {
        **HEADERS,
        "ETag": f'"{upload.hash[:32]}{"-thumb" if thumb else ""}"',
        "Content-Disposition": disposition("inline" if shown else "attachment", name),
    }


def _described(name: str, size: int, picture: Picture | None) -> File:
    name = clean_name(name)
    if picture is None:
        return File(new_id(), name, PLAIN, size)
    return File(new_id(), name, picture.type, size, picture.width, picture.height, thumb=True)


def _picture(part: Part) -> Picture | None:
    part.file.seek(0)
    return images.picture_of(part.file)


def _check_rate(chat: ChatSystem, kind: Kind, user: str, address: str) -> None:
    """Count something that comes by HTTP, where all that a user does is as if it came by one connection."""
    now = asyncio.get_running_loop().time()
    if chat.rates is not None and not chat.rates.take(kind, f"files of {user}", user, address, now):
        raise _limited(chat, f"rate_{kind}", 429, TOO_MANY_REQUESTS)


def _check_length(request: Request, chat: ChatSystem, most: int) -> None:
    """Refuse what says itself that it is too large. What is true shows when it comes."""
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > most:
        raise _too_large(chat, most)


def _not_found() -> _Refused:
    return _Refused(404, FILE_NOT_FOUND)


def _too_large(chat: ChatSystem, most: int) -> _Refused:
    return _limited(chat, "max_file_bytes", 413, Error(LIMIT_EXCEEDED.code, f"larger than {most} bytes"))


def _limited(chat: ChatSystem, limit: str, status: int, error: Error) -> _Refused:
    chat.counts.limits_hit[limit] += 1
    return _Refused(status, error)


async def _asked(ask: Callable[[], Future[Future[T]]]) -> T:
    """Return what the files actor answers. Raises `CommandError`."""
    try:
        answer = await ask()
    except (ActorDeadError, MailboxFull) as error:
        raise CommandError(error_of(error)) from None
    except CommandError:
        raise
    except Exception:  # noqa: BLE001  (a crash of the actor, of which its supervisor has told)
        raise CommandError(INTERNAL) from None
    return await answer


async def _in(threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    """Have something done in a thread. Also who is cancelled waits for its end: nobody else may touch it before."""
    done: Awaitable[T] = asyncio.get_running_loop().run_in_executor(threads, work)
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        await asyncio.wait([asyncio.ensure_future(done)])
        raise


def _error(status: int, error: Error) -> Response:
    body: dict[str, Any] = {"error": {"code": error.code, "message": error.message}}
    return Response(msgspec.json.encode(body), status, NO_STORE, "application/json")


def _chat(request: Request) -> tuple[ChatSystem, Files]:
    chat: ChatSystem = request.app.state.chat
    if chat.files is None:
        raise _not_found()
    return chat, chat.files
