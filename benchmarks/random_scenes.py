"""Random small images: a Dockerfile, its build contexts, its ignore rules; and random changes of them.

Everything is drawn from pools of odd but valid things; what BuildKit still refuses is left out by the judge.
"""

import random
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RUN_BASE = "stand-in/debian:bookworm"
FILES = ("a", "b.txt", "src/x.py", "src/deep/y.md", "src/deep/z.py", "a b/f", "dist/o", "d/.hid", "é.txt", "[x].txt")
FOLDERS = ("src", "src/deep", "a b", "dist", "d", ".")
LINKS = {"links/l1": "../src/x.py", "links/l2": "l1", "ldir": "src", "d/dangling": "nowhere", "up": "../../b.txt"}
_PLAIN_RULES = (
    "* !src !src/** **/*.py !**.py **.md src/*.py dist ^dist lib /a a/b *.txt !b.txt ** !src/deep src/** links d/* "
    "!d/.hid **/deep/** [a-b] ? !a **/.hid ./b.txt src/deep/ !**/y.md [[:alpha:]] #c ldir Dockerfile .dockerignore "
    r"!.dockerignore \a src/../dist **/x.* !links/* *d*"
)
RULES = [*_PLAIN_RULES.split(), "a b", "  b.txt ", "! src/x.py", ""]
SOURCES = (
    *("a", "b.txt", "src", "src/", "./src/deep", ".", "*.txt", "src/*", "s*", "d", "dist/o", "links/l1", "links/l*"),
    *("ldir", "ldir/deep", "$TOP", "${NOPE:-src}", "${TOP:-${EMPTY}}", "${DIR:-dist}", "${TOP#x}", "'src'", '"src"'),
    *("up", "/src/deep/", "src/../a", "[a-b]", "d/.hid", "é.txt", "src/d?ep", "${MODE:+src/x.py}${MODE:-a}"),
)
FLAGS = ("", "", "", "--chown=1:1 ", "--chmod=640 ", "--link ", '--exclude="*.md" ', "--exclude=**/x.py ")
MOUNTS = (
    "type=bind,target=/m",
    "type=BIND,Source=src,TARGET=/m",
    "type=bind,src=links/l1,dst=/m",
    "target=/m,source=ldir",
)
ENVIRONMENT = (
    "ENV TOP=dist",
    "ENV DIR=src/deep OLD=$DIR",
    "ENV TOP d",
    'ENV DIR=s"r"c',
    "ENV Q='$TOP'",
    'ENV TOP="$TOP"',
    "ENV TOP=${DIR:-src} DIR=d",
)
ARGUMENTS = ("ARG TOP", "ARG MODE", "ARG MODE=dist", "ARG TOP=a DIR=src", "ARG TARGETARCH", 'ARG DIR="src"')
DESCRIPTIONS = (
    "WORKDIR /w",
    "WORKDIR /w  x",
    "WORKDIR sub/$TOP",
    "LABEL x=1 y='2  3'",
    'CMD ["a",  "b"]',
    "EXPOSE 80",
    "USER root",
    "STOPSIGNAL 9",
    'VOLUME ["/v  1"]',
    "HEALTHCHECK --interval=3s CMD  true",
    "ENTRYPOINT run  it",
)
TRIGGERS = ("COPY a* /o/a/", "COPY src/dee[p] /o/", "ENV TOP=src", "LABEL o=1", "COPY <<E /o/doc\nx\nE")
BASE_LINES = (
    "ONBUILD COPY b.tx* /onbuild/",
    "ONBUILD ENV FROMBASE=dist",
    "ONBUILD COPY src /onsrc",
    "ONBUILD COPY <<E /doc\nhello\nE",
    "ONBUILD LABEL a=b",
    "ENV DIR=src",
    "ENV DIR=src\nARG DIR=dist",
    "ARG TOP=d\nENV NAME=TOP\nENV $NAME=dist",
    "LABEL c=d",
    "ONBUILD WORKDIR /w  x",
)
EDITS = (
    ("one", "two"),
    ("/to", "/at"),
    ("src", "dist"),
    ("echo", "printf"),
    ("=1", "=2"),
    ("/w", "/v"),
    ("TOP", "DIR"),
    ("EOF", "EOG"),
    ("ONBUILD ", "ONBUILD  "),
    ("COPY", "ADD"),
    ("ran", "run"),
    ("'", '"'),
    ("dist", "src"),
)


