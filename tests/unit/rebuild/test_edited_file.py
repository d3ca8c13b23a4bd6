"""Which file a timed rebuild changes when nothing says so."""

from pathlib import Path

import pytest

from layerstack.dockerfile.image import Image
from layerstack.errors import UsageError
from layerstack.project.project import Project
from layerstack.rebuild.edited_file import EditedFile, choose_edited_file


def choose(root: Path, dockerfile: str, *files: str, image: Image | None = None) -> EditedFile:
    for name in files:
        path = root / "web" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (root / "web").mkdir(exist_ok=True)
    (root / "web" / "Dockerfile").write_text(dockerfile)
    image = image or Image("web", "web", tags=("w",))
    return choose_edited_file(Project(root, "shop", "cpu", (), (), {"web": image}, {}), image)


@pytest.mark.parametrize(
    ("dockerfile", "path"),
    [
        ("FROM scratch\nCOPY a /a\nCOPY b /b", "b/main.py"),
        ("FROM scratch\nCOPY b /b\nCOPY a /a\nRUN true", "a/main.py"),
        ("FROM scratch\nCOPY a /a\nCOPY data.json /d", "a/main.py"),
        ("FROM scratch\nCOPY . /all", "app.js"),
        ("FROM scratch\nCOPY *.css /", "style.css"),
        ("FROM scratch AS x\nCOPY a /a\nFROM x\nRUN true", "a/main.py"),
        ("FROM scratch AS x\nCOPY a /a\nFROM scratch\nCOPY b /b\nCOPY --from=x /a /a", "a/main.py"),
        ("FROM scratch AS x\nCOPY data.json /a\nFROM scratch\nCOPY b /b\nCOPY --from=x /a /a", "b/main.py"),
        ("FROM scratch AS x\nCOPY a /a\nFROM x AS y\nFROM scratch\nCOPY --from=y /a /a", "a/main.py"),
    ],
)
def test_the_last_copy_that_brings_code_counts(tmp_path: Path, dockerfile: str, path: str) -> None:
    files = ("a/main.py", "a/deeper/aaa.py", "b/main.py", "b/test_a.py", "data.json", "app.js", "style.css")
    assert choose(tmp_path, dockerfile, *files).path == path


def test_the_reason_names_the_line(tmp_path: Path) -> None:
    found = choose(tmp_path, "FROM scratch\n\nCOPY src /src\n", "src/a.py")
    assert found == EditedFile("src/a.py", "from COPY in line 3 of web/Dockerfile")


@pytest.mark.parametrize(
    ("files", "path"),
    [
        (("z.py", "a.html", "a.css"), "z.py"),
        (("a.md", "z.html"), "a.md"),
        (("tests/a.py", "z.py"), "z.py"),
        (("requirements.txt", "setup.py", "a/z.py"), "a/z.py"),
        (("compose.yaml", "index.html"), "index.html"),
    ],
)
def test_code_comes_before_pages_tests_and_manifests(tmp_path: Path, files: tuple[str, ...], path: str) -> None:
    assert choose(tmp_path, "FROM scratch\nCOPY . /", *files).path == path


def test_the_target_stage_counts(tmp_path: Path) -> None:
    dockerfile = "FROM scratch AS runtime\nCOPY a.py /\nFROM runtime AS test\nCOPY b.py /\n"
    image = Image("web", "web", target="runtime", tags=("w",))
    assert choose(tmp_path, dockerfile, "a.py", "b.py", image=image).path == "a.py"


def test_an_inline_dockerfile_is_read(tmp_path: Path) -> None:
    image = Image("web", "web", tags=("w",), definition={"dockerfile-inline": "FROM scratch\nCOPY a.py /\n"})
    found = choose(tmp_path, "FROM scratch\nCOPY b.py /", "a.py", "b.py", image=image)
    assert found == EditedFile("a.py", "from COPY in line 2 of web's dockerfile_inline")


@pytest.mark.parametrize("files", [(), ("photo.jpg", "data.json", "requirements.txt"), ("kept/a.py",)])
def test_no_code_is_wrong_usage_with_the_way_out(tmp_path: Path, files: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        choose(tmp_path, "FROM scratch\nCOPY src /src\n", *files)
    assert "x-layerstack" in caught.value.advice


def test_an_ignored_file_is_never_chosen(tmp_path: Path) -> None:
    assert choose(tmp_path, "FROM scratch\nCOPY . /\n", "a.py", "b.js").path == "a.py"
    (tmp_path / "web" / ".dockerignore").write_text("*.py\n")
    assert choose(tmp_path, "FROM scratch\nCOPY . /\n").path == "b.js"


@pytest.mark.parametrize("name", ["Program.cs", "lib/app.ex", "Main.scala", "Sources/main.swift", "src/core.clj"])
def test_code_of_every_common_language_is_code(tmp_path: Path, name: str) -> None:
    assert choose(tmp_path, "FROM scratch\nCOPY . .\n", name, "README.md", "Worker.csproj").path == name
