"""Programs that a service starts itself and cannot run: not in its image, or made for another processor."""

import re

from layerstack.project.declaration import find_declaration
from layerstack.run.fault import Fault
from layerstack.run.health import renew
from layerstack.verify.evidence import Evidence, Rule

# A shell, Node.js, Go, and Python's subprocess, whose error alone may mean any file.
NOT_FOUND = re.compile(
    r"(?:^|: )(?P<shell>[\w.+-]+): (?:command )?not found$|\bspawn (?P<node>[\w.+-]+) ENOENT"
    r"|exec: \"(?P<go>[\w.+-]+)\": executable file not found|No such file or directory: '(?P<python>[\w.+-]+)'"
)
STARTS_PROGRAM = re.compile(r"\b_execute_child\b|\bos\.exec[lv]p?e?\(")
OTHER_PROCESSOR = re.compile(r"(?P<program>[\w./+-]+): exec format error", re.IGNORECASE)


def program_missing(seen: Evidence) -> Fault | None:
    """A program that the service itself calls, and ends because it is not there."""
    match = NOT_FOUND.search(seen.last_error)
    if match is None or not seen.last_exit or (seen.container and seen.container.error):
        return None
    if match["python"] and not any(STARTS_PROGRAM.search(line) for line in seen.log):
        return None
    name = next(filter(None, match.groups()))
    image = seen.project.image_of(seen.service)
    install = f"install {name} in {image.dockerfile_place}" if image else f"take an image that has {name}"
    words = f"calls the program {name}, which its image does not have"
    return Fault(
        "command-missing",
        words,
        renew(seen.name, seen.service.is_built),
        f"{install} (or correct the name where it is called)",
    )


def other_processor(seen: Evidence) -> Fault | None:
    """A program that the kernel cannot read: built for another machine, or a script that names no interpreter."""
    match = OTHER_PROCESSOR.search(seen.last_error) if seen.last_exit else None
    if match is None:
        return None
    words = f"cannot run {match['program']}: it is made for another processor, or is a script without `#!`"
    declared = find_declaration(seen.project, seen.name, "platform")
    change = f"remove {declared.place} (platform), or " if declared else ""
    make = f"put a {match['program']} for this machine into its image, or begin the script with `#!/bin/sh`"
    return Fault("not-executable", words, renew(seen.name, seen.service.is_built), f"{change}{make}")


RULES: tuple[Rule, ...] = (other_processor, program_missing)
