"""The programs that measure fan-out, on a small scale; and that their generator counts right however data comes."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from loadtests._bench import PEERS
from loadtests._blast import MARK, PARLEY, Blast, Load, Member, quantile
from loadtests._chart import Plot, bars, plots
from loadtests._process import serving

if TYPE_CHECKING:
    from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314  (our own)


def program(name: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", f"loadtests.{name}", *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout


class Written(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.frames.append(bytes(data))


def feed(member: Member, data: bytes) -> None:
    member.get_buffer(-1)[: len(data)] = data
    member.buffer_updated(len(data))


@pytest.mark.anyio
async def test_every_message_is_counted_once_wherever_the_stream_is_cut() -> None:
    dice = random.Random(1)  # noqa: S311
    senders = dice.choices([3, 33], k=500)
    stream = b"".join(f'{"x" * dice.randrange(40)}"{MARK}1;{sender};'.encode() for sender in senders)
    blast, transport = Blast(PARLEY, Load(1, under_way=1)), Written()
    member = Member(blast, 3, "room")
    member.connection_made(transport)
    feed(member, b"HTTP/1.1 101")
    member.start(1)
    before = len(transport.frames)

    while stream:
        size = dice.choice([1, 5, 31, 32, 33, 400])
        feed(member, stream[:size])
        stream = stream[size:]

    assert blast.deliveries == 500
    assert len(transport.frames) - before == senders.count(3)  # its own, and no others, are followed by the next


def test_everybody_gets_everything() -> None:
    with serving() as process:
        result = asyncio.run(Blast(PARLEY, Load(7, under_way=2)).measure(process, 1.0))

    assert result.deliveries_per_s > 0
    assert 0 < result.p50 <= result.p99
    assert result.us_per_delivery > 0
    assert result.lag > 0


@pytest.mark.parametrize("name", ["FastAPI, naive", "websockets"])
def test_the_servers_that_it_is_compared_with_do_the_same(name: str) -> None:
    with serving(PEERS[name].command) as process:
        result = asyncio.run(Blast(PEERS[name], Load(7, rate=70)).measure(process, 1.0))

    assert result.deliveries_per_s == pytest.approx(7 * 70, rel=0.5)


def test_a_server_that_turns_clients_away_is_not_measured() -> None:
    with serving() as process, pytest.raises(ConnectionResetError):
        wrong = PARLEY._replace(opening=["no json"])
        asyncio.run(Blast(wrong, Load(3, rate=10)).measure(process, 1.0))


def test_the_bench_prints_a_table_and_draws_a_chart_and_leaves_out_who_is_not_there(tmp_path: Path) -> None:
    svg = tmp_path / "bench.svg"

    printed = program(
        "_bench", "--loads", "small", "--peers", "Parley", "--rounds", "1", "--seconds", "0.5", "--svg", str(svg)
    )

    assert "| 100 members, 4 under way each | Parley | " in printed
    assert parsed(svg.read_text()).tag == f"{SVG}svg"


def test_the_sweep_prints_each_point_and_draws_plots(tmp_path: Path) -> None:
    svg = tmp_path / "sweep.svg"
    points = ["--members", "3", "--rates", "10", "--rooms", "2", "--idle"]

    printed = program("_sweep", *points, "--seconds", "0.5", "--svg", str(svg))

    for point in (
        "3 members, 10 messages/s",
        "3 members, 4 under way each",
        "2 rooms of 3, 1 under way each",
    ):
        assert f"| {point} | " in printed
    assert len(parsed(svg.read_text()).findall(f"{SVG}g")) == 6


def test_a_chart_has_a_bar_for_each_value_and_the_longest_for_the_most() -> None:
    root = parsed(bars("Title", {"a": {"Ours": 100.0, "Theirs": 50.0}}, "Ours"))

    widths = [int(rect.attrib["width"]) for rect in root.findall(f"{SVG}rect")[1:]]

    assert widths == [380, 190]


def test_a_plot_goes_up_and_right_and_leaves_out_what_a_logarithm_cannot_show() -> None:
    root = parsed(plots([Plot("t", "x", "y", {"line": [(1, 10), (0, 5), (100, 1_000)]})]))

    circles = [(float(c.attrib["cx"]), float(c.attrib["cy"])) for c in root.iter(f"{SVG}circle")]

    assert len(circles) == 2
    assert circles[0][0] < circles[1][0]
    assert circles[0][1] > circles[1][1]


def test_nothing_found_is_an_empty_plot() -> None:
    assert list(parsed(plots([Plot("t", "x", "y", {})])).iter(f"{SVG}circle")) == []


@pytest.mark.parametrize(("share", "value"), [(0.0, 1.0), (0.5, 3.0), (0.99, 5.0)])
def test_a_quantile_is_one_of_the_values(share: float, value: float) -> None:
    assert quantile([5.0, 1.0, 4.0, 2.0, 3.0], share) == value
    assert quantile([], share) == 0.0
