"""A health check whose program is missing in its image."""

import posixpath
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from layerstack.engine.client import EngineClient
from layerstack.engine.container import Container
from layerstack.engine.inside import run_inside

# What a check over HTTP can be written with.
TOOLS = ("curl", "wget", "python3", "python", "node", "ruby", "php", "bash", "nc")
LOOK_SECONDS = 5.0
SHELL = "/bin/sh"
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MISSING = (
    # `exec: "curl": executable file not found in $PATH`
    re.compile(r'exec: "([^"]+)": (?:executable file not found|stat )'),
    # `/bin/sh: curl: not found`, `bash: line 1: curl: command not found`
    re.compile(r"(?:^|[\s:])([\w./+-]+): (?:command )?not found", re.MULTILINE),
)
# Where a shell looks for a program: `timeout 3 curl …`, `test -f /x && curl …`, `A=1 curl …`
_BEFORE = r"(?:^|[|&;(!`]|\s-\w*c\s|\b(?:exec|if|then|else|do|while|until|timeout \S+)\s)\s*(?:\w+=\S*\s+)*"
_AFTER = r"(?![\w./-])"
# A word that a shell runs itself, or that decides what is run, says nothing about the image.
_PLAIN = re.compile(r"[\w./+-]+")
_BUILT_IN = frozenset(
    {
        *("[", ".", ":", "case", "cd", "command", "do", "done", "echo", "eval", "exec", "exit", "export", "false"),
        *("fi", "for", "if", "kill", "pwd", "read", "return", "set", "shift", "source", "test", "then", "time", "trap"),
        *("true", "type", "ulimit", "unset", "until", "wait", "while"),
    }
)


def missing_program(container: Container) -> str:
    """The program that a health check could not find, from its last output; "" for none."""
    named = (match[1] for pattern in _MISSING for match in pattern.finditer(container.health_output))
    written = " ".join(container.health_command[1:])
    # A program that only a script of the check runs is another fault, and a word of its arguments is no program.
    return next((name for name in named if name == SHELL or re.search(_BEFORE + re.escape(name) + _AFTER, written)), "")


def programs_here(client: EngineClient, container: Container) -> tuple[str, ...]:
    """Those of the tools that a running container has; none without a shell. Raises EngineError."""
    script = f"for name in {' '.join(TOOLS)}; do command -v $name >/dev/null && echo $name; done"
    try:
        said = (
            run_inside(client, container.id, ("sh", "-c", script), LOOK_SECONDS).output if container.is_running else ""
        )
    except TimeoutError:
        return ()
    return tuple(name for name in said.split() if name in TOOLS)


def wanted_programs(test: Any) -> Sequence[str]:
    """The programs that a health check of a Compose file or image starts, where that is plain."""
    words = ["CMD-SHELL", test] if isinstance(test, str) else [str(word) for word in test or ()]
    if not words or words[0] == "NONE":
        return ()
    if words[0] == "CMD":
        return words[1:2]
    if words[0] != "CMD-SHELL":
        return words[:1]
    try:
        first = shlex.split(" ".join(words[1:]))[:1]
    except ValueError:
        first = []
    return (SHELL, *(word for word in first if _PLAIN.fullmatch(word) and word not in _BUILT_IN))


def paths_of(program: str, config: Mapping[str, Any]) -> list[str]:
    """The paths of a program in an image with this configuration."""
    if "/" in program:
        return [posixpath.normpath(posixpath.join(config.get("WorkingDir") or "/", program))]
    search = next((one[5:] for one in config.get("Env") or () if one.startswith("PATH=")), DEFAULT_PATH)
    return [posixpath.join(folder, program) for folder in search.split(":") if folder]