@dataclass
class Scene:
    """One image of the project `images`, in a folder of its own; `text` is its Dockerfile."""

    folder: Path
    number: int
    lines: list[str] = field(default_factory=list)
    definition: dict[str, Any] = field(default_factory=dict)
    base_lines: list[str] = field(default_factory=list)
    dockerfile: str = "Dockerfile"

    @property
    def name(self) -> str:
        return f"scene{self.number}"

    @property
    def context(self) -> Path:
        return self.folder / "ctx"

    @property
    def named(self) -> Path:
        return self.folder / "named"

    @property
    def targets(self) -> dict[str, dict[str, Any]]:
        """The bake targets: the image itself, and the one that it may be built on."""
        found = {self.name: self.definition}
        if self.base_lines:
            found[f"{self.name}base"] = {"context": str(self.folder / "base"), "tags": [f"random-{self.name}base"]}
        return found

    def write(self) -> None:
        """The Dockerfiles as they are now."""
        text = "\n".join(self.lines) + "\n"
        if self.definition.get("dockerfile-inline"):
            self.definition["dockerfile-inline"] = text
        else:
            (self.context / self.dockerfile).write_text(text)
        if self.base_lines:
            (self.folder / "base").mkdir(exist_ok=True)
            (self.folder / "base" / "Dockerfile").write_text("\n".join(self.base_lines) + "\n")


@dataclass(frozen=True)
class Change:
    """`path` is the file whose content changed and nothing else; empty for every other kind of change."""

    kind: str
    detail: str
    path: str = ""


def random_scene(dice: random.Random, root: Path, number: int) -> Scene:
    """A scene in a new folder. Its files hold its number, so that no two scenes share a step."""
    scene = Scene(root / f"scene{number}", number)
    shutil.rmtree(scene.folder, ignore_errors=True)
    for folder in (scene.context, scene.named):
        _fill(dice, folder, f"{root.name} {number}")
    scene.dockerfile = dice.choice(["Dockerfile", "Dockerfile", "Dockerfile", "dockerfile", "docker/App.Dockerfile"])
    (scene.context / scene.dockerfile).parent.mkdir(exist_ok=True)
    scene.definition = {"context": str(scene.context), "tags": [f"random-{scene.name}"], "contexts": {}, "args": {}}
    if scene.dockerfile == "docker/App.Dockerfile":
        scene.definition["dockerfile"] = scene.dockerfile
    elif dice.random() < 0.1:
        scene.definition["dockerfile-inline"] = "FROM scratch"
    _Writer(dice, scene).write()
    _ignore(dice, scene)
    scene.write()
    return scene


def _fill(dice: random.Random, folder: Path, salt: str) -> None:
    for name in FILES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{salt} {name}\n")
        path.chmod(dice.choice([0o644, 0o644, 0o755]))
    for name, target in LINKS.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(target)


def _ignore(dice: random.Random, scene: Scene) -> None:
    text = "\n".join(dice.sample(RULES, dice.randint(1, 3))) + "\n"
    place = dice.random()
    if place < 0.4:
        (scene.context / ".dockerignore").write_text(text)
    elif place < 0.5:
        (scene.context / f"{scene.dockerfile}.dockerignore").write_text(text)
    elif place < 0.55:
        (scene.folder / "rules").write_text(text)
        (scene.context / ".dockerignore").symlink_to("../rules")
    if dice.random() < 0.2:
        (scene.named / ".dockerignore").write_text("\n".join(dice.sample(RULES, 2)) + "\n")


