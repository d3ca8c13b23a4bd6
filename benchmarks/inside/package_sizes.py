"""Prints {name: bytes} of the largest entries of the environment, as JSON."""

import json
from pathlib import Path

PACKAGES = Path("/opt/venv/lib/python3.9/site-packages")
OTHERS = (Path("/opt/uv"), Path("/app"))
LARGEST = 8


def size_bytes(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.lstat().st_size for file in path.rglob("*") if not file.is_dir())


if __name__ == "__main__":
    sizes = {path.name: size_bytes(path) for path in PACKAGES.iterdir()}
    largest = sorted(sizes, key=sizes.__getitem__, reverse=True)[:LARGEST]
    print(json.dumps({**{name: sizes[name] for name in largest}, **{str(path): size_bytes(path) for path in OTHERS}}))
