"""A number in a file."""

from pathlib import Path


class Store:
    def __init__(self, folder: str) -> None:
        self.path = Path(folder) / "count"
        self.path.touch()

    def count(self) -> int:
        number = int(self.path.read_text() or 0) + 1
        self.path.write_text(str(number))
        return number
