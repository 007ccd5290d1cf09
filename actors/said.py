"""What a client says, as a room is to store it.

No actor and no effects: a command is looked at, and accepted or refused. Who may change a message is not judged here:
the log knows whose it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chat import errors, limits
from chat.errors import CommandError, bad_request
from chat.log import Delete, Edit, React, Topic
from chat.protocol import calls, commands, publications

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat.limits import Limits
    from chat.log import Change

Saying = commands.Publish | calls.SendMessage | calls.EditMessage | calls.DeleteMessage | calls.React | calls.SetTopic


class Said(NamedTuple):
    """JSON, and a key that makes the same again a repeat, "" for none. `change` is what it does besides, if so.

    `reply` is the offset of what it answers, 0 for nothing; `mentions` are the users whom it names; `files` the ids of
    the uploads that it comes with.
    """

    key: str
    data: bytes
    change: Change | Topic | None = None
    reply: int = 0
    mentions: Sequence[str] = ()
    files: tuple[str, ...] = ()


def said(request: Saying, most: Limits, now_ms: int) -> Said:
    """Return what a command says. Raises `CommandError` (107, 108)."""
    if isinstance(request, commands.Publish):
        return Said("", _published(request))
    if isinstance(request, calls.SendMessage):
        limits.check_key(request.key)
        limits.check_files(request.files)
        if request.text.strip() or not request.files:
            limits.check_text(request.text, most)
        limits.check_mentions(request.mentions, request.text)
        data, mentions = publications.message_data(request, now_ms), tuple(request.mentions)
        return Said(request.key, data, reply=request.reply or 0, mentions=mentions, files=request.files)
    if request.key:
        limits.check_key(request.key)
    if isinstance(request, calls.SetTopic):
        limits.check_topic(request.topic)
        return Said(request.key, publications.topic_data(request.topic, now_ms), Topic(request.topic))
    change = _change(request, most)
    return Said(request.key, publications.change_data(change, now_ms), change)


def _change(request: calls.EditMessage | calls.DeleteMessage | calls.React, most: Limits) -> Change:
    if isinstance(request, calls.EditMessage):
        limits.check_text(request.text, most)
        return Edit(request.target, request.text)
    if isinstance(request, calls.DeleteMessage):
        return Delete(request.target)
    limits.check_emoji(request.emoji)
    return React(request.target, request.emoji, request.on)


def _published(publish: commands.Publish) -> bytes:
    if publish.type:
        raise CommandError(errors.NOT_AVAILABLE)
    if not bytes(publish.data):
        raise bad_request("data is missing")
    data = limits.clean_json(publish.data)
    if publications.is_change(data):
        raise bad_request("a change is made with rpc edit, delete, react or topic")
    return data
