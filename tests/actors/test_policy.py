"""Who may do what, asked of a whole chat, and compared with the table."""

from __future__ import annotations

import unittest.mock
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from hypothesis import example, given, settings
from hypothesis import strategies as st

from chat.file_store import FileStore
from chat.files import Files, Keys, Limits
from chat.policy import POLICY, Action, may, outranks
from chat.tokens import Role
from tests.fakes import Chat, Client
from tests.tokens import token, tokens

if TYPE_CHECKING:
    from collections.abc import Callable

ROLES: Final = st.sampled_from(list(Role))


def user(chat: Chat, sub: str, role: Role, where: str) -> Client:
    """Connect somebody who has a role: everywhere, or in the lobby only."""
    if role is Role.GUEST and where == "everywhere":
        return chat.connect(sub)
    meta: dict[str, Any] = {"role": role} if where == "everywhere" else {"role": "member", "rooms": {"lobby": role}}
    return chat.user(token(sub=sub, meta=meta))


class Scene:
    """A room in which somebody tries something, on a message of its own or of somebody else."""

    def __init__(self, role: Role, where: str, other: Role, *, own: bool) -> None:
        files = Files(FileStore(Path("unused"), 0), Keys(b"s" * 32), Limits())
        self.chat = Chat(tokens=tokens(), typing_interval_s=0.0, files=files)
        self.bob = user(self.chat, "bob", other, "everywhere")
        self.bob.subscribe("lobby")
        self.one = user(self.chat, "one", role, where)
        self.joined = self.one.subscribe("lobby")
        author = self.one if own else self.bob
        self.target = author.rpc("send", channel="lobby", key="k", text="hello")["rpc"]["data"]["offset"]
        self.one.forget()
        self.bob.forget()

    def rpc(self, method: str, **data: Any) -> dict[str, Any]:
        return self.one.rpc(method, channel="lobby", **data)

    def moderate(self, method: str) -> dict[str, Any]:
        return self.rpc(method, user=self.bob.hello["data"]["user"], reason="a test")

    def types(self) -> dict[str, Any]:
        self.rpc("typing")
        return {} if self.bob.said() else {"error": {"code": 103}}

    def invites(self) -> dict[str, Any]:
        self.bob.rpc("create", channel="$private")
        self.bob.rpc("invite", channel="$private", user=self.one.hello["data"]["user"])
        return self.one.rpc("invite", channel="$private", user="cleo")

    def asks_to_upload(self) -> dict[str, Any]:
        return {} if self.rpc("files")["rpc"]["data"]["upload"] else {"error": {"code": 103}}


TRIES: Final[dict[Action, list[Callable[[Scene], dict[str, Any]]]]] = {
    Action.LIST_ROOMS: [lambda scene: scene.one.rpc("rooms")],
    Action.JOIN: [lambda scene: scene.joined],
    Action.READ: [
        lambda scene: scene.one.history("lobby", limit=1),
        lambda scene: scene.rpc("messages"),
        lambda scene: scene.rpc("files"),
    ],
    Action.SEARCH: [lambda scene: scene.rpc("search", query="hello")],
    Action.SEE_MEMBERS: [
        lambda scene: scene.one.ask(presence={"channel": "lobby"}),
        lambda scene: scene.one.ask(presence_stats={"channel": "lobby"}),
    ],
    Action.SEND: [
        lambda scene: scene.rpc("send", key="another", text="hello"),
        lambda scene: scene.one.publish("lobby", "hello"),
    ],
    Action.UPLOAD: [Scene.asks_to_upload],
    Action.EDIT_OWN: [lambda scene: scene.rpc("edit", target=scene.target, text="goodbye")],
    Action.DELETE_OWN: [lambda scene: scene.rpc("delete", target=scene.target)],
    Action.REACT: [lambda scene: scene.rpc("react", target=scene.target, emoji="+")],
    Action.TYPE: [Scene.types],
    Action.CREATE: [lambda scene: scene.one.rpc("create", channel="$mine")],
    Action.INVITE: [Scene.invites],
    Action.SET_TOPIC: [lambda scene: scene.rpc("topic", topic="tea")],
    Action.DELETE_ANY: [lambda scene: scene.rpc("delete", target=scene.target)],
    Action.KICK: [lambda scene: scene.moderate("kick")],
    Action.MUTE: [lambda scene: scene.moderate("mute"), lambda scene: scene.moderate("unmute")],
    Action.BAN: [lambda scene: scene.moderate("ban"), lambda scene: scene.moderate("unban")],
    Action.AUDIT: [lambda scene: scene.rpc("bans"), lambda scene: scene.rpc("audit")],
}


def allowed(action: Action, role: Role, where: str, other: Role, *, own: bool) -> bool:
    """What the table says, with the two rules beside it: only one's own, and only those below."""
    here = Role.MEMBER if action is Action.LIST_ROOMS and where == "in the lobby" else role
    if action is Action.DELETE_OWN and not own:
        return may(role, Action.DELETE_ANY)
    if action is Action.DELETE_ANY and own:
        return may(role, Action.DELETE_OWN)
    if action is Action.EDIT_OWN and not own:
        return False
    if action in {Action.KICK, Action.MUTE, Action.BAN}:
        return may(role, action) and outranks(role, other)
    return may(here, action)


@settings(max_examples=300, deadline=None)
@given(
    action=st.sampled_from(sorted(TRIES, key=lambda action: action.name)),
    role=ROLES,
    where=st.sampled_from(["everywhere", "in the lobby"]),
    other=ROLES,
    own=st.booleans(),
    which=st.integers(0, 2),
)
@example(action=Action.DELETE_ANY, role=Role.MODERATOR, where="in the lobby", other=Role.MEMBER, own=False, which=0)
@example(action=Action.BAN, role=Role.MODERATOR, where="everywhere", other=Role.MODERATOR, own=False, which=0)
def test_everybody_may_do_what_the_table_says_and_nothing_else(
    *, action: Action, role: Role, where: str, other: Role, own: bool, which: int
) -> None:
    scene = Scene(role, where, other, own=own)

    reply = TRIES[action][which % len(TRIES[action])](scene)

    assert scene.one.close_code is None
    assert reply.get("error", {}).get("code") == (None if allowed(action, role, where, other, own=own) else 103)


@settings(max_examples=100, deadline=None)
@given(
    action=st.sampled_from([Action.SEND, Action.READ, Action.SEARCH, Action.REACT, Action.DELETE_OWN, Action.TYPE]),
    role=ROLES,
)
def test_the_table_is_asked_and_not_only_the_present_one(action: Action, role: Role) -> None:
    """Change the table under a running chat: what was allowed is refused at once, although nobody connects anew."""
    scene = Scene(role, "everywhere", Role.MEMBER, own=True)
    with unittest.mock.patch.dict(cast("dict[Action, Role]", POLICY), {action: Role.ADMIN}):
        replies = [attempt(scene) for attempt in TRIES[action]]

    expected = None if role is Role.ADMIN else 103
    assert [reply.get("error", {}).get("code") for reply in replies] == [expected] * len(replies)


def test_every_action_is_tried() -> None:
    assert TRIES.keys() == set(Action)
