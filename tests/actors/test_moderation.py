"""Kick, ban, mute: effective at once on every connection, and after a crash or a restart."""

from __future__ import annotations

from typing import Any

import pytest

from actors.messages import CheckBan, TellSize
from chat import sanctions
from chat.log import LogError, MemoryLog
from tests.fakes import NOON_MS, Chat, Client, FakeLog, Unheard, behind
from tests.tokens import token, tokens

HOUR_MS = 3_600_000


class World(Chat):
    """A chat with a moderator, Mo, in the lobby."""

    def __init__(self, log: MemoryLog | FakeLog | None = None, **options: Any) -> None:
        super().__init__(log, tokens=tokens(), **options)
        self.mo = self.person("mo", "moderator", "lobby")

    def person(self, sub: str, role: str, *channels: str, **claims: Any) -> Client:
        client = self.user(token(sub=sub, meta={"role": role}, **claims))
        for channel in channels:
            assert "subscribe" in client.subscribe(channel)
        return client

    def eve(self, *channels: str, **claims: Any) -> Client:
        return self.person("eve", "member", *channels, **claims)

    def does(self, method: str, user: str = "eve", channel: str = "lobby", **data: Any) -> dict[str, Any]:
        by = data.pop("by", self.mo)
        place = {"channel": channel} if channel else {}
        reply: dict[str, Any] = by.rpc(method, user=user, **{"reason": "spam", **place, **data})
        return reply

    def crash_before_it_knows(self, method: str) -> int:
        """Have the lobby crash on a message that comes between what Mo wants of it and the news that it is stored."""
        with behind(self.find("writer")):
            number = self.mo.send(rpc={"method": method, "data": {"channel": "lobby", "user": "eve", "reason": "spam"}})
            self.run()
        with behind(self.room("lobby")):
            self.room("lobby").tell(Unheard())
            self.find("writer").tell(None)  # it goes on, and so does the room
            self.step_until(lambda: bool(self.log.rulings("lobby", limit=1)))
        self.room("lobby").tell(TellSize())
        self.run()
        return number


def code(reply: dict[str, Any]) -> int | None:
    found: int | None = reply.get("error", {}).get("code")
    return found


DONE: dict[str, Any] = {"rpc": {"data": {}}}


# Kick


def test_a_kick_puts_all_connections_of_a_user_out_of_the_room() -> None:
    world = World()
    one, other, in_tea = world.eve("lobby"), world.eve("lobby", "tea"), world.eve("tea")
    bob = world.member("lobby")

    assert world.does("kick") == DONE

    for client in (one, other):
        assert client.pushes("unsubscribe") == [{"code": 2101, "reason": "kicked: spam"}]
        assert code(client.publish("lobby", "hello")) == 103
        assert client.close_code is None
    assert other.publish("tea", "hello") == {"publish": {}}
    assert in_tea.said("tea") == ["hello"]
    assert [push["info"]["user"] for push in bob.pushes("leave")] == ["eve", "eve"]


def test_who_was_kicked_may_come_back() -> None:
    world = World()
    eve = world.eve("lobby")
    world.does("kick")

    assert "subscribe" in eve.subscribe("lobby")
    assert eve.publish("lobby", "sorry") == {"publish": {}}


def test_a_kick_holds_although_the_room_crashes_before_it_knows() -> None:
    """The log has it, and the member comes back as one that lost track of the room."""
    world = World()
    eve = world.eve("lobby")

    number = world.crash_before_it_knows("kick")

    assert world.mo.reply(number) == DONE
    assert [push["code"] for push in eve.pushes("unsubscribe")] == [2101]
    assert code(eve.publish("lobby", "hello")) == 103
    assert "subscribe" in eve.subscribe("lobby")


def test_plain_text_has_no_other_room_and_is_closed() -> None:
    world = World()
    text = world.text("7")
    (info,) = [info for info in presence(world) if info["conn_info"]["name"] == "Client 7"]

    world.does("kick", info["user"])

    assert text.close_code == 4010


def presence(world: World) -> list[dict[str, Any]]:
    return list(world.mo.ask(presence={"channel": "lobby"})["presence"]["presence"].values())


# Ban


