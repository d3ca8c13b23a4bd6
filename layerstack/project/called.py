"""Services that are started by name: as in Compose, profiles do not exclude them."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from layerstack.project import project
from layerstack.project.compose_files import choose_files
from layerstack.project.dependency import all_dependencies
from layerstack.project.project import PROFILES, Device, Project


def load_with(root: Path, device: Device | None, services: Sequence[str]) -> Project:
    """As load(), with these services and what they depend on, whatever their profiles.

    Compose does so for each service that is named on its command line. The variable counts for its next calls as well.
    """
    found = project.load(root, device)
    wanted = [name for name in services if name in found.inactive]
    if not wanted:
        return found
    active = active_profiles(root)
    needed = (found.inactive[name][0] for name in wanted)
    os.environ[PROFILES] = ",".join(dict.fromkeys([*filter(None, active.split(",")), *needed]))
    loaded = project.load(root, device)
    # The profile brings in all of its services, while Compose takes only the named ones and what they depend on.
    called = {*wanted, *(below for name in wanted for below in all_dependencies(loaded, name))}
    idle = {name: profiles for name, profiles in found.inactive.items() if name not in called}
    kept = {name: service for name, service in loaded.services.items() if name not in idle}
    return replace(loaded, services=kept, inactive=idle)


def active_profiles(root: Path) -> str:
    """Their names, separated by commas, as Compose finds them: in the environment, or else in the env files."""
    return choose_files(root).variables().get(PROFILES, "")


def with_called(project: Project, services: Iterable[str]) -> Project:
    """The project with services that were started by name although their profiles are inactive."""
    called = [name for name in services if name in project.inactive]
    return load_with(project.root, project.device, called) if called else project
