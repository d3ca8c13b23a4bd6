"""Builds of tests that run beside each other take turns.

BuildKit (seen with Docker 28.5) can lock itself up for good when two processes build at once what has steps in common
and is in no cache yet. So `docker-buildx` is a script here that holds a file lock for as long as a build runs.
"""

import os
from pathlib import Path

from layerstack import docker_plugin

SCRIPT = """#!/bin/sh
case " $* " in
  *" --print "*|*" --check "*|*" --call"*) ;;
  *" build "*|*" bake "*) exec 9>>"{lock}"; flock 9 ;;
esac
exec "{plugin}" "$@"
"""


def make_config(folder: Path, lock: Path) -> Path:
    """A folder for DOCKER_CONFIG: all of this user's, and such a script in front of the plugin."""
    plugin = next(file for file in docker_plugin.plugin_files("buildx") if file.exists())
    own = docker_plugin.config_file().parent
    (folder / "cli-plugins").mkdir(parents=True)
    for kept in [*_inside(own), *_inside(own / "cli-plugins")]:
        link = folder / kept.relative_to(own)
        if not link.exists():
            link.symlink_to(kept)
    script = folder / "cli-plugins/docker-buildx"
    script.unlink(missing_ok=True)
    script.write_text(SCRIPT.format(lock=lock, plugin=os.path.realpath(plugin)))
    script.chmod(0o755)
    return folder


def _inside(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []
