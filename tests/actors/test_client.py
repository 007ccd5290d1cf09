"""The client actor, from its socket's side: what a connection may say, and what it is answered."""

from __future__ import annotations

from typing import Any

import pytest

from actors.messages import Receive, Reject
from chat.errors import MESSAGE_TOO_BIG
from tests.fakes import NOON_MS, Chat, Client, Unheard, limit_mailbox


def error(code: int, message: str = "", *, temporary: bool = False) -> dict[str, Any]:
    """Return the error reply with this code; a message that is not given is any."""
    return {"code": code, **({"message": message} if message else {}), **({"temporary": True} if temporary else {})}


def send(channel: str = "lobby", key: str = "k", text: str = "t") -> dict[str, Any]:
    """Return the command that sends a message."""
    return {"rpc": {"method": "send", "data": {"channel": channel, "key": key, "text": text}}}


def error_of(reply: dict[str, Any], *, with_message: bool = False) -> dict[str, Any]:
    """Return the error of a reply, which then has nothing else."""
    assert reply.keys() == {"error"}
    found: dict[str, Any] = reply["error"]
    return found if with_message else {key: value for key, value in found.items() if key != "message"}


def violates(client: Client, frame: str) -> bool:
    """Tell whether a frame closes the connection as a bad request, with nothing answered."""
    client.forget()
    client.send_frame(frame)
    client.chat.run()
    return client.close_code == 3501 and client.received == []


# Connect


def test_connect_is_answered_with_who_the_client_is_and_how_it_is_pinged() -> None:
    client = Chat(ping_interval_s=25.0).connect("Ann")

    hello = client.hello
    assert hello.keys() == {"client", "version", "data", "ping", "pong", "subs"}
    assert hello["data"].keys() == {"user", "name", "guest"}
    assert hello["data"]["name"] == "Ann"
    assert (hello["version"], hello["ping"], hello["pong"]) == ("1.2.3", 25, True)


def test_a_ping_interval_is_told_in_whole_seconds_rounded_up() -> None:
    assert Chat(ping_interval_s=1.2).connect().hello["ping"] == 2


def test_every_connection_has_an_id_of_its_own() -> None:
    chat = Chat()

    assert chat.connect().id != chat.connect().id


def test_a_guest_that_brings_its_token_back_is_the_same_user_on_another_connection() -> None:
    chat = Chat()
    first = chat.connect("Ann")

    again = chat.connect("Ann", guest=first.hello["data"]["guest"])

    assert again.hello["data"] == first.hello["data"]
    assert again.id != first.id


@pytest.mark.parametrize("data", [{}, {"connect": {}}, {"connect": {"data": None}}])
def test_a_guest_without_a_name_gets_one(data: dict[str, Any]) -> None:
    reply = Chat().open().ask(**(data or {"connect": {"data": {}}}))

    assert reply["connect"]["data"]["name"].startswith("Guest ")


def test_a_connection_token_closes_the_connection() -> None:
    client = Chat().open()
    client.send(connect={"token": "eyJ"})
    client.chat.run()

    assert client.close_code == 3500
    assert client.received == []


@pytest.mark.parametrize("data", [{"name": "x" * 41}, {"name": "a\x00"}, {"name": 7}, [], "Ann"])
def test_bad_connect_data_is_a_bad_request(data: Any) -> None:
    reply = Chat().open().ask(connect={"data": data})

    assert error_of(reply) == error(107)


def test_after_an_error_reply_to_connect_the_rest_is_ignored() -> None:
    client = Chat().open()
    bad_connect = {"connect": {"data": {"name": 7}}}

    numbers = client.send_batch(bad_connect, {"subscribe": {"channel": "lobby"}}, {"connect": {}})
    client.send(connect={})
    client.send_frame("{}")
    client.chat.run()

    assert [message["id"] for message in client.received] == [numbers[0]]
    assert client.close_code is None


def test_a_client_that_was_told_off_at_connect_and_stays_is_stale() -> None:
    client = Chat(connect_timeout_s=10.0).open()
    client.ask(connect={"data": {"name": 7}})

    client.chat.advance(10)

    assert client.close_code == 3502


