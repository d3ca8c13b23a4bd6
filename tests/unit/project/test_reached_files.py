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
        "? include # of the others\n: [sub/other.yaml]",
        '"\\x69nclude": [sub/other.yaml]',
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


@pytest.mark.parametrize("text", ["", "[]", "services: {a: 1, b: {env_file: 1}}", "a: \0"])
def test_text_of_another_shape_names_nothing(tmp_path: Path, text: str) -> None:
    found = reach(tmp_path, text)
    assert found.sources == [tmp_path / "compose.yaml"]
    assert not found.unseen


def test_an_include_gives_its_folder_to_all_below_it(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a").mkdir()
    (tmp_path / "a/one.yaml").write_text("include: [two.yaml]")
    (tmp_path / "sub/two.yaml").write_text("services: {b: {extends: {file: other.yaml, service: a}}}")
    found = reach(tmp_path, "include: [{path: a/one.yaml, project_directory: sub}]")
    assert found.sources[1:] == [tmp_path / name for name in ("a/one.yaml", "sub/two.yaml", "sub/other.yaml")]
    assert tmp_path / "sub/.env" in found.values
    assert not found.unseen


@pytest.mark.parametrize(
    ("entry", "env_file"), [("a/one.yaml", "a/.env"), ("{path: a/one.yaml, env_file: x.env}", "x.env")]
)
def test_an_include_gives_its_variables_to_all_below_it(tmp_path: Path, entry: str, env_file: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/one.yaml").write_text("include: ['../sub/${NAME:-none}.yaml']")
    (tmp_path / env_file).write_text("NAME=other\n")
    found = reach(tmp_path, f"include: [{entry}]")
    assert tmp_path / "sub/other.yaml" in found.sources
    # What is set above goes before it.
    assert reach(tmp_path, f"include: [{entry}]", NAME="no").unseen == ["../sub/no.yaml"]


@pytest.mark.parametrize(
    "text",
    ["include: [github.com/team/shop]", "services: {a: {extends: {file: gone.yaml, service: a}}}", "include: 1"],
)
def test_a_source_that_is_nowhere_here_is_unseen(tmp_path: Path, text: str) -> None:
    """Compose may know where it is: what is kept of its answer would not change with it."""
    assert len(reach(tmp_path, text).unseen) == 1


def test_a_service_that_a_merge_key_brings_extends_as_well(tmp_path: Path) -> None:
    text = "x-all: &all\n  b: {extends: {file: sub/other.yaml, service: a}}\nservices:\n  <<: *all\n"
    assert tmp_path / "sub/other.yaml" in reach(tmp_path, text).sources


@pytest.mark.parametrize("content", [b"include: [", "\ufeffinclude: [sub/other.yaml]".encode("utf-16-le")])
def test_a_file_that_is_not_understood_is_unseen(tmp_path: Path, content: bytes) -> None:
    """Compose may read it: what it takes from other files then changes without a sign."""
    (tmp_path / "compose.yaml").write_bytes(content)
    assert reached_files(tmp_path, [tmp_path / "compose.yaml"], {}).unseen == [str(tmp_path / "compose.yaml")]
