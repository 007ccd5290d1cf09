"""The room log: an append-only sequence of entries per room."""

from chat.log.database import Database, DatabaseError
from chat.log.memory import MemoryLog
from chat.log.places import COUNTED, MAX_PLACES
from chat.log.port import (
    MAX_REACTIONS,
    Author,
    Change,
    Delete,
    Draft,
    Edit,
    Entry,
    Keep,
    Kept,
    LogError,
    Message,
    Page,
    Place,
    Position,
    React,
    Rejected,
    Retention,
    RoomLog,
    Ruling,
    Stored,
)
from chat.log.sqlite import SqliteLog

__all__ = [
    "COUNTED",
    "MAX_PLACES",
    "MAX_REACTIONS",
    "Author",
    "Change",
    "Database",
    "DatabaseError",
    "Delete",
    "Draft",
    "Edit",
    "Entry",
    "Keep",
    "Kept",
    "LogError",
    "MemoryLog",
    "Message",
    "Page",
    "Place",
    "Position",
    "React",
    "Rejected",
    "Retention",
    "RoomLog",
    "Ruling",
    "SqliteLog",
    "Stored",
]
