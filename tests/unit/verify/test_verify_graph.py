"""What services need of each other: declared, and read from the addresses in their variables."""

import pytest
from verify_parts import make_project

from layerstack.project.addresses import Reference, references
from layerstack.verify.check_graph import read_graph, service_names


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("mongodb://user:secret@db:27018/?a=b", [("db", 27018, True)]),
        ("mongodb://a,b:27018/app", [("a", 27017, False), ("b", 27018, False)]),
        ("http://api", [("api", 80, False)]),
        ("jdbc:postgresql://db/app", [("db", 5432, False)]),
        ("http://[::1]:9/", [("::1", 9, False)]),
        ("unix:///var/run/docker.sock", []),
        ("db", [("db", None, False)]),
        ("db:6379", [("db", 6379, False)]),
        ("elsewhere", []),
        ("a text with db in it", []),
        ("", []),
    ],
)
def test_addresses_in_a_variable(value: str, found: list[tuple[str, int | None, bool]]) -> None:
    seen = references({"X": value}, ["db"])
    assert [(one.host, one.port, one.has_credentials) for one in seen] == found


def test_a_host_variable_counts_although_nobody_is_called_so_and_a_proxy_never() -> None:
    assert references({"DB_HOST": "nowhere:1", "HTTP_PROXY": "http://db:1"}, ["db"]) == (
        Reference("DB_HOST", "nowhere", 1),
    )


def test_an_address_makes_a_service_needed_also_by_its_other_names() -> None:
    project = make_project(
        {
            "web": {"environment": {"API": "http://backend:80"}},
            "api": {"networks": {"default": {"aliases": ["backend"]}}, "environment": {"DB_HOST": "store"}},
            "db": {"container_name": "store"},
        }
    )
    graph = read_graph(project)
    assert graph.order == ("db", "api", "web")
    assert graph.all_needs("web") == {"api", "db"}
    assert service_names(project)["store"] == "db"


def test_what_is_declared_counts_more_than_an_address_that_would_close_a_circle() -> None:
    project = make_project(
        {
            "api": {"environment": {"ALLOWED_ORIGIN": "http://web:80"}, "depends_on": {"gone": {}}},
            "web": {"depends_on": {"api": {"condition": "service_healthy"}}},
            "idle": {"scale": 0},
        }
    )
    graph = read_graph(project)
    assert graph.order == ("api", "web")
    assert graph.needs == {"web": {"api"}, "api": frozenset()}