class _Writer:
    """Writes the Dockerfile of one scene: one to three stages on scratch, Debian, a context or a stage."""

    def __init__(self, dice: random.Random, scene: Scene) -> None:
        self._dice = dice
        self._scene = scene
        self._stages: list[tuple[str, bool]] = []

    def write(self) -> None:
        dice, lines = self._dice, self._scene.lines
        if dice.random() < 0.1:
            lines.append(dice.choice(["# escape=`", "# check=skip=all\n# escape=`", "# a=b\n# escape=`"]))
        lines += ["ARG TOP=src", "ARG EMPTY"]
        if dice.random() < 0.3:
            self._scene.definition["args"]["MODE"] = dice.choice(["one", "src", "a b"])
        if dice.random() < 0.3:
            self._write_base()
        for number in range(dice.choice([1, 1, 2, 2, 3])):
            self._stage(number)

    def _write_base(self) -> None:
        """Another image of the project; its ONBUILD works on this scene's context."""
        kept = self._dice.sample(BASE_LINES, self._dice.randint(1, 4))
        salt = f"COPY <<S /s\n{self._scene.folder}\nS"
        self._scene.base_lines = [
            f"FROM {self._dice.choice(['scratch', RUN_BASE])}",
            salt,
            "WORKDIR /w",
            *kept,
        ]
        key = self._dice.choice(["lower", "lower", "example/lower"])
        self._scene.definition["contexts"][key] = f"target:{self._scene.name}base"

    def _stage(self, number: int) -> None:
        dice, scene = self._dice, self._scene
        base, can_run = self._base()
        name = dice.choice([f"s{number}", f"S{number}", "build"])
        platform = dice.choice(["", "", "", "--platform=$BUILDPLATFORM "])
        scene.lines.append(f"FROM {platform if base == RUN_BASE else ''}{base} AS {name}")
        makers = [self._copy, self._copy, self._copy, self._env, self._arg, self._plain, self._onbuild]
        makers += [self._run] if can_run else []
        # Scenes that shared a step would wear each other's names in BuildKit's log.
        scene.lines.append(f"COPY <<SALT /salt\n{scene.folder} {number}\nSALT")
        for _ in range(dice.randint(1, 4)):
            scene.lines.append(dice.choice(makers)())
        # A stage that holds nothing cannot be exported.
        scene.lines.append(f"COPY b.tx[t] /end{number}/")
        self._stages.append((name.lower(), can_run))

    def _base(self) -> tuple[str, bool]:
        dice = self._dice
        choices: list[tuple[str, bool]] = [("scratch", False), (RUN_BASE, True)]
        choices += [(dice.choice([name, f'"{name}"']), can_run) for name, can_run in self._stages[-2:]]
        if self._scene.base_lines:
            key = next(iter(self._scene.definition["contexts"]))
            spelt = [key, f"{key}:latest", f"docker.io/{key}" if "/" in key else f"docker.io/library/{key}"]
            choices += [(dice.choice(spelt), RUN_BASE in self._scene.base_lines[0])] * 2
        if dice.random() < 0.05:
            self._scene.definition["contexts"][dice.choice(["root", "root::linux/amd64"])] = str(self._scene.named)
            choices += [("root", False)] * 2
        return dice.choice(choices)

    def _source(self) -> str:
        return self._dice.choice(SOURCES)

    def _copy(self) -> str:
        dice = self._dice
        keyword = dice.choice(["COPY", "COPY", "COPY", "ADD", "copy"])
        flags = dice.choice(FLAGS)
        if self._stages and dice.random() < 0.3 and keyword.upper() == "COPY":
            origin = dice.choice([*self._stages, *self._stages])[0]
            index = len(self._stages) - 1
            origin = dice.choice([origin, f'"{origin}"', origin.upper(), str(index)])
            return f"COPY --from={origin} / /from{dice.randint(0, 9)}/"
        if dice.random() < 0.1:
            self._scene.definition["contexts"]["side"] = str(self._scene.named)
            name = dice.choice(["side", "docker.io/library/side", "side:latest"])
            return f"COPY --from={name} {self._source()} /side/"
        if dice.random() < 0.15:
            return f'{keyword} {flags}["a", "src", "/j  {dice.randint(0, 9)}/"]'
        if dice.random() < 0.15:
            return self._document(keyword)
        return f"{keyword} {flags}{self._source()} {self._source()} /to{dice.randint(0, 9)}/"

    def _document(self, keyword: str) -> str:
        name = self._dice.choice(["EOF", "E.O-F", "x"])
        written = self._dice.choice([f"<<{name}", f"<<'{name}'", f'<<-"{name}"'])
        return f"{keyword} {written} /doc{self._dice.randint(0, 9)}\nline one\n\n# two $TOP\n{name}"

    def _run(self) -> str:
        dice = self._dice
        if dice.random() < 0.35:
            mount = dice.choice(["--mount={}", '--mount="{}"']).format(dice.choice(MOUNTS))
            return f"RUN {mount} find /m -type f | sort | head -c 400 > /found{dice.randint(0, 9)}"
        if self._stages and dice.random() < 0.25:
            return f"RUN --mount=from={self._stages[0][0]},target=/other ls -a /other > /listed"
        if dice.random() < 0.2:
            return "RUN --mount=type=cache,target=/cache echo cached > /cache/x"
        blank = dice.choice(["", " "])
        return dice.choice(
            [
                f"RUN echo {self._scene.number}  $TOP > /e{dice.randint(0, 9)}",
                f"RUN cat <<{blank}'EOF' > /script\n# one\n\nFROM nothing\nEOF",
                f"RUN <<{blank}EOF\n# {self._scene.number}\necho ran > /ran\nEOF",
                'RUN echo "use <<EOF here"',
                f'RUN ["sh", "-c", "echo  {dice.randint(0, 9)} > /json"]',
                "RUN --network=none true",
                self._continued(),
            ]
        )

    def _continued(self) -> str:
        # Behind an unknown directive it is a comment.
        escape = "`" if self._scene.lines[0].startswith(("# escape", "# check")) else "\\"
        return f"RUN echo a && {escape}\n  # a comment\n\n  echo b > /ab"

    def _env(self) -> str:
        return self._dice.choice(ENVIRONMENT)

    def _arg(self) -> str:
        return self._dice.choice(ARGUMENTS)

    def _plain(self) -> str:
        return self._dice.choice(DESCRIPTIONS)

    def _onbuild(self) -> str:
        return f"ONBUILD {self._dice.choice(TRIGGERS)}"


