"""The API actor: what the product that embeds the chat asks for is done, or refused, and answered once in any case."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from actors.api import MAX_ASKED, TIMEOUT_S, ApiActor
from actors.messages import CatchUp, Committed, Remove, Removed, RemoveHistory
from actors.room import RoomActor
from actors.rooms import ROOM_INTENSITY
from chat import server_api
from chat.errors import CommandError, Error
from chat.identity import SERVER
from chat.log import LogError
from chat.protocol.commands import Command, Send
from chat.protocol.results import Empty
from chat.server_api import (
    Channels,
    Disconnect,
    DisconnectReason,
    History,
    HistoryRemove,
    Info,
    Presence,
    PresenceStats,
    Publish,
    PublishResult,
    Refresh,
    StreamPosition,
    Subscribe,
    Unsubscribe,
)
from tests.fakes import NOON_MS, Chat, Client, FakeLog, Unheard, behind, limit_mailbox
from tests.tokens import token, tokens

LIMIT = 100


def publish(data: Any, channel: str = "lobby", **options: Any) -> Publish:
    return Publish(channel=channel, data=Raw(json.dumps(data).encode()), **options)


def user_of(client: Client) -> str:
    return str(client.hello["data"]["user"])


def refused(chat: Chat, request: server_api.Request) -> Error:
    with pytest.raises(CommandError) as failure:
        chat.call(request)
    return failure.value.error


def history(chat: Chat, channel: str = "lobby", **options: Any) -> list[Any]:
    page = chat.call(History(channel=channel, limit=LIMIT, **options))
    return [msgspec.json.decode(publication)["data"] for publication in page.publications]


# Publishing


def test_what_is_published_is_stored_and_shown_to_all_members() -> None:
    chat = Chat()
    ann = chat.member("lobby")

    placed = chat.call(publish({"any": "json"}))

    assert placed == PublishResult(1, chat.log.position("lobby").epoch)
    assert ann.said() == [{"any": "json"}]


def test_it_has_no_author_that_clients_would_see() -> None:
    chat = Chat()
    ann = chat.member("lobby")

    chat.call(publish("hello"))

    assert ann.publications() == [{"data": "hello", "offset": 1, "time": NOON_MS}]
    (message,) = ann.rpc("messages", channel="lobby")["rpc"]["data"]["messages"]
    assert message == {"offset": 1, "data": "hello", "time": NOON_MS}


def test_a_plain_text_client_gets_it_as_a_line_of_the_server() -> None:
    chat = Chat()
    seven = chat.text("7")

    chat.call(publish({"type": "message", "text": "hello"}))

    assert seven.lines == ["Client Server: hello"]


def test_the_same_key_is_the_same_publication() -> None:
    chat = Chat()
    ann = chat.member("lobby")

    first = chat.call(publish("a", idempotency_key="k"))
    again = chat.call(publish("b", idempotency_key="k"))
    elsewhere = chat.call(publish("c", channel="garden", idempotency_key="k"))

    assert first == again
    assert ann.said() == ["a"]
    assert elsewhere.offset == 1


def test_without_a_key_everything_is_new() -> None:
    chat = Chat()

    assert [chat.call(publish("a")).offset for _ in range(2)] == [1, 2]


def test_a_key_of_a_client_is_another_one() -> None:
    chat = Chat()
    ann = chat.member("lobby")

    ann.rpc("send", channel="lobby", key="k", text="a")

    assert chat.call(publish("b", idempotency_key="k")).offset == 2


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (publish("a", channel=""), "channel is empty"),
        (publish("a", channel="a\n"), "channel name with control characters or outer spaces"),
        (publish("a", idempotency_key="k" * 65), "key must have 1 to 64 characters"),
        (publish("a" * 99), "data longer than 99 bytes"),
        (publish({"type": "edit", "target": 1, "text": "b"}), "a change is made by whoever said it"),
        (Publish(channel="lobby", data=Raw(b"[" * 30 + b"]" * 30)), "data nested deeper than 20"),
        (History(channel=""), "channel is empty"),
        (Disconnect(user="ann", disconnect=DisconnectReason(1000, "no")), "disconnect.code must be 3000 to 4999"),
    ],
)
def test_what_is_wrong_is_refused_with_a_reason(request_: server_api.Request, why: str) -> None:
    chat = Chat(max_frame_bytes=99)

    assert refused(chat, request_) == Error(107, f"bad request: {why}")
    assert chat.log.after("lobby", 0, 1) == []


def test_what_cannot_be_stored_is_an_error() -> None:
    log = FakeLog()
    chat = Chat(log)
    log.append_errors.append(LogError("disk full"))

    assert refused(chat, publish("a")).code == 100
    assert chat.call(publish("b")).offset == 1


# Answers, whatever happens


def test_a_room_that_crashes_on_a_request_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RoomActor, "_read_presence", lambda *_: 1 / 0)
    chat = Chat()
    chat.member("lobby")

    assert refused(chat, Presence(channel="lobby")).code == 100
    assert chat.call(PresenceStats(channel="lobby")).num_clients == 1


def test_a_room_that_is_closed_is_an_error() -> None:
    chat = Chat()
    chat.member("lobby")
    chat.crash_room("lobby", ROOM_INTENSITY.max_restarts + 1)

    assert "closed" in refused(chat, publish("a")).message


def test_a_room_that_does_not_answer_in_time_is_an_error_and_its_answer_no_second_one() -> None:
    chat = Chat()
    chat.member("lobby")
    room = chat.room("lobby")

    with behind(room):
        begun = chat.system.call(publish("a"))
        chat.advance(TIMEOUT_S)
        answer = begun.get(timeout=0)
        with pytest.raises(CommandError, match="no answer in time"):
            answer.get(timeout=0)
    chat.call(publish("b"))

    assert history(chat) == ["a", "b"]


def test_what_was_answered_is_not_overdue_later() -> None:
    chat = Chat()
    chat.call(publish("a"))

    chat.advance(2 * TIMEOUT_S)

    assert chat.system.health().recent_crashes == 0


def test_a_refusal_that_comes_too_late_is_no_second_answer() -> None:
    log = FakeLog()
    chat = Chat(log)
    chat.member("lobby")
    log.append_errors.append(LogError("disk full"))

    with behind(chat.find("journal")):
        begun = chat.system.call(publish("a"))
        chat.advance(TIMEOUT_S)
    assert refused(chat, publish("b")).code == 100  # of the same batch

    with pytest.raises(CommandError, match="no answer in time"):
        begun.get(timeout=0).get(timeout=0)


def test_too_many_at_once_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_ASKED > 1_000
    monkeypatch.setattr("actors.api.MAX_ASKED", 1)
    chat = Chat()
    chat.member("lobby")

    with behind(chat.room("lobby")):
        begun = chat.system.call(publish("a"))
        chat.run()
        assert refused(chat, publish("b")).code == 111
    begun.get(timeout=0)


def test_a_full_room_is_too_many_requests() -> None:
    chat = Chat()
    chat.member("lobby")
    limit_mailbox(chat.room("lobby"), 0)

    assert refused(chat, publish("a")).code == 111


def test_a_crash_of_the_actor_answers_what_was_under_way_and_the_next_request_is_done() -> None:
    chat = Chat()
    chat.member("lobby")

    with behind(chat.room("lobby")):
        begun = chat.system.call(publish("a"))
        chat.run()
        chat.find("api").tell(Unheard())
        chat.run()
        with pytest.raises(CommandError, match="internal"):
            begun.get(timeout=0).get(timeout=0)

    assert chat.call(publish("b")).offset == 2


def test_what_is_under_way_when_the_server_stops_is_answered() -> None:
    chat = Chat()
    chat.member("lobby")

    with behind(chat.room("lobby")):
        begun = chat.system.call(publish("a"))
        chat.run()
        chat.find("api").stop(block=False)
        chat.run()
        with pytest.raises(CommandError, match="stops"):
            begun.get(timeout=0).get(timeout=0)


def test_every_method_but_broadcast_is_the_actors() -> None:
    chat = Chat()
    actor = chat.find("api")._cell.actor  # noqa: SLF001  (to compare two lists)
    assert isinstance(actor, ApiActor)

    assert {*actor._methods, server_api.Broadcast} == {asked for asked, _ in server_api.METHODS.values()}  # noqa: SLF001


# History


def test_history_is_read_from_either_end() -> None:
    chat = Chat()
    for data in "abc":
        chat.call(publish(data))

    assert history(chat) == ["a", "b", "c"]
    assert history(chat, reverse=True) == ["c", "b", "a"]
    assert history(chat, since=StreamPosition(1)) == ["b", "c"]
    assert refused(chat, History(channel="lobby", limit=1, since=StreamPosition(1, "other"))).code == 112


@pytest.mark.parametrize(("limit", "found"), [(None, 0), (0, 0), (2, 2), (-1, 3), (99, 3)])
def test_a_page_has_as_many_as_asked_for_and_the_position(limit: int | None, found: int) -> None:
    chat = Chat(recovery_window=3)
    for data in "abcd":
        chat.call(publish(data))

    page = chat.call(History(channel="lobby", limit=limit))

    assert len(page.publications) == found
    assert (page.offset, page.epoch) == (4, chat.log.position("lobby").epoch)


def test_removed_history_is_gone_and_offsets_go_on() -> None:
    chat = Chat()
    ann = chat.member("lobby")
    chat.call(publish("a", idempotency_key="k"))

    chat.call(HistoryRemove(channel="lobby"))

    assert history(chat) == []
    assert chat.log.after("lobby", 0, LIMIT) == []
    assert ann.rpc("messages", channel="lobby")["rpc"]["data"]["messages"] == []
    assert chat.call(publish("b", idempotency_key="k")).offset == 2
    assert ann.said() == ["a", "b"]
    assert history(chat) == ["b"]


def test_who_resumes_from_before_a_removal_is_told_that_something_is_missing() -> None:
    chat = Chat()
    for data in "abc":
        chat.call(publish(data))
    epoch = chat.log.position("lobby").epoch

    chat.call(HistoryRemove(channel="lobby"))

    before = chat.connect().subscribe("lobby", recover=True, offset=1, epoch=epoch)["subscribe"]
    after = chat.connect().subscribe("lobby", recover=True, offset=3, epoch=epoch)["subscribe"]
    assert "recovered" not in before
    assert after["recovered"] is True


def test_what_was_said_after_a_removal_is_recovered() -> None:
    chat = Chat()
    for data in "ab":
        chat.call(publish(data))
    chat.call(HistoryRemove(channel="lobby"))
    chat.call(publish("c"))

    reply = chat.connect().subscribe("lobby", recover=True, offset=2, epoch=chat.log.position("lobby").epoch)

    assert [found["data"] for found in reply["subscribe"]["publications"]] == ["c"]


def test_a_removal_takes_as_many_steps_as_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.writer.TRIM_STEP", 2)
    chat = Chat()
    for data in "abcde":
        chat.call(publish(data))

    chat.call(HistoryRemove(channel="lobby"))

    assert chat.log.after("lobby", 0, LIMIT) == []


def test_a_removal_that_fails_is_an_error() -> None:
    log = FakeLog()
    chat = Chat(log)
    chat.call(publish("a"))
    log.append_errors.append(LogError("disk full"))

    assert refused(chat, HistoryRemove(channel="lobby")).code == 100
    assert history(chat) == ["a"]


def test_what_was_read_before_a_removal_and_comes_after_it_is_not_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader and the writer are two threads: a room may be told of a page that is no more."""
    chat = Chat()
    for data in "ab":
        chat.call(publish(data))
    page = chat.log.before("lobby", 3, LIMIT)

    chat.call(HistoryRemove(channel="lobby"))
    with monkeypatch.context() as patch:
        patch.setattr(chat.log, "before", lambda *_: page)
        chat.room("lobby").tell(CatchUp())
        chat.run()

    assert history(chat) == []


def test_an_entry_that_was_removed_before_its_room_heard_of_it_is_shown_and_not_kept() -> None:
    """The writer tells the room of a removal directly, and of an entry through the journal."""
    chat = Chat()
    ann = chat.member("lobby")
    chat.call(publish("a"))
    room, entries = chat.room("lobby"), chat.log.after("lobby", 0, LIMIT)
    entry = msgspec.structs.replace(entries[0], offset=2)
    request = RemoveHistory(chat.find("api"), "lobby", Command(0, Send()), SERVER)

    room.tell(Removed(Remove(room, "lobby", 2, request)))
    room.tell(Committed(chat.log.position("lobby").epoch, [entry]))
    chat.run()

    assert ann.said() == ["a", "a"]
    assert history(chat, since=StreamPosition(1)) == []


# Who is there


def test_presence_is_told_as_to_clients() -> None:
    chat = Chat()
    ann = chat.member("lobby", name="Ann")

    present = chat.call(Presence(channel="lobby")).presence
    counted = chat.call(PresenceStats(channel="lobby"))

    assert {client: info.conn_info for client, info in present.items()} == {ann.id: {"name": "Ann"}}
    assert (counted.num_clients, counted.num_users) == (1, 1)


def test_channels_are_those_that_have_clients() -> None:
    chat = Chat()
    chat.member("lobby", "garden")
    chat.member("lobby")
    chat.call(publish("a", channel="attic"))

    def channels(pattern: str | None = None) -> dict[str, int]:
        found = chat.call(Channels(pattern=pattern)).channels
        return {name: channel.num_clients for name, channel in found.items()}

    assert channels() == {"lobby": 2, "garden": 1}
    assert channels("g*") == {"garden": 1}
    assert channels("l?bby") == {"lobby": 2}
    assert channels("G*") == {}


