"""What Swarm is given, and what is said of the rest: each reason once."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from layerstack.deploy import swarm_keys
from layerstack.deploy.service_policy import Facts
from layerstack.deploy.stack_file import StackFile, make_stack_file
from layerstack.errors import UsageError

ROOT = Path("/p")
CODE = {"type": "bind", "source": "/p/web", "target": "/srv", "read_only": True}


def stack_of(facts: Facts | None = None, top: Any = None, **services: Any) -> StackFile:
    document = {"name": "shop", "services": services, **(top or {})}
    images = {name: f"h:1/team/{name}@sha256:1" for name in services}
    return make_stack_file(ROOT, document, images, facts or Facts())


def service_of(facts: Facts | None = None, **one: Any) -> dict[str, Any]:
    made: dict[str, Any] = stack_of(facts, web=one).document["services"]["web"]
    return made


def reasons(file: StackFile) -> dict[str, str]:
    return {change.key: change.reason for change in file.changes}


def test_a_reason_is_given_once_for_all_services() -> None:
    file = stack_of(web={"security_opt": ["a"], "privileged": True}, queue={"security_opt": ["a"]}, db={})
    assert [(one.key, one.services) for one in file.changes] == [
        ("privileged", ("web",)),
        ("security_opt", ("web", "queue")),
    ]
    assert all(one.reason for one in file.changes)


@pytest.mark.parametrize(
    "key", ["depends_on", "security_opt", "container_name", "devices", "network_mode", "group_add", "blkio_config"]
)
def test_what_swarm_lacks_is_named_and_not_in_the_file(key: str) -> None:
    file = stack_of(web={key: {"x": {}}})
    assert key not in file.document["services"]["web"]
    assert list(reasons(file)) == [key]


def test_resolved_keys_and_extensions_are_no_news() -> None:
    file = stack_of(web={"build": {"context": "."}, "profiles": ["a"], "x-note": 1, "command": None, "expose": ["1"]})
    assert not file.changes
    assert file.document["services"]["web"].keys() == {"image", "deploy"}


def test_limits_move_to_deploy_and_what_is_declared_there_counts() -> None:
    one = service_of(mem_limit="1024", cpus=0.5, pids_limit=9, deploy={"resources": {"limits": {"memory": "2048"}}})
    assert one["deploy"]["resources"] == {"limits": {"memory": "2048", "cpus": "0.5", "pids": 9}}


@pytest.mark.parametrize(
    ("restart", "policy"),
    [
        ("unless-stopped", {"condition": "any"}),
        ("no", {"condition": "none"}),
        ("on-failure:3", {"condition": "on-failure", "max_attempts": 3}),
        (None, None),
    ],
)
def test_restart(restart: str | None, policy: Any) -> None:
    assert service_of(restart=restart)["deploy"].get("restart_policy") == policy


def test_an_update_starts_first_and_is_rolled_back_where_nothing_else_is_said() -> None:
    assert service_of()["deploy"]["update_config"] == {"order": "start-first", "failure_action": "rollback"}
    declared = service_of(deploy={"update_config": {"failure_action": "pause", "parallelism": 2}})["deploy"]
    assert declared["update_config"] == {"order": "start-first", "failure_action": "pause", "parallelism": 2}


def test_two_never_write_to_one_volume_or_hold_one_port() -> None:
    volume = {"type": "volume", "source": "data", "target": "/data"}
    assert service_of(volumes=[volume])["deploy"]["update_config"]["order"] == "stop-first"
    assert service_of(volumes=[{**volume, "read_only": True}])["deploy"]["update_config"]["order"] == "start-first"
    port = {"target": 80, "published": "8080", "mode": "ingress"}
    assert service_of(ports=[port])["deploy"]["update_config"]["order"] == "start-first"
    assert service_of(Facts(has_virtual_ips=False), ports=[port])["deploy"]["update_config"]["order"] == "stop-first"


def test_ports() -> None:
    ports = [
        {"target": 80, "published": "8080", "host_ip": "127.0.0.1", "protocol": "tcp"},
        {"target": 81, "published": "8081", "protocol": "udp", "mode": "ingress"},
        {"target": 82, "published": "8082-8090"},
    ]
    file = stack_of(web={"ports": ports})
    wanted = [{"target": 81, "protocol": "udp", "mode": "ingress", "published": 8081}]
    assert file.document["services"]["web"]["ports"] == wanted
    assert reasons(file) == {
        "ports: 127.0.0.1": swarm_keys.LOOPBACK_PORT,
        "ports: 8082-8090": swarm_keys.PORT_RANGE,
    }


def test_without_ip_vs_names_lead_to_each_replica_and_ports_are_those_of_the_node() -> None:
    port = {"target": 80, "published": "8080", "mode": "ingress"}
    file = stack_of(Facts(has_virtual_ips=False), web={"ports": [port]})
    web = file.document["services"]["web"]
    assert web["deploy"]["endpoint_mode"] == "dnsrr"
    assert web["ports"][0]["mode"] == "host"
    assert {"deploy.endpoint_mode: dnsrr", "ports"} <= reasons(file).keys()
    assert "endpoint_mode" not in service_of(ports=[port])["deploy"]


def test_mounts_of_the_project_are_left_out_and_others_are_not() -> None:
    other = {"type": "bind", "source": "/var/log", "target": "/log"}
    file = stack_of(web={"build": {}, "volumes": [CODE, other]}, db={"volumes": [CODE]})
    assert file.document["services"]["web"]["volumes"] == [other]
    assert "volumes" not in file.document["services"]["db"]
    said = {(one.reason, one.services) for one in file.changes}
    assert said == {
        (swarm_keys.CODE_MOUNT, ("web",)),
        (swarm_keys.OTHER_MOUNT, ("web",)),
        (swarm_keys.FILE_MOUNT, ("db",)),
    }


def test_memory_mounts() -> None:
    assert service_of(tmpfs=["/tmp:size=64m,mode=1777", "/run"], shm_size="1gb")["volumes"] == [
        {"type": "tmpfs", "target": "/tmp", "tmpfs": {"size": 64 * 2**20}},
        {"type": "tmpfs", "target": "/run"},
        {"type": "tmpfs", "target": "/dev/shm", "tmpfs": {"size": 2**30}},
    ]


def test_a_gpu_is_a_generic_resource() -> None:
    device = {"driver": "nvidia", "count": 2, "capabilities": ["gpu"]}
    file = stack_of(web={"deploy": {"resources": {"reservations": {"devices": [device]}}}})
    reserved = file.document["services"]["web"]["deploy"]["resources"]["reservations"]
    assert reserved == {"generic_resources": [{"discrete_resource_spec": {"kind": "NVIDIA-GPU", "value": 2}}]}
    assert list(reasons(file).values()) == [swarm_keys.GPU]


def test_what_others_wait_for_to_end_is_a_job() -> None:
    need = {"once": {"condition": "service_completed_successfully"}}
    file = stack_of(web={"depends_on": need}, once={"restart": "no"})
    assert file.jobs == {"once"}
    policy = file.document["services"]["once"]["deploy"]
    assert policy["mode"] == "replicated-job"
    assert policy["restart_policy"]["condition"] == "on-failure"
    assert "update_config" not in policy


def test_data_stays_on_its_node_unless_a_placement_is_declared() -> None:
    facts = Facts(nodes={"web": "n1"})
    assert service_of(facts)["deploy"]["placement"] == {"constraints": ["node.id == n1"]}
    own = {"constraints": ["node.labels.disk == ssd"]}
    assert service_of(facts, deploy={"placement": own})["deploy"]["placement"] == own


@pytest.mark.parametrize("mode", ["replicated-job", "global-job"])
def test_what_is_declared_as_a_job_stays_one_and_has_no_policy_for_updates(mode: str) -> None:
    file = stack_of(once={"restart": "always", "deploy": {"mode": mode, "restart_policy": {"condition": "any"}}})
    assert file.jobs == {"once"}
    policy = file.document["services"]["once"]["deploy"]
    assert policy == {"mode": mode, "restart_policy": {"condition": "on-failure", "delay": "5s"}}
    assert "deploy.mode: replicated-job" not in reasons(file)


def test_the_options_of_a_mount_are_kept_and_a_folder_of_a_volume_is_refused() -> None:
    mount = {"type": "volume", "source": "data", "target": "/data"}
    (made,) = service_of(volumes=[{**mount, "volume": {"nocopy": True}}])["volumes"]
    assert made == {**mount, "volume": {"nocopy": True}}
    with pytest.raises(UsageError, match="whole volumes"):
        service_of(volumes=[{**mount, "volume": {"subpath": "web"}}])


def test_networks_and_volumes_have_the_names_that_swarm_gives_them() -> None:
    top = {
        "networks": {
            "back": {"name": "shop_back", "ipam": {}, "driver": "bridge"},
            "far": {"name": "far", "external": True},
        },
        "volumes": {"data": {"name": "shop_data"}, "old": {"name": "other"}},
    }
    file = stack_of(top=top, web={"networks": {"back": {"aliases": ["w"], "priority": 1}, "far": None}})
    assert file.document["networks"] == {"back": {}, "far": {"external": True, "name": "far"}}
    assert file.document["volumes"] == {"data": {}, "old": {"name": "other"}}
    assert file.document["services"]["web"]["networks"] == {"back": {"aliases": ["w"]}, "far": {}}


def test_secrets_come_from_files_or_the_swarm() -> None:
    top = {"secrets": {"key": {"name": "shop_key", "file": "/p/key"}}}
    file = stack_of(top=top, web={"secrets": [{"source": "key", "mode": "0400"}]})
    assert file.document["secrets"] == {"key": {"file": "/p/key"}}
    assert file.document["services"]["web"]["secrets"] == [{"source": "key", "mode": 0o400}]
    with pytest.raises(UsageError, match=r"secrets\.key") as refused:
        stack_of(top={"secrets": {"key": {"environment": "KEY"}}}, web={})
    assert "docker secret create key -" in refused.value.advice


def test_the_text_is_yaml_with_compose_s_dollars_and_no_references() -> None:
    shared = {"A": "$$HOME"}
    text = stack_of(web={"environment": shared}, db={"environment": shared}).text
    assert yaml.safe_load(text)["services"]["db"]["environment"] == shared
    assert "&" not in text
