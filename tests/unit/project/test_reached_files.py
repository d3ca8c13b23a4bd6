"""Every file that Compose reads besides those that it is given."""

from pathlib import Path

import pytest

from layerstack.project.reached_files import Reached, reached_files


def reach(root: Path, text: str, **variables: str) -> Reached:
    (root / "compose.yaml").write_text(text)
    (root / "sub").mkdir(exist_ok=True)
    (root / "sub" / "other.yaml").write_text("services: {a: {image: x, env_file: deep.env}}\n")
    return reached_files(root, [root / "compose.yaml"], variables)


@pytest.mark.parametrize(
    "text",
    [
        "include: [sub/other.yaml]",
        "include:\n  - path: sub/other.yaml",
        "include:\n  - path: [sub/other.yaml]\n    env_file: x.env",
        "services: {b: {extends: {file: sub/other.yaml, service: a}}}",
        "include: ['${DIR:-sub}/other.yaml']",
        "include: ['${WHERE}/other.yaml']",
        "services: {b: {image: !reset null, 'extends': {file: sub/other.yaml, service: a}}}",
    ],
)
def test_a_file_that_is_included_or_extended_is_read_with_what_it_names(tmp_path: Path, text: str) -> None:
    found = reach(tmp_path, text, WHERE="sub")
    assert found.sources == [tmp_path / "compose.yaml", tmp_path / "sub/other.yaml"]
    assert tmp_path / "sub/deep.env" in found.others


@pytest.mark.parametrize(
    "text",
    [
        "services: {a: {env_file: a.env}}",
        "services: {a: {env_file: [a.env]}}",
        "services: {a: {env_file: [{path: a.env, required: false, format: raw}]}}",
        "services: {a: {label_file: ./a.env}}",
        "include: [{path: sub/other.yaml, env_file: a.env}]",
    ],
)
def test_env_and_label_files_count_whether_they_are_there_or_not(tmp_path: Path, text: str) -> None:
    assert tmp_path / "a.env" in reach(tmp_path, text).others


def test_an_included_folder_has_an_env_file_of_its_own(tmp_path: Path) -> None:
    assert tmp_path / "sub/.env" in reach(tmp_path, "include: [sub/other.yaml]").others


@pytest.mark.parametrize("address", ["https://host/a.git", "oci://host/a:1", "git@host:team/a.git", "ssh://git@host/a"])
def test_what_is_on_another_machine_is_known_as_such(tmp_path: Path, address: str) -> None:
    assert reach(tmp_path, f"include: ['{address}']").unseen == [address]


@pytest.mark.parametrize("text", ["", "[]", "include: 1", "services: {a: 1, b: {env_file: 1}}", "a: \0"])
def test_text_of_another_shape_names_nothing(tmp_path: Path, text: str) -> None:
    found = reach(tmp_path, text)
    assert found.sources == [tmp_path / "compose.yaml"]
    assert not found.unseen


@pytest.mark.parametrize("content", [b"include: [", "\ufeffinclude: [sub/other.yaml]".encode("utf-16-le")])
def test_a_file_that_is_not_understood_is_unseen(tmp_path: Path, content: bytes) -> None:
    """Compose may read it: what it takes from other files then changes without a sign."""
    (tmp_path / "compose.yaml").write_bytes(content)
    assert reached_files(tmp_path, [tmp_path / "compose.yaml"], {}).unseen == [str(tmp_path / "compose.yaml")]