def random_change(dice: random.Random, scene: Scene) -> Change:
    """Change one thing of a scene."""
    kinds: tuple[Callable[[random.Random, Scene], Change], ...] = (
        *(_edit_file,) * 5,
        *(_edit_instruction,) * 4,
        _edit_rules,
        _edit_rules,
        _add_file,
        _add_file,
        _remove_file,
        _change_mode,
        _change_link,
        _change_argument,
        _comment,
        _touch,
        _change_base,
        _add_socket,
        _add_blank,
    )
    change = dice.choice(kinds)(dice, scene)
    scene.write()
    return change


def _a_file(dice: random.Random, scene: Scene) -> Path:
    folder = dice.choice([scene.context, scene.context, scene.context, scene.named])
    return folder / dice.choice([name for name in FILES if (folder / name).exists()])


def _edit_file(dice: random.Random, scene: Scene) -> Change:
    path = _a_file(dice, scene)
    path.write_text(path.read_text() + "changed\n")
    return Change("file-content", str(path), str(path))


def _touch(dice: random.Random, scene: Scene) -> Change:
    path = _a_file(dice, scene)
    path.write_text(path.read_text())
    return Change("touch", str(path))


def _add_file(dice: random.Random, scene: Scene) -> Change:
    path = scene.context / dice.choice(FOLDERS) / dice.choice(["new.py", "new.md", "new", ".new"])
    path.write_text(f"new {scene.number}\n")
    return Change("file-added", str(path))


