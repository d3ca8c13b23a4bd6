"""The project as Compose and bake resolve it: `config` for the services, `build --print` merged by bake for the images.

bake never reads a Compose file here: its own reader knows fewer keys than Compose and none of Compose's variables.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from layerstack import command
from layerstack.dockerfile.image import target_of
from layerstack.errors import UsageError
from layerstack.project.compose_errors import unreadable
from layerstack.project.compose_source import ComposeLoader, ComposeSource, read_source
from layerstack.project.question import BAKE, Answer, Question, escaped, mapped, target_name
from layerstack.project.reached_files import Reached, reached_files
from layerstack.project.service import SERVICE_LABEL

# Compose before 2.35 cannot print what it gives to bake.
NO_PRINT = "unknown flag: --print"
# `group "default" {`
_DEFAULT_HCL = re.compile(r'\b(?:group|target)\s+"?default\b')
# `"group": {"default": {"targets": ["app"]}}`
_DEFAULT_JSON = re.compile(r'"(?:group|target)"\s*:\s*\{(?:[^{}]|\{[^{}]*\})*?"default"\s*:')


@dataclass(frozen=True)
class Resolver:
    """Asks the programs, and knows which files they read for it."""

    question: Question

    @cached_property
    def reached(self) -> Reached:
        return reached_files(self.question.root, self.question.compose_files, self.question.variables)

    @cached_property
    def source(self) -> ComposeSource:
        """The Compose source. Raises UsageError with file and line for invalid YAML."""
        return read_source(self.question.root, self.reached.sources)

    @property
    def read_files(self) -> tuple[Path, ...]:
        """Every file that the answer depends on, whether it exists or not."""
        defaults = (self.question.root / ".env", *self.question.files.env_files)
        return tuple(dict.fromkeys((*self.reached.sources, *self.reached.others, *defaults, *self.question.bake_files)))

    def ask(self) -> Answer:
        """Ask Compose and bake. Raises UsageError with the place of the error, EngineError for a missing plugin."""
        with ThreadPoolExecutor(2) as pool:
            images = pool.submit(self._read_targets)
            config = pool.submit(self.read_config).result()
            # Before the answer of bake, which refuses a circle without naming its path.
            refuse_circle(config.get("services") or {})
            targets, fallback = images.result()
        services = config.get("services") or {}
        inactive = dict(self._inactive(services))
        return Answer(
            name=str(config.get("name", "")),
            services=services,
            targets=_active(targets, services, inactive),
            settings=config.get("x-layerstack"),
            inactive=inactive,
            secret_variables=tuple(sorted(_secret_variables(config))),
            fallback=fallback,
        )

    def read_config(self) -> dict[str, Any]:
        # YAML, because the JSON output drops the x-layerstack blocks of services.
        said = self._run("The Compose file", self.question.compose("config", "--format", "yaml"))
        # Compose doubles every dollar, so that its output could be a Compose file again.
        text = said.replace("$$", "$")
        config: dict[str, Any] = yaml.load(text, Loader=ComposeLoader) or {}
        return config

    def _read_targets(self) -> tuple[dict[str, Any], str]:
        argv = self.question.compose("build", "--print")
        result = command.run(argv, cwd=self.question.root, env=self.question.environment)
        if NO_PRINT in result.stderr:
            reason = "this Compose cannot print its builds (2.35 can): bake read the Compose files itself"
            return self._bake_targets(self._bake((), self.question.compose_files), None), reason
        if not result.ok:
            raise self._unreadable("The Compose file", result)
        document = _without_escapes(json.loads(result.stdout)) if result.stdout.strip() else {}
        targets: dict[str, Any] = document.get("target") or {}
        # Without a bake file there is nothing to merge, so that the call is saved.
        if not self.question.bake_files:
            return {name: escaped(definition) for name, definition in targets.items()}, ""
        return self._bake_targets(self._bake(tuple(targets)), targets), ""

    def _bake_targets(self, argv: Sequence[str], targets: Mapping[str, Any] | None) -> dict[str, Any]:
        # bake takes no empty document, and what has no default group and no service builds nothing.
        document = json.dumps({"target": escaped(targets)}) if targets else None
        result = command.run(argv, cwd=self.question.root, env=self.question.environment, stdin=document)
        if not result.ok:
            if not targets and "failed to find target default" in result.stderr:
                return {}
            raise self._unreadable("The build definition", result)
        found: dict[str, Any] = json.loads(result.stdout).get("target") or {}
        # bake prints what others are built on as something to cache only, unless it is named as well.
        linked = [name for name, one in found.items() if _is_cached_only(one) and name not in argv]
        return self._bake_targets((*argv, *linked), targets) if linked else found

    def _bake(self, names: Sequence[str], compose_files: Sequence[Path] = ()) -> tuple[str, ...]:
        files = [os.path.relpath(path, self.question.root) for path in self.question.bake_files]
        files = [*map(str, compose_files), *files] if compose_files or not names else ["-", *files]
        # bake leaves out its default group as soon as one target is named, so the group is named as well.
        wanted = [*(["default"] if self._has_default or not names else []), *names, *self.question.targets]
        return (*BAKE, *(part for path in files for part in ("--file", path)), "--print", *dict.fromkeys(wanted))

    @cached_property
    def _has_default(self) -> bool:
        """Whether a bake file has a default: a group or target called `default`."""
        texts = (path.read_text(encoding="utf-8", errors="replace") for path in self.question.bake_files)
        return any(_DEFAULT_HCL.search(text) or _DEFAULT_JSON.search(text) for text in texts)

    def _run(self, what: str, argv: Sequence[str]) -> str:
        result = command.run(argv, cwd=self.question.root, env=self.question.environment)
        if not result.ok:
            raise self._unreadable(what, result)
        return result.stdout

    def _unreadable(self, what: str, result: command.CommandResult) -> Exception:
        files = (*self.reached.sources, *self.question.bake_files)
        return unreadable(what, result, self.question.root, files, self.question.variables)

    def _inactive(self, services: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
        """Services whose profiles are all inactive, with their profiles."""
        # `config` omits services of inactive profiles; only the files name them.
        for name in self.source.services():
            profiles = self.source.value("services", name, "profiles") if name not in services else None
            if profiles:
                yield name, [str(profile) for profile in profiles]


def refuse_circle(services: Mapping[str, Any]) -> None:
    """Raises UsageError for services whose builds need each other; Buildx refuses them without the path."""
    on = {name: list(_built_on(definition.get("build"))) for name, definition in services.items()}
    # Each once: many services may be built on each other in many ways.
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in done:
            return
        if name in path:
            circle = " → ".join((*path[path.index(name) :], name))
            raise UsageError(f"Images depend on each other in a circle: {circle}.")
        for other in on.get(name, ()):
            visit(other, (*path, name))
        done.add(name)

    for name in on:
        visit(name, ())


def _built_on(build: Any) -> Iterator[str]:
    contexts = (build.get("additional_contexts") or {}) if isinstance(build, Mapping) else {}
    return (value.removeprefix("service:") for value in contexts.values() if str(value).startswith("service:"))


def _without_escapes(document: dict[str, Any]) -> dict[str, Any]:
    # Compose escapes dollars in arguments and inline Dockerfiles, and nowhere else.
    for target in (document.get("target") or {}).values():
        for key in ("args", "dockerfile-inline"):
            if key in target:
                target[key] = mapped(target[key], lambda text: text.replace("$${", "${"))
    return document


def _is_cached_only(target: Mapping[str, Any]) -> bool:
    outputs = target.get("output") or ()
    return [one.get("type") if isinstance(one, Mapping) else one for one in outputs] == ["cacheonly"]


def _active(
    targets: Mapping[str, Any], services: Mapping[str, Any], inactive: Mapping[str, Any]
) -> dict[str, Mapping[str, Any]]:
    """The images without those of inactive services in a bake file's group; what others are built on stays."""
    own = {target_name(name) for name in services}
    idle = {target_name(name) for name in inactive} - own
    kept = {name for name, one in targets.items() if name not in idle or SERVICE_LABEL in (one.get("labels") or {})}
    waiting = list(kept)
    while waiting:
        contexts = targets[waiting.pop()].get("contexts") or {}
        new = {target_of(str(value)) for value in contexts.values()} & targets.keys() - kept
        kept |= new
        waiting += new
    return {name: one for name, one in targets.items() if name in kept}


def _secret_variables(config: Mapping[str, Any]) -> Iterator[str]:
    """The variables of secrets, which Compose passes to bake even when only an env file sets them."""
    for secret in (config.get("secrets") or {}).values():
        if isinstance(secret, Mapping) and secret.get("environment"):
            yield str(secret["environment"])