def refused_everything(eve: Client) -> bool:
    replies = [
        eve.subscribe("lobby"),
        eve.subscribe("lobby", recover=True, offset=0, epoch=""),
        eve.publish("lobby", "hello"),
        eve.history("lobby", limit=10),
        eve.ask(presence={"channel": "lobby"}),
        eve.ask(presence_stats={"channel": "lobby"}),
        *(eve.rpc(method, channel="lobby") for method in ("messages", "bans", "audit", "typing")),
    ]
    return [code(reply) for reply in replies] == [103] * len(replies)


def test_a_ban_puts_all_connections_out_and_keeps_them_out() -> None:
    world = World()
    one, other = world.eve("lobby"), world.eve("lobby")

    assert world.does("ban") == DONE

    for client in (one, other):
        assert client.pushes("unsubscribe") == [{"code": 2102, "reason": "banned: spam"}]
        assert refused_everything(client)
        assert client.close_code is None
    assert refused_everything(world.eve())
    assert "subscribe" in one.subscribe("tea")
    assert one.said() == []


def test_a_ban_refuses_what_was_on_its_way() -> None:
    world = World()
    eve = world.eve("lobby")
    with behind(world.room("lobby")):
        world.mo.send(rpc={"method": "ban", "data": {"channel": "lobby", "user": "eve", "reason": "spam"}})
        publish = eve.send(publish={"channel": "lobby", "data": "before"})
        world.run()
    world.member("lobby")  # the room goes on
    later = eve.send(publish={"channel": "lobby", "data": "after"})
    world.run()

    assert eve.reply(publish) == {"publish": {}}  # the room had it when it was not banned yet
    assert code(eve.reply(later)) == 103


def test_a_ban_ends_at_its_time() -> None:
    world = World()
    eve = world.eve("lobby")
    until = NOON_MS + HOUR_MS

    world.does("ban", until=until)

    assert eve.pushes("unsubscribe") == [{"code": 2102, "reason": "banned until 2023-11-14T23:13:20Z: spam"}]
    assert code(eve.subscribe("lobby")) == 103
    world.advance(HOUR_MS / 1000)
    assert "subscribe" in eve.subscribe("lobby")


def test_a_ban_is_lifted() -> None:
    world = World()
    eve = world.eve("lobby")
    world.does("ban")

    assert world.does("unban") == DONE

    assert "subscribe" in eve.subscribe("lobby")


def test_a_ban_holds_after_the_room_has_crashed_or_closed_and_after_a_restart() -> None:
    world = World()
    eve = world.eve("lobby")
    world.does("ban")

    world.crash_room("lobby")
    assert refused_everything(eve)
    world.mo.hang_up()
    world.advance(world.limits.room_idle_s + 1)
    assert world.open_rooms() == set()
    assert refused_everything(eve)
    again = World(world.log)
    assert refused_everything(again.eve())


def test_a_member_that_comes_back_after_a_crash_is_put_out_if_it_was_banned_meanwhile() -> None:
    """The ban was stored, and the room crashed before it knew."""
    world = World()
    eve, bob = world.eve("lobby"), world.member("lobby")

    number = world.crash_before_it_knows("ban")

    assert world.mo.reply(number) == DONE
    assert [push["code"] for push in eve.pushes("unsubscribe")] == [2102]
    assert [push["info"]["user"] for push in bob.pushes("leave")] == ["eve"]
    assert refused_everything(eve)


def test_who_waits_for_what_it_missed_is_not_let_in_if_it_is_banned_meanwhile() -> None:
    world = World(recovery_window=1)
    for number in range(5):
        world.mo.publish("lobby", number)
    eve = world.eve()
    with behind(world.find("reader")):
        number = eve.send(subscribe={"channel": "lobby", "recover": True, "offset": 1, "epoch": ""})
        world.run()
        world.does("ban")
    world.mo.rpc("messages", channel="lobby")  # the reader goes on

    assert code(eve.reply(number)) == 103
    assert [push["info"]["user"] for push in world.mo.pushes("join")] == ["mo"]


def test_a_user_whose_token_names_the_room_comes_into_the_others() -> None:
    world = World()
    world.does("ban")

    eve = world.user(token(sub="eve", channels=["lobby", "tea"]))

    assert eve.hello["subs"].keys() == {"tea", "user#eve"}
    assert code(eve.publish("lobby", "hello")) == 103
    assert eve.publish("tea", "hello") == {"publish": {}}


def test_a_user_whose_token_names_no_other_room_comes_in_all_the_same() -> None:
    world = World()
    world.does("ban")

    assert "client" in world.user(token(sub="eve", channels=["lobby"])).hello


