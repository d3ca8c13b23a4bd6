"""What a container sees through its mounts, and what its programs load again, without an engine."""

import os
import shutil
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from layerstack.engine.container import Container
from layerstack.engine.inside import Answer
from layerstack.errors import EngineError
from layerstack.status import anonymous_volume, mount_staleness, mounted_files
from layerstack.status.mounted_files import BindMount
from layerstack.status.reloading import Process, Processes, read_processes

ID = "c0ffee"
OWN = "27 1 254:0 / / rw - ext4 /dev/vda rw\n30 27 254:9 / /data rw - ext4 /dev/vdb rw\n"


def of(*commands: str) -> Processes:
    return Processes(tuple(map(Process, commands)))


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A /proc of the test's own; the process `self` sees two disks."""
    monkeypatch.setattr(mounted_files, "PROCESSES", tmp_path / "proc")
    (tmp_path / "proc" / "self").mkdir(parents=True)
    (tmp_path / "proc" / "self" / "mountinfo").write_text(OWN)
    return tmp_path / "proc"


def container(processes: Path, *mounts: str) -> None:
    (processes / "7").mkdir()
    own_file = f"1 0 254:0 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw - ext4 /dev/vda rw"
    lines = [own_file, *(f"2 0 {mount} rw - ext4 /dev/vda rw" for mount in mounts)]
    (processes / "7" / "mountinfo").write_text("\n".join(lines) + "\n")


def replaced(source: Path, target: str = "/app/x") -> list[str] | None:
    found = mounted_files.replaced([BindMount(source, target)], ID, 7)
    return None if found is None else [one.target for one in found]


def test_a_mount_of_what_still_stands_there_is_left_alone(processes: Path, tmp_path: Path) -> None:
    container(processes, f"254:0 {tmp_path}/x /app/x")
    assert replaced(tmp_path / "x") == []


def test_a_name_with_blanks_is_read(processes: Path, tmp_path: Path) -> None:
    container(processes, f"254:0 {tmp_path}/a\\040b /app/x")
    assert replaced(tmp_path / "a b") == []


def test_a_file_that_gave_its_name_to_another_is_seen(processes: Path, tmp_path: Path) -> None:
    container(processes, f"254:0 {tmp_path}/x//deleted /app/x")
    assert replaced(tmp_path / "x") == ["/app/x"]


def test_a_file_that_was_moved_away_is_seen(processes: Path, tmp_path: Path) -> None:
    container(processes, f"254:0 {tmp_path}/x~ /app/x")
    assert replaced(tmp_path / "x") == ["/app/x"]


def test_a_source_on_another_disk_is_compared_from_that_disks_root(processes: Path) -> None:
    container(processes, "254:9 /code /app/x")
    assert replaced(Path("/data/code")) == []


