"""YAML that Compose reads and PyYAML by itself does not."""

from pathlib import Path

import pytest

from layerstack.errors import UsageError
from layerstack.project.compose_source import ComposeSource, read_source
from layerstack.project.reached_files import reached_files

READABLE = {
    "several documents": ("a: 1\n---\na: 2\n", 2),
    "an empty document": ("---\n---\na: 1\n...\n", 1),
    "nothing": ("# only a comment\n", None),
    "an anchor that is defined again": ("b: &x 1\nc: &x 2\na: *x\n", 2),
    "anchors, tabs and documents": ("b: &x {k:\t1}\nc: &x 2\n---\na: &x 0o7\n", 7),
    "a tab after a colon": ("a:\tb\t\n", "b"),
    "values of Compose beside such an anchor": ("b: &x 1\nc: &x 2\na: 2222:22\n", "2222:22"),
}


def read(folder: Path, text: str) -> ComposeSource:
    (folder / "compose.yaml").write_text(text)
    return read_source(folder, [folder / "compose.yaml"])


@pytest.mark.parametrize("name", READABLE)
def test_what_compose_reads_is_read(tmp_path: Path, name: str) -> None:
    text, value = READABLE[name]
    assert read(tmp_path, text).value("a") == value


@pytest.mark.parametrize("text", ["a: b: c\n", "a: *x\n", "a: [\n", "a: &x 1\nb: &x 2\nc: *y\n", "a: 1\n---\n: [\n"])
def test_what_no_parser_reads_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError):
        read(tmp_path, text)


FIRST = "include: [first.yaml]\nservices:\n  web: {image: one, env_file: a.env}\n"
SECOND = "services:\n  web:\n    image:\ttwo\n    env_file: b.env\n"


def test_later_documents_of_a_file_count(tmp_path: Path) -> None:
    source = read(tmp_path, f"{FIRST}---\n{SECOND}")
    assert source.value("services", "web", "image") == "two"
    assert source.place("services", "web", "image") == "compose.yaml:7"


def test_files_that_any_document_names_are_reached(tmp_path: Path) -> None:
    read(tmp_path, f"{FIRST}---\n{SECOND}")
    (tmp_path / "first.yaml").write_text("services: {}\n")
    found = reached_files(tmp_path, [tmp_path / "compose.yaml"], {})
    assert tmp_path / "first.yaml" in found.sources
    assert {tmp_path / "a.env", tmp_path / "b.env"} <= set(found.others)
