"""What serves the app: source watching, log lines, and that it never holds on to the app's modules."""

from __future__ import annotations

import json
import logging
import os
import queue
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from serving.broken_app import BrokenApp
from serving.logs import JsonFormatter, formatter
from serving.reloader import SourceReloader
from serving.source_watch import SourceWatch

SERVICE = Path(__file__).parents[1]


def test_a_file_that_is_new_to_the_watch_has_not_changed(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("1")
    watch = SourceWatch()
    assert watch.changed([str(file)]) == []
    assert watch.changed([str(file)]) == []


def test_a_saved_and_a_removed_file_have_changed_once(tmp_path: Path) -> None:
    first, second = tmp_path / "a.py", tmp_path / "b.py"
    files = [str(first), str(second)]
    for file in (first, second):
        file.write_text("1")
    watch = SourceWatch()
    watch.changed(files)
    os.utime(first, ns=(1, 1))
    second.unlink()
    assert watch.changed(files) == files
    assert watch.changed(files) == []
    second.write_text("2")
    assert watch.changed(files) == [str(second)]


def save(file: Path) -> None:
    file.write_text("2")
    os.utime(file, ns=(1, 1))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(save, id="saved"),
        pytest.param(lambda file: (file.parent / "new.py").write_text("1"), id="added"),
    ],
)
def test_what_is_saved_while_the_app_is_imported_is_noticed(
    change: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pose_service" / "a.py"
    file.parent.mkdir()
    file.write_text("1")
    monkeypatch.chdir(tmp_path)
    told: queue.Queue[str] = queue.Queue()
    reloader = SourceReloader(callback=told.put)
    change(file)
    reloader.start()
    assert Path(told.get(timeout=10)).parent == file.parent
    with pytest.raises(queue.Empty):
        told.get(timeout=0.5)


def test_an_extra_file_that_was_there_has_not_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "does_not_import.py"
    file.write_text("(")
    monkeypatch.chdir(tmp_path)
    told: queue.Queue[str] = queue.Queue()
    reloader = SourceReloader(callback=told.put)
    reloader.add_extra_file(str(file))
    reloader.start()
    with pytest.raises(queue.Empty):
        told.get(timeout=0.5)
    save(file)
    assert told.get(timeout=10) == str(file)


def record(message: str, *arguments: object, **more: object) -> logging.LogRecord:
    made = logging.LogRecord("name", logging.WARNING, "file", 1, message, arguments, None)
    made.__dict__.update(more)
    return made


def test_a_json_line_holds_the_fields_and_stays_one_line() -> None:
    line = JsonFormatter().format(record("a\n%s", "b", fields={"request_id": "7", "path": Path("x")}))
    assert "\n" not in line
    parsed = json.loads(line)
    assert (parsed["message"], parsed["level"], parsed["request_id"], parsed["path"]) == ("a\nb", "warning", "7", "x")
    assert parsed["time"].endswith("+00:00")


def test_a_json_line_of_an_error_names_it() -> None:
    try:
        raise KeyError("x")
    except KeyError:
        made = record("failed", exc_info=sys.exc_info())
    parsed = json.loads(JsonFormatter().format(made))
    assert parsed["error"] == "KeyError: 'x'"
    assert "Traceback" in parsed["traceback"]


def test_the_format_is_chosen_by_the_environment() -> None:
    assert isinstance(formatter({}), JsonFormatter)
    assert isinstance(formatter({"POSE_LOG_FORMAT": "json"}), JsonFormatter)
    assert not isinstance(formatter({"POSE_LOG_FORMAT": "text"}), JsonFormatter)
    with pytest.raises(ValueError, match="POSE_LOG_FORMAT='xml'"):
        formatter({"POSE_LOG_FORMAT": "xml"})


def test_serving_imports_nothing_of_the_app() -> None:
    modules = [f"serving.{path.stem}" for path in (SERVICE / "serving").glob("*.py") if path.stem != "__init__"]
    program = f"import sys\nfor name in {modules!r}: __import__(name)\nsys.exit('pose_service' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=SERVICE, check=False).returncode == 0


@pytest.mark.parametrize(
    ("path", "status", "kind"), [("/health", "503", "application/json"), ("/pose", "500", "application/problem+json")]
)
def test_an_app_that_does_not_import_says_why(path: str, status: str, kind: str) -> None:
    said = []
    (body,) = BrokenApp(KeyError("x"))({"PATH_INFO": path}, lambda *head: said.append(head))
    assert said[0][0].startswith(status)
    assert ("Content-Type", kind) in said[0][1]
    assert "KeyError" in body.decode()
