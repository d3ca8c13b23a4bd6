"""Failures as annotations of GitHub Actions, on the line to repair."""

import os
import re
import sys
from pathlib import Path
from typing import Literal

from layerstack.errors import StackError
from layerstack.finding import Finding

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
    # The output of a container may name its own files, such as /app/server.js:12: GitHub can only show files of the
    # checkout.
    found = next((match for match in PLACE.finditer(text) if Path(match["file"]).is_file()), None)
    place = f"file={_escaped(found['file'], True)},line={found['line']}," if found else ""
    return f"::{level} {place}title=layerstack::{_escaped(text)}"


def _escaped(text: str, is_property: bool = False) -> str:
    """As GitHub's own toolkit writes data and properties of a command."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if is_property else text
