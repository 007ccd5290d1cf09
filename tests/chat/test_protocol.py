from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat import errors
from chat.errors import CommandError, Disconnect
from chat.log import Entry
from chat.protocol import calls, commands, encoding, methods, publications, results
from chat.protocol.commands import Command, decode_frame
from tests.fakes import ANN, NOON_MS

METHODS = (
    "connect",
    "ping",
    "subscribe",
    "unsubscribe",
    "publish",
    "presence",
    "presence_stats",
    "history",
    "rpc",
    "send",
    "refresh",
    "sub_refresh",
)


def requests(frame: str) -> list[Any]:
    return [command.request for command in decode_frame(frame)]


def refusal(frame: str) -> int:
    with pytest.raises(Disconnect) as caught:
        decode_frame(frame)
    return caught.value.reason.code


# Frames in


@pytest.mark.parametrize(
    ("line", "request_"),
    [
        (
            '{"id":1,"subscribe":{"channel":"a","recover":true,"offset":3,"epoch":"e","flag":3}}',
            commands.Subscribe("a", recover=True, offset=3, epoch="e", flag=3),
        ),
        ('{"id":1,"unsubscribe":{"channel":"a"}}', commands.Unsubscribe("a")),
        ('{"id":1,"presence":{"channel":"a"}}', commands.Presence("a")),
        ('{"id":1,"presence_stats":{"channel":"a"}}', commands.PresenceStats("a")),
        (
            '{"id":1,"history":{"channel":"a","limit":5,"since":{"offset":2,"epoch":"e"},"reverse":true}}',
            commands.History("a", 5, commands.StreamPosition(2, "e"), reverse=True),
        ),
        ('{"id":1,"history":{"channel":"a"}}', commands.History("a", 0, None, reverse=False)),
        ('{"id":1,"ping":{}}', commands.Unavailable()),
        ('{"id":1,"refresh":{"token":"t"}}', commands.Refresh("t")),
        ('{"id":1,"sub_refresh":{"channel":"a","token":"t"}}', commands.SubRefresh("a", "t")),
        ('{"send":{"data":1}}', commands.Send()),
        ("{}", commands.Pong()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_method_becomes_a_request(line: str, request_: object) -> None:
    assert requests(line) == [request_]


@pytest.mark.parametrize("method", ["connect", "publish", "rpc"])
def test_data_stays_the_json_that_it_was(method: str) -> None:
    (request,) = requests(f'{{"id":1,"{method}":{{"channel":"a","data":[1, {{"x":null}}]}}}}')

    assert bytes(request.data) == b'[1, {"x":null}]'


def test_a_command_keeps_its_id() -> None:
    (command,) = decode_frame('{"id":4294967295,"connect":{}}')

    assert command.id == 2**32 - 1


def test_each_line_of_a_frame_is_a_command_in_their_order() -> None:
    frame = '{"id":1,"connect":{}}\n{"id":2,"unsubscribe":{"channel":"a"}}\n{"id":3,"unsubscribe":{"channel":"b"}}'

    assert [command.id for command in decode_frame(frame)] == [1, 2, 3]


@pytest.mark.parametrize(
    "frame", ['\n{"id":1,"connect":{}}\n\n', '{"id":1,"connect":{}}\r\n', ' {"id":1,"connect":{}}']
)
def test_blank_lines_and_outer_spaces_mean_nothing(frame: str) -> None:
    assert [command.id for command in decode_frame(frame)] == [1]


@pytest.mark.parametrize("frame", ["", "\n", " \r\n\n"])
def test_a_frame_without_a_command_is_a_violation(frame: str) -> None:
    assert refusal(frame) == 3501


@pytest.mark.parametrize(
    "line", ["hello", "{", '{"id":1,"connect":{}', '{"id":1,"connect":{}} {}', "[]", "1", "null", '""']
)
def test_what_is_no_json_object_is_a_violation(line: str) -> None:
    assert refusal(line) == 3501


def test_one_bad_line_spoils_the_frame() -> None:
    assert refusal('{"id":1,"connect":{}}\nhello') == 3501


@pytest.mark.parametrize("method", [method for method in METHODS if method != "send"])
def test_a_command_without_an_id_is_a_violation(method: str) -> None:
    assert refusal(f'{{"{method}":{{"channel":"a"}}}}') == 3501


@pytest.mark.parametrize("number", ["0", "-1", "4294967296", "1.5", '"1"', "true", "null", "1e3", "9" * 5000])
def test_an_id_that_is_no_positive_uint32_is_a_violation(number: str) -> None:
    assert refusal(f'{{"id":{number},"connect":{{}}}}') == 3501


def test_send_needs_no_id() -> None:
    (command,) = decode_frame('{"send":{"data":{}}}')

    assert command == Command(0, commands.Send())


@pytest.mark.parametrize("line", ['{"id":1}', '{"id":1,"dance":{}}', '{"dance":{}}', '{"id":1,"connect":null}'])
def test_an_unknown_method_or_none_is_a_violation(line: str) -> None:
    assert refusal(line) == 3501


@pytest.mark.parametrize("method", ["subscribe", "unsubscribe", "publish", "presence", "presence_stats", "history"])
@pytest.mark.parametrize(
    "body", ['{"channel":""}', "{}", '{"channel":null}', '{"channel":1}', '{"channel":["a"]}', "[]"]
)
def test_a_channel_that_is_empty_missing_or_no_string_is_a_violation(method: str, body: str) -> None:
    assert refusal(f'{{"id":1,"{method}":{body}}}') == 3501


def test_the_first_method_in_the_protocols_order_is_meant() -> None:
    bodies = {method: {"channel": "a"} for method in METHODS}

    meant = []
    for method in METHODS:
        (command,) = decode_frame(json.dumps({"id": 1, **bodies}))
        meant.append(type(command.request).__name__)
        del bodies[method]

    assert meant == [
        "Connect",
        "Unavailable",
        "Subscribe",
        "Unsubscribe",
        "Publish",
        "Presence",
        "PresenceStats",
        "History",
        "Rpc",
        "Send",
        "Refresh",
        "SubRefresh",
    ]


def test_unknown_fields_are_ignored() -> None:
    line = '{"id":1,"new":1,"subscribe":{"channel":"a","join_leave":true,"delta":"fossil","new":[]}}'

    assert requests(line) == [commands.Subscribe("a")]


# Hostile frames


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('{"id":1,"publish":{"channel":"a","data":' + "[" * 100_000, id="deep nesting, not closed"),
        pytest.param(
            '{"id":1,"publish":{"channel":"a","data":' + "[" * 30_000 + "]" * 30_000 + "}}", id="deep nesting"
        ),
        pytest.param(
            '{"id":1,"x":' + '{"a":' * 10_000 + "1" + "}" * 10_000 + ',"connect":{}}', id="in what is ignored"
        ),
        pytest.param('{"id":1,"publish":{"channel":"a","data":NaN}}', id="NaN"),
        pytest.param('{"id":1,"publish":{"channel":"a","data":Infinity}}', id="Infinity"),
        pytest.param('{"id":1,"subscribe":{"channel":"\\ud800"}}', id="escaped high surrogate"),
        pytest.param('{"id":1,"subscribe":{"channel":"\\udc00"}}', id="escaped low surrogate"),
        pytest.param('{"id":1,"subscribe":{"channel":"\ud800"}}', id="surrogate"),
        pytest.param('{"id":1,"connect":{"data":"\\ud800 and more text"}}', id="escaped surrogate in data"),
        pytest.param('{"id":1,"subscribe":{"channel":"a","offset":' + "9" * 5000 + "}}", id="huge offset"),
        pytest.param('{"id":1,"subscribe":{"channel":"a","offset":9223372036854775808}}', id="offset over 63 bits"),
        pytest.param('{"id":1,"subscribe":{"channel":"a","offset":-1}}', id="negative offset"),
        pytest.param('{"id":1,"history":{"channel":"a","limit":' + "9" * 5000 + "}}", id="huge limit"),
        pytest.param('{"id":1,"history":{"channel":"a","since":[]}}', id="since of another type"),
        pytest.param('{"id":1,"connect":{"token":1}}', id="token of another type"),
        pytest.param('{"id":1,"connect":[]}', id="list for an object"),
        pytest.param('\ufeff{"id":1,"connect":{}}', id="byte order mark"),
        pytest.param("\x00", id="zero byte"),
        pytest.param("\x08\x01\x12\x00", id="protobuf as text"),
    ],
)
def test_a_hostile_frame_is_a_violation_and_no_more(line: str) -> None:
    assert refusal(line) == 3501


def test_of_a_key_that_comes_twice_the_last_counts() -> None:
    assert decode_frame('{"id":1,"id":2,"unsubscribe":{"channel":"a","channel":"b"}}') == [
        Command(2, commands.Unsubscribe("b"))
    ]


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
field_names = st.sampled_from(["channel", "data", "token", "offset", "epoch", "flag", "limit", "since", "method", "tf"])
bodies = st.dictionaries(field_names, any_json, max_size=4) | any_json
nearly_commands = st.builds(
    lambda number, methods: json.dumps({"id": number, **methods}),
    st.integers(-1, 2**33) | any_json,
    st.dictionaries(st.sampled_from(METHODS), bodies, max_size=2),
)


@settings(deadline=None)
@given(
    st.text(st.characters(exclude_categories=[]))
    | nearly_commands
    | st.lists(nearly_commands, max_size=3).map("\n".join)
)
def test_any_text_is_commands_or_a_violation(frame: str) -> None:
    try:
        decoded = decode_frame(frame)
    except Disconnect as violation:
        assert violation.reason == errors.BAD_REQUEST_CLOSE  # noqa: PT017  (either is right)
    else:
        assert decoded
        assert all(command.id or isinstance(command.request, commands.Send | commands.Pong) for command in decoded)


# The chat's own calls


def rpc(method: str, data: str = "") -> object:
    return methods.decode_rpc(commands.Rpc(method, msgspec.Raw(data.encode())))


def test_each_rpc_method_becomes_a_call() -> None:
    assert rpc("send", '{"channel":"a","key":"k","text":"t"}') == calls.SendMessage("a", "k", "t")
    assert rpc("typing", '{"channel":"a"}') == calls.Typing("a")
    assert rpc("rooms", "{}") == calls.ListRooms()


@pytest.mark.parametrize("data", ["", "null"])
def test_an_rpc_without_data_has_no_arguments(data: str) -> None:
    assert rpc("rooms", data) == calls.ListRooms()


@pytest.mark.parametrize("method", ["", "sing", "Send"])
def test_an_unknown_rpc_method_is_no_call(method: str) -> None:
    assert rpc(method, "{}") is None


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ("{}", "missing required field `channel`"),
        ('{"channel":"a","key":"k"}', "missing required field `text`"),
        ('{"channel":"a","key":1,"text":"t"}', "Expected `str`, got `int` - at `$.key`"),
        ("[]", "Expected `object`, got `array`"),
        ('"text"', "Expected `object`, got `str`"),
        ("1e400", "out of range"),
        ('{"deep":' + "[" * 50_000, "recursion"),
    ],
    ids=["nothing", "not all", "of another type", "a list", "a string", "a number without end", "nesting without end"],
)
def test_wrong_arguments_are_answered_with_what_is_wrong(data: str, what: str) -> None:
    with pytest.raises(CommandError, match=r"^bad request: ") as caught:
        rpc("send", data)

    assert caught.value.error.code == 107
    assert what in caught.value.error.message


