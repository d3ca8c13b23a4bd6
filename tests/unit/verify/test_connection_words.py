"""What programs write when a name or a port leads nowhere, and what only sounds like it."""

import pytest

from layerstack.verify.connection_words import ABOUT_CONNECTIONS, NOT_RESOLVED, REFUSED, UNREACHED


@pytest.mark.parametrize(
    "line",
    [
        "Error: connect ECONNREFUSED 172.18.0.2:5432",
        "ConnectionRefusedError: [Errno 111] Connect call failed ('172.18.0.2', 5432)",
        "ERROR 2003 (HY000): Can't connect to MySQL server on 'db:3306' (111)",
        "ERROR 2002 (HY000): Can't connect to server on 'db' (115)",
        "curl: (7) Failed to connect to localhost port 80 after 0 ms: Couldn't connect to server",
        "dial tcp 172.18.0.2:6379: connect: connection refused",
        "** (DBConnection.ConnectionError) tcp connect (db:5432): connection refused - :econnrefused",
    ],
)
def test_a_refused_connection(line: str) -> None:
    assert REFUSED.search(line)
    assert UNREACHED.search(line)
    assert not NOT_RESOLVED.search(line)


@pytest.mark.parametrize(
    "line",
    [
        "Error: getaddrinfo ENOTFOUND dbb",
        "java.net.UnknownHostException: dbb: Name or service not known",
        "Caused by: java.net.UnknownHostException: dbb",
        "ERROR 2005 (HY000): Unknown MySQL server host 'dbb' (-2)",
        'psycopg2.OperationalError: could not translate host name "dbb" to address',
        "dial tcp: lookup dbb on 127.0.0.11:53: no such host",
        "** (DBConnection.ConnectionError) tcp connect (dbb:5432): non-existing domain - :nxdomain",
        "error trying to connect: dns error: failed to lookup address information",
        "php_network_getaddresses: getaddrinfo for dbb failed: Name does not resolve",
        "wget: bad address 'dbb:80'",
        'nginx: [emerg] host not found in upstream "dbb"',
    ],
)
def test_a_name_that_is_not_found(line: str) -> None:
    assert NOT_RESOLVED.search(line)
    assert UNREACHED.search(line)
    assert not REFUSED.search(line)


@pytest.mark.parametrize(
    "line",
    [
        "Can't connect to local MySQL server through socket '/run/mysqld/mysqld.sock' (2)",
        "listening on 0.0.0.0:1110",
        "order 111 was shipped",
        "The authenticity of host 'x' is unknown",
    ],
)
def test_what_tells_of_no_other_host(line: str) -> None:
    assert not UNREACHED.search(line)


def test_whatever_is_not_reached_is_about_connections() -> None:
    assert ABOUT_CONNECTIONS.search("upstream timed out (110: Operation timed out)")
    assert ABOUT_CONNECTIONS.search("Unknown MySQL server host 'dbb' (-2)")
    assert not ABOUT_CONNECTIONS.search("Segmentation fault (core dumped)")
