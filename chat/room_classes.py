"""Classes of rooms: what is different in rooms of some names. A TOML file has them, one `[[room]]` section each.

The first section whose pattern matches a room's name is its class. What a section does not say is as the settings
say. A file that says anything else than what is known here is refused: a typo would leave a room open for years.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from fnmatch import translate
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec

from chat.limits import MAX_CHANNEL_BYTES, Limits
from chat.log.port import Retention
from chat.policy import Action
from chat.tokens import Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

DAY_MS: Final = 86_400_000

ENTERING: Final = (Action.JOIN, Action.READ, Action.SEE_MEMBERS, Action.AUDIT)
"""What takes the role in `join`. One can only moderate, which begins with AUDIT, where one may enter."""

WRITING: Final = (
    Action.SEND,
    Action.UPLOAD,
    Action.EDIT_OWN,
    Action.DELETE_OWN,
    Action.REACT,
    Action.TYPE,
    Action.SET_TOPIC,
)
"""What takes the role in `send`."""

MAKING: Final = (Action.CREATE, Action.INVITE)
"""What takes the role in `create`."""

_Count = Annotated[int, msgspec.Meta(gt=0, le=2**53)]
_Days = Annotated[float, msgspec.Meta(gt=0, le=1e6)]


class RoomsFileError(Exception):
    """The file does not say what rooms are like. The message is one line that names section and key."""


class RoomClass(msgspec.Struct, frozen=True, kw_only=True):
    """What a room is like. `limits` are the server's, with what is different here.

    `join` and `send` are the least roles that may enter and read, and that may say something or change what was said;
    `create` is the least one that may make private rooms of such names, and invite others into them.
    """

    limits: Limits
    join: Role = Role.GUEST
    send: Role = Role.GUEST
    create: Role = Role.GUEST
    presence: bool = True
    max_members: int | None = None

    @property
    def floors(self) -> Mapping[Action, Role]:
        """The least roles for what is done here, where that may be above what the policy table says."""
        return _floors(self.join, self.send, self.create)


@cache
def _floors(join: Role, send: Role, create: Role) -> Mapping[Action, Role]:
    return dict.fromkeys(ENTERING, join) | dict.fromkeys(WRITING, send) | dict.fromkeys(MAKING, create)


class RoomClasses:
    """Tells the class of a room by its name: the first whose pattern matches, or that of the server's limits."""

    def __init__(self, limits: Limits, classes: Sequence[tuple[str, RoomClass]] = ()) -> None:
        self.limits = limits
        self._classes = [*classes, ("*", RoomClass(limits=limits))]
        self._patterns = [(re.compile(translate(pattern)).match, found) for pattern, found in self._classes]

    def of(self, channel: str) -> RoomClass:
        """Return the class of a room. Takes a match for each pattern: not for every message."""
        return next(found for matches, found in self._patterns if matches(channel))

    def retention(self, now_ms: int) -> list[Retention]:
        """Return what is kept of which rooms, nothing if all rooms keep all."""
        rules = [_retention(pattern, found.limits, now_ms) for pattern, found in self._classes]
        return rules if any((rule.keep_entries, rule.keep_since_ms) != (None, None) for rule in rules) else []


def _retention(pattern: str, limits: Limits, now_ms: int) -> Retention:
    days = limits.retention_days
    since_ms = max(now_ms - round(days * DAY_MS), 0) if days is not None else None
    return Retention(pattern, limits.retention_entries, since_ms)


