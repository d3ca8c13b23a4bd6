"""What a container sees through its mounts, and what its programs load again, without an engine."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from layerstack.status import anonymous_volume, mounted_files
from layerstack.status.mounted_files import BindMount
from layerstack.status.reloading import Processes

ID = "c0ffee"
OWN = "27 1 254:0 / / rw - ext4 /dev/vda rw\n30 27 254:9 / /data rw - ext4 /dev/vdb rw\n"


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
    assert [path.name for path in found] == ["newest.py", "new.py"]
    shutil.rmtree(tmp_path / "src")
    assert mounted_files.written_since(binds, 100, (".py",)) == []


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
def test_what_reloads_loads_nothing_once(command: str) -> None:
    assert Processes((command, "/sbin/docker-init -- x")).loaded_once == ()


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
    assert ending in Processes((command,)).loaded_once


def test_a_variable_may_say_that_it_reloads() -> None:
    assert Processes(("gunicorn",), ("GUNICORN_CMD_ARGS=--workers 2 --reload",)).reload
    assert not Processes(("gunicorn",), ("GUNICORN_CMD_ARGS=--workers 2",)).reload


def test_a_program_that_is_not_known_is_not_judged() -> None:
    assert Processes(("/app/server --port 80",)).loaded_once == ()


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
