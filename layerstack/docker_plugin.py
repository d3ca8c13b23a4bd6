"""Docker's own configuration file, and its plugins as the `docker` command finds them."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# Programs of their own: calling them without `docker` in between saves about 0.1 s.
PLUGINS = ("buildx", "compose")
# Seen in docker/cli 28, cli-plugins/manager: the system folders on Unix, the first one counts.
_SYSTEM_FOLDERS = tuple(
    Path(prefix, "docker/cli-plugins")
    for prefix in ("/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec")
)
_ELF = b"\x7fELF"


def config_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Path of Docker's `config.json`, which need not exist."""
    folder = environment.get("DOCKER_CONFIG")
    return Path(folder or os.path.expanduser("~/.docker")) / "config.json"  # noqa: PTH111 - works without a home


def read_config(environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """The content of `config.json`; {} without a readable one."""
    try:
        document = json.loads(config_file(environment).read_bytes())
    except (OSError, ValueError, RuntimeError):
        return {}
    return document if isinstance(document, dict) else {}


def plugin_files(name: str, environment: Mapping[str, str] = os.environ) -> Iterator[Path]:
    """The paths where Docker looks for a plugin, in order."""
    extra = read_config(environment).get("cliPluginsExtraDirs")
    named = [Path(str(folder)) for folder in extra] if isinstance(extra, list) else []
    for folder in (*named, config_file(environment).parent / "cli-plugins", *_SYSTEM_FOLDERS):
        yield folder / f"docker-{name}"


def direct_call(docker: str, words: tuple[str, ...], environment: Mapping[str, str]) -> tuple[str, ...]:
    """A direct call of a plugin: `docker` would only load its own commands and start the same file.

    Unchanged when `docker` is something else (a script, Podman, a snap) or the plugin is not found.
    """
    if words and words[0] in PLUGINS and _is_docker(docker):
        # As Docker decides it: a link that leads nowhere is passed over, but the first file counts even if it may not
        # be run. Such a call is left to `docker`, whose error names the reason.
        found = next((one for one in plugin_files(words[0], environment) if one.exists()), None)
        if found and os.access(found, os.X_OK):
            return (str(found), *words[1:])
    return (docker, *words)


def _is_docker(program: str) -> bool:
    real = Path(os.path.realpath(program))
    try:
        with real.open("rb") as file:
            return real.name == "docker" and file.read(len(_ELF)) == _ELF
    except OSError:
        return False