def test_info_counts_what_there_is() -> None:
    chat = Chat()
    ann = chat.member("lobby", "garden")
    chat.connect(guest=ann.hello["data"]["guest"]).subscribe("lobby")
    chat.advance(7)

    (node,) = chat.call(Info()).nodes

    assert (node.num_clients, node.num_users, node.num_channels, node.num_subs) == (2, 1, 2, 3)
    assert (node.version, node.uptime) == ("1.2.3", 7)
    assert chat.call(Info()).nodes[0].uid == node.uid


# Users


def two_of_ann(chat: Chat) -> tuple[Client, Client, Client]:
    """Two connections of one user, and one of another."""
    ann = chat.member("lobby")
    return ann, chat.connect(guest=ann.hello["data"]["guest"]), chat.member("lobby")


def test_disconnect_closes_every_connection_of_the_user() -> None:
    chat = Chat()
    ann, ann_too, bob = two_of_ann(chat)

    chat.call(Disconnect(user=user_of(ann)))

    assert [client.close_code for client in (ann, ann_too, bob)] == [3503, 3503, None]


def test_a_connection_that_has_ended_is_not_counted_any_more() -> None:
    chat = Chat()
    ann, ann_too, bob = two_of_ann(chat)

    ann.hang_up()
    assert chat.call(Info()).nodes[0].num_clients == 2
    ann_too.ref.tell(Unheard())
    chat.run()

    (node,) = chat.call(Info()).nodes
    assert (node.num_clients, node.num_users) == (1, 1)
    chat.call(Disconnect(user=user_of(ann)))
    assert bob.close_code is None


