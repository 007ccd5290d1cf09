"""What a line on the wire is, by the JSON Schema that the server gives out."""

from __future__ import annotations

from typing import Any, Literal

from jsonschema import Draft202012Validator

Side = Literal["FromClient", "FromServer"]


class Kinds:
    """The kinds of lines that a schema knows."""

    def __init__(self, schema: dict[str, Any]) -> None:
        Draft202012Validator.check_schema(schema)
        self._schema = schema
        self._by_side = {side: self._kinds(side) for side in ("FromClient", "FromServer")}

    def _kinds(self, side: str) -> dict[str, Draft202012Validator]:
        names = [kind["$ref"].removeprefix("#/$defs/") for kind in self._schema["$defs"][side]["oneOf"]]
        return {name: self.named(name) for name in names}

    def named(self, name: str) -> Draft202012Validator:
        """Return what checks one of the schema's definitions."""
        return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": self._schema["$defs"]})

    def all(self, side: Side) -> set[str]:
        """Return the names of a side's kinds."""
        return set(self._by_side[side])

    def of(self, side: Side, line: Any) -> list[str]:
        """Return of which kinds a line is: one, if all is well."""
        return [name for name, kind in self._by_side[side].items() if kind.is_valid(line)]
