"""What happened in the hour, and what must not have."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Report:
    seed: int
    actions: Counter[str] = field(default_factory=Counter)
    not_done: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    reconnects: int = 0
    messages: int = 0
    compared: int = 0
    heap_mib: float = 0.0
    differences: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Said:
    """What was said, by words that are in one message only."""

    count: int = 0
    sent: dict[str, str] = field(default_factory=dict)
    """The rooms of the words that left a composer."""
    shown: dict[tuple[str, int], str] = field(default_factory=dict)
    """The words that a page showed as sent, by room and offset."""

    def new_word(self) -> str:
        self.count += 1
        return f"w{self.count}x"


def words_of(text: str) -> list[str]:
    return re.findall(r"\bw\d+x\b", text)


def tell(what: str) -> None:
    print(what, flush=True)
