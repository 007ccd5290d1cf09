"""What a planted bug is, and all of them by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from loadtests._rules import Name

    Plant = Callable[[pytest.MonkeyPatch], None]


class Bug(NamedTuple):
    """Something that is wrong with the server, as long as the patch lasts."""

    plant: Plant
    found_as: frozenset[Name]


BUGS: dict[str, Bug] = {}


def found_as(*names: Name) -> Callable[[Plant], Plant]:
    """Take a function for a bug that is to be found as at least one of these anomalies."""

    def register(plant: Plant) -> Plant:
        BUGS[plant.__name__] = Bug(plant, frozenset(names))
        return plant

    return register


def wrap(patch: pytest.MonkeyPatch, owner: Any, name: str, around: Callable[..., Any]) -> None:
    """Have a function or method go through another one, which is given the original before the arguments."""
    original = getattr(owner, name)
    patch.setattr(owner, name, lambda *args, **kwargs: around(original, *args, **kwargs))


def nothing(*_: object) -> None:
    """Do nothing."""
