"""What complaints of files name: paths, and the mounts that these are in."""

import posixpath
import re

from layerstack.engine.container import Mount
from layerstack.verify.evidence import Evidence
from layerstack.verify.last_words import telling_lines

# `ENOENT: no such file or directory, open '/app/config.json'`
NO_FILE = re.compile(
    r"no such file|does not exist|is missing|ENOENT|FileNotFound|(?:cannot|can't|could not) (?:open|find)",
    re.IGNORECASE,
)
# A frame of a stack: `  File "/app/main.py", line 3`, `    at open (node:fs:573:10)`
SOURCE_LINE = re.compile(r"^\s*(?:File \"|at )")
# `self.socket.bind(self.server_address)`, `bind() to 0.0.0.0:80 failed (13: Permission denied)`, `listen EACCES`
BINDS = re.compile(r"\bbind\b|\blisten\b|server_bind", re.IGNORECASE)
# Files of the kernel, and what the path of a request mostly begins with.
NOT_FILES = ("/proc", "/sys", "/dev", "/api")
# `open '/my app/config.json'`, `open /app/config.json`; not the path of a URL, which follows its host.
PATH = re.compile(r"(?<=['\"])(?:/[\w.@+ ()-]+){2,}(?=['\"])|(?<![\w:/.])(?:/[\w.@+-]+){2,}")

# `No such file or directory: 'config/app.toml'`
NAME = re.compile(r"['\"]((?:[\w.@+-]+/)*[\w@+-]+\.\w+)['\"]")


def paths_in(seen: Evidence, line: str) -> list[str]:
    """The paths in a complaint; when the program ended also a name in its working directory."""
    if (found := PATH.findall(line)) or line.strip() != seen.last_error or seen.container is None:
        return found
    return [posixpath.normpath(posixpath.join(seen.container.folder, name)) for name in NAME.findall(line)]


def mount_meant(seen: Evidence, pattern: "re.Pattern[str]") -> Mount | None:
    """The mount that a complaint names, else one just above it, else the only volume where nothing else is named."""
    # A complaint without a path may be of a socket or another path, which the lines above it name.
    said = (next(seen.lines_with(pattern), ""), seen.last_error, *telling_lines(seen.log)[-2:])
    lines = (text for text in said if not SOURCE_LINE.match(text))
    is_told = any(BINDS.search(text) or paths_in(seen, text) for text in lines)
    return mount_named(seen, pattern) or _mount_near(seen) or (None if is_told else _only_volume(seen))


def mount_named(seen: Evidence, pattern: "re.Pattern[str]") -> Mount | None:
    """The mount whose path the complaint names."""
    named = [path for line in seen.lines_with(pattern) for path in paths_in(seen, line)]
    return next(filter(None, map(seen.mount_at, named)), None)


def _mount_near(seen: Evidence) -> Mount | None:
    """The mount whose path is just above the complaint: a traceback names it where the error does not."""
    lines = (line for line in reversed(telling_lines(seen.log)) if not SOURCE_LINE.match(line))
    named = (seen.mount_at(path) for line in lines for path in PATH.findall(line))
    return next((mount for mount in named if mount and mount.kind in ("tmpfs", "volume")), None)


def _only_volume(seen: Evidence) -> Mount | None:
    volumes = [one for one in seen.mounts if one.kind == "volume" and not one.is_anonymous]
    return volumes[0] if len(volumes) == 1 else None
