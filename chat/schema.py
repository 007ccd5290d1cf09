"""The wire as a JSON Schema (2020-12), made of the types and tables of `chat/protocol`: nothing is said twice.

`FromClient` describes a line from a client, `FromServer` one from the server; each is one of several kinds, and no line
is of two. What the server sends has no other fields than these. What clients send may have some, which are ignored.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any, Final, Union

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, defstruct

from chat.protocol import commands, encoding, methods, notices, publications, results
from chat.protocol.fields import HOLDS, holding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_MODULES: Final = commands, publications, notices, results
_TYPES: Final = {name: kind for module in _MODULES for name, kind in vars(module).items()}
"""What `holding` may name."""

TEMPLATE: Final = "#/$defs/{name}"

Id = Annotated[int, Meta(ge=1, le=2**32 - 1, description="Chosen by the client; a reply has that of its command.")]


def components(types: Sequence[Any], template: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the schemas of types, and those that they refer to by `template`.

    As `msgspec.json.schema_components`, but where encoded JSON is put into a type, it says which.
    """
    names: dict[str, None] = {}
    while True:
        held = [_TYPES[name] for name in names]
        found, defs = msgspec.json.schema_components([*types, *held], ref_template=template)
        wanted = dict.fromkeys(_held([found, defs]))
        if wanted.keys() <= names.keys():
            break
        names |= wanted
    by_name: dict[str | None, Any] = {**dict(zip(names, found[len(types) :], strict=True)), None: {"type": "null"}}
    return _tell(list(found[: len(types)]), by_name), _tell(defs, by_name)


def _held(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from (name for name in schema.get(HOLDS, ()) if name is not None)
        schema = schema.values()
    elif not isinstance(schema, list | tuple):
        return
    for part in schema:
        yield from _held(part)


def _tell(schema: Any, by_name: dict[str | None, Any]) -> Any:
    """Return the schema with those of what is held in the place of its names."""
    if isinstance(schema, list):
        return [_tell(part, by_name) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if HOLDS in schema:
        some = [by_name[name] for name in schema[HOLDS]]
        return some[0] if len(some) == 1 else {"anyOf": some}
    return {
        key: inspect.cleandoc(part) if key == "description" and isinstance(part, str) else _tell(part, by_name)
        for key, part in schema.items()
    }


def document() -> dict[str, Any]:
    """Return the schema of the wire."""
    sent, from_client = _described([*_commands(), _frame("pong", "The answer to a ping.")])
    lines, from_server = _described([*_replies(), *_pushes(), _frame("ping", "To be answered with a pong.")])
    for described in from_server.values():
        described.setdefault("additionalProperties", False)
    from_client["pong"]["additionalProperties"] = False  # else all lines were one
    returned = {
        f"rpc.{method}.result": {"$ref": TEMPLATE.format(name=result.__name__)}
        for method, (_, result) in methods.CHAOS_METHODS.items()
    }
    assert not from_client.keys() & from_server.keys()
    return {
        "$schema": DIALECT,
        "title": "Parley's client protocol",
        "description": "A line of a frame, in either direction. `rpc.{method}.result` is what a method returns.",
        "anyOf": [{"$ref": TEMPLATE.format(name=name)} for name in ("FromClient", "FromServer")],
        "$defs": {
            "FromClient": {"title": "FromClient", "description": "What a client sends.", "oneOf": sent},
            "FromServer": {"title": "FromServer", "description": "What the server sends.", "oneOf": lines},
            **from_client,
            **from_server,
            **returned,
        },
    }


def _described(kinds: list[type[Struct]]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    return components(kinds, TEMPLATE)


def _commands() -> Iterator[type[Struct]]:
    for request, name in encoding.METHOD_OF.items():
        body = _calls() if request is commands.Rpc else request
        yield _frame(f"command.{name}", request.__doc__, ("id", Id), (name, body))


def _calls() -> Any:
    """Return the union of all that a client may call. Where all fields may be left out, all data may."""
    calls = []
    for method, (data, _) in methods.CHAOS_METHODS.items():
        needed = any(field.required for field in msgspec.structs.fields(data))
        what: tuple[Any, ...] = ("data", data) if needed else ("data", data | None | UnsetType, UNSET)
        calls.append(
            defstruct(f"rpc.{method}", [what], tag_field="method", tag=method, namespace={"__doc__": data.__doc__})
        )
    return Union[tuple(calls)]  # noqa: UP007  (of as many as there are)


def _replies() -> Iterator[type[Struct]]:
    returned = dict.fromkeys(result.__name__ for _, result in methods.CHAOS_METHODS.values())
    rpc = _frame("RpcReply", results.RpcResult.__doc__, ("data", Annotated[Any, holding(*returned)]))
    for request, name in encoding.METHOD_OF.items():
        result = rpc if request is commands.Rpc else encoding.RESULT_OF[request]
        yield _frame(f"reply.{name}", result.__doc__, ("id", Id), (name, result))
    yield _frame("reply.error", encoding.ErrorInfo.__doc__, ("id", Id), ("error", encoding.ErrorInfo))


def _pushes() -> Iterator[type[Struct]]:
    for kind, (name, body) in encoding.PUSHES.items():
        push = _frame(f"pushed.{kind}", "Where it happened, and what.", ("channel", str), (name, body))
        yield _frame(f"push.{kind}", body.__doc__, ("push", push))


def _frame(name: str, doc: str | None, *fields: tuple[str, Any]) -> type[Struct]:
    return defstruct(name, fields, namespace={"__doc__": doc})
