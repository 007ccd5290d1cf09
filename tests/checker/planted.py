"""What could be wrong with the server: `BUGS`, each a function that plants one.

A bug that another layer makes up for is in both layers: otherwise nobody could notice it, the checker included.
"""

from __future__ import annotations

from tests.checker.bug import BUGS
from tests.checker.bugs import answers, deliveries, keys, messages, order, recovery

__all__ = ["BUGS", "answers", "deliveries", "keys", "messages", "order", "recovery"]
