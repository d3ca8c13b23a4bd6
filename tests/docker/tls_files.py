"""Certificates as openssl makes them: a CA, a server's for some addresses, a client's."""

import subprocess
from pathlib import Path

# Elliptic curves: an RSA key would take a second of a busy core.
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


def make_certificates(folder: Path, *addresses: str) -> Path:
    """`ca.pem`; `server-cert.pem` and `server-key.pem` for the IP addresses; `cert.pem` and `key.pem` of a client.

    The names are those that DOCKER_CERT_PATH wants.
    """
    folder.mkdir(parents=True)
    _openssl(folder, "req", "-x509", *KEY, "-subj", "/CN=test CA", "-keyout", "ca-key.pem", "-out", "ca.pem")
    names = ",".join(f"IP:{one}" for one in addresses)
    _issue(folder, "server-", "serverAuth", f"subjectAltName={names}")
    _issue(folder, "", "clientAuth")
    return folder


def _issue(folder: Path, prefix: str, usage: str, *extensions: str) -> None:
    added = [word for one in (f"extendedKeyUsage={usage}", *extensions) for word in ("-addext", one)]
    files = ("-keyout", f"{prefix}key.pem", "-out", f"{prefix}cert.pem")
    issuer = ("-CA", "ca.pem", "-CAkey", "ca-key.pem")
    _openssl(folder, "req", "-x509", *issuer, *KEY, "-subj", f"/CN={prefix}test", *added, *files)


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