def test_wrong_connect_data_is_answered_with_what_is_wrong() -> None:
    with pytest.raises(CommandError, match=r"Expected `str`, got `int` - at `\$\.name`"):
        commands.decode_connect_data(msgspec.Raw(b'{"name":7}'))


# Replies out


def reply(request: Any, result: Any) -> Any:
    return json.loads(encoding.encode_reply(Command(7, request), result))


@pytest.mark.parametrize(
    ("request_", "method"),
    [(commands.Publish("a"), "publish"), (commands.Unsubscribe("a"), "unsubscribe")],
)
def test_a_success_without_content_still_names_the_method(request_: Any, method: str) -> None:
    assert reply(request_, results.Empty()) == {"id": 7, method: {}}


def test_the_connect_reply_says_that_it_pings_and_wants_pongs() -> None:
    result = results.ConnectResult("c", "1.0", results.Oneself("u", "U"), ping=25, pong=True)

    assert reply(commands.Connect(), result) == {
        "id": 7,
        "connect": {"client": "c", "version": "1.0", "data": {"user": "u", "name": "U"}, "ping": 25, "pong": True},
    }


def test_the_subscribe_reply_of_an_empty_channel_leaves_out_what_is_zero() -> None:
    result = results.SubscribeResult(recoverable=True, positioned=True, epoch="e")

    assert reply(commands.Subscribe("a"), result) == {
        "id": 7,
        "subscribe": {"recoverable": True, "positioned": True, "epoch": "e"},
    }


