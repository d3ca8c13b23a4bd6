"""Extra certificate authorities of this machine, as company proxies need them, and the images that lack them."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from layerstack.doctor.dockerfiles import instruction_texts
from layerstack.engine.client import EngineClient
from layerstack.engine.image_tree import read_image_file
from layerstack.errors import NotInEngine
from layerstack.finding import Finding, ok, warning
from layerstack.project.project import Project
from layerstack.project.system_references import system_references
from layerstack.state_folder import read_json, state_folder, update_json

CHECK = "certificates"
# Where Debian and Red Hat expect additional authorities, and where they keep the bundle of all.
FOLDERS = (Path("/usr/local/share/ca-certificates"), Path("/etc/pki/ca-trust/source/anchors"))
BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
VERDICTS_FILE = "certificates.json"
# One for each image and set of certificates, so that every rebuild adds one.
MOST_KEPT = 200
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
# `update-ca-certificates` of Debian and Alpine, `update-ca-trust` of Fedora
_UPDATES = re.compile(r"\bupdate-ca-(certificates|trust)\b")


def check_images(client: EngineClient, project: Project, folders: Sequence[Path] = FOLDERS) -> Iterator[Finding]:
    """Do the system images trust what this machine trusts? No finding without extra authorities.

    A project whose Dockerfiles install certificates is not checked further. Raises EngineError.
    """
    own = read_authorities(folders)
    if not own or any(map(_UPDATES.search, instruction_texts(project))):
        return
    lacking = [image for image in system_references(project) if _lacks(client, project.root, image, own)]
    for image in lacking:
        names = ", ".join(sorted(own))
        detail = f"{image} does not have this machine's extra certificate authorities ({names})"
        remedy = (
            "If your network re-signs HTTPS: COPY them to /usr/local/share/ca-certificates in the base image, and "
            "RUN update-ca-certificates before the first download."
        )
        yield warning(CHECK, detail, remedy)
    if not lacking:
        yield ok(CHECK, f"the system images trust {len(own)} extra authorities, as this machine does")


def read_authorities(folders: Sequence[Path] = FOLDERS) -> dict[str, str]:
    """File name → its first certificate without line breaks."""
    found = {}
    for folder in folders:
        for path in sorted((*folder.glob("**/*.crt"), *folder.glob("**/*.pem"))):
            with suppress(OSError):
                if match := _PEM.search(path.read_text(errors="replace")):
                    found[path.name] = _body(match[1])
    return found


def _body(text: str) -> str:
    return "".join(text.split())


def _lacks(client: EngineClient, root: Path, image: str, own: dict[str, str]) -> bool:
    """False when unknown: the image is not stored here, or has no bundle at all."""
    try:
        image_id = str(client.api.inspect_image(image)["Id"])
    except NotInEngine:
        return False
    # To read a file of an image the engine has to create a container, so verdicts are kept.
    key = f"{image_id} {sha256(''.join(sorted(own.values())).encode()).hexdigest()[:16]}"
    verdicts = read_json(state_folder(root) / VERDICTS_FILE)
    if key not in verdicts:
        bundle = read_image_file(client, image_id, BUNDLES)
        known = {_body(body) for body in _PEM.findall((bundle or b"").decode(errors="replace"))}
        verdict = verdicts[key] = bool(known) and not set(own.values()) <= known
        update_json(state_folder(root) / VERDICTS_FILE, lambda kept: {**kept, key: verdict}, MOST_KEPT)
    return bool(verdicts[key])
