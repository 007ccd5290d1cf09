"""What rooms answer, as results of the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from actors.messages import (
    Armed,
    Audit,
    Bans,
    Counted,
    Done,
    Listed,
    Names,
    Page,
    People,
    Placed,
    Places,
    Present,
    Told,
)
from actors.runtime import MailboxFull
from chat.channels import users_of
from chat.errors import INTERNAL, TOO_MANY_REQUESTS, Error
from chat.log import Findings, Kept
from chat.log import Page as MessagePage
from chat.policy import Action, may
from chat.protocol import commands, publications, results

if TYPE_CHECKING:
    from actors.messages import Entered, Join
    from chat.protocol.commands import Command
    from chat.protocol.results import Result


def result_of(
    command: Command,
    answer: Placed
    | Page
    | MessagePage
    | Findings
    | Present
    | People
    | Names
    | Counted
    | Listed
    | Armed
    | Told
    | Done
    | Bans
    | Audit
    | Kept
    | Places,
) -> Result:
    """Return the result that the command is answered with."""
    result: Result
    match answer:
        case Placed():
            result = _placed(command, answer)
        case Page():
            result = history_result(answer)
        case MessagePage() | Findings():
            result = results.RpcResult(_messages(answer))
        case Present():
            result = presence_result(answer)
        case Counted():
            result = presence_stats_result(answer)
        case Listed() | People() | Names():
            result = results.RpcResult(_listed(answer))
        case Bans() | Audit():
            result = results.RpcResult(_rulings(answer))
        case Kept() | Places():
            result = results.RpcResult(_kept(answer))
        case Armed() | Told() | Done():  # pragma: no branch
            result = results.RpcResult(results.Empty())
    return result


def _messages(answer: MessagePage | Findings) -> results.MessagesResult | results.SearchResult:
    if isinstance(answer, Findings):
        return results.search_result(answer)
    current = [results.current_message(message) for message in answer.messages]
    return results.MessagesResult(current, answer.position.offset, answer.position.epoch)


def _listed(answer: Listed | People | Names) -> results.RoomList | results.MembersResult | results.NamesResult:
    if isinstance(answer, Listed):
        return results.RoomList(answer.rooms)
    return results.MembersResult(answer.people) if isinstance(answer, People) else results.NamesResult(answer.names)


def _rulings(answer: Bans | Audit) -> results.BansResult | results.AuditResult:
    infos = [results.ruling_info(ruling) for ruling in answer.rulings]
    return results.BansResult(infos) if isinstance(answer, Bans) else results.AuditResult(infos)


def _kept(answer: Kept | Places) -> results.Marker | results.PlacesResult:
    if isinstance(answer, Kept):
        return results.Marker(answer.read)
    infos = []
    for place in answer.places:
        members = [(user, answer.names.get(user, user)) for user in users_of(place.room)]
        infos.append(results.place_info(place, members))
    return results.PlacesResult(infos)


def history_result(page: Page) -> results.HistoryResult:
    """Return a page of history as a result, for clients and for the server API."""
    return results.HistoryResult([item.json for item in page.items], page.position.offset, page.position.epoch)


def presence_result(present: Present) -> results.PresenceResult:
    """Return who is here."""
    return results.PresenceResult({author.client: publications.client_info(author) for author in present.authors})


def presence_stats_result(counted: Counted) -> results.PresenceStatsResult:
    """Return how many are here."""
    return results.PresenceStatsResult(counted.clients, counted.users)


def _placed(command: Command, placed: Placed) -> Result:
    request = command.request
    if type(request) is commands.Publish:
        return results.Empty()  # the protocol has no place for more
    if type(request) is commands.Rpc and request.method == "create":
        return results.RpcResult(results.Empty())  # the room is there, and so is what it is about
    entry = placed.entry
    return results.RpcResult(results.SendResult(entry.offset, placed.epoch, entry.time_ms, duplicate=placed.duplicate))


def entered_result(join: Join, entered: Entered) -> results.SubscribeResult:
    """Return the result of a subscribe. After a recovery the offset is the one that was recovered from."""
    resumed = join.position if entered.recovered else None
    role = join.identity.role_in(join.channel)
    data = results.SubscribeData(role.value if may(role, Action.AUDIT) else "", entered.topic)
    return results.SubscribeResult(
        recoverable=True,
        positioned=True,
        epoch=entered.position.epoch,
        offset=(resumed or entered.position).offset,
        was_recovering=join.position is not None,
        recovered=entered.recovered,
        publications=[item.json for item in entered.missed],
        data=data if data.role or data.topic else UNSET,
    )


def error_of(failure: BaseException) -> Error:
    """Return what a client is told of a request that failed: that it is busy here, or that we are at fault."""
    return TOO_MANY_REQUESTS if isinstance(failure, MailboxFull) else INTERNAL


def is_by_server(command: Command) -> bool:
    """Tell whether the server itself wants this, so that nobody waits for a reply."""
    return isinstance(command.request, commands.SubscribeByServer)


def rejects_unrecoverable(command: Command) -> bool:
    """Tell whether a subscribe wants an error rather than a fresh start when its position cannot be recovered."""
    request = command.request
    return isinstance(request, commands.Subscribe) and bool(request.flag & commands.REJECT_UNRECOVERABLE)
