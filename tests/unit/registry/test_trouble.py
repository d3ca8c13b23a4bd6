"""What engines and registries say, as what is wrong and what to do."""

import pytest

from layerstack.registry.trouble import read_trouble


@pytest.mark.parametrize(
    ("message", "what", "advice"),
    [
        # Engine 28.5.2 in front of docker-registry 2.8.2, and of nothing.
        ('Get "http://127.0.0.1:5791/v2/": dial tcp 127.0.0.1:5791: connect: connection refused', "not answer", "=`"),
        ('Head "http://h/v2/x/manifests/a": no basic auth credentials', "login", "`docker login HOST`"),
        ("unknown: Method not allowed\n", "read-only", "LAYERSTACK_REGISTRY=HOST/PATH"),
        ("received unexpected HTTP status: 500 Internal Server Error", "error of its own", "df -h"),
        ("received unexpected HTTP status: 507 Insufficient Storage", "no room left", "quota"),
        # A proxy in front of a registry, whose answer is HTML.
        ("error parsing HTTP 413 response body: invalid character '<'", "too large", "client_max_body_size"),
        ("error parsing HTTP 405 response body: invalid character '<'", "read-only", "LAYERSTACK_REGISTRY=HOST/PATH"),
        ("error parsing HTTP 401 response body: invalid character '<'", "login", "`docker login HOST`"),
        ("error parsing HTTP 403 response body: invalid character '<'", "not permit", "docker login HOST"),
        ("http: server gave HTTP response to HTTPS client", "no TLS", '{"insecure-registries": ["HOST"]}'),
        # As the protocols and other registries have it.
        ("denied: requested access to the resource is denied", "not permit", "docker login HOST"),
        ("toomanyrequests: slow down", "limits", "wait"),
        ("tls: failed to verify certificate: x509: unknown authority", "certificate", "certs.d/HOST/ca.crt"),
        ("write /var/lib/docker/x: no space left on device", "no disk space", "invoke clean"),
        ("name unknown: The repository with name 'x' does not exist", "no such repository", "create it"),
        ("something\n new", "says: something new", "leaves it out"),
    ],
)
def test_a_message_is_named_with_what_to_do(message: str, what: str, advice: str) -> None:
    sentence = read_trouble(message).sentence("HOST")
    assert sentence.startswith("the registry HOST ")
    before, _, after = sentence.partition(" → ")
    assert what in before
    assert advice in after
