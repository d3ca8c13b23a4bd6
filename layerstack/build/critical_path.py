"""The critical path of a build: the chain of vertices that ends with the last one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layerstack.build.vertex import Vertex

# Two clocks of one engine: what follows may be stamped a moment before the end of what it waited for.
SLACK_SECONDS = 0.005


def find_path(vertices: Mapping[str, Vertex], images: Mapping[str, str]) -> tuple[str, ...]:
    """Digests from the first to the last vertex of the longest chain; empty when nothing was done.

    `images` maps the digests that are work of the build (steps, context transfers, exports) to their image. Each link
    goes to the input that was ready last; an export, which tells no inputs, follows the last step of its image.
    """
    current = _latest(vertices[digest] for digest in images)
    path: list[str] = []
    # A damaged stream may contain a cycle.
    while current is not None and current.digest not in path:
        path.append(current.digest)
        current = _latest(_before(current, vertices, images))
    return tuple(digest for digest in reversed(path) if digest in images)


def _before(vertex: Vertex, vertices: Mapping[str, Vertex], images: Mapping[str, str]) -> list[Vertex]:
    """The vertices that a vertex may have waited for."""
    if vertex.inputs:
        return [vertices[digest] for digest in vertex.inputs if digest in vertices]
    if "exporting" not in vertex.name and "unpacking" not in vertex.name:
        return []
    started = (vertex.started or 0.0) + SLACK_SECONDS
    # `started + 1` stands for a vertex without an end, which nothing has waited for.
    ended = [vertices[digest] for digest in images if (vertices[digest].completed or started + 1) <= started]
    own = [one for one in ended if images[one.digest] == images[vertex.digest]]
    # If images share all their steps, BuildKit names those after the other image.
    return own or ended


def _latest(vertices: Iterable[Vertex]) -> Vertex | None:
    """The vertex that finished last; cached vertices never block."""
    done = [vertex for vertex in vertices if vertex.is_done]
    return max(done, key=lambda vertex: (not vertex.is_cached, vertex.completed or 0.0), default=None)
