"""What docker-compose.yml promises about this project's own stack: walls between services, and limits of each."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEFINITION = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = DEFINITION["services"]
OWN = ("pose-service", "backend-api", "frontend")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_capabilities_and_bounded_processes_and_logs(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert 0 < service["pids_limit"] <= 4096
    assert service["mem_limit"]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    # mongod's start gives its data to another user; nothing else needs any.
    assert bool(service.get("cap_add")) == (name == "mongodb")


@pytest.mark.parametrize("name", OWN)
def test_our_own_services_cannot_write_but_to_tmp(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    writable = [volume for volume in service["volumes"] if not volume.endswith(":ro")]
    assert writable == (["model-cache:/models"] if name == "pose-service" else [])


def test_only_who_must_shares_a_network() -> None:
    members = {
        network: {name for name, service in SERVICES.items() if network in service["networks"]}
        for network in DEFINITION["networks"]
    }
    assert members == {
        "front": {"frontend", "backend-api"},
        "back": {"backend-api", "pose-service"},
        "data": {"backend-api", "mongodb", "mongo-user", "mongo-express"},
    }


def test_every_port_is_on_127_0_0_1() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert len(ports) == 5
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_api_knows_nothing_of_the_root_user() -> None:
    settings = SERVICES["backend-api"]["environment"]
    root = SERVICES["mongodb"]["environment"]["MONGO_INITDB_ROOT_USERNAME"]
    assert root not in str(settings)
    assert urlsplit(settings["MONGO_URL"]).netloc.startswith("${MONGO_API_USER:-")
    assert SERVICES["backend-api"]["depends_on"]["mongo-user"] == {"condition": "service_completed_successfully"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_health_check_asks_no_service_by_its_name(name: str) -> None:
    words = " ".join(SERVICES[name].get("healthcheck", {}).get("test", ()))
    assert not [other for other in SERVICES if f"//{other}" in words or f"host={other}" in words]
