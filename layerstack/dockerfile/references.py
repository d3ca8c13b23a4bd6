"""Image and platform names in the spelling that BuildKit compares."""

import os
import platform as machine
from collections.abc import Mapping

# containerd, which BuildKit uses for the names of platforms, replaces them in this way.
_ARCHITECTURES = {
    **{"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "i386": "386", "i686": "386"},
    **{"arm": "arm/v7", "armhf": "arm/v7", "armel": "arm/v6", "armv7l": "arm/v7", "armv6l": "arm/v6"},
}
_DEFAULT_DOMAINS = ("docker.io/", "index.docker.io/")
# The variant that an architecture has when none is named: it is not written.
_COMMON_VARIANTS = {"arm64/v8", "amd64/v1"}


def familiar(name: str) -> str:
    """`docker.io/library/base:latest` is `base`: the name by which a context is looked up."""
    for domain in _DEFAULT_DOMAINS:
        name = name.removeprefix(domain)
    return name.removeprefix("library/").removesuffix(":latest")


def normal_platform(text: str) -> str:
    """`linux/x86_64` is `linux/amd64`; an architecture alone is one of Linux."""
    parts = text.lower().split("/")
    if len(parts) == 1 and parts[0]:
        parts = ["linux", *parts]
    # A variant that is written out comes after the name.
    name = _ARCHITECTURES.get(parts[1], parts[1]) if len(parts) > 1 else ""
    parts[1:2] = name.split("/")[: 1 if len(parts) > 2 else 2] if name else []
    if "/".join(parts[1:]) in _COMMON_VARIANTS:
        del parts[2:]
    return "/".join(parts)


def own_platform() -> str:
    """The platform of this machine, which is the engine's unless it runs elsewhere."""
    return normal_platform(f"linux/{machine.machine()}")


def target_platform(definition: Mapping[str, object], default: str = "") -> str:
    """What an image is built for: its definition, then `default` or DOCKER_DEFAULT_PLATFORM, then the engine's own."""
    named = definition.get("platforms")
    first = str(named[0]) if isinstance(named, list | tuple) and named else ""
    return normal_platform(first or default or os.environ.get("DOCKER_DEFAULT_PLATFORM", "")) or own_platform()


def automatic_arguments(target: str) -> dict[str, str]:
    """The build arguments that BuildKit sets itself, `TARGETARCH` and its like."""
    values: dict[str, str] = {}
    for prefix, text in (("BUILD", own_platform()), ("TARGET", target)):
        system, architecture, variant = (*text.split("/"), "", "")[:3]
        parts = {"PLATFORM": text, "OS": system, "OSVERSION": "", "ARCH": architecture, "VARIANT": variant}
        values |= {f"{prefix}{name}": value for name, value in parts.items()}
    return values