def _remove_file(dice: random.Random, scene: Scene) -> Change:
    path = scene.context / dice.choice(("src/deep/z.py", "src/deep/y.md", "d/.hid", "[x].txt"))
    path.unlink(missing_ok=True)
    return Change("file-removed", str(path))


def _change_mode(dice: random.Random, scene: Scene) -> Change:
    path = _a_file(dice, scene)
    path.chmod(path.stat().st_mode ^ 0o111)
    return Change("file-mode", str(path))


def _change_link(dice: random.Random, scene: Scene) -> Change:
    name = dice.choice(("links/l1", "links/l2", "d/dangling", "up"))
    (scene.context / name).unlink()
    (scene.context / name).symlink_to("../b.txt" if name.startswith("links") else "b.txt")
    return Change("link", name)


def _add_socket(dice: random.Random, scene: Scene) -> Change:
    path = scene.context / dice.choice(("src", "d")) / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        # The path of a socket may have 108 bytes: bind a short one and move it.
        short = scene.folder.parent / f"s{scene.number}"
        short.unlink(missing_ok=True)
        listener.bind(str(short))
        short.rename(path)
    return Change("socket", str(path))


def _edit_rules(dice: random.Random, scene: Scene) -> Change:
    path = scene.context / dice.choice([".dockerignore", ".dockerignore", f"{scene.dockerfile}.dockerignore"])
    before = path.read_text() if path.is_file() else ""
    rule = dice.choice(RULES)
    path.unlink(missing_ok=True)
    path.write_text(f"{before}{rule}\n" if dice.random() < 0.7 else f"{rule}\n{before}")
    return Change("ignore-rules", f"{path.name}: {rule}")


def _change_argument(dice: random.Random, scene: Scene) -> Change:
    name, value = dice.choice([("MODE", "dist"), ("TOP", "d"), ("EMPTY", "src"), ("OTHER", "x")])
    scene.definition["args"][name] = value
    return Change("build-arg", f"{name}={value}")


def _comment(dice: random.Random, scene: Scene) -> Change:
    scene.lines.insert(dice.randint(1, len(scene.lines)), "# a comment\n")
    return Change("comment", "")


def _add_blank(dice: random.Random, scene: Scene) -> Change:
    """One blank more somewhere: it counts in what a shell gets, in a path and in quotes, and nowhere else."""
    places = [(i, at) for i, line in enumerate(scene.lines) for at, one in enumerate(line) if one == " "]
    index, at = dice.choice(places)
    line = scene.lines[index]
    scene.lines[index] = f"{line[:at]} {line[at:]}"
    return Change("instruction", f"a blank in {line!r}")


def _edit_instruction(dice: random.Random, scene: Scene) -> Change:
    # The salt holds the folder's path: what matches in it would be another edit in every run.
    lines = [(i, line) for i, line in enumerate(scene.lines) if str(scene.folder) not in line]
    possible = [(i, old, new) for i, line in lines for old, new in EDITS if old in line]
    index, old, new = dice.choice(possible)
    line = scene.lines[index]
    scene.lines[index] = line.replace(old, new)
    return Change("instruction", f"{line!r} → {scene.lines[index]!r}")


def _change_base(dice: random.Random, scene: Scene) -> Change:
    if not scene.base_lines:
        return _edit_instruction(dice, scene)
    line = dice.choice(("ONBUILD COPY dist /on", "LABEL changed=1", "ENV DIR=dist", "ONBUILD ENV TOP=d"))
    scene.base_lines.append(line)
    return Change("parent", line)