def test_an_sdk_may_send_connect_and_its_subscribes_in_one_frame() -> None:
    client = Chat().open()

    numbers = client.send_batch({"connect": {}}, {"subscribe": {"channel": "a"}}, {"subscribe": {"channel": "b"}})

    replies = [message for message in client.received if "id" in message]
    assert [reply["id"] for reply in replies] == numbers
    assert [key for reply in replies for key in reply if key != "id"] == ["connect", "subscribe", "subscribe"]


def test_a_second_connect_is_a_violation() -> None:
    assert violates(Chat().connect(), '{"id":9,"connect":{}}')


@pytest.mark.parametrize(
    "frame",
    [
        '{"id":1,"subscribe":{"channel":"lobby"}}',
        '{"id":1,"rpc":{"method":"rooms"}}',
        '{"id":1,"ping":{}}',
        '{"send":{}}',
        "{}",
        '{"id":1,"subscribe":{"channel":"lobby"}}\n{"id":2,"connect":{}}',
    ],
)
def test_a_command_before_connect_is_a_violation(frame: str) -> None:
    assert violates(Chat().open(), frame)


def test_a_socket_that_does_not_connect_in_time_is_stale() -> None:
    client = Chat(connect_timeout_s=10.0).open()

    client.chat.advance(9.9)
    assert client.close_code is None
    client.chat.advance(0.2)

    assert client.close_code == 3502


def test_one_that_did_is_not() -> None:
    client = Chat(connect_timeout_s=10.0).connect()

    client.chat.advance(60)

    assert client.close_code is None


# Violations


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param("", id="empty"),
        pytest.param("hello", id="not JSON"),
        pytest.param('{"id":9,"dance":{}}', id="unknown method"),
        pytest.param('{"publish":{"channel":"lobby","data":1}}', id="no id"),
        pytest.param('{"id":9,"subscribe":{"channel":""}}', id="empty channel"),
        pytest.param("{}", id="pong without a ping"),
        pytest.param('{"id":9,"publish":{"channel":"lobby","data":' + "[" * 9000, id="hostile nesting"),
    ],
)
def test_a_frame_that_is_none_of_the_protocols_closes_the_connection(frame: str) -> None:
    client = Chat().member("lobby")

    assert violates(client, frame)


def test_what_the_gateway_rejects_closes_the_connection_with_its_reason() -> None:
    client = Chat().connect()

    client.ref.tell(Reject(MESSAGE_TOO_BIG))
    client.chat.run()

    assert client.close_code == 1009


def test_commands_before_a_violation_in_the_same_frame_are_answered_and_those_after_are_not() -> None:
    client = Chat().connect()
    client.forget()

    numbers = client.send_batch({"unsubscribe": {"channel": "a"}}, {"connect": {}}, {"unsubscribe": {"channel": "b"}})

    assert [message["id"] for message in client.received] == [numbers[0]]
    assert client.close_code == 3501


def test_an_asynchronous_message_to_the_server_is_not_available() -> None:
    client = Chat().connect()

    client.send_frame('{"send":{"data":1}}')
    client.chat.run()

    assert client.close_code == 3508


def test_a_client_that_was_closed_has_left() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")

    bob.send_frame("hello")
    chat.run()

    assert [leave["info"]["client"] for leave in ann.pushes("leave")] == [bob.id]


# What is answered with an error