def test_the_subscribe_reply_after_a_recovery_says_so() -> None:
    missed = [msgspec.Raw(b'{"data":1,"offset":4}')]
    result = results.SubscribeResult(
        recoverable=True,
        positioned=True,
        epoch="e",
        offset=3,
        was_recovering=True,
        recovered=True,
        publications=missed,
    )

    assert reply(commands.Subscribe("a"), result)["subscribe"] == {
        "recoverable": True,
        "positioned": True,
        "epoch": "e",
        "offset": 3,
        "was_recovering": True,
        "recovered": True,
        "publications": [{"data": 1, "offset": 4}],
    }


def test_the_history_reply_has_all_its_keys_even_if_they_are_zero() -> None:
    result = results.HistoryResult([], 0, "e")

    assert reply(commands.History("a"), result) == {"id": 7, "history": {"publications": [], "offset": 0, "epoch": "e"}}


def test_the_presence_reply_has_its_key_even_if_nobody_is_there() -> None:
    assert reply(commands.Presence("a"), results.PresenceResult({})) == {"id": 7, "presence": {"presence": {}}}


def test_the_presence_stats_reply_has_its_keys_even_if_they_are_zero() -> None:
    result = results.PresenceStatsResult(0, 0)

    assert reply(commands.PresenceStats("a"), result) == {"id": 7, "presence_stats": {"num_clients": 0, "num_users": 0}}


