"""The row about checking a running stack: all checks at once against the same ones with curl, one after another."""

import os
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from unittest import mock

from benchmarks import profile_text
from benchmarks.options import Options
from benchmarks.samples import Goal, Measurement, alternate, profile_if_missed
from benchmarks.scratch import ROOT, Scratch, scratch
from layerstack import command
from layerstack.project import project
from layerstack.project.project import Project, Service


def measure_verify(options: Options, goal: Goal) -> Measurement:
    """`layerstack verify` of the healthy stack, one real estimate among its checks, against inspect and curl."""
    with scratch() as copy:
        copy.layerstack("start")
        commands = list(curl_commands(_load(copy)))
        samples = alternate(
            options.run_count, lambda: copy.layerstack("verify").seconds, partial(_one_by_one, commands)
        )
        profile = profile_if_missed(samples, goal, partial(profile_text.of_task, copy, "verify"))
    return Measurement(samples, (f"{len(commands)} commands on the other side, each a process of its own",), profile)


def curl_commands(copy: Project) -> Iterator[tuple[str, ...]]:
    """What a person types to learn the same: the state of every container, then every declared check."""
    for service in copy.services.values():
        name = f"{copy.name}-{service.name}-1"
        yield "docker", "inspect", "--format", "{{json .State}}", name
        for check in service.settings.verify:
            yield _as_curl(check, service) if "http" in check else ("docker", "exec", name, *check["exec"])


def _load(copy: Scratch) -> Project:
    with mock.patch.dict(os.environ, copy.environment):
        return project.load(copy.root, "cpu")


def _as_curl(check: Mapping[str, Any], service: Service) -> tuple[str, ...]:
    fields = [f"{field}=@{ROOT / path}" for field, path in (check.get("upload") or {}).items()]
    upload = [word for field in fields for word in ("--form", field)]
    login = ("--user", str(check["auth"])) if "auth" in check else ()
    url = f"http://{service.ports[0].address}{check['http']}"
    return "curl", "--silent", "--show-error", "--max-time", "20", *upload, *login, url


def _one_by_one(commands: list[tuple[str, ...]]) -> float:
    return sum(command.run(argv).require().seconds for argv in commands)
