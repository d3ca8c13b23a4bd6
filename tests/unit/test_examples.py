"""A comment above a pattern that begins with an example, in backticks, shows what the pattern matches."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = re.compile(r"^# (`[^`\n]+`(?:, `[^`\n]+`)*).*\n([A-Z_]+) = re\.compile\(", re.MULTILINE)


def examples() -> Iterator[tuple[str, str, str]]:
    """(module, name of the pattern, text)."""
    for path in sorted((ROOT / "layerstack").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for texts, name in EXAMPLES.findall(path.read_text()):
            yield from ((module, name, text) for text in re.findall(r"`([^`]+)`", texts))


def test_patterns_match_their_examples() -> None:
    wrong = []
    found = list(examples())
    for module, name, text in found:
        pattern = getattr(importlib.import_module(module), name)
        if not pattern.search(text.encode() if isinstance(pattern.pattern, bytes) else text):
            wrong.append((module, name, text))
    assert wrong == []
    assert len(found) > 100