def test_a_link_that_leads_elsewhere_by_now_is_seen(processes: Path, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    (tmp_path / "now").symlink_to(tmp_path / "two")
    container(processes, f"254:0 {tmp_path}/one /app/x")
    assert replaced(tmp_path / "now") == ["/app/x"]


def test_a_process_that_is_not_the_containers_proves_nothing(processes: Path, tmp_path: Path) -> None:
    (processes / "7").mkdir()
    (processes / "7" / "mountinfo").write_text(f"2 0 254:0 {tmp_path}/x//deleted /app/x rw - ext4 /dev/vda rw\n")
    assert replaced(tmp_path / "x") is None
    assert mounted_files.replaced([BindMount(tmp_path, "/app/x")], ID, 8) is None


def test_files_written_after_a_moment_are_found_where_a_person_writes(tmp_path: Path) -> None:
    for name, at in (("old.py", 50), ("new.py", 200), ("newest.py", 300), ("new.txt", 200), (".git/x.py", 200)):
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        os.utime(path, (at, at))
    binds = [BindMount(tmp_path / "src", "/app")]
    found = mounted_files.written_since(binds, 100, (".py",))
    assert [one.path.name for one in found] == ["newest.py", "new.py"]
    shutil.rmtree(tmp_path / "src")
    assert mounted_files.written_since(binds, 100, (".py",)) == []


def test_a_mount_where_this_user_may_not_look_has_no_files_to_compare() -> None:
    # The system refuses such a name, as it does `/var/lib/docker/containers` to other users than root.
    assert mounted_files.written_since([BindMount(Path("/", "x" * 300), "/logs")], 0, (".py",)) == []


def test_a_file_is_seen_through_a_mount_of_itself_or_of_a_folder_above_it() -> None:
    binds = [BindMount(Path("/a/src"), "/app/src"), BindMount(Path("/a/b.txt"), "/b.txt")]
    assert mounted_files.is_seen(Path("/a/src/deep/x.py"), binds)
    assert mounted_files.is_seen(Path("/a/b.txt"), binds)
    assert not mounted_files.is_seen(Path("/a/src2/x.py"), binds)


def test_a_mount_elsewhere_does_not_show_the_copy_in_the_image() -> None:
    """As with a whole repository below /workspace, while the program runs from /srv."""
    binds = [BindMount(Path("/a"), "/workspace"), BindMount(Path("/a/one.py"), "/srv/one.py")]
    assert mounted_files.is_seen(Path("/a/one.py"), binds, {"/srv/one.py"})
    assert not mounted_files.is_seen(Path("/a/two.py"), binds, {"/srv/two.py"})
    assert mounted_files.is_seen(Path("/a/two.py"), binds, {"/srv/two.py", "/workspace/two.py"})


@pytest.mark.parametrize(
    "command",
    [
        "node --watch src/server.js",
        "node /app/node_modules/.bin/vite --configLoader runner",
        "node /app/node_modules/.bin/nodemon server.js",
        "/opt/venv/bin/python /opt/venv/bin/gunicorn --reload app:app",
        "/opt/venv/bin/python -m flask --app web run --debug",
        "python manage.py runserver 0.0.0.0:8000",
        "uvicorn --reload app:app",
    ],
)
def test_what_reloads_is_known(command: str) -> None:
    found = of(command, "/sbin/docker-init -- x")
    assert found.restart or found.read_again


@pytest.mark.parametrize(
    ("command", "ending"),
    [
        ("node src/server.js", ".js"),
        ("node /srv/vite-shop/server.js", ".js"),
        ("/usr/local/bin/python3.9 /opt/venv/bin/gunicorn app:app", ".py"),
        ("/opt/venv/bin/python app.py", ".py"),
        ("python manage.py runserver --noreload", ".py"),
        ("gunicorn: master [app]", ".py"),
        ("nginx: master process nginx -g daemon off;", ".conf"),
    ],
)
def test_what_does_not_reload_names_what_it_loads(command: str, ending: str) -> None:
    found = of(command)
    assert ending in found.loaded
    assert (found.restart, found.read_again) == (False, False)


def test_a_variable_may_say_that_it_reloads() -> None:
    assert Processes((), ("GUNICORN_CMD_ARGS=--workers 2 --reload",)).restart
    assert not Processes((), ("GUNICORN_CMD_ARGS=--workers 2",)).restart
    assert Processes((), ("CHOKIDAR_USEPOLLING=true",)).poll
    assert not Processes((), ("CHOKIDAR_USEPOLLING=0",)).poll


def test_a_program_that_is_not_known_is_not_judged() -> None:
    assert of("/app/server --port 80").loaded == ()


class Top:
    """Answers `docker top` only, of process 7; `is_old`: its ps knows no seconds."""

    def __init__(self, rows: Sequence[tuple[str, str, str, str]], is_old: bool = False) -> None:
        self.api, self.rows, self.is_old = self, rows, is_old

    def top(self, _: str, ps_args: str) -> dict[str, Any]:
        if not self.is_old:
            return {"Processes": self.rows}
        if "etimes" in ps_args:
            raise EngineError("ps: bad -o argument 'etimes'")
        return {"Processes": [(pid, parent, command) for pid, parent, _, command in self.rows]}


WATCHED = (
    ("7", "1", "100", "/sbin/docker-init -- node --watch server.js"),
    ("8", "7", "99", "node --watch server.js"),
    ("9", "8", "40", "node server.js"),
    ("20", "1", "2", "node -e fetch('http://127.0.0.1:3000')"),
)


def test_the_youngest_program_is_one_that_the_container_runs_and_no_health_check() -> None:
    found = read_processes(Top(WATCHED), ID, 7, ())
    assert [one.command for one in found.running] == [command for *_, command in WATCHED[:3]]
    assert found.newest_start == pytest.approx(time.time() - 40, abs=5)


def unread(monkeypatch: pytest.MonkeyPatch, rows: Sequence[tuple[str, str, str, str]], path: Path, **more: Any) -> Any:
    """What is stale and what is not known of a container that was started 100 s ago and sees this file."""
    monkeypatch.setattr(mounted_files, "replaced", lambda *_: [])
    at = datetime.fromtimestamp(time.time() - 100, timezone.utc).isoformat()
    container = Container(ID, "x", "web", "image", "sha256:1", "running", started_at=at)
    mount = {"Type": "bind", "Source": str(path), "Destination": f"/app/{path.name}"}
    data: dict[str, Any] = {"Mounts": [mount], "State": {"Pid": 7}, "Config": {"Env": more.get("environment")}}
    stale, unknown = mount_staleness.find(Top(rows, more.get("is_old", False)), container, data)
    return [(one.kind, one.need) for one in stale], bool(unknown)


def saved(folder: Path, seconds_ago: float) -> Path:
    path = folder / "server.js"
    path.write_text("")
    os.utime(path, (time.time() - seconds_ago,) * 2)
    return path


def test_a_save_before_the_last_start_of_the_program_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert unread(monkeypatch, WATCHED, saved(tmp_path, 60)) == ([], False)


def test_a_save_that_a_watcher_did_not_hear_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = saved(tmp_path, 20)
    assert unread(monkeypatch, WATCHED, path) == ([("not-reloaded", "restart")], False)
    assert unread(monkeypatch, WATCHED, path, is_old=True) == ([], True)


@pytest.mark.parametrize(
    ("watched", "environment", "is_known"),
    [("folder", (), True), ("file", (), True), ("", (), False), ("", ("CHOKIDAR_USEPOLLING=true",), True)],
)
def test_what_reads_again_needs_notice_of_a_file_or_its_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, watched: str, environment: tuple[str, ...], is_known: bool
) -> None:
    path = saved(tmp_path, 20)
    number = {"folder": tmp_path.stat().st_ino, "file": path.stat().st_ino}.get(watched, 3)
    output = f"inotify wd:2 ino:{number:x} sdev:fe00000 mask:fc6 ignored_mask:0 fhandle-bytes:8"
    monkeypatch.setattr(mount_staleness, "run_inside", lambda *_: Answer(0, output))
    rows = [("7", "1", "99", "node /app/node_modules/.bin/vite")]
    assert unread(monkeypatch, rows, path, environment=environment) == ([], not is_known)


