"""What `context.walk` says is sent is what BuildKit really receives: random trees and random ignore files."""

import io
import os
import random
import socket
import tarfile
from pathlib import Path

import pytest

from layerstack import command
from layerstack.dockerfile import context
from layerstack.errors import CommandFailed, UsageError

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("build_engine")]

TREES = 60
NAMES = [*["a", "b", "src", "lib", "x.py", "y.js", "node_modules", "deep", "z.log", ".env", ".git"], "a b"]
PLAIN_RULES = (
    "* !src !src/** **/*.py !**/*.py src/*.py node_modules **/node_modules !lib/deep lib /a a/b *.log !z.log ** "
    "!**/deep/** src/**/x.py [ab] ? !a lib/* !lib/x.py deep/ ./b **/b/** !b src/a* #c a/**/b **/src/a !a/b/src "
    r"\a !*/b */* [^a] [a-b]* !.env .* !**/.git a/../b"
)
# Rules that are compared without an expression, and what an expression of Go has more than one of Python.
OTHER_RULES = "!**.py **.md **.py !src/** a** ^a ^src* [[:alpha:]] [[:alpha:]]* [[:punct:]]env **b ./src/../lib"
RULES = [*PLAIN_RULES.split(), *OTHER_RULES.split(), "", "  b  ", "a b", "! src"]


def fill(folder: Path, dice: random.Random, depth: int = 0) -> None:
    for name in dice.sample(NAMES, dice.randint(1, 5)):
        path = folder / name
        if "." in name[1:] or depth > 2:
            path.write_text("x")
        elif dice.random() < 0.75:
            path.mkdir()
            fill(path, dice, depth + 1)
        elif dice.random() < 0.3:
            path.symlink_to("nowhere")
        else:
            path.write_text("y")


def received(folder: Path, dockerfile: Path) -> list[str]:
    """Names in the image that `COPY . /` makes of the folder."""
    output = folder.parent / "image.tar"
    words = ["docker", "buildx", "build", "--quiet", "--file", str(dockerfile)]
    command.run([*words, "--output", f"type=tar,dest={output}", str(folder)]).require()
    with tarfile.open(fileobj=io.BytesIO(output.read_bytes())) as archive:
        return sorted(member.name.rstrip("/") for member in archive if member.name not in (".", "./"))


def test_random_trees_are_sent_as_walked(tmp_path: Path) -> None:
    seed = int(os.environ.get("LAYERSTACK_TEST_SEED", "20261120"))
    print(f"LAYERSTACK_TEST_SEED={seed}")
    dice = random.Random(seed)
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text("FROM scratch\nCOPY . /\n")
    filtered = 0
    for number in range(TREES):
        folder = tmp_path / f"tree-{number}" / "context"
        folder.mkdir(parents=True)
        fill(folder, dice)
        rules = dice.sample(RULES, dice.randint(1, 6))
        (folder / ".dockerignore").write_text("\n".join(rules) + "\n")
        walked = [entry.path for entry in context.Context(folder).walk()]
        assert sorted(walked) == received(folder, dockerfile), f"seed {seed}, tree {number}, rules {rules}"
        filtered += len(walked) < sum(1 for _ in context.walk(folder))
    assert filtered > TREES / 3


def test_odd_files_are_sent_as_walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "context"
    folder.mkdir()
    for name in (b"with space", b"line\nend", "日本".encode(), b"-dash", b"*star"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).touch()
    (folder / "dangling").symlink_to("nowhere")
    (folder / "empty").mkdir()
    monkeypatch.chdir(folder)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text("FROM scratch\nCOPY . /\n")
    assert sorted(entry.path for entry in context.walk(folder)) == received(folder, dockerfile)


@pytest.mark.parametrize("rule", ["[x-]", "[-x]", "[]a]", "[a-b-c]", "\\", "!/", "[b-a]"])
def test_what_we_refuse_the_builder_refuses(tmp_path: Path, rule: str) -> None:
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "a").touch()
    (folder / ".dockerignore").write_text(f"{rule}\n")
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    with pytest.raises(UsageError, match=r"\.dockerignore:1"):
        context.Context(folder).require_rules()
    with pytest.raises(CommandFailed, match="pattern"):
        received(folder, tmp_path / "Dockerfile")