def test_disconnect_may_mean_one_connection_or_spare_some() -> None:
    chat = Chat()
    ann, ann_too, _ = two_of_ann(chat)
    reason = DisconnectReason(4500, "go away")

    chat.call(Disconnect(user=user_of(ann), whitelist=[ann.id], disconnect=reason))
    assert (ann.close_code, ann_too.close_code) == (None, 4500)

    chat.call(Disconnect(user=user_of(ann), client=ann_too.id))
    assert ann.close_code is None

    chat.call(Disconnect(user=user_of(ann), client=ann.id, disconnect=DisconnectReason()))
    assert ann.close_code == 3503


def test_a_user_who_is_not_there_is_no_error() -> None:
    chat = Chat()

    assert chat.call(Disconnect(user="nobody")) == Empty()


def test_a_client_that_is_kept_busy_is_closed_all_the_same() -> None:
    chat = Chat()
    ann = chat.member("lobby")
    limit_mailbox(ann.ref, 0)

    chat.call(Disconnect(user=user_of(ann)))

    assert ann.close_code == 3503


def test_unsubscribe_ends_the_subscription_for_good() -> None:
    chat = Chat()
    ann, ann_too, bob = two_of_ann(chat)
    user = user_of(ann)

    chat.call(Unsubscribe(user=user, channel="garden"))
    chat.call(Unsubscribe(user=user, channel="lobby", client=ann_too.id))
    assert ann.pushes("unsubscribe") == []

    chat.call(Unsubscribe(user=user, channel="lobby"))
    chat.call(publish("a"))

    assert ann.pushes("unsubscribe") == [{"code": 2000, "reason": "server unsubscribe"}]
    assert ann_too.pushes("unsubscribe") == []
    assert (ann.said(), bob.said()) == ([], ["a"])
    assert len(bob.pushes("leave")) == 1


