"""The server API: what the product that embeds the chat may ask of it, over HTTP. Centrifugo's HTTP API v2.

`POST /api/{method}` with a key. It answers 200 with `{"result": …}`, or with `{"error": {"code", "message"}}` for what
was not done; other statuses say that the request was not looked at: 400 (no JSON), 401 (the key), 404 (no such method,
or the API is off), 413 (too long), 429 (a wrong key again and again), 503 (the server stops). What a request means is
the API actor's to judge.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import structlog
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Security
from fastapi.security import APIKeyHeader
from pykka import ActorDeadError
from starlette.responses import Response

from actors.replies import error_of
from actors.runtime import MailboxFull
from chat import server_api
from chat.errors import INTERNAL, METHOD_NOT_FOUND, CommandError, Error
from chat.rates import Buckets
from chat.server_api import MalformedError
from web.gateway import address_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from actors.system import ChatSystem

OPENAPI: Final = "/api/openapi.json"

MAX_BODY_BYTES: Final = 1_048_576
"""Longest body of a request."""

WRONG_KEYS_PER_S: Final = 1.0
WRONG_KEYS_AT_ONCE: Final = 20
"""How many an address may send. Those above fill neither the log nor the count of failures."""

_SCHEME: Final = "apikey "

_key_header: Final = APIKeyHeader(name="X-API-Key", auto_error=False, description="The value of `CHAT_API_KEY`.")

log = structlog.get_logger()


def make_router(key: str) -> APIRouter:
    """Make the routes, for whoever has the key: in `X-API-Key`, or in `Authorization: apikey KEY`.

    The key is held to no rate, not even where somebody behind the same address tries others.
    """
    expected = key.encode()
    wrong = Buckets(WRONG_KEYS_PER_S, WRONG_KEYS_AT_ONCE)

    def authorize(request: Request, given: Annotated[str | None, Security(_key_header)]) -> None:
        scheme, value = request.headers.get("Authorization", "")[: len(_SCHEME)], given
        if value is None and scheme.lower() == _SCHEME:
            value = request.headers["Authorization"][len(_SCHEME) :].strip()
        if value is None or not hmac.compare_digest(value.encode("latin-1"), expected):
            counts = _chat(request).counts
            if not wrong.take(address_of(request), time.monotonic()):
                counts.limits_hit["api_key"] += 1
                raise HTTPException(429, "too many wrong API keys")
            counts.auth_failures["api_key"] += 1
            log.warning("api.unauthorized", method=request.url.path)
            raise HTTPException(401, "wrong API key")
        if request.app.state.gateway.draining:
            raise HTTPException(503, "shutting down")

    router = APIRouter(prefix="/api", tags=["Server API"], dependencies=[Depends(authorize)])
    schemas, _ = server_api.schemas("#/components/schemas/{name}")
    for method, (asked, result) in schemas.items():
        router.add_api_route(
            f"/{method}",
            _endpoint(method),
            methods=["POST"],
            name=method,
            description=server_api.METHODS[method][0].__doc__,
            response_class=Response,
            **_documented(asked, result),
        )
    batch = {"$ref": "#/components/schemas/Batch"}
    router.add_api_route(
        "/batch",
        _batch,
        methods=["POST"],
        name="batch",
        description=server_api.Batch.__doc__,
        response_class=Response,
        **_documented(batch, None),
    )
    return router


def describe(app: FastAPI) -> None:
    """Let the application's OpenAPI document have the schemas that the routes refer to."""
    plain: Callable[[], dict[str, Any]] = app.openapi
    _, components = server_api.schemas("#/components/schemas/{name}")

    def openapi() -> dict[str, Any]:
        document = plain()
        document.setdefault("components", {}).setdefault("schemas", {}).update(components)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # (FastAPI's own way to extend it)


def _documented(asked: dict[str, Any], result: dict[str, Any] | None) -> dict[str, Any]:
    error = {"$ref": "#/components/schemas/ErrorBody"}
    if result is None:
        answer: dict[str, Any] = {"replies": {"type": "array", "items": {"type": "object"}}}
    else:
        answer = {"result": result, "error": error}
    content = {"application/json": {"schema": {"type": "object", "properties": answer}}}
    statuses = {
        400: "No JSON",
        401: "Wrong key",
        413: "Body too long",
        429: "Too many wrong keys",
        503: "The server stops",
    }
    return {
        "responses": {
            200: {"description": "What became of it: a result or an error", "content": content},
            **{status: {"description": meaning} for status, meaning in statuses.items()},
        },
        "openapi_extra": {"requestBody": {"required": True, "content": {"application/json": {"schema": asked}}}},
    }


def _endpoint(method: str) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        body = await _body(request)
        try:
            result = await _do(_chat(request), server_api.decode(method, body))
        except MalformedError as error:
            raise HTTPException(400, str(error)) from None
        except CommandError as failure:
            return _json(server_api.encode_error(failure.error))
        return _json(server_api.encode_result(result))

    return endpoint


async def _batch(request: Request) -> Response:
    body = await _body(request)
    try:
        batch = server_api.decode_batch(body)
    except MalformedError as error:
        raise HTTPException(400, str(error)) from None
    except CommandError as failure:
        return _json(server_api.encode_error(failure.error))
    chat = _chat(request)
    if batch.parallel:
        replies = await asyncio.gather(*(_reply(chat, command) for command in batch.commands))
    else:
        replies = [await _reply(chat, command) for command in batch.commands]
    return _json(server_api.encode_replies(replies))


async def _reply(chat: ChatSystem, command: dict[str, Any]) -> tuple[str, server_api.Result | Error]:
    method = next((name for name in command if name in server_api.METHODS), "")
    if not method:
        return "", METHOD_NOT_FOUND
    try:
        return method, await _do(chat, server_api.decode(method, command[method]))
    except CommandError as failure:
        return method, failure.error


async def _do(chat: ChatSystem, request: server_api.Request) -> server_api.Result:
    """Have a request done. Raises `CommandError`."""
    if isinstance(request, server_api.Broadcast):
        return server_api.BroadcastResult(
            await asyncio.gather(*(_publish(chat, publish) for publish in request.publishes()))
        )
    try:
        answer = await chat.call(request)
    except (ActorDeadError, MailboxFull) as error:
        raise CommandError(error_of(error)) from None
    except Exception:  # noqa: BLE001  (a crash of the API actor, of which its supervisor has told)
        raise CommandError(INTERNAL) from None
    return await answer


async def _publish(chat: ChatSystem, publish: server_api.Publish) -> server_api.PublishResponse:
    try:
        result = await _do(chat, publish)
    except CommandError as failure:
        return server_api.PublishResponse(error=server_api.error_body(failure.error))
    assert isinstance(result, server_api.PublishResult)  # what a publish is answered with
    return server_api.PublishResponse(result=result)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            _chat(request).counts.limits_hit["max_body_bytes"] += 1
            raise HTTPException(413, f"body longer than {MAX_BODY_BYTES} bytes")
    return bytes(body)


def _chat(request: Request) -> ChatSystem:
    chat: ChatSystem = request.app.state.chat
    return chat


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")