@pytest.mark.parametrize(
    ("code", "command"),
    [
        pytest.param(108, {"ping": {}}, id="ping command"),
        pytest.param(103, {"sub_refresh": {"channel": "nowhere", "token": "t"}}, id="refresh of no subscription"),
        pytest.param(107, {"sub_refresh": {"channel": "lobby"}}, id="refresh of a subscription without a token"),
        pytest.param(108, {"subscribe": {"channel": "a", "type": 1}}, id="map channel"),
        pytest.param(107, {"subscribe": {"channel": "a", "tf": {"op": "eq"}}}, id="tag filter"),
        pytest.param(103, {"subscribe": {"channel": "a", "token": "t"}}, id="subscription token"),
        pytest.param(105, {"subscribe": {"channel": "lobby"}}, id="subscribed already"),
        pytest.param(103, {"subscribe": {"channel": "$private"}}, id="private channel"),
        pytest.param(103, {"subscribe": {"channel": "dialog#1,2"}}, id="user-limited channel"),
        pytest.param(107, {"subscribe": {"channel": "x" * 256}}, id="long channel name"),
        pytest.param(107, {"subscribe": {"channel": "a\nb"}}, id="odd channel name"),
        pytest.param(103, {"publish": {"channel": "elsewhere", "data": 1}}, id="publish from outside"),
        pytest.param(108, {"publish": {"channel": "lobby", "data": 1, "type": 1}}, id="map publish"),
        pytest.param(107, {"publish": {"channel": "lobby"}}, id="publish nothing"),
        pytest.param(103, {"presence": {"channel": "$private"}}, id="presence of a private channel"),
        pytest.param(103, {"presence_stats": {"channel": "dialog#1,2"}}, id="count in a user-limited channel"),
        pytest.param(103, {"history": {"channel": "$private"}}, id="history of a private channel"),
        pytest.param(107, {"history": {"channel": "lobby", "limit": -2}}, id="negative limit"),
        pytest.param(104, {"rpc": {"method": "sing"}}, id="unknown rpc method"),
        pytest.param(104, {"rpc": {}}, id="no rpc method"),
        pytest.param(107, {"rpc": {"method": "send"}}, id="send without arguments"),
        pytest.param(103, send("elsewhere"), id="send from outside"),
        pytest.param(107, send(key=""), id="send without a key"),
        pytest.param(107, send(key="k" * 65), id="send with a long key"),
        pytest.param(107, send(text=" "), id="send without a text"),
        pytest.param(107, send(text="t" * 11), id="send with a long text"),
        pytest.param(103, {"rpc": {"method": "typing", "data": {"channel": "elsewhere"}}}, id="typing from outside"),
        pytest.param(107, {"rpc": {"method": "typing", "data": {}}}, id="typing nowhere"),
    ],
)
def test_what_cannot_be_done_is_answered_with_an_error_and_the_connection_stays(
    code: int, command: dict[str, Any]
) -> None:
    client = Chat(max_text_chars=10).member("lobby")

    assert error_of(client.ask(**command)) == error(code)
    assert client.close_code is None
    assert client.publish("lobby", "still here") == {"publish": {}}


@pytest.mark.parametrize("raw", ["[" * 21 + "]" * 21, "1e400", "1" * 5000])
def test_data_that_others_could_not_read_is_refused(raw: str) -> None:
    client = Chat().member("lobby")

    client.send_frame(f'{{"id":9,"publish":{{"channel":"lobby","data":{raw}}}}}')
    client.chat.run()

    assert error_of(client.reply(9)) == error(107)
    assert client.said() == []


def test_an_unknown_error_never_hides_what_was_wrong() -> None:
    reply = Chat().connect().ask(subscribe={"channel": "a", "tf": {}})

    assert error_of(reply, with_message=True) == error(107, "bad request: tag filters are not supported")


def test_one_subscription_more_than_allowed_is_refused() -> None:
    client = Chat(max_channels=2).member("a", "b")

    assert error_of(client.subscribe("c")) == error(106)


def test_a_subscription_that_was_given_up_makes_room_for_another() -> None:
    client = Chat(max_channels=1).member("a")
    client.ask(unsubscribe={"channel": "a"})

    assert "subscribe" in client.subscribe("b")


def test_a_refused_subscription_does_not_count() -> None:
    chat = Chat(max_channels=1, max_rooms=1)
    chat.member("taken")
    client = chat.connect()

    assert error_of(client.subscribe("a")) == error(106)
    assert "subscribe" in client.subscribe("taken")


def test_more_unanswered_commands_than_allowed_are_too_many_requests() -> None:
    client = Chat(max_pending=2).member("lobby")

    numbers = client.send_batch(*[{"publish": {"channel": "lobby", "data": text}} for text in "abc"])

    assert client.reply(numbers[0]) == client.reply(numbers[1]) == {"publish": {}}
    assert error_of(client.reply(numbers[2])) == error(111, temporary=True)
    assert client.said() == ["a", "b"]


@pytest.mark.parametrize(
    "command",
    [
        {"subscribe": {"channel": "garden"}},
        {"presence": {"channel": "lobby"}},
        {"presence_stats": {"channel": "lobby"}},
        {"history": {"channel": "lobby"}},
        {"rpc": {"method": "rooms"}},
        send(),
    ],
    ids=["subscribe", "presence", "presence_stats", "history", "rooms", "send"],
)
def test_every_command_that_waits_for_an_answer_counts(command: dict[str, Any]) -> None:
    client = Chat(max_pending=1).member("lobby")

    numbers = client.send_batch({"history": {"channel": "lobby"}}, command)

    assert error_of(client.reply(numbers[1])) == error(111, temporary=True)


