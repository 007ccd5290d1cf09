"""The room log: an append-only sequence of entries per room."""

from chat.log.memory import MemoryLog
from chat.log.port import Author, Draft, Entry, LogError, Position, RoomLog, Stored

__all__ = ["Author", "Draft", "Entry", "LogError", "MemoryLog", "Position", "RoomLog", "Stored"]
