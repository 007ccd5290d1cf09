"""The clients' supervisor: one child per connection, none of them restarted, and none a concern of the others."""

from __future__ import annotations

import pytest

from actors.clients import ClientsActor
from actors.messages import Drain, TellConnected
from chat import server_api
from chat.errors import SHUTDOWN
from chat.server_api import Info
from chat.wire import JsonWire
from tests.fakes import Chat, RecordingTransport, Unheard


def test_every_connection_gets_an_actor_of_its_own() -> None:
    chat = Chat()
    ann, bob = chat.open(), chat.open()

    assert ann.ref is not bob.ref
    assert [ann.ref.name, bob.ref.name] == ["1", "2"]


def test_the_end_of_one_client_does_not_concern_the_others() -> None:
    chat = Chat()
    ann, bob = chat.connect(), chat.connect()

    bob.hang_up()

    assert "subscribe" in ann.subscribe("lobby")


def test_a_name_is_not_used_again() -> None:
    chat = Chat()
    chat.open()
    chat.open().hang_up()

    assert chat.open().ref.name == "3"


def test_any_number_of_clients_may_crash() -> None:
    chat = Chat()
    ann = chat.connect()

    for _ in range(20):
        chat.connect().ref.tell(Unheard())
        chat.run()

    assert chat.failures == []
    assert "subscribe" in ann.subscribe("lobby")


def crash(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the supervisor crash on a connection."""
    with monkeypatch.context() as patch:
        patch.setattr(ClientsActor, "spawn", None, raising=False)
        refused = chat.system.connect(JsonWire(), RecordingTransport())
        chat.run()
    with pytest.raises(TypeError):
        refused.get(timeout=0)


def test_clients_survive_a_crash_of_their_supervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")

    crash(chat, monkeypatch)
    ann.publish("lobby", "a")

    assert bob.said() == ["a"]


def test_after_that_new_clients_are_told_from_the_old_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    chat = Chat()
    chat.connect()
    bob = chat.connect()

    crash(chat, monkeypatch)

    assert chat.connect().ref.name == "3"
    assert bob.ref.is_alive()


def test_after_that_a_drain_still_reaches_the_old_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    chat = Chat()
    ann = chat.connect()

    crash(chat, monkeypatch)
    chat.system.drain()
    chat.run()

    assert ann.close_code == 3001


def test_after_that_it_still_knows_whose_connections_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    chat = Chat()
    ann, bob = chat.connect(), chat.connect()
    ann_too, nobody = chat.connect(guest=ann.hello["data"]["guest"]), chat.open()

    crash(chat, monkeypatch)
    bob.hang_up()

    (node,) = chat.call(Info()).nodes
    assert (node.num_clients, node.num_users) == (2, 1)
    chat.call(server_api.Disconnect(user=str(ann.hello["data"]["user"])))
    assert [client.close_code for client in (ann, ann_too, nobody)] == [3503, 3503, None]


def test_one_that_says_twice_who_it_is_counts_once() -> None:
    chat = Chat()
    ann = chat.connect()

    ann.ref.tell(TellConnected())
    chat.call(Info())
    ann.hang_up()

    (node,) = chat.call(Info()).nodes
    assert (node.num_clients, node.num_users) == (0, 0)


def test_one_that_ends_before_it_could_say_again_who_it_is_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    chat = Chat()
    ann = chat.connect()

    ann.ref.tell(Unheard())
    crash(chat, monkeypatch)

    assert chat.call(Info()).nodes[0].num_clients == 0
    assert chat.system.actors()[1].crashes["clients"] == 1


# Draining


def test_a_drain_closes_every_client_as_a_shutdown() -> None:
    chat = Chat()
    clients = [chat.member("lobby"), chat.connect(), chat.open()]

    chat.system.drain()
    chat.run()

    assert [client.close_code for client in clients] == [3001] * 3


def test_commands_under_way_are_answered_first() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.connect()

    publish = ann.send(publish={"channel": "lobby", "data": "a"})
    subscribe = bob.send(subscribe={"channel": "garden"})
    while not chat.find("rooms").waiting():  # until both are under way
        chat.step()
    chat.system.drain()
    chat.run()

    assert ann.reply(publish) == {"publish": {}}
    assert "subscribe" in bob.reply(subscribe)
    assert ann.close_code == bob.close_code == 3001


def test_what_waits_for_a_subscription_under_way_is_done_too() -> None:
    chat = Chat()
    ann = chat.connect()

    ann.send_frame('{"id":8,"subscribe":{"channel":"lobby"}}\n{"id":9,"publish":{"channel":"lobby","data":"a"}}')
    while not chat.find("rooms").waiting():
        chat.step()
    chat.system.drain()
    chat.run()

    assert ann.reply(9) == {"publish": {}}
    assert [entry.data for entry in chat.log.after("lobby", 0, 10)] == [b'"a"']


def test_new_commands_are_not_taken() -> None:
    chat = Chat()
    ann, bob = chat.member("lobby"), chat.member("lobby")

    ann.ref.tell(Drain(SHUTDOWN))
    number = ann.send(publish={"channel": "lobby", "data": "a"})
    chat.run()

    assert ann.replies(number) == []
    assert bob.said() == []
    assert ann.close_code == 3001


def test_a_drain_overtakes_the_commands_that_wait() -> None:
    chat = Chat()
    ann = chat.member("lobby")

    numbers = [ann.send(publish={"channel": "lobby", "data": text}) for text in "abc"]
    ann.ref.tell(Drain(SHUTDOWN))
    chat.run()

    assert ann.replies(*numbers) == []
    assert ann.close_code == 3001