def test_answered_commands_make_room_for_others() -> None:
    client = Chat(max_pending=1).member("lobby")
    client.send_batch({"history": {"channel": "lobby"}}, {"history": {"channel": "lobby"}})

    assert client.publish("lobby", "a") == {"publish": {}}


def test_refused_and_failed_commands_make_room_for_others_too() -> None:
    chat = Chat(max_pending=1, presence_limit=1)
    client = chat.member("lobby", name="Ann")
    chat.member("lobby")
    client.ask(presence={"channel": "lobby"})
    chat.crash_room("lobby")

    assert client.publish("lobby", "a") == {"publish": {}}


def test_a_busy_room_is_too_many_requests() -> None:
    client = Chat().member("lobby")
    limit_mailbox(client.chat.room("lobby"), 0)

    assert error_of(client.publish("lobby", "a")) == error(111, temporary=True)


# Subscriptions


def test_a_first_subscribe_says_where_the_channel_is() -> None:
    chat = Chat()
    ann = chat.member("lobby")
    ann.publish("lobby", "a")

    reply = chat.connect().subscribe("lobby")["subscribe"]

    assert reply == {"recoverable": True, "positioned": True, "epoch": reply["epoch"], "offset": 1}
    assert reply["epoch"]


def test_offset_zero_is_left_out() -> None:
    assert Chat().connect().subscribe("lobby")["subscribe"].keys() == {"recoverable", "positioned", "epoch"}


def test_the_reply_comes_before_the_first_publication() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.connect()
    bob.forget()

    bob.send(subscribe={"channel": "lobby"})
    ann.send(publish={"channel": "lobby", "data": "a"})
    chat.run()

    assert "subscribe" in bob.received[0]
    assert bob.said() == ["a"]


def test_leaving_a_channel_one_is_not_in_is_a_success() -> None:
    assert Chat().connect().ask(unsubscribe={"channel": "lobby"}) == {"unsubscribe": {}}


def test_who_has_left_hears_nothing_more() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")

    reply = bob.ask(unsubscribe={"channel": "lobby"})
    ann.publish("lobby", "a")

    assert reply == {"unsubscribe": {}}
    assert bob.said() == []


def test_who_leaves_while_it_enters_is_out() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.connect()

    numbers = bob.send_batch({"subscribe": {"channel": "lobby"}}, {"unsubscribe": {"channel": "lobby"}})
    ann.publish("lobby", "a")

    assert bob.reply(numbers[1]) == {"unsubscribe": {}}
    assert len(bob.replies(numbers[0])) == 1
    assert bob.said() == []
    assert ann.ask(presence_stats={"channel": "lobby"})["presence_stats"]["num_clients"] == 1


def test_who_leaves_and_comes_back_at_once_is_in() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")

    bob.send_batch({"unsubscribe": {"channel": "lobby"}}, {"subscribe": {"channel": "lobby"}})
    ann.publish("lobby", "a")

    assert bob.said() == ["a"]


def test_who_changes_its_mind_twice_while_it_enters_is_in_once() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.connect()

    numbers = bob.send_batch(
        {"subscribe": {"channel": "lobby"}}, {"unsubscribe": {"channel": "lobby"}}, {"subscribe": {"channel": "lobby"}}
    )
    ann.publish("lobby", "a")

    assert [len(bob.replies(number)) for number in numbers] == [1, 1, 1]
    assert bob.said() == ["a"]
    assert len(ann.pushes("join")) == 2  # its own, and bob's
    assert ann.pushes("leave") == []


def test_the_channels_of_one_connection_do_not_mix() -> None:
    chat = Chat()
    ann, bob = chat.member("a", "b"), chat.member("b")

    ann.publish("a", "in a")
    ann.publish("b", "in b")

    assert ann.said("a") == ["in a"]
    assert ann.said("b") == bob.said("b") == ["in b"]
    assert bob.said("a") == []


def test_what_is_sent_right_after_subscribe_in_the_same_frame_is_published() -> None:
    client = Chat().open()

    numbers = client.send_batch(
        {"connect": {}},
        {"subscribe": {"channel": "lobby"}},
        {"publish": {"channel": "lobby", "data": "a"}},
        send(text="b"),
    )

    assert client.reply(numbers[2]) == {"publish": {}}
    assert client.reply(numbers[3])["rpc"]["data"]["offset"] == 2


