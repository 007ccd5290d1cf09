"""`/metrics` in the format of Prometheus: what was counted where it happened, put together when somebody asks.

Served where `CHAT_METRICS` is on, to whoever can reach the port: a proxy in front must not pass it on.
"""

from __future__ import annotations

import contextlib
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.responses import Response

from web.loop_lag import LoopLag

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.core import Metric

    from actors.runtime import Total
    from actors.system import ChatSystem
    from chat.counts import Histogram
    from web.gateway import Gateway

router = APIRouter()


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Everything that is counted, in the text format, or in OpenMetrics for who prefers that."""
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(request.app.state.metrics), headers={"Content-Type": content_type})


@contextlib.contextmanager
def collected(state: Any, chat: ChatSystem, gateway: Gateway) -> Iterator[None]:
    """Have what a chat counts at hand in `state.metrics` meanwhile. On the running event loop."""
    lag = LoopLag()
    state.metrics = registry = CollectorRegistry()
    registry.register(ChatCollector(chat, gateway, lag))
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    yield
    lag.stop()


class ChatCollector(Collector):
    """Reads what the parts of a chat have counted. On the event loop's thread; some milliseconds for 10,000 clients."""

    def __init__(self, chat: ChatSystem, gateway: Gateway, lag: LoopLag) -> None:
        self._chat = chat
        self._gateway = gateway
        self._lag = lag

    def describe(self) -> list[Metric]:
        """Nothing, so that registering does not collect."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Read all."""
        yield from self._connections()
        yield from self._entries()
        yield from self._files()
        yield from self._actors()

    def _connections(self) -> Iterator[Metric]:
        counts = self._chat.counts
        backlog = self._gateway.backlog()
        yield _gauge("connections", "Open WebSockets", backlog.sockets)
        yield _counter("connects", "Clients that introduced themselves", counts.connections)
        yield _by("closes", "Connections that the server closed, by code", "code", counts.closes)
        yield _gauge("backlog_bytes", "What waits to be read by all clients", backlog.bytes)
        yield _gauge("backlog_deepest_bytes", "What waits for the client with most", backlog.deepest_bytes)
        yield _by("limits_hit", "What was refused because of a limit", "limit", counts.limits_hit)
        yield _by("auth_failures", "Who was not let in, by reason", "reason", counts.auth_failures)

    def _entries(self) -> Iterator[Metric]:
        counts = self._chat.counts
        yield _counter("messages", "Entries that were stored, changes of messages among them", counts.messages)
        yield _counter("repeats", "Sends that had been stored before", counts.repeats)
        yield _counter("rejected_changes", "Changes that could not be made", counts.rejected)
        yield _counter("deliveries", "Entries given to members as they came", counts.deliveries)
        yield _gauge("journal_waiting_entries", "Entries that wait to be stored", counts.waiting_entries)
        yield _histogram("commit_seconds", "How long a transaction of the log took", counts.commit_seconds)
        yield _histogram("commit_entries", "How many entries a transaction had", counts.commit_entries)
        yield _histogram("loop_lag_seconds", "How late the event loop was", self._lag.histogram)

    def _files(self) -> Iterator[Metric]:
        counts, files = self._chat.counts, self._chat.files
        yield _counter("uploads", "Files that were uploaded", counts.uploads)
        yield _counter("uploaded_bytes", "Their size in all", counts.uploaded_bytes)
        yield _counter("downloads", "Files and small images that were fetched", counts.downloads)
        yield _gauge("files_bytes", "What files take on the disk", files.store.bytes if files is not None else 0)

    def _actors(self) -> Iterator[Metric]:
        totals, counts = self._chat.actors()
        yield _gauge("rooms", "Open rooms", totals["rooms/*"].actors if "rooms/*" in totals else 0)
        yield _of_kinds("actors", "Actors", totals, "actors")
        yield _of_kinds("actors_down", "Actors that crashed and are not restarted yet", totals, "down")
        yield _of_kinds("mailbox_messages", "Messages that wait in mailboxes", totals, "waiting")
        yield _of_kinds("mailbox_deepest_messages", "Messages that wait in the fullest mailbox", totals, "deepest")
        drops = {
            "refused": counts.refused,
            "dropped": counts.dropped,
            "coalesced": counts.coalesced,
            "dead_letter": counts.dead_letters,
        }
        yield _by("drops", "Messages between actors that were not handled, by the rule", "rule", drops)
        yield _by("actor_crashes", "Crashes", "actors", counts.crashes)
        yield _by("actor_restarts", "Restarts", "actors", counts.restarts)


def _of_kinds(name: str, meaning: str, totals: dict[str, Total], field: str) -> Metric:
    family = GaugeMetricFamily(f"parley_{name}", meaning, labels=["actors"])
    for kind, total in totals.items():
        family.add_metric([kind], getattr(total, field))
    return family


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"parley_{name}", meaning, value)


def _counter(name: str, meaning: str, value: float) -> Metric:
    return CounterMetricFamily(f"parley_{name}", meaning, value)


def _by(name: str, meaning: str, label: str, values: Mapping[Any, float]) -> Metric:
    family = CounterMetricFamily(f"parley_{name}", meaning, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([str(key)], value)
    return family


def _histogram(name: str, meaning: str, histogram: Histogram) -> Metric:
    # Read once: another thread may be counting. So buckets and count agree.
    bounds = [*map(str, map(float, histogram.bounds)), "+Inf"]
    buckets = list(zip(bounds, accumulate(list(histogram.buckets)), strict=True))
    return HistogramMetricFamily(f"parley_{name}", meaning, buckets=buckets, sum_value=histogram.sum)