def test_a_server_side_subscription_ends_and_the_connection_goes_on() -> None:
    world = World()
    eve = world.user(token(sub="eve", channels=["lobby"]))

    world.does("ban")

    assert [push["code"] for push in eve.pushes("unsubscribe")] == [2102]
    assert eve.close_code is None


# Ban from everywhere


def test_who_is_banned_from_everywhere_is_closed_on_all_connections_and_does_not_come_in() -> None:
    world = World()
    one, other, bob = world.eve("lobby"), world.eve(), world.member("lobby")

    assert world.does("ban", channel="") == DONE

    assert (one.close_code, other.close_code, bob.close_code) == (4500, 4500, None)
    assert world.user(token(sub="eve")).close_code == 4500
    assert world.system.counts.auth_failures["banned"] == 1
    world.find("clients").tell(CheckBan)  # a crash of the supervisor
    world.run()
    assert world.user(token(sub="eve")).close_code == 4500
    assert World(world.log).user(token(sub="eve")).close_code == 4500


def test_a_guest_is_banned_by_its_id() -> None:
    world = World()
    guest = world.connect("Eve")
    world.does("ban", guest.hello["data"]["user"], channel="")

    assert guest.close_code == 4500
    again = world.open()
    again.send(connect={"data": {"guest": guest.hello["data"]["guest"]}})
    world.run()
    assert again.close_code == 4500
    assert world.connect("Eve").close_code is None


def test_a_connection_that_comes_in_just_then_is_closed_too() -> None:
    """It was let in, and is not known as this user's before it is in the room that its token names."""
    world = World()
    world.member("tea")
    eve = world.open()
    with behind(world.room("tea")):
        eve.send(connect={"token": token(sub="eve", channels=["tea"])})
        world.run()
        world.does("ban", channel="")
    assert eve.close_code is None
    world.member("tea")  # the room goes on

    assert eve.close_code == 4500


def test_a_ban_from_everywhere_is_lifted_and_ends_at_its_time() -> None:
    world = World()
    world.does("ban", channel="", until=NOON_MS + HOUR_MS)
    world.does("ban", "bob", channel="")
    world.does("unban", "bob", channel="")
    assert world.user(token(sub="bob")).close_code is None
    assert world.user(token(sub="eve")).close_code == 4500

    world.advance(HOUR_MS / 1000)

    assert world.user(token(sub="eve")).close_code is None


def test_only_who_moderates_everywhere_bans_from_everywhere() -> None:
    world = World()
    local = world.user(token(sub="local", meta={"role": "member", "rooms": {"lobby": "admin"}}))
    eve = world.eve()

    for method in ("ban", "unban"):
        assert code(world.does(method, channel="", by=local)) == 103
    for method in ("bans", "audit"):
        assert code(local.rpc(method)) == 103
    assert eve.close_code is None
    assert world.does("kick", by=local) == DONE


def test_a_token_that_makes_somebody_an_equal_frees_them_and_one_that_takes_it_away_does_not() -> None:
    world = World()
    world.does("ban", channel="")
    eve = world.person("eve", "moderator", exp=NOON_MS / 1000 + 60)
    assert eve.close_code is None

    eve.send(refresh={"token": token(sub="eve", exp=NOON_MS / 1000 + 60)})
    world.run()

    assert eve.close_code == 4500


# Mute


def test_who_is_muted_says_nothing_and_sees_everything() -> None:
    world = World()
    one, other, bob = world.eve("lobby"), world.eve("lobby"), world.member("lobby")
    one.rpc("send", channel="lobby", key="k", text="before")
    bob.forget()
    one.forget()

    assert world.does("mute", until=NOON_MS + HOUR_MS) == DONE

    for client in (one, other):
        for reply in (
            client.publish("lobby", "hello"),
            client.rpc("send", channel="lobby", key="l", text="hello"),
            client.rpc("edit", channel="lobby", target=1, text="hello"),
            client.rpc("react", channel="lobby", target=1, emoji="+"),
        ):
            assert reply["error"] == {"code": 403, "message": "muted until 2023-11-14T23:13:20Z"}
        client.rpc("typing", channel="lobby")
    world.mo.publish("lobby", "you are muted")
    assert one.said() == bob.said() == ["you are muted"]
    assert len(one.history("lobby", limit=10)["history"]["publications"]) == 2
    assert "rpc" in one.rpc("delete", channel="lobby", target=1)
    world.advance(HOUR_MS / 1000)
    assert one.publish("lobby", "hello") == {"publish": {}}