# Publishing


def test_a_publication_reaches_every_member_its_author_included() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby", name="Ann"), chat.member("lobby")

    reply = ann.publish("lobby", {"x": [1, None]})

    assert reply == {"publish": {}}
    assert ann.publications() == bob.publications()
    assert bob.publications() == [
        {
            "data": {"x": [1, None]},
            "info": {"user": ann.hello["data"]["user"], "client": ann.id, "conn_info": {"name": "Ann"}},
            "offset": 1,
            "time": NOON_MS,
        }
    ]


@pytest.mark.parametrize("data", [None, False, 0, "", [], {}])
def test_any_json_is_data_even_what_is_empty(data: Any) -> None:
    client = Chat().member("lobby")

    client.publish("lobby", data)

    assert client.said() == [data]


def test_send_is_answered_with_where_the_message_is_stored() -> None:
    client = Chat().member("lobby")

    reply = client.rpc("send", channel="lobby", key="k", text="hi")

    epoch = client.history("lobby")["history"]["epoch"]
    assert reply == {"rpc": {"data": {"offset": 1, "epoch": epoch, "time": NOON_MS}}}


def test_a_sent_message_carries_its_text_key_and_time() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")
    chat.advance(2)

    ann.rpc("send", channel="lobby", key="k", text=" hi ")

    assert bob.said() == [{"type": "message", "key": "k", "text": " hi ", "time": NOON_MS + 2000}]


def test_the_same_key_again_is_answered_with_the_first_message_and_shown_to_nobody() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")
    first = ann.rpc("send", channel="lobby", key="k", text="hi")["rpc"]["data"]
    chat.advance(5)

    again = ann.rpc("send", channel="lobby", key="k", text="hi")["rpc"]["data"]

    assert again == {**first, "duplicate": True}
    assert bob.offsets() == [1]


def test_a_repeat_is_recognised_after_a_reconnect_of_the_same_guest() -> None:
    chat = Chat()
    first = chat.member("lobby")
    first.rpc("send", channel="lobby", key="k", text="hi")
    first.hang_up()

    again = chat.connect(guest=first.hello["data"]["guest"])
    again.subscribe("lobby")

    assert again.rpc("send", channel="lobby", key="k", text="hi")["rpc"]["data"]["duplicate"] is True


def test_two_guests_may_use_the_same_key() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")

    replies = [client.rpc("send", channel="lobby", key="k", text="hi")["rpc"]["data"] for client in (ann, bob)]

    assert [reply["offset"] for reply in replies] == [1, 2]


# Typing


def test_typing_is_shown_to_all_others_and_answered() -> None:
    chat = Chat()
    ann, bob, cem = (chat.member("lobby") for _ in range(3))

    reply = ann.rpc("typing", channel="lobby")

    assert reply == {"rpc": {"data": {}}}
    assert ann.said() == []
    assert bob.said() == cem.said() == [{"type": "typing"}]
    assert bob.publications()[0]["info"]["client"] == ann.id


def test_typing_takes_no_offset_and_is_not_stored() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")

    ann.rpc("typing", channel="lobby")
    ann.publish("lobby", "a")

    assert bob.publications()[0].keys() == {"data", "info"}
    assert bob.offsets() == [1]
    assert len(ann.history("lobby", limit=-1)["history"]["publications"]) == 1


def test_typing_is_shown_once_an_interval_and_answered_each_time() -> None:
    chat = Chat(typing_interval_s=1.0)
    ann, bob = chat.member("lobby"), chat.member("lobby")

    replies = [ann.rpc("typing", channel="lobby") for _ in range(3)]
    assert len(bob.said()) == 1
    chat.advance(1)
    replies.append(ann.rpc("typing", channel="lobby"))

    assert replies == [{"rpc": {"data": {}}}] * 4
    assert len(bob.said()) == 2


def test_typing_is_counted_per_channel() -> None:
    chat = Chat()
    ann, bob = chat.member("a", "b"), chat.member("a", "b")

    ann.rpc("typing", channel="a")
    ann.rpc("typing", channel="b")

    assert len(bob.said("a")) == len(bob.said("b")) == 1


# Ping and pong