def test_a_plain_text_client_has_no_other_room_to_be_in() -> None:
    chat = Chat()
    seven = chat.text("7")
    (author,) = chat.call(Presence(channel="lobby")).presence.values()

    chat.call(Subscribe(user=author.user, channel="garden"))
    chat.call(publish("a", channel="garden"))
    assert seven.lines == []

    chat.call(Unsubscribe(user=author.user, channel="lobby"))
    assert seven.close_code == 3503


def test_subscribe_makes_every_connection_of_the_user_a_member() -> None:
    chat = Chat()
    ann, ann_too, _ = two_of_ann(chat)
    chat.call(publish("before", channel="garden"))

    chat.call(Subscribe(user=user_of(ann), channel="garden", data=Raw(b'{"why":"invited"}')))
    chat.call(publish("a", channel="garden"))

    position = {"epoch": chat.log.position("garden").epoch, "offset": 1, "recoverable": True, "positioned": True}
    assert ann.pushes("subscribe", "garden") == [{**position, "data": {"why": "invited"}}]
    assert ann.said("garden") == ann_too.said("garden") == ["a"]
    assert ann.publish("garden", "b") == {"publish": {}}
    assert ann.subscribe("garden")["error"]["code"] == 105


def test_subscribe_may_mean_one_connection() -> None:
    chat = Chat()
    ann, ann_too, _ = two_of_ann(chat)

    chat.call(Subscribe(user=user_of(ann), channel="garden", client=ann.id))

    assert (len(ann.pushes("subscribe", "garden")), ann_too.pushes("subscribe", "garden")) == (1, [])
    assert ann.pushes("subscribe", "garden")[0].keys() == {"epoch", "offset", "recoverable", "positioned"}


def test_what_is_said_before_a_subscription_of_the_servers_is_made_waits_for_it() -> None:
    chat = Chat()
    ann = chat.connect()
    with behind(chat.find("rooms")):
        chat.system.call(Subscribe(user=user_of(ann), channel="garden"))
        chat.run()
        number = ann.send(publish={"channel": "garden", "data": "a"})
        chat.run()
    chat.call(Channels())  # (so that the rooms' supervisor goes on)

    assert ann.reply(number) == {"publish": {}}
    assert ann.said("garden") == ["a"]


def test_a_subscription_that_a_token_made_is_ended_as_any_other() -> None:
    chat = Chat(tokens=tokens())
    ada = chat.user(token(sub="ada", channels=["lobby"]))

    chat.call(Unsubscribe(user="ada", channel="lobby"))

    assert ada.pushes("unsubscribe") == [{"code": 2000, "reason": "server unsubscribe"}]
    assert ada.close_code is None
    assert ada.publish("lobby", "a")["error"]["code"] == 103


def test_private_channels_are_open_to_the_api_and_to_whom_it_subscribes() -> None:
    chat = Chat()
    ann = chat.connect()

    chat.call(Subscribe(user=user_of(ann), channel="$tea"))
    chat.call(publish("a", channel="$tea"))

    assert ann.said("$tea") == ["a"]
    assert len(ann.history("$tea", limit=9)["history"]["publications"]) == 1
    assert history(chat, channel="$tea") == ["a"]
    assert chat.call(Channels()).channels.keys() == {"$tea"}
    assert chat.call(Info()).nodes[0].num_subs == 1
    assert ann.rpc("rooms") == {"rpc": {"data": {"rooms": []}}}


def test_who_is_subscribed_stays_so() -> None:
    chat = Chat()
    ann = chat.member("lobby")

    chat.call(Subscribe(user=user_of(ann), channel="lobby"))

    assert ann.pushes("subscribe") == []
    assert ann.close_code is None


def test_subscribe_from_a_position_shows_what_came_since() -> None:
    chat = Chat()
    ann = chat.connect()
    for data in "abc":
        chat.call(publish(data))

    chat.call(Subscribe(user=user_of(ann), channel="lobby", recover_since=StreamPosition(1)))

    assert ann.pushes("subscribe")[0]["offset"] == 1
    assert ann.said() == ["b", "c"]


