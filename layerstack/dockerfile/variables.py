"""The variables that an instruction sees, known or unknown."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from layerstack.dockerfile import shell_words


@dataclass
class Variables:
    """`unknown` are set, but to something that is not known here; unless `is_complete` others may be set, too."""

    known: dict[str, str] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    is_complete: bool = True
    escape: str = "\\"

    def copy(self) -> "Variables":
        return Variables(dict(self.known), set(self.unknown), self.is_complete, self.escape)

    def fill(self, word: str) -> str | None:
        """The word without quotes and variables; None when that depends on something that is not known here.

        Raises ValueError where BuildKit would end the build.
        """
        filled = shell_words.fill(word, self.known, self.escape)
        # A variable that is not set is empty, but only where everything that could have set it is known.
        is_known = not filled.missing or (self.is_complete and not filled.missing & self.unknown)
        return filled.text if is_known else None

    def set(self, name: str, value: str | None) -> None:
        """None makes it unknown."""
        if value is None:
            self.known.pop(name, None)
            self.unknown.add(name)
        else:
            self.known[name] = value
            self.unknown.discard(name)

    def fill_all(self, pairs: Iterable[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
        """The pairs of one ENV: all are filled in before the first is set."""
        return [(self._value(name) or name, self._value(value)) for name, value in pairs]

    def _value(self, word: str | None) -> str | None:
        try:
            return self.fill(word or "")
        except ValueError:
            return None