def test_the_send_reply_says_duplicate_only_if_it_is_one() -> None:
    first = results.RpcResult(results.SendResult(1, "e", 5))
    again = results.RpcResult(results.SendResult(1, "e", 5, duplicate=True))

    assert reply(commands.Rpc("send"), first) == {"id": 7, "rpc": {"data": {"offset": 1, "epoch": "e", "time": 5}}}
    assert reply(commands.Rpc("send"), again)["rpc"]["data"]["duplicate"] is True


def test_an_error_always_has_its_code_and_message() -> None:
    error = encoding.encode_error(Command(7, commands.Publish("a")), errors.PERMISSION_DENIED)

    assert json.loads(error) == {"id": 7, "error": {"code": 103, "message": "permission denied"}}


def test_a_temporary_error_says_that_it_is_one() -> None:
    error = encoding.encode_error(Command(7, commands.Publish("a")), errors.INTERNAL)

    assert json.loads(error)["error"] == {"code": 100, "message": "internal server error", "temporary": True}


# Pushes out


def test_a_publication_says_where_it_is_when_it_was_and_who_made_it() -> None:
    publication = publications.encode_publication(Entry(3, "k", ANN, NOON_MS, b'{"text":"hi"}'))

    assert json.loads(bytes(publication)) == {
        "data": {"text": "hi"},
        "info": {"user": "ann", "client": "client-of-ann", "conn_info": {"name": "Ann"}},
        "offset": 3,
        "time": NOON_MS,
    }


def test_an_ephemeral_publication_has_neither_an_offset_nor_a_time() -> None:
    publication = json.loads(encoding.encode_ephemeral(publications.TYPING_DATA, ANN))

    assert publication.keys() == {"data", "info"}
    assert publication["data"] == {"type": "typing"}


def test_who_came_is_told_with_user_and_client_even_if_they_are_empty() -> None:
    nobody = msgspec.structs.replace(ANN, user="", client="")

    assert json.loads(encoding.encode_presence_change(nobody)) == {
        "info": {"user": "", "client": "", "conn_info": {"name": "Ann"}}
    }


def test_a_push_names_its_channel_whatever_is_in_the_name() -> None:
    push = encoding.encode_push('a "quoted" room', "unsubscribe", encoding.encode_unsubscribe(2500, "gone"))

    assert json.loads(push) == {"push": {"channel": 'a "quoted" room', "unsubscribe": {"code": 2500, "reason": "gone"}}}


def test_no_message_holds_a_line_break_of_its_own() -> None:
    sent = publications.message_data(calls.SendMessage("a", "k", "two\nlines"), NOON_MS)
    line = encoding.encode_push("a", "pub", publications.encode_publication(Entry(1, "k", ANN, NOON_MS, sent)))

    assert b"\n" not in line
    assert json.loads(line)["push"]["pub"]["data"]["text"] == "two\nlines"


def test_a_chat_message_carries_its_key_and_its_time_in_its_data() -> None:
    data = publications.message_data(calls.SendMessage("a", "k", "hi"), NOON_MS)

    assert json.loads(data) == {"type": "message", "key": "k", "text": "hi", "time": NOON_MS}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b'{"type":"message","text":"hi"}', "hi"),
        (b'"hi"', "hi"),
        (b'{"text":7}', '{"text":7}'),
        (b'{"temperature":21.5}', '{"temperature":21.5}'),
        (b"[1,2]", "[1,2]"),
        (b"null", "null"),
    ],
)
def test_a_publication_as_text_is_its_text_if_it_has_one_else_its_json(data: bytes, text: str) -> None:
    assert publications.text_of(data) == text
