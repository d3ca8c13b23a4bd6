"""How programs of many languages, curl and the clients of databases say that they reach nobody."""

import re

# asyncio, and the clients of MySQL and MariaDB, give the number of the system's error alone.
REFUSED = re.compile(
    r"refused|\bconnect call failed|couldn't connect to server|can't connect to (?:\w+ )?server .*\((?:111|115)\)"
    r"|\berrno:? 111\b",
    re.IGNORECASE,
)
# No answer of a name server at all, and not that there is no such name.
NO_NAME_SERVER = re.compile(r"EAI_AGAIN|temporary failure in name resolution|server misbehaving", re.IGNORECASE)
# `getaddrinfo ENOTFOUND dbb`, `java.net.UnknownHostException: dbb`, `Unknown MySQL server host 'dbb' (-2)`
NOT_RESOLVED = re.compile(
    rf"{NO_NAME_SERVER.pattern}|ENOTFOUND|no such host|host not found|not known|name resolution|bad address|resolv"
    r"|unknown ?(?:\w+ ){0,2}host\b|UnknownHost|nxdomain|failed to lookup address|could not translate host"
    # Perl's sockets
    r"|bad hostname",
    re.IGNORECASE,
)
# `connect ETIMEDOUT 172.20.0.3:5432`, `socket.timeout: timed out`
TIMED_OUT = re.compile(r"ETIMEDOUT|timed? ?-?out|TimeoutError|connect: timeout", re.IGNORECASE)
# `Connection closed by server`, `terminating connection due to administrator command`
LOST = re.compile(
    r"connection (?:was )?(?:closed|reset|lost|terminated|aborted)|terminating connection|ECONNRESET|EPIPE|broken pipe"
    r"|server closed the connection|closed by (?:the )?(?:server|peer|remote)|unexpected EOF",
    re.IGNORECASE,
)
# Said of an attempt that failed: `connect ECONNREFUSED 172.18.0.2:5432`, `waiting for db:5432`.
UNREACHED = re.compile(
    rf"{REFUSED.pattern}|{NOT_RESOLVED.pattern}|ECONN|EHOSTUNREACH|waiting for \S+:\d", re.IGNORECASE
)
# Without any such word a program may not have tried an address at all.
ABOUT_CONNECTIONS = re.compile(
    rf"{UNREACHED.pattern}|{TIMED_OUT.pattern}|getaddrinfo|unreachable|connect|no answer|not reachable"
    r"|cannot be reached|\bdown\b|502|503|504|(?:can't|cannot) reach",
    re.IGNORECASE,
)
