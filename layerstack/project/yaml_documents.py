"""The documents of a YAML text: Compose merges all of a file, and reads anchors that PyYAML by itself refuses."""

from collections.abc import Iterator
from typing import Any

import yaml
from yaml.composer import Composer, ComposerError
from yaml.resolver import Resolver


def read_documents(text: str, loader: Any) -> list[yaml.Node]:
    """The root node of every document; none for a text without any. Raises yaml.YAMLError."""
    try:
        return [node for node in yaml.compose_all(text, loader) if node]
    except ComposerError:
        return list(_Documents(text, loader).read())


class _Documents(Composer, Resolver):
    """Composes nodes from the events of a loader: an anchor that is defined again replaces the first one."""

    def __init__(self, text: str, loader: Any) -> None:
        Composer.__init__(self)
        Resolver.__init__(self)
        self.yaml_implicit_resolvers = loader.yaml_implicit_resolvers
        self._events = list(yaml.parse(text, loader))[::-1]

    def read(self) -> Iterator[yaml.Node]:
        while self.check_node():
            if node := self.get_node():
                yield node

    def check_event(self, *kinds: type[yaml.Event]) -> bool:
        return bool(self._events) and isinstance(self._events[-1], kinds)

    def peek_event(self) -> yaml.Event:
        return self._events[-1]

    def get_event(self) -> yaml.Event:
        return self._events.pop()

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()
        if isinstance(event, yaml.NodeEvent) and not isinstance(event, yaml.AliasEvent):
            self.anchors.pop(event.anchor, None)
        return super().compose_node(parent, index)