def test_a_mute_is_of_one_room_and_is_lifted() -> None:
    world = World()
    eve = world.eve("lobby", "tea")
    world.does("mute")

    assert eve.publish("lobby", "hello")["error"]["message"] == "muted"
    assert eve.publish("tea", "hello") == {"publish": {}}
    world.does("unmute")
    assert eve.publish("lobby", "hello") == {"publish": {}}


def test_a_mute_holds_after_a_crash_for_what_waits_in_the_rooms_mailbox() -> None:
    world = World()
    eve = world.eve("lobby")
    world.does("mute")
    with behind(world.room("lobby")):
        number = eve.send(publish={"channel": "lobby", "data": "hello"})

    world.crash_room("lobby")

    assert code(eve.reply(number)) == 403


# Who may


def test_a_role_that_a_new_token_gives_or_takes_holds_at_once_in_the_rooms_one_is_in() -> None:
    world = World()
    exp = NOON_MS / 1000 + 60
    eve, bob = world.eve("lobby", exp=exp), world.person("bob", "member", "lobby")
    assert code(world.does("kick", "bob", by=eve)) == 103

    eve.ask(refresh={"token": token(sub="eve", exp=exp, meta={"role": "moderator"})})

    assert code(world.does("kick", "eve")) == 103  # no longer below
    assert world.does("kick", "bob", by=eve) == DONE
    assert len(bob.pushes("unsubscribe")) == 1
    eve.ask(refresh={"token": token(sub="eve", exp=exp)})
    assert world.does("kick", "eve") == DONE


def test_a_new_role_holds_although_the_room_was_just_being_entered() -> None:
    world = World()
    exp = NOON_MS / 1000 + 60
    eve = world.eve(exp=exp)
    with behind(world.room("lobby")):
        eve.send(subscribe={"channel": "lobby"})
        eve.send(refresh={"token": token(sub="eve", exp=exp, meta={"role": "admin"})})
        world.run()
    world.member("lobby")  # the room goes on

    assert code(world.does("kick", "eve")) == 103


def test_who_is_no_longer_an_equal_is_put_out_if_there_is_a_ban() -> None:
    world = World()
    exp = NOON_MS / 1000 + 60
    world.does("ban")
    eve = world.person("eve", "moderator", "lobby", exp=exp)

    eve.ask(refresh={"token": token(sub="eve", exp=exp)})

    assert [push["code"] for push in eve.pushes("unsubscribe")] == [2102]


@pytest.mark.parametrize("method", ["kick", "ban", "mute", "unban", "unmute"])
def test_nobody_moderates_themselves(method: str) -> None:
    world = World()

    assert code(world.does(method, "mo")) == code(world.does(method, "mo", "tea")) == 103


def test_nobody_undoes_what_somebody_above_did() -> None:
    world = World()
    ada = world.person("ada", "admin")
    world.does("ban", by=ada)

    assert code(world.does("unban")) == 103
    assert code(world.does("ban", until=NOON_MS + 1)) == 103
    assert world.does("unban", by=ada) == DONE


def test_a_moderator_who_is_banned_moderates_no_longer() -> None:
    world = World()
    world.does("ban", "mo", by=world.person("ada", "admin"))

    assert code(world.does("kick")) == 103
    assert code(world.mo.rpc("bans", channel="lobby")) == 103


def test_a_private_room_is_no_different_from_one_that_does_not_exist() -> None:
    world = World()
    world.person("owner", "member", "tea")
    eve = world.eve()
    world.does("ban", channel="$secret")

    for method in ("kick", "ban", "bans", "audit", "messages"):
        data = {} if method in {"bans", "audit", "messages"} else {"user": "x", "reason": "y"}
        assert eve.rpc(method, channel="$secret", **data) == eve.rpc(method, channel="$nowhere", **data)
    assert eve.subscribe("$secret") == eve.subscribe("$nowhere")


