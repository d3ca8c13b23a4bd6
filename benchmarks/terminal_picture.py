"""Draw real commands and what they print as a terminal: `python -m benchmarks.terminal_picture FILE.svg COMMAND…`.

Each command runs now, in the working directory, on a pseudo-terminal of 88 columns; exit codes do not matter.
"""

import os
import pty
import re
import shlex
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS = 88
FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def draw(path: Path, commands: list[str], title: str) -> None:
    """Run the commands one after the other and write the picture."""
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere)
        for number, command in enumerate(commands):
            console.print(Text.assemble("\n" if number else "", ("$ ", "bold green"), (command, "bold")))
            console.print(Text.from_ansi(_output(command)), no_wrap=True, crop=True)
        # rich names a font on a server; the letters are placed one by one, so that any monospaced font will do.
        path.write_text(FONT_FACE.sub("", console.export_svg(title=title, unique_id="terminal")))


def _output(command: str) -> str:
    """What a command writes on a terminal of that width, colours included."""
    chunks: list[bytes] = []

    def keep(descriptor: int) -> bytes:
        chunk = os.read(descriptor, 4096)
        chunks.append(chunk)
        return chunk

    os.environ.update({"COLUMNS": str(COLUMNS), "LINES": "50", "TERM": "xterm-256color"})
    pty.spawn(shlex.split(command), keep)
    return b"".join(chunks).decode().replace("\r\n", "\n").rstrip("\n")


if __name__ == "__main__":
    draw(Path(sys.argv[1]), sys.argv[2:], Path.cwd().name)
