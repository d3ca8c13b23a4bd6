"""The Kubernetes pod of one service: container, probes, limits, mounts; passwords come from a Secret."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from layerstack.deploy.compose_document import bytes_of, memory_mounts, object_name
from layerstack.deploy.service_policy import cards_wanted
from layerstack.moment import span_seconds
from layerstack.project.answers import holds_secret

# Argument of `kubectl create`, key in Compose, and the folder of a target that names none.
_FILES = (("secret generic", "secrets", "/run/secrets/"), ("configmap", "configs", "/"))

# An entry of the container's volumeMounts, and the one of the pod's volumes.
Mounted = tuple[dict[str, Any], dict[str, Any]]


@dataclass(frozen=True)
class Pod:
    """`service` is the service as Compose resolved it, dollars doubled, without mounts of the project's folder."""

    name: str
    service: Mapping[str, Any]
    image: str

    @property
    def secrets(self) -> tuple[str, ...]:
        """Variables whose values must not be in the manifest."""
        values = (self.service.get("environment") or {}).items()
        return tuple(name for name, value in values if value and holds_secret({name: str(value)}, {}))

    @property
    def needs(self) -> tuple[str, ...]:
        """Arguments of `kubectl create` for what must exist before the pod."""
        values = " ".join(f"--from-literal={name}=…" for name in self.secrets)
        files = [(kind, use["source"]) for kind, part, _ in _FILES for use in self.service.get(part) or ()]
        made = [f"{kind} {object_name(source)} --from-file={source}=…" for kind, source in files]
        return (*([f"secret generic {self.name} {values}"] if values else []), *made)

    def spec(self, restart_policy: str) -> dict[str, Any]:
        volumes = [*self._volumes(), *self._memory(), *self._files()]
        # Kubernetes would add variables such as MONGODB_PORT, which services take for settings of their own.
        spec = {
            "restartPolicy": restart_policy,
            "enableServiceLinks": False,
            "containers": [self._container([mount for mount, _ in volumes])],
        }
        if grace := _seconds(self.service.get("stop_grace_period")):
            spec["terminationGracePeriodSeconds"] = grace
        if volumes:
            spec["volumes"] = [volume for _, volume in volumes]
        return spec

    def _container(self, mounts: list[dict[str, Any]]) -> dict[str, Any]:
        made = {
            "name": self.name,
            "image": self.image,
            "command": self._words("entrypoint"),
            "args": self._words("command"),
            "workingDir": self.service.get("working_dir"),
            "env": list(self._environment()),
            "resources": self._resources(),
            "securityContext": self._security(),
            "volumeMounts": mounts,
            **self._probes(),
        }
        return {key: value for key, value in made.items() if value}

    def _words(self, key: str) -> list[str]:
        # Kubernetes expands $(NAME).
        return [_plain(word).replace("$(", "$$(") for word in self.service.get(key) or ()]

    def _environment(self) -> Iterator[dict[str, Any]]:
        for name, value in (self.service.get("environment") or {}).items():
            if name in self.secrets:
                yield {"name": name, "valueFrom": {"secretKeyRef": {"name": self.name, "key": name}}}
            elif value is not None:
                yield {"name": name, "value": _plain(value).replace("$(", "$$(")}

    def _resources(self) -> dict[str, Any]:
        declared = ((self.service.get("deploy") or {}).get("resources") or {}).get("limits") or {}
        wanted = {
            "memory": bytes_of(declared.get("memory") or self.service.get("mem_limit") or 0),
            "cpu": declared.get("cpus") or self.service.get("cpus"),
            "nvidia.com/gpu": cards_wanted(self.service),
        }
        limits = {key: str(value) for key, value in wanted.items() if value}
        return {"limits": limits} if limits else {}

    def _security(self) -> dict[str, Any]:
        user, _, group = str(self.service.get("user") or "").partition(":")
        # Docker takes `CAP_NET_ADMIN`, too; Kubernetes adds the prefix itself.
        capabilities = {
            part: [str(name).upper().removeprefix("CAP_") for name in self.service.get(f"cap_{part}") or ()]
            for part in ("add", "drop")
        }
        no_new = any(str(text).startswith("no-new-privileges") for text in self.service.get("security_opt") or ())
        made = {
            "readOnlyRootFilesystem": self.service.get("read_only"),
            "capabilities": {key: value for key, value in capabilities.items() if value},
            **({"allowPrivilegeEscalation": False} if no_new else {}),
            # Kubernetes takes numbers only, not names of users in the image.
            **{key: int(one) for key, one in (("runAsUser", user), ("runAsGroup", group)) if one.isdigit()},
        }
        return {key: value for key, value in made.items() if value not in (None, {})}

    def _probes(self) -> dict[str, Any]:
        """The health check as startup and readiness probe. No liveness probe: Compose does not restart either."""
        check = self.service.get("healthcheck") or {}
        words = [_plain(word) for word in check.get("test") or ()]
        if len(words) < 2 or check.get("disable"):
            return {}
        command = words[1:] if words[0] == "CMD" else ["/bin/sh", "-c", *words[1:]]
        # Docker's defaults are 30 s, 30 s and 3; Kubernetes' are shorter.
        interval = max(1, _seconds(check.get("interval") or "30s"))
        retries = int(check.get("retries") or 3)
        probe = {
            "exec": {"command": command},
            "periodSeconds": interval,
            "timeoutSeconds": max(1, _seconds(check.get("timeout") or "30s")),
            "failureThreshold": retries,
        }
        # Docker does not count failures during start_period; a startup probe counts all.
        patience = _seconds(check.get("start_period")) // interval + retries
        return {"startupProbe": {**probe, "failureThreshold": patience}, "readinessProbe": probe}

    def _volumes(self) -> Iterator[Mounted]:
        for number, mount in enumerate(self.service.get("volumes") or ()):
            target = {"mountPath": mount["target"]}
            if mount.get("read_only"):
                target["readOnly"] = True
            if folder := (mount.get("volume") or {}).get("subpath"):
                target["subPath"] = folder
            if mount["type"] == "bind":
                source: dict[str, Any] = {"hostPath": {"path": mount["source"]}}
            elif mount["type"] == "volume" and mount.get("source"):
                source = {"persistentVolumeClaim": {"claimName": object_name(mount["source"])}}
            else:
                source = {"emptyDir": {}}
            yield _mounted(f"volume-{number}", target, source)

    def _memory(self) -> Iterator[Mounted]:
        memory = list(memory_mounts(self.service))
        if size := bytes_of(self.service.get("shm_size") or 0):
            memory.append(("/dev/shm", size))
        for number, (path, most) in enumerate(memory):
            limit = {"sizeLimit": str(most)} if most else {}
            yield _mounted(f"memory-{number}", {"mountPath": path}, {"emptyDir": {"medium": "Memory", **limit}})

    def _files(self) -> Iterator[Mounted]:
        """Secrets and configs of Compose, each a file."""
        for _, part, folder in _FILES:
            for number, use in enumerate(self.service.get(part) or ()):
                name, target = object_name(use["source"]), str(use.get("target") or use["source"])
                path = target if target.startswith("/") else folder + target
                source = {"secret": {"secretName": name}} if part == "secrets" else {"configMap": {"name": name}}
                # With `subPath` a single file is mounted, which hides nothing else in its folder.
                mount = {"mountPath": path, "subPath": use["source"], "readOnly": True}
                yield _mounted(f"{part}-{number}", mount, source)


def _mounted(name: str, mount: dict[str, Any], source: dict[str, Any]) -> Mounted:
    return {"name": name, **mount}, {"name": name, **source}


def _seconds(span: Any) -> int:
    return int(span_seconds(str(span or "")))


def _plain(text: Any) -> str:
    return str(text).replace("$$", "$")
