"""An image as `docker save` writes it, made of layers of plain files, and wheels unpacked into them."""

import gzip
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

SITE = "opt/venv/lib/python3.9/site-packages"
Files = Mapping[str, bytes]


def write_image(
    path: Path,
    layers: Sequence[Files],
    environment: Sequence[str] = (),
    *,
    labels: Mapping[str, str] | None = None,
    is_packed: bool = False,
    is_oci: bool = False,
    architecture: str = "amd64",
) -> str:
    """Write the archive and give its path; a file name that begins with `.wh.` deletes what a lower layer has."""
    blobs = {f"layer{number}": _tar(files, is_packed) for number, files in enumerate(layers)}
    history = [{"created_by": f"RUN step {number}"} for number in range(len(layers))]
    settings = {"Env": list(environment), "Labels": labels}
    config = json.dumps({"architecture": architecture, "config": settings, "history": history}).encode()
    members = _oci(config, blobs) if is_oci else _docker(config, blobs)
    path.write_bytes(_tar(members))
    return str(path)


def wheel(
    name: str, version: str, files: Files | None = None, requires: Sequence[str] = (), editable: str = ""
) -> dict[str, bytes]:
    """The files of an installed distribution; `files` lie below site-packages, `editable` is a source folder."""
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    head = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {line}" for line in requires)]
    own = {**(files or {}), f"{info}/METADATA": "\n".join(head).encode() + b"\n\n"}
    if editable:
        url = {"url": f"file:///{quote(editable)}", "dir_info": {"editable": True}}
        own[f"{info}/direct_url.json"] = json.dumps(url).encode()
    own[f"{info}/RECORD"] = "".join(f"{one},,\n" for one in own).encode()
    return {f"{SITE}/{one}": content for one, content in own.items()}


def _docker(config: bytes, blobs: Files) -> dict[str, bytes]:
    manifest = [{"Config": "config.json", "RepoTags": ["try:latest"], "Layers": list(blobs)}]
    return {**blobs, "config.json": config, "manifest.json": json.dumps(manifest).encode()}


def _oci(config: bytes, blobs: Files) -> dict[str, bytes]:
    layers = [{"digest": f"sha256:{name}"} for name in blobs]
    manifest = json.dumps({"config": {"digest": "sha256:config"}, "layers": layers}).encode()
    index = json.dumps({"manifests": [{"digest": "sha256:manifest"}]}).encode()
    stored = {"config": config, "manifest": manifest, **blobs}
    return {"index.json": index, **{f"blobs/sha256/{name}": content for name, content in stored.items()}}


def _tar(files: Files, is_packed: bool = False) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(stream.getvalue()) if is_packed else stream.getvalue()
