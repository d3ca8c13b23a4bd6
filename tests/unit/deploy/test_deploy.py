"""What a deploy does with services of an earlier one."""

from dataclasses import replace

from verify_parts import make_project

from layerstack.deploy import deploy


def test_a_service_of_an_inactive_profile_is_in_the_compose_file() -> None:
    project = replace(make_project({"web": {}}), inactive={"tools": ("debug",)})
    said: list[str] = []
    deploy._end_services(project, ("web", "tools", "old"), said.append)
    assert ["profile" in text for text in said] == [True, False]
