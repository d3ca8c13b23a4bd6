"""What is there, what is not, and what this user cannot know."""

from pathlib import Path

import pytest

from layerstack.presence import is_present


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (".", True),
        ("gone", False),
        ("a file/below", False),
        # The system refuses such a name, as it does a folder of another user.
        ("x" * 300, None),
    ],
)
def test_presence(tmp_path: Path, name: str, found: bool | None) -> None:
    (tmp_path / "a file").write_text("")
    assert is_present(tmp_path / name) is found
    assert is_present(str(tmp_path / name)) is found
