"""What a client searches for, as the log understands it. Pure rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat import limits
from chat.errors import bad_request
from chat.log import NEWEST, Search
from chat.words import parse

if TYPE_CHECKING:
    from chat.protocol.calls import SearchMessages


def search_of(call: SearchMessages) -> Search | None:
    """Return what is asked for, None if there are no words in the query that could be found.

    Raises `CommandError` (107) where nothing is asked for, or in a channel that cannot be.
    """
    if len(call.query) > limits.MAX_SEARCH_CHARS:
        raise bad_request(f"query longer than {limits.MAX_SEARCH_CHARS} characters")
    asked = call.query.strip()
    if not asked and (call.channel, call.user, call.since, call.until) == (None, None, None, None):
        raise bad_request("query is empty, and there is no channel, user, since or until")
    if call.channel is not None:
        limits.check_channel(call.channel)
    query = parse(asked)
    if asked and not query.phrases:
        return None
    return Search(
        query=query,
        room=call.channel,
        user=call.user,
        since_ms=call.since or 0,
        until_ms=NEWEST if call.until is None else call.until,
        before=NEWEST if call.before is None else call.before,
    )
