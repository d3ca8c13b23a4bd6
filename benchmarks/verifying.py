"""The row about checking a running stack: all checks at once against the same ones with curl, one after another."""

import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from benchmarks import profile_text
from benchmarks.options import Options
from benchmarks.samples import Goal, Measurement, alternate, profile_if_missed
from benchmarks.scratch import ROOT
from layerstack import command
from layerstack.errors import CheckFailed
from layerstack.project import project
from layerstack.project.project import Project, Service
from layerstack.run import rehearsal, stack
from layerstack.run.startup import Silent
from layerstack.verify.verify import verify

WAIT_SECONDS = 60.0
BUILT = ("pose-service", "backend-api", "frontend")


def measure_verify(options: Options, goal: Goal) -> Measurement:
    """`verify` of the healthy stack, one real estimate among its checks, against inspect and curl one by one."""
    real = project.load(ROOT, "cpu")
    changes = {name: rehearsal.from_image(real.services[name], real.image(name).tag) for name in BUILT}
    with rehearsal.rehearsal(real, "benchmark", changes) as copy:
        stack.up(copy, Silent())
        verify(copy, WAIT_SECONDS)
        commands = list(curl_commands(copy))
        samples = alternate(options.run_count, partial(_verify, copy), partial(_one_by_one, commands))
        profile = profile_if_missed(samples, goal, partial(profile_text.of_call, partial(_verify, copy)))
    notes = (
        f"{len(commands)} commands on the other side, each a process of its own",
        f"the slowest verify took {max(samples.ours):.2f} s; a new process adds its start",
    )
    return Measurement(samples, notes, profile)


def curl_commands(copy: Project) -> Iterator[tuple[str, ...]]:
    """What a person types to learn the same: the state of every container, then every declared check."""
    for service in copy.services.values():
        name = f"{copy.name}-{service.name}-1"
        yield "docker", "inspect", "--format", "{{.State.Status}} {{.State.Health.Status}}", name
        for check in service.settings.verify:
            yield _as_curl(check, service) if "http" in check else ("docker", "exec", name, *check["exec"])


def _as_curl(check: Mapping[str, Any], service: Service) -> tuple[str, ...]:
    fields = [f"{field}=@{ROOT / path}" for field, path in (check.get("upload") or {}).items()]
    upload = [word for field in fields for word in ("--form", field)]
    login = ("--user", str(check["auth"])) if "auth" in check else ()
    url = f"http://{service.ports[0].address}{check['http']}"
    return "curl", "--silent", "--show-error", "--max-time", "20", *upload, *login, url


def _verify(copy: Project) -> float:
    began = time.perf_counter()
    report = verify(copy)
    seconds = time.perf_counter() - began
    if report.diagnosis:
        raise CheckFailed(f"the stack should be healthy, but {report.diagnosis.service} {report.diagnosis.cause}")
    return seconds


def _one_by_one(commands: list[tuple[str, ...]]) -> float:
    return sum(command.run(argv).require().seconds for argv in commands)
