"""The room log: an append-only sequence of entries per room."""

from chat.log.database import Database, DatabaseError
from chat.log.memory import MemoryLog
from chat.log.port import (
    MAX_REACTIONS,
    Author,
    Change,
    Delete,
    Draft,
    Edit,
    Entry,
    LogError,
    Message,
    Page,
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
    "MAX_REACTIONS",
    "Author",
    "Change",
    "Database",
    "DatabaseError",
    "Delete",
    "Draft",
    "Edit",
    "Entry",
    "LogError",
    "MemoryLog",
    "Message",
    "Page",
    "Position",
    "React",
    "Rejected",
    "Retention",
    "RoomLog",
    "Ruling",
    "SqliteLog",
    "Stored",
]
