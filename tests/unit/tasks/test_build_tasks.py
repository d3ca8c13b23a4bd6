"""A build of which nothing is left to do, and why."""

from dataclasses import replace
from pathlib import Path

import pytest
from compose_project import load

from layerstack.build.text import nothing_to_build
from layerstack.errors import UsageError
from layerstack.tasks.build_tasks import _build

NO_CACHES: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("has_example", [False, True])
def test_where_every_service_has_a_profile_nothing_is_chosen(tmp_path: Path, as_json: bool, has_example: bool) -> None:
    if has_example:
        (tmp_path / ".env.example").write_text("export COMPOSE_PROFILES=web\n")
    project = replace(load(tmp_path, "services: {}")[0], inactive={"web": ("web",)})
    with pytest.raises(UsageError) as refused:
        _build(project, [], "", NO_CACHES, as_json)
    assert ("cp .env.example .env" in refused.value.advice) is has_example


@pytest.mark.parametrize(
    ("services", "other"),
    [("{ db: { image: db } }", ""), ("{ web: { build: . } }", "invoke build`")],
)
def test_a_project_without_bases_is_no_project_without_builds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], services: str, other: str
) -> None:
    project, _ = load(tmp_path, f"services: {services}")
    assert _build(project, [], "", NO_CACHES, False) == []
    assert nothing_to_build(project) in capsys.readouterr().err.replace("\n", " ")
    assert other in nothing_to_build(project)
