"""BuildKit's own Dockerfile checks, on a project that was never built."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from layers import layers

from benchmarks import dockerfile_checks as lint
from layerstack.engine import images
from layerstack.errors import BuildFailed
from layerstack.project.project import Project

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("build_engine")]


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    with layers(tmp_path, monkeypatch) as found:
        yield found


def rewrite(stack: Project, old: str, new: str) -> None:
    path = stack.root / "web" / "Dockerfile"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_a_clean_project_has_no_warnings_and_nothing_is_built(stack: Project) -> None:
    assert lint.check_dockerfiles(stack) == []
    assert images.find_all(image.tag for image in stack.images.values()) == {}


def test_a_real_warning_is_found_with_its_line(stack: Project) -> None:
    rewrite(stack, 'CMD ["node", "src/app.js"]', "ENV API_SECRET=x\nCMD node src/app.js")
    found = {(one.rule, one.place) for one in lint.check_dockerfiles(stack)}
    assert found == {("SecretsUsedInArgOrEnv", "web/Dockerfile:8"), ("JSONArgsRecommended", "web/Dockerfile:9")}


def test_a_tag_is_not_touched(stack: Project) -> None:
    from layerstack.build import build

    build.build(stack, ["web"])
    before = images.find(stack.image("web").tag)
    rewrite(stack, "WORKDIR /app", "WORKDIR app")
    assert [one.rule for one in lint.check_dockerfiles(stack)] == ["WorkdirRelativePath"]
    assert images.find(stack.image("web").tag) == before


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("WORKDIR /app", "WORKDIRR /app", r"web/Dockerfile:2: .*WORKDIRR"),
        ("FROM deps AS runtime", "FROM deps AS deps AS runtime", r"web/Dockerfile:6: .*FROM"),
        ("AS runtime", "AS other", r"runtime\W+could not be found"),
    ],
)
def test_bad_syntax_is_a_failed_build_with_the_reason(stack: Project, old: str, new: str, word: str) -> None:
    rewrite(stack, old, new)
    with pytest.raises(BuildFailed, match=word):
        lint.check_dockerfiles(stack)