class _Section(msgspec.Struct, frozen=True, kw_only=True):
    """A section as it is in the file. UNSET is what it does not say."""

    pattern: str
    join: Role | msgspec.UnsetType = msgspec.UNSET
    send: Role | msgspec.UnsetType = msgspec.UNSET
    create: Role | msgspec.UnsetType = msgspec.UNSET
    presence: bool | msgspec.UnsetType = msgspec.UNSET
    max_members: _Count | msgspec.UnsetType = msgspec.UNSET
    max_text_chars: _Count | msgspec.UnsetType = msgspec.UNSET
    presence_limit: _Count | msgspec.UnsetType = msgspec.UNSET
    recovery_window: _Count | msgspec.UnsetType = msgspec.UNSET
    recovery_limit: _Count | msgspec.UnsetType = msgspec.UNSET
    retention_entries: _Count | Literal["unlimited"] | msgspec.UnsetType = msgspec.UNSET
    retention_days: _Days | Literal["unlimited"] | msgspec.UnsetType = msgspec.UNSET

    def room_class(self, limits: Limits) -> RoomClass:
        said: dict[str, Any] = {
            name: None if value == "unlimited" else value
            for name, value in msgspec.structs.asdict(self).items()
            if value is not msgspec.UNSET
        }
        ours = {name: said.pop(name) for name in Limits.__struct_fields__ if name in said}
        del said["pattern"]
        return RoomClass(limits=msgspec.structs.replace(limits, **ours), **said)


KEYS: Final = _Section.__struct_fields__

_WHAT_FITS: Final = {
    "join": "one of guest, member, moderator, admin",
    "send": "one of guest, member, moderator, admin",
    "create": "one of guest, member, moderator, admin",
    "presence": "true or false",
    "pattern": "a string",
    "retention_entries": 'a whole number above 0, or "unlimited"',
    "retention_days": 'a number above 0, at most 1000000, or "unlimited"',
}


def read_room_classes(path: Path, limits: Limits) -> RoomClasses:
    """Read a rooms file; `limits` are for what it does not say. Raises `RoomsFileError`."""
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        raise RoomsFileError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # no UTF-8 among them
        raise RoomsFileError(f"{path} is no TOML: {error}") from None
    try:
        return RoomClasses(limits, _classes(content, limits))
    except RoomsFileError as error:
        raise RoomsFileError(f"{path}: {error}") from None


def _classes(content: dict[str, Any], limits: Limits) -> list[tuple[str, RoomClass]]:
    for key in content:
        if key != "room":
            raise RoomsFileError(f"{key!r} is no key; a section begins with [[room]]")
    sections = content.get("room", [])
    if not isinstance(sections, list) or not all(isinstance(section, dict) for section in sections):
        raise RoomsFileError("'room' is no list of sections; each begins with [[room]]")
    classes: list[tuple[str, RoomClass]] = []
    for number, raw in enumerate(sections, 1):
        section = _section(raw, where=f"[[room]] {number}")
        taken = {pattern for pattern, _ in classes} & {section.pattern, "*"}
        if taken:
            raise RoomsFileError(
                f"[[room]] {number}: pattern {section.pattern!r} is never reached; {taken.pop()!r} comes before it"
            )
        classes.append((section.pattern, section.room_class(limits)))
    return classes


def _section(raw: dict[str, Any], where: str) -> _Section:
    for key in raw:
        if key not in KEYS:
            similar = difflib.get_close_matches(key, KEYS, n=1)
            hint = f"did you mean {similar[0]!r}?" if similar else f"there are {', '.join(KEYS)}"
            raise RoomsFileError(f"{where}: {key!r} is no key; {hint}")
    if "pattern" not in raw:
        raise RoomsFileError(f"{where}: pattern is missing; it says which rooms this is about")
    for key, value in raw.items():
        try:
            msgspec.convert({"pattern": "*", key: value}, _Section)
        except msgspec.ValidationError:
            fits = _WHAT_FITS.get(key, "a whole number above 0")
            raise RoomsFileError(f"{where}: {key} = {value!r} does not fit; it must be {fits}") from None
    section = msgspec.convert(raw, _Section)
    wrong = _wrong_with(section.pattern)
    if wrong:
        raise RoomsFileError(f"{where}: pattern {section.pattern!r} {wrong}")
    return section


def _wrong_with(pattern: str) -> str:
    """Tell why no name can match a pattern, or "" if one can."""
    if not pattern:
        return "is empty"
    if "[" in pattern:
        return "has a bracket; a pattern has * for anything, ? for one character, and no sets"
    shortest = pattern.replace("*", "")
    if not pattern.isprintable() or pattern != pattern.strip() or len(shortest.encode()) > MAX_CHANNEL_BYTES:
        return "matches no name: names print, have no outer spaces and at most 255 bytes"
    return ""