@pytest.mark.parametrize(
    "data",
    [
        {"user": ""},
        {"user": "x" * 256},
        {"user": "eve\r\n"},
        {"reason": "line\nbreak"},
        {"reason": "x" * 201},
        {"until": NOON_MS},
        {"until": -1},
        {"until": 10**18},
        {"user": 5},
        {"channel": "x" * 256},
    ],
)
def test_what_is_not_well_formed_is_refused(data: dict[str, Any]) -> None:
    world = World()

    assert code(world.does("ban", **data)) == 107
    assert world.mo.close_code is None


@pytest.mark.parametrize("method", ["kick", "mute", "unmute"])
def test_only_bans_can_be_of_everywhere(method: str) -> None:
    assert code(World().does(method, channel="")) == 107


# What is kept


def test_moderators_read_what_is_in_force_and_what_was_done() -> None:
    world = World()
    world.does("mute", until=NOON_MS + HOUR_MS)
    world.does("ban", "bob")
    world.does("ban", "cat", channel="tea")
    world.does("kick", "dan")
    world.does("unban", "bob", reason="")

    mute = {"action": "mute", "user": "eve", "until": NOON_MS + HOUR_MS}
    by = {"by": "mo", "role": "moderator", "time": NOON_MS, "reason": "spam"}
    assert world.mo.rpc("bans", channel="lobby")["rpc"]["data"] == {"bans": [{"number": 1, **mute, **by}]}
    audit = world.mo.rpc("audit", channel="lobby", limit=3)["rpc"]["data"]["audit"]
    assert [(found["action"], found["user"]) for found in audit] == [("unban", "bob"), ("kick", "dan"), ("ban", "bob")]
    assert "reason" not in audit[0]
    rest = world.mo.rpc("audit", channel="lobby", before=audit[-1]["number"])["rpc"]["data"]["audit"]
    assert rest == [{"number": 1, **mute, **by}]
    world.advance(HOUR_MS / 1000)
    assert world.mo.rpc("bans", channel="lobby")["rpc"]["data"] == {"bans": []}


def test_what_is_in_force_is_read_in_pages() -> None:
    world = World()
    for number in range(5):
        world.does("ban", f"user-{number}", channel="")

    first = world.mo.rpc("bans", limit=3)["rpc"]["data"]["bans"]
    rest = world.mo.rpc("bans", after=first[-1]["number"])["rpc"]["data"]["bans"]

    assert [found["user"] for found in first + rest] == [f"user-{number}" for number in range(5)]
    assert len(world.mo.rpc("audit")["rpc"]["data"]["audit"]) == 5


@pytest.mark.parametrize("channel", ["lobby", ""])
def test_what_cannot_be_stored_does_not_hold(channel: str) -> None:
    log = FakeLog()
    world = World(log)
    eve = world.eve("lobby")
    log.append_errors.append(LogError("the disk is full"))

    assert world.does("ban", channel=channel)["error"] == {
        "code": 100,
        "message": "internal server error",
        "temporary": True,
    }
    assert eve.publish("lobby", "hello") == {"publish": {}}
    assert world.does("ban", channel=channel) == DONE


def test_a_room_has_a_bounded_number_of_bans_and_those_that_ended_do_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sanctions, "MAX_IN_FORCE", 2)
    world = World()
    world.does("ban", "a", until=NOON_MS + 1000)
    world.does("ban", "b")

    assert code(world.does("ban", "c")) == 106
    assert world.does("unban", "x") == DONE
    world.advance(1)
    assert world.does("ban", "c") == DONE


def test_a_room_does_not_close_while_something_is_being_recorded() -> None:
    world = World(room_idle_s=1.0)
    world.mo.ask(unsubscribe={"channel": "lobby"})
    with behind(world.find("writer")):
        number = world.mo.send(rpc={"method": "ban", "data": {"channel": "lobby", "user": "eve", "reason": "spam"}})
        world.advance(5)
        assert world.open_rooms() == {"lobby"}
    world.find("writer").tell(None)
    world.run()

    assert world.mo.reply(number) == DONE
    world.advance(5)
    assert world.open_rooms() == set()


def test_who_deleted_the_message_of_somebody_else_is_in_the_log() -> None:
    world = World()
    eve = world.eve("lobby")
    target = eve.rpc("send", channel="lobby", key="k", text="rude")["rpc"]["data"]["offset"]

    world.mo.rpc("delete", channel="lobby", target=target)

    (message,) = world.log.messages("lobby", limit=9).messages
    assert message.data == b"null"
    assert eve.publications()[-1]["info"]["user"] == "mo"
