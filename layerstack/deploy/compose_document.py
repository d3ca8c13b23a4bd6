"""What Compose resolved of a project, networks and volumes included, as `docker compose config` prints it."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from layerstack import command
from layerstack.project.project import Project

# PyYAML quotes what is no text by YAML 1.1. Docker and Kubernetes also read `1e3`, `0o17` and `y` as something else.
_NO_TEXT = re.compile(r"[-+.]*\d.*|[yn]", re.IGNORECASE | re.DOTALL)
# `64m`, `1gb`, `1073741824`
_SIZE = re.compile(r"(\d+)([kmgt]?)i?b?", re.IGNORECASE)


def read_document(project: Project) -> dict[str, Any]:
    """The whole document; dollars are doubled, as in a Compose file. Raises CommandFailed."""
    argv = project.compose("config", "--format", "json")
    asked = command.run(argv, cwd=project.root, env=project.environment).require()
    document: dict[str, Any] = json.loads(asked.stdout)
    return document


def finished_services(document: Mapping[str, Any]) -> frozenset[str]:
    """Services that run to their end: others wait for their success, or they are declared as jobs."""
    declared = {name for name, one in document["services"].items() if is_declared_job(one)}
    needs = [(one.get("depends_on") or {}) for one in document["services"].values()]
    ended = "service_completed_successfully"
    awaited = {name for one in needs for name, need in one.items() if need.get("condition") == ended}
    return frozenset(declared | awaited)


def is_declared_job(service: Mapping[str, Any]) -> bool:
    """Whether its mode is `replicated-job` or `global-job`."""
    return str((service.get("deploy") or {}).get("mode") or "").endswith("-job")


def memory_mounts(service: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Path and size of each entry of `tmpfs:`, 0 for no limit."""
    for text in service.get("tmpfs") or ():
        target, _, options = str(text).partition(":")
        sizes = [part.partition("=")[2] for part in options.split(",") if part.startswith("size=")]
        yield target, bytes_of(sizes[-1]) if sizes else 0


def yaml_text(*documents: Any) -> str:
    """YAML without anchors, as people write it."""
    import yaml

    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if _NO_TEXT.fullmatch(text) else None)

    Plain.add_representer(str, represent_text)
    return yaml.dump_all(documents, Dumper=Plain, sort_keys=False, allow_unicode=True, width=120)


def bytes_of(size: str | int) -> int:
    """`64m`, `1gb`, `1073741824`; 0 for anything else, which means no limit."""
    match = _SIZE.fullmatch(str(size).strip())
    return int(match[1]) * 1024 ** " kmgt".index(match[2].lower() or " ") if match else 0


def object_name(name: str) -> str:
    """A name that Kubernetes accepts: a DNS label."""
    # A DNS label has at most 63 characters, and no underscore, which Compose allows.
    return re.sub(r"[^a-z0-9-]", "-", name.lower())[:63].strip("-")