def test_only_anonymous_volumes_over_packages_are_looked_at() -> None:
    name = "d4" * 32
    mounts: list[dict[str, Any]] = [
        {"Type": "volume", "Name": name, "Destination": "/app/node_modules"},
        {"Type": "volume", "Name": name, "Destination": "/data/db"},
        {"Type": "volume", "Name": "shop_modules", "Destination": "/web/node_modules"},
        {"Type": "bind", "Source": "/x", "Destination": "/y/node_modules"},
    ]
    (found,) = anonymous_volume.read_volumes({"Mounts": mounts})
    assert found.folder == "/app/node_modules"
    assert ".package-lock.json" in found.records


class Engine:
    """A volume that is older than the image."""

    def __init__(self) -> None:
        self.api = self

    def inspect_volume(self, name: str) -> dict[str, str]:
        return {"CreatedAt": "2026-11-01T00:00:00Z"}

    def inspect_image(self, name: str) -> dict[str, str]:
        return {
            "Id": "sha256:1",
            "Created": "2026-10-01T00:00:00Z",  # from the build cache
            "Metadata": {"LastTagTime": "2026-11-02T00:00:00Z"},
        }

    def create_host_config(self, **_: Any) -> dict[str, str]:
        return {}

    def create_container(self, image: str, **_: Any) -> dict[str, str]:
        return {"Id": "probe"}

    def remove_container(self, name: str, **_: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("records", "held", "certain"),
    [
        ({}, {"a/index.js": "1 aa"}, []),
        ({}, {"a/index.js": "1 bb"}, [True]),
        ({}, {}, [True]),
        ({"/layerstack-volume": b"1", "/app/node_modules": b"1"}, {"a/index.js": "1 bb"}, []),
        ({"/layerstack-volume": b"1", "/app/node_modules": b"2"}, {"a/index.js": "1 aa"}, [True]),
        ({"/layerstack-volume": b"1"}, {"a/index.js": "1 bb"}, [True]),
    ],
)
def test_without_a_record_the_files_themselves_are_compared(
    monkeypatch: pytest.MonkeyPatch, records: dict[str, bytes], held: dict[str, str], certain: list[bool]
) -> None:
    def read_record(client: Any, container: str, path: str, most: int) -> bytes | None:
        folder, _, name = path.rpartition("/")
        return records.get(folder) if name == ".package-lock.json" else None

    monkeypatch.setattr(anonymous_volume, "read_file", read_record)
    tree = {"/app/node_modules": {"a/index.js": "1 aa"}}
    monkeypatch.setattr(anonymous_volume, "read_image_trees", lambda *_: tree)
    monkeypatch.setattr(anonymous_volume, "read_volume", lambda *_: held)
    volumes = [anonymous_volume.PackageVolume("f" * 64, "/app/node_modules")]
    found = list(anonymous_volume.find_old(Engine(), Path(), volumes, "web"))
    assert [(one.kind, one.is_certain) for one in found] == [("old-volume", one) for one in certain]


def test_what_cannot_be_read_in_time_is_not_certain(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_: Any) -> Any:
        raise TimeoutError

    monkeypatch.setattr(anonymous_volume, "read_file", lambda *_: None)
    monkeypatch.setattr(anonymous_volume, "read_image_trees", late)
    volumes = [anonymous_volume.PackageVolume("f" * 64, "/app/node_modules")]
    (found,) = anonymous_volume.find_old(Engine(), Path(), volumes, "web")
    assert (found.kind, found.is_certain) == ("old-volume", False)