def test_subscribe_does_not_exceed_the_limit_of_a_connection() -> None:
    chat = Chat(max_channels=1)
    ann = chat.member("lobby")

    chat.call(Subscribe(user=user_of(ann), channel="garden"))

    assert ann.pushes("subscribe", "garden") == []
    assert ann.publish("garden", "a")["error"]["code"] == 103
    assert chat.system.counts.limits_hit["max_channels"] == 1


def test_a_subscription_that_cannot_be_made_is_none_and_nobody_is_told_twice() -> None:
    chat = Chat(max_rooms=1)
    ann = chat.member("lobby")
    ann.forget()

    chat.call(Subscribe(user=user_of(ann), channel="garden"))

    assert ann.received == []
    assert ann.close_code is None
    assert ann.publish("garden", "a")["error"]["code"] == 103


def test_an_unsubscribe_right_after_a_subscribe_leaves_nothing_behind() -> None:
    chat = Chat()
    ann = chat.connect()
    ann.forget()

    for request in (
        Subscribe(user=user_of(ann), channel="lobby"),
        Unsubscribe(user=user_of(ann), channel="lobby"),
    ):
        chat.system.call(request)
    chat.run()

    assert chat.call(PresenceStats(channel="lobby")).num_clients == 0
    assert [list(message["push"]) for message in ann.received] == [["channel", "unsubscribe"]]
    assert ann.close_code is None


def test_a_subscription_of_the_servers_survives_a_crash_of_the_room() -> None:
    chat = Chat()
    ann = chat.connect()
    chat.call(Subscribe(user=user_of(ann), channel="lobby"))

    chat.crash_room("lobby")
    chat.call(publish("a"))

    assert ann.said() == ["a"]


def test_one_that_cannot_go_on_closes_the_connection() -> None:
    """An SDK cannot subscribe again to what it did not subscribe to. It connects again, and the product is asked."""
    chat = Chat()
    ann = chat.connect()
    chat.call(Subscribe(user=user_of(ann), channel="lobby"))

    chat.crash_room("lobby", ROOM_INTENSITY.max_restarts + 1)

    assert ann.close_code == 3010


def test_refresh_says_when_a_connection_ends() -> None:
    chat = Chat()
    ann, ann_too, bob = two_of_ann(chat)
    in_an_hour = NOON_MS // 1000 + 3600

    chat.call(Refresh(user=user_of(ann), client=ann.id, expire_at=in_an_hour))
    chat.advance(3000)
    chat.call(Refresh(user=user_of(ann), expire_at=in_an_hour + 3600))
    chat.advance(3000)
    assert (ann.close_code, ann_too.close_code) == (None, None)

    chat.call(Refresh(user=user_of(ann), client=ann_too.id, expire_at=0))
    chat.advance(3000)

    assert (ann.close_code, ann_too.close_code, bob.close_code) == (3005, None, None)


def test_there_is_a_grace_to_bring_a_token_in() -> None:
    chat = Chat(token_grace_s=25.0)
    ann = chat.connect()

    chat.call(Refresh(user=user_of(ann), expire_at=NOON_MS // 1000 + 60))
    chat.advance(84.9)
    before = ann.close_code
    chat.advance(0.2)

    assert (before, ann.close_code) == (None, 3005)


def test_an_end_that_is_past_ends_it_at_once() -> None:
    chat = Chat()
    ann = chat.connect()

    chat.call(Refresh(user=user_of(ann), expire_at=1))
    chat.advance(0.1)

    assert ann.close_code == 3005


def test_refresh_overrules_the_token_until_the_client_brings_another() -> None:
    chat = Chat(tokens=tokens())
    noon = NOON_MS // 1000
    ada = chat.user(token(sub="ada", exp=noon + 60))

    chat.call(Refresh(user="ada", expire_at=0))
    chat.advance(600)
    assert ada.close_code is None

    assert ada.ask(refresh={"token": token(sub="ada", exp=noon + 700)})["refresh"]["ttl"] == 100
    chat.advance(126)
    assert ada.close_code == 3005


def test_refresh_with_expired_ends_it_now() -> None:
    chat = Chat()
    ann, ann_too, bob = two_of_ann(chat)

    chat.call(Refresh(user=user_of(ann), expired=True))

    assert [client.close_code for client in (ann, ann_too, bob)] == [3005, 3005, None]
