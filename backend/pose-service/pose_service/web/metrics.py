"""Numbers for Prometheus. Those of this process begin again with every reload, which Prometheus understands."""

from __future__ import annotations

import time
from collections.abc import Iterator

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pose_service.pool.engine_pool import EnginePool

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
STATES = ("starting", "ready", "down")
REGISTRY = CollectorRegistry()
REQUESTS = Counter("pose_requests", "Requests by route and status", ("route", "method", "status"), registry=REGISTRY)
REQUEST_SECONDS = Histogram(
    "pose_request_seconds",
    "From the first byte read to the last byte sent",
    ("route",),
    buckets=SECONDS,
    registry=REGISTRY,
)
ENGINE_SECONDS = Histogram("pose_engine_seconds", "Time of an engine for one job", buckets=SECONDS, registry=REGISTRY)


class PoolCollector(Collector):
    """What the pool and the supervisor know at this moment."""

    def __init__(self, pool: EnginePool) -> None:
        self._pool = pool

    def collect(self) -> Iterator[Metric]:
        """The queue, the engines by state, and the restarts since the supervisor began."""
        roster = self._pool.roster
        yield GaugeMetricFamily("pose_queue_length", "Requests that wait for an engine", self._pool.waiting)
        engines = GaugeMetricFamily("pose_engines", "Engine processes by state", labels=("state",))
        for state in STATES:
            engines.add_metric((state,), sum(entry.state == state for entry in roster.entries))
        yield engines
        yield CounterMetricFamily("pose_engine_restarts", "Engine processes started again", roster.restarts)


def render(pool: EnginePool) -> bytes:
    """Everything in the text format of Prometheus."""
    own = CollectorRegistry()
    own.register(PoolCollector(pool))
    return generate_latest(REGISTRY) + generate_latest(own)


def register_metrics(app: Flask) -> None:
    """Count every request and how long it took, a streamed answer to its end."""
    app.before_request(_begin)
    app.after_request(_end_with_response)


def _begin() -> None:
    g.began_at = time.perf_counter()


def _end_with_response(response: Response) -> Response:
    # The rule and not the path: unknown paths would be a label value each.
    route = request.url_rule.rule if request.url_rule else "unknown"
    began_at: float = g.get("began_at", time.perf_counter())
    labels = (route, request.method if request.url_rule else "any", str(response.status_code))
    response.call_on_close(lambda: _count(route, labels, began_at))
    return response


def _count(route: str, labels: tuple[str, str, str], began_at: float) -> None:
    REQUESTS.labels(*labels).inc()
    REQUEST_SECONDS.labels(route).observe(time.perf_counter() - began_at)
