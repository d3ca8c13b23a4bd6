"""Failures as annotations of GitHub Actions, on the line to repair."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

from layerstack.errors import StackError
from layerstack.finding import Finding
from layerstack.tasks.request import root

# `backend/Dockerfile:18`
PLACE = re.compile(r"(?<![\w./:-])(?P<file>[\w.-][\w./-]*):(?P<line>\d+)\b")


def annotate(error: StackError) -> None:
    """Print the failure as a workflow command when running in GitHub Actions, whose runner reads stderr, too."""
    if runs_on_github():
        sys.stderr.write(annotation(str(error)) + "\n")


def annotate_finding(finding: Finding) -> None:
    """Print a finding of doctor in the same way, unless it is `ok`."""
    if runs_on_github() and finding.severity != "ok":
        parts = [f"{finding.check}: {finding.detail}", finding.place, f"→ {finding.remedy}" if finding.remedy else ""]
        sys.stderr.write(annotation("\n".join(part for part in parts if part), finding.severity) + "\n")


def runs_on_github() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"


def annotation(text: str, level: Literal["error", "warning"] = "error") -> str:
    """`::error file=backend/Dockerfile,line=18,title=layerstack::…`, without a place where the text names none."""
    found = ((_in_checkout(match["file"]), match["line"]) for match in PLACE.finditer(text))
    file, line = next((place for place in found if place[0]), ("", ""))
    place = f"file={_escaped(file, True)},line={line}," if file else ""
    return f"::{level} {place}title=layerstack::{_escaped(text)}"


def _in_checkout(name: str) -> str:
    """The path from the top of the checkout, where GitHub looks for it; "" for no file there.

    The output of a container may name its own files, such as /app/server.js:12.
    """
    top = Path(os.environ.get("GITHUB_WORKSPACE") or ".").resolve()
    # A text names files from the project's folder, which the job need not be in.
    paths = ((folder / name).resolve() for folder in _folders())
    return next((str(path.relative_to(top)) for path in paths if path.is_file() and path.is_relative_to(top)), "")


def _folders() -> Iterator[Path]:
    yield Path.cwd()
    with suppress(StackError, OSError):
        yield root()


def _escaped(text: str, is_property: bool = False) -> str:
    """As GitHub's own toolkit writes data and properties of a command."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if is_property else text
