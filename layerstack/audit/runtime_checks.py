"""The runtimes and the distribution in an image, and whether they still get security fixes.

Packages of a distribution are not judged by their version: it fixes them until its own end of life.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, timezone

from layerstack.audit.image_files import ImageFiles
from layerstack.engine.container import STAND_IN_LABEL
from layerstack.finding import Finding, warning
from layerstack.image_runtimes import read_runtimes
from layerstack.lifetimes import Runtime, find_runtime

CHECK = "end-of-life"
# The variables in which official images give their version.
VARIABLES = {
    **{"NODE_VERSION": "Node.js", "PYTHON_VERSION": "Python", "PHP_VERSION": "PHP", "RUBY_VERSION": "Ruby"},
    **{"GOLANG_VERSION": "Go", "PG_MAJOR": "PostgreSQL", "MONGO_VERSION": "MongoDB", "MYSQL_MAJOR": "MySQL"},
}
# The first is usually a link to the second, and links are not followed in an image.
OS_RELEASE = ("etc/os-release", "usr/lib/os-release")
SYSTEMS = {"debian": "Debian", "ubuntu": "Ubuntu", "alpine": "Alpine"}
# The official images of Node.js include its headers, which give the version as text.
NODE_HEADER = "usr/local/include/node/node_version.h"
# `VERSION_ID="12"`, a line of os-release
_RELEASE_LINE = re.compile(r"^(ID|VERSION_ID)=[\"']?([\w.]+)", re.MULTILINE)
# `#define NODE_MAJOR_VERSION 18`
_NODE_MAJOR = re.compile(rb"#define NODE_MAJOR_VERSION (\d+)")
# `usr/local/bin/python3.9`, as the official images install it
_PYTHON = re.compile(r"usr/local/bin/python(\d+\.\d+)")


def check_end_of_life(image: ImageFiles, today: date | None = None) -> Iterator[Finding]:
    """One finding for each runtime or distribution that has ended."""
    day = today or datetime.now(timezone.utc).date()
    for runtime in dict.fromkeys((*_runtimes(image), *_system(image))):
        if runtime.has_ended(day):
            newer = runtime.next_supported(day)
            remedy = f"Build on an image with {newer.text} or newer." if newer else "Build on a newer image."
            yield warning(CHECK, runtime.ended_text, remedy)


def _runtimes(image: ImageFiles) -> Iterator[Runtime]:
    for kind, version in _versions(image):
        if found := find_runtime(kind, version):
            yield found
    label = str((image.config.get("Labels") or {}).get(STAND_IN_LABEL, ""))
    # A stand-in has the runtime of the official image on a distribution of its own.
    yield from (one for one in read_runtimes(label) if one.kind not in SYSTEMS.values())


def _versions(image: ImageFiles) -> Iterator[tuple[str, str]]:
    """(runtime, version), from the image's variables and from files where no package manager installs."""
    for entry in image.config.get("Env") or ():
        name, _, value = str(entry).partition("=")
        if name in VARIABLES:
            yield VARIABLES[name], value
    if match := _NODE_MAJOR.search(image.read(NODE_HEADER) or b""):
        yield "Node.js", match[1].decode()
    for path in image.files:
        if python := _PYTHON.fullmatch(path):
            yield "Python", python[1]


def _system(image: ImageFiles) -> Iterator[Runtime]:
    content = next((text for path in OS_RELEASE if (text := image.read(path))), b"")
    facts = dict(_RELEASE_LINE.findall(content.decode(errors="replace")))
    kind = SYSTEMS.get(facts.get("ID", ""), "")
    if found := find_runtime(kind, facts.get("VERSION_ID", "")):
        yield found
