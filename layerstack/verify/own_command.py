"""The command of a container: where the project declares it, and the programs that it starts."""

import re

from layerstack.project.declaration import how_to_change
from layerstack.verify.evidence import Evidence

# `exec: "./serve": stat ./serve: no such file or directory`
RELATIVE_PROGRAM = re.compile(r"exec: \"\.")
SHELLS = ("sh", "bash", "ash", "dash")
# What joins the commands of a script; an `&` of `2>&1` does not.
JOINTS = re.compile(r"&&|\|\||[;\n]|(?<!>)&(?!>)")
# `serve >> /log/web.txt 2>&1`
REDIRECTION = re.compile(r"\s*\d?>>?&?\s*\S+|\s+2>&1")
# The programs are listed to find who takes a port, which none of these does.
NO_SERVERS = ("sleep", "cd", "export", "echo", "set", "wait", "trap", "mkdir")


def where_command(seen: Evidence, said: str = "") -> str:
    """The line that decides what is run: of the Compose file, else of the Dockerfile."""
    folder = seen.declared("working_dir")
    if folder and RELATIVE_PROGRAM.search(said):
        return f"{folder.place} (working_dir: its command is looked for there)"
    for key in ("command", "entrypoint"):
        if declared := seen.declared(key):
            return how_to_change(key, declared)
    if line := seen.instruction("CMD") or seen.instruction("ENTRYPOINT"):
        return line
    return f"ENTRYPOINT or CMD in {seen.image.dockerfile_place}" if seen.image else f"the command of {seen.name}"


def programs(seen: Evidence) -> list[str]:
    """The commands that the container's own command runs, as they are written there."""
    argv = seen.argv
    script = argv[2] if len(argv) > 2 and argv[0].rpartition("/")[2] in SHELLS and argv[1] == "-c" else ""
    if not script:
        return [" ".join(argv)]
    parts = (REDIRECTION.sub("", part).strip().removeprefix("exec ") for part in JOINTS.split(script))
    return [part for part in parts if part and part.split()[0] not in NO_SERVERS]
