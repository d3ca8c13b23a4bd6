"""Why a program in a RUN step failed, from the output of npm, pip, uv, apt, cargo and others, and how to fix it."""

import re
import shlex
from dataclasses import dataclass

from layerstack.build.known_tool_failures import KNOWN
from layerstack.report import COLOURS

SHOWN_LINES = 10
FEW_LINES = 5


@dataclass(frozen=True)
class ToolFailure:
    """`reason` is a sentence without its end, `repair` what to do; "" where that is not known."""

    reason: str
    repair: str = ""


# `E: Unable to locate package foo`, `error: could not compile`
_ERROR = re.compile(r"(?:error|exception|fatal|failed|cannot|could not|not found|no such|denied)\b|^E: ", re.IGNORECASE)
# `error: externally-managed-environment`, `FATAL: kernel too old`
_ANNOUNCED = re.compile(r"\s*(?:error|fatal(?: error)?|E)\b ?: ?\S", re.IGNORECASE)
# `Hint: = is not a valid operator. Did you mean == ?`, `  = help: consider adding it`
_HINT = re.compile(r"^\s*(?:= )?(?:hint|help|tip): ?(?P<words>\S.*)$", re.IGNORECASE)
# A path of a package and not of the project, which nobody corrects there.
_OF_PACKAGE = re.compile(r"^\.\./|(?:^|/)(?:node_modules|(?:site|dist)-packages|registry/src|pkg/mod|vendor)/")
# A caller that says no more than that what it called has failed.
_CALLER = re.compile(
    r"^make(?:\[\d+\])?: \*\*\* \[.*\] Error \d+|^error Command failed with exit code|^ *ELIFECYCLE "
    # pip around what a build of a package says
    r"|^\s*(?:× .*did not run successfully|× Encountered error while|× Failed to build|│ exit code: |╰─> (?:See|\[))"
    r"|^\s*(?:\[end of output\]|note: This (?:error originates|is an issue)|hint: See above|error: \w+(?:-\w+)+$)"
    r"|^\s*(?:ERROR: )?(?:Failed building wheel for|Failed to build \S+$|Could not build wheels for)"
    r"|^\s*error: Command .* exit status \d"
    r"|^npm (?:error|ERR!) (?:Lifecycle script|(?:code|path|workspace|location|command|errno|signal|syscall) )"
    r"|^webpack .* compiled with |^error: could not compile "
    r"|^tar: (?:Child returned|Error is not recoverable|Exiting with failure)"
)
# What tools write around their error: usage, progress, advertising.
_NOISE = re.compile(
    r"^\s*$|^\s+at |^npm notice|^npm (?:error|ERR!) (?:404 (?:Note|tarball)|enoent This is related|\w+\s*$)"
    r"|^npm (?:error|ERR!)\s*(?:$|aliases|Run \"npm help|A complete log|Options:|Usage:|npm ci\b|Clean install|\[)"
    r"|^Get:\d|^Reading |^Building dependency|^Fetched |^\[notice\]|^debconf:|^info Visit "
)


def read_failure(log: str, context: str) -> ToolFailure:
    """What the log of a failed step says; a reason that is "" where nothing in it looks like an error."""
    inside = f"cd {shlex.quote(context)} && " if context not in ("", ".") else ""
    log = COLOURS.sub("", log)
    for pattern, reason, repair in KNOWN:
        if match := pattern.search(log):
            groups = {**match.groupdict(), "inside": inside}
            repair = "" if _OF_PACKAGE.search(groups.get("place", "")) else repair
            return ToolFailure(" ".join(reason.format(**groups).split()), repair.format(**groups))
    shown = shown_lines("\n".join(line for line in log.splitlines() if not _CALLER.match(line))) or shown_lines(log)
    errors = [line for line in shown if _ERROR.search(line) and not _HINT.match(line)]
    # Some tools explain an error at length: its own line is further up, and says at its beginning what it is.
    errors = errors or [line for line in log.splitlines() if _ANNOUNCED.match(line)]
    # What a program says last, before it fails, mostly says why; a long output may end with anything.
    errors = errors or (shown if len(shown) <= FEW_LINES else [])
    hints = [match["words"].strip() for line in shown if (match := _HINT.match(line))]
    return ToolFailure(errors[-1].strip().removesuffix(".") if errors else "", hints[-1] if hints else "")


def shown_lines(log: str) -> list[str]:
    """The last lines that are not noise."""
    return [line for line in log.strip().splitlines() if not _NOISE.match(line)][-SHOWN_LINES:]
