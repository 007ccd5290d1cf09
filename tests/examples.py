"""The examples of web/PROTOCOL.md: how they are written, and what it means that a server does what they say.

An example is an indented block of lines with `→` (what a client sends) and `←` (what it gets); a line without an arrow
goes on with the one above. A block that begins with `connect` is another connection, one that does not goes on with the
last. In what is written, some things stand for what differs each time:

- a string with `…` in it, an epoch, a time or an offset: whatever comes in its place first, and the same ever after;
- `{…}` and `[…]`: any object, any list;
- `<token of mo>`: a connection token of the user "mo".
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from typing import Any, Final

ANY: Final = "…"

NAMED: Final = {
    **dict.fromkeys(("time", "edited", "deleted", "until"), "time"),
    **dict.fromkeys(("offset", "target", "before", "after", "reply", "read", "head"), "offset"),
    **dict.fromkeys(("epoch", "number", "ping", "version", "uptime", "ttl"), "value"),
}
"""Which fields have values that differ each time; a value stands for the same one in all fields of a kind."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side says: JSON values, or a request of HTTP."""

    sent: bool
    lines: list[str]
    line: int
    """Where in the document."""

    def values(self) -> list[Any]:
        """Return the JSON values, in which `{…}` has become `{"…": …}`, and `[…]` a list of that."""
        return [
            json.loads(re.sub(r"(?<=[\[{,:])…(?=[\]}])", '"…":0', line).replace('["…":0]', '["…"]'))
            for line in self.lines
        ]


def blocks(document: str) -> list[list[Turn]]:
    """Return the examples of a document, or of a part of it."""
    found: list[list[Turn]] = []
    inside = False
    for number, line in enumerate(document.splitlines(), 1):
        text = line.removeprefix("    ")
        arrow, _, rest = text.partition(" ")
        if text == line or not text:
            inside = False
        elif arrow in {"→", "←"}:
            if not inside:
                found.append([])
            inside = True
            found[-1].append(Turn(arrow == "→", [rest], number))
        elif inside:
            found[-1][-1].lines.append(text.strip())
    return found


@dataclass(slots=True)
class Meaning:
    """What the things stand for that differ each time."""

    tokens: dict[str, str]
    stands_for: dict[tuple[str, Any], Any] = field(default_factory=dict)

    def to_send(self, written: Any, key: str = "") -> Any:
        """Return what is to be sent where the example has this. What stands for nothing yet stands for itself.

        A time that nothing has had yet is as far from now as from the example's latest.
        """
        if isinstance(written, dict):
            return {self._name(name): self.to_send(value, name) for name, value in written.items()}
        if isinstance(written, list):
            return [self.to_send(value, key) for value in written]
        if isinstance(written, str) and (token := re.fullmatch("<token of (.+)>", written)):
            return self.tokens[token[1]]
        kind = _kind(written, key)
        if kind == "time" and (kind, written) not in self.stands_for:
            latest = max((value for of, value in self.stands_for if of == "time"), default=written)
            self.stands_for[kind, written] = int(time.time() * 1000) + written - latest
        return self.stands_for.setdefault((kind, written), written) if kind else written

    def fits(self, written: Any, came: Any) -> bool:
        """Tell whether what came is what is written. If so, remember what the things in it stood for."""
        before = dict(self.stands_for)
        if self._fits(written, came, ""):
            return True
        self.stands_for = before
        return False

    def _fits(self, written: Any, came: Any, key: str) -> bool:
        if written in ({ANY: 0}, [ANY]):
            return isinstance(came, type(written))
        if isinstance(written, dict):
            # Users, their channels and emojis are keys, too.
            names = {self._name(name): name for name in written}
            return (
                isinstance(came, dict)
                and names.keys() == came.keys()
                and all(self._fits(written[names[name]], value, name) for name, value in came.items())
            )
        if isinstance(written, list):
            return (
                isinstance(came, list)
                and len(written) == len(came)
                and all(self._fits(one, other, key) for one, other in zip(written, came, strict=True))
            )
        kind = _kind(written, key)
        if kind is None:
            return type(written) is type(came) and bool(written == came)
        if type(written) is not type(came) or (ANY in str(written) and not _looks_like(written, came)):
            return False
        return bool(self.stands_for.setdefault((kind, written), came) == came)

    def _name(self, written: str) -> str:
        """Return what a key is, in which there may be a text that stands for another."""
        known = re.search(rf"[^#]*{ANY}", written)
        return written.replace(known[0], self.stands_for.get(("text", known[0]), known[0])) if known else written


def _kind(written: Any, key: str) -> str | None:
    if isinstance(written, str) and ANY in written:
        return "text"
    return NAMED.get(key) if isinstance(written, int | str) and not isinstance(written, bool) else None


def _looks_like(written: str, came: str) -> bool:
    """Tell whether what came has the signs of what is written: a guest's id is one, a token of three parts, too."""
    return came.startswith(written[: written.index("-") + 1] if "-" in written else "") and (
        came.count(".") == written.count(".")
    )
