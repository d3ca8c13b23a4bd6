"""Annotations of GitHub Actions."""

from pathlib import Path

import pytest

from layerstack.errors import BuildFailed, StackError
from layerstack.finding import ok, warning
from layerstack.tasks.annotation import annotate, annotate_finding, annotation


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web/Dockerfile").write_text("FROM scratch\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("The step failed at web/Dockerfile:18: exit code 1", "file=web/Dockerfile,line=18,"),
        ("127.0.0.1:5000 is taken; see web/Dockerfile:3", "file=web/Dockerfile,line=3,"),
        ("no/such/file:7 failed", ""),
        ("nothing is named", ""),
    ],
)
def test_the_place_is_a_file_of_the_checkout(text: str, place: str) -> None:
    assert annotation(text).startswith(f"::error {place}title=layerstack::")


@pytest.mark.parametrize("folder_of_job", ["shop", "shop/web/src"])
def test_the_place_is_named_from_the_top_of_the_checkout(
    folder_of_job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shop/web/src").mkdir(parents=True)
    (tmp_path / "shop/compose.yaml").write_text("services: {web: {image: w}}\n")
    (tmp_path / "shop/web/Dockerfile").write_text("FROM scratch\n")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    monkeypatch.chdir(tmp_path / folder_of_job)
    # A file of that name is at the top of the checkout, too, and is another one.
    assert annotation("failed at web/Dockerfile:1").startswith("::error file=shop/web/Dockerfile,line=1,")


def test_lines_and_percent_signs_stay_one_command() -> None:
    written = annotation(str(BuildFailed("100% of\nit failed", "mend it")))
    assert "\n" not in written
    assert written.endswith("::100%25 of%0Ait failed%0A  → mend it")


@pytest.mark.parametrize(("value", "is_written"), [("true", True), ("", False)])
def test_it_is_written_where_github_runs_it(
    value: str, is_written: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", value)
    annotate(StackError("broken"))
    outcome = capsys.readouterr()
    assert outcome.out == ""
    assert ("::error" in outcome.err) is is_written


def test_a_finding_is_annotated_where_it_stands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    annotate_finding(ok("disk", "9 GB free"))
    annotate_finding(warning("root", "runs as root", "add USER", place="web/Dockerfile:1"))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("::warning file=web/Dockerfile,line=1,title=layerstack::root: runs as root%0A")