def pings(client: Client) -> int:
    return client.received.count({})


def test_the_first_ping_comes_in_the_second_half_of_the_interval() -> None:
    client = Chat(ping_interval_s=20.0).connect()

    client.chat.advance(9.9)
    assert pings(client) == 0
    client.chat.advance(10.2)

    assert pings(client) == 1


def test_pings_go_on_at_the_interval_as_long_as_they_are_answered() -> None:
    client = Chat(ping_interval_s=20.0, pong_timeout_s=15.0).connect()
    client.chat.advance(20)

    for _ in range(5):
        client.send_frame("{}")
        client.chat.advance(20)

    assert pings(client) == 6
    assert client.close_code is None


def test_a_missed_pong_closes_the_connection() -> None:
    client = Chat(ping_interval_s=20.0, pong_timeout_s=8.0).connect()

    client.chat.advance(28)

    assert pings(client) == 1
    assert client.close_code == 3012


def test_other_commands_are_no_pong() -> None:
    client = Chat(ping_interval_s=20.0, pong_timeout_s=15.0).connect()
    client.chat.advance(20)

    client.ask(unsubscribe={"channel": "a"})
    client.chat.advance(15)

    assert client.close_code == 3012


def test_a_second_pong_to_one_ping_is_a_violation() -> None:
    client = Chat(ping_interval_s=20.0, pong_timeout_s=15.0).connect()
    client.chat.advance(20)
    client.send_frame("{}")
    client.chat.run()

    assert violates(client, "{}")


# The socket


def test_what_a_turn_adds_up_to_is_written_at_once() -> None:
    client = Chat().connect()
    client.forget()
    writes = client.transport.writes

    client.send_batch({"unsubscribe": {"channel": "a"}}, {"unsubscribe": {"channel": "b"}})

    assert client.transport.writes == writes + 1
    assert len(client.received) == 2


def test_nothing_to_say_is_no_frame() -> None:
    client = Chat().connect()
    client.transport.frames.clear()

    client.ref.tell(Receive([]))
    client.chat.run()

    assert client.transport.frames == []


def test_a_client_that_reads_too_slowly_is_cut_off() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")
    bob.transport.full = True

    ann.publish("lobby", "a")

    assert bob.close_code == 3008
    assert not bob.ref.is_alive()


def test_others_do_not_suffer_from_a_slow_client() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")
    bob.transport.full = True

    replies = [ann.publish("lobby", text) for text in "ab"]

    assert replies == [{"publish": {}}] * 2
    assert ann.said() == ["a", "b"]
    assert len(ann.pushes("leave")) == 1


def test_a_client_that_hangs_up_has_left() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")

    bob.hang_up()

    assert [leave["info"]["client"] for leave in ann.pushes("leave")] == [bob.id]
    assert ann.ask(presence_stats={"channel": "lobby"})["presence_stats"]["num_clients"] == 1


def test_a_client_that_hangs_up_while_it_enters_has_left() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.connect()

    bob.send(subscribe={"channel": "lobby"})
    bob.hang_up()

    assert ann.ask(presence_stats={"channel": "lobby"})["presence_stats"]["num_clients"] == 1
    assert len(ann.pushes("leave")) == len(ann.pushes("join")) - 1


def test_what_a_client_had_sent_when_it_hung_up_is_stored() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")

    bob.send(publish={"channel": "lobby", "data": "a"})
    bob.hang_up()

    assert ann.said() == ["a"]


# Crashes


def test_a_crash_closes_the_clients_socket_and_no_other() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")

    bob.ref.tell(Unheard())
    chat.run()

    assert bob.close_code == 3004
    assert ann.close_code is None
    assert ann.publish("lobby", "a") == {"publish": {}}


def test_others_see_a_crashed_client_leave() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")

    bob.ref.tell(Unheard())
    chat.run()

    assert [leave["info"]["client"] for leave in ann.pushes("leave")] == [bob.id]


def test_a_crashed_client_is_not_started_again() -> None:
    client = Chat().connect()

    client.ref.tell(Unheard())
    client.chat.run()

    assert not client.ref.is_alive()


def test_a_request_to_rooms_that_have_ended_is_answered() -> None:
    client = Chat().connect()
    client.chat.find("rooms").stop(block=False)
    client.chat.run()

    assert error_of(client.subscribe("lobby")) == error(100, temporary=True)
