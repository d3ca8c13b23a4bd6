"""Faults of settings that a service reports: a missing variable, refused credentials."""

import os
import re
import shlex
from collections.abc import Iterable, Iterator

from layerstack.engine.container import Container
from layerstack.project.addresses import references
from layerstack.project.env_example import find_example
from layerstack.project.env_file import read_env_file
from layerstack.run.declared import place_or
from layerstack.run.fault import Fault
from layerstack.secret_text import SECRET_NAME
from layerstack.verify.address_faults import environment_of
from layerstack.verify.connection_words import NOT_RESOLVED
from layerstack.verify.evidence import Evidence
from layerstack.verify.own_command import where_command
from layerstack.wording import nearest

# A word in capitals without an underscore is seldom a variable, and one in brackets is the code of an error.
VARIABLE = r"(?<!\[)[A-Z][A-Z0-9]*_[A-Z0-9_]+"
NAME = r"[A-Z][A-Z0-9_]{2,}"
VARIABLE_MISSING = (
    re.compile(rf"(?:KeyError|missing|[Rr]equired|undefined|unset)\W+(?:\w+\W+){{0,4}}?({VARIABLE})"),
    re.compile(rf"\b({VARIABLE})\W+(?:\w+\W+){{0,2}}?(?:is not set|not set|missing|[Rr]equired|undefined|empty|unset)"),
    re.compile(rf"\b({VARIABLE})\W+(?:\w+\W+){{0,2}}?(?:must be (?:set|provided|defined|given)|is mandatory)"),
    # A name of one word is a variable only where it is called one.
    re.compile(rf"KeyError: '({NAME})'$"),
    re.compile(rf"(?:provide|set|missing|required?|undefined|need|needs)\b.*?\b({NAME})\W+env(?:ironment)?\b"),
    re.compile(rf"(?:provide|set|missing|required?|undefined|need|needs)\b.*?\benv(?:ironment)? var\w*\W+({NAME})\b"),
    re.compile(rf"\benv(?:ironment)? var\w*\W+({NAME})\b.*(?:not set|missing|required|undefined|empty|unset|must be)"),
    re.compile(rf"resolve placeholder '({VARIABLE})"),
    # A shell says it of nothing but variables: `TOKEN: parameter not set`, `line 3: token: unbound variable`
    re.compile(r"\b([A-Za-z_]\w*): (?:parameter (?:null or )?not set|unbound variable)"),
)
# PostgreSQL, MariaDB, and over two lines MySQL.
TO_SPECIFY = re.compile(
    rf"(?:must|need to) specify (?:one of )?(?:the following as an environment variable:\W+)?({VARIABLE})"
)
LOGIN_REFUSED = re.compile(
    r"authentication failed|auth(?:entication)? (?:is )?required|requires authentication|not authorized"
    r"|unauthorized access|access denied for user|WRONGPASS|NOAUTH|invalid (?:credentials|password|username)|bad auth",
    re.IGNORECASE,
)
# `MongoServerError: Authentication failed.`, `{"cause":"Authentication failed."}`: what a server says to its client.
BY_SERVER = re.compile(
    r"\w+(?:Error|Exception|Failure)\b|authentication (?:failed|(?:is )?required)|(?:failed|denied) for user"
    r"|WRONGPASS|NOAUTH|bad auth",
    re.IGNORECASE,
)
# `POST /login HTTP/1.1" 401 Unauthorized`, `user bob: authentication failed`: what it says of its own clients.
OF_STRANGER = re.compile(
    r"\b(?:GET|POST|PUT|PATCH|DELETE)\b|\bHTTP/\d|\b40[13]\b|\b(?:user|login|account|client)\W+\w.*authentication"
)
# `invalid literal for int() with base 10: '80a0'`
QUOTED = re.compile(r"(['\"`])(.{2,80}?)\1(?![\w])")
# `unrecognized configuration parameter "max_connection"`
NOT_KNOWN = re.compile(r"unrecogni[sz]ed|unknown|invalid|bad (?:option|directive)|no such option|unexpected", re.I)
NOT_THERE = re.compile(r"\b(?:missing|required)\b", re.IGNORECASE)
# `must specify one of the following schemes (redis://, rediss://)`
SCHEME = re.compile(r"\b([a-z][a-z0-9+.-]*)://")
# `EVERY is 0`, `LOG_LEVEL must be one of debug, info`, `bad FEED: feed:8080`; not `reading CONFIG failed`.
ERROR_OF_ITS_OWN = re.compile(
    r"\b(?:is|must|should|has to|cannot|can't|not an?)\b|invalid|illegal|\bbad\b|malformed|unsupported|out of range",
    re.IGNORECASE,
)
ENDING_LINES = 3
# `invalid literal for int() with base 10: ''`, `strconv.Atoi: parsing "": invalid syntax`, `For input string: ""`
EMPTY_TEXT = re.compile(r"(?<![\w'\"])(?:''|\"\")(?![\w'\"])|\bempty string\b", re.IGNORECASE)
# Node.js, Python's requests and urllib, Go, curl.
NO_SCHEME = re.compile(
    r"unknown scheme|no scheme supplied|no connection adapters were found|unknown url type|unsupported protocol"
    r"|missing protocol scheme|first path segment in URL cannot contain colon|failed to parse URL|ERR_INVALID_URL",
    re.IGNORECASE,
)
QUOTES = ("''", '""')


def variable_missing(seen: Evidence) -> Fault | None:
    lines = seen.last_words
    told = (pattern.search(text) for text in lines for pattern in VARIABLE_MISSING)
    for match in (*told, TO_SPECIFY.search("\n".join(reversed(lines)))):
        if match and not seen.environment.get(match[1]):
            return _missing(seen, match[1])
    return None


def command_unfilled(seen: Evidence) -> Fault | None:
    """A command with a variable of Compose that nothing sets: Compose puts nothing in its place."""
    if not seen.last_exit:
        return None
    known = {*os.environ, *(name for path in seen.project.env_files for name in read_env_file(path).values)}
    for declared in filter(None, (seen.declared("command"), seen.declared("entrypoint"))):
        unset = [name for name in declared.bare_variables if name not in known]
        if unset:
            words = f"its command uses ${unset[0]} ({declared.place}), which is not set: nothing stands in its place"
            change = f"set {' and '.join(unset)} in .env, or write `$${unset[0]}` for a variable of the container"
            return Fault("variable-missing", words, seen.up, change)
    return None


def value_empty(seen: Evidence) -> Fault | None:
    """A variable that is set to nothing, where its program complains of an empty text."""
    empty = [name for name, value in _declared_values(seen).items() if value == ""]
    if len(empty) != 1 or not seen.last_exit or not EMPTY_TEXT.search(seen.last_error):
        return None
    return _missing(seen, empty[0])


def _missing(seen: Evidence, variable: str) -> Fault:
    near = nearest(variable, _declared_values(seen), 0.8)
    if near and near != variable:
        words = f"the variable {variable} is missing, and there is {near}"
        where = place_or(seen.declared("environment", near), f"the environment of {seen.name}")
        return Fault("variable-missing", words, seen.up, f"write {variable} for {near} in {where}")
    declared = seen.declared("environment", variable)
    if declared and declared.bare_variables and (example := find_example(seen.project.root / ".env")):
        words = f"the variable {variable} is missing: there is no .env, and {example.name} is its example"
        return Fault("variable-missing", words, f"cp {shlex.quote(example.name)} .env && invoke up")
    if declared and declared.bare_variables:
        change = f"set {' and '.join(declared.bare_variables)} in .env ({declared.place})"
    elif declared:
        change = f"give {variable} a value in {declared.place}"
    else:
        change = f"add {variable} to {environment_of(seen)}"
    return Fault("variable-missing", f"the variable {variable} is missing", seen.up, change)


def value_quoted(seen: Evidence) -> Fault | None:
    """A value with quotes or blanks around it, which its program takes as a part of it."""
    for name, value in _declared_values(seen).items():
        bare = value.strip()
        meant = bare[1:-1] if bare[:1] + bare[-1:] in QUOTES else bare
        what = "quotes" if meant != bare else "blanks"
        # No address begins with a quote: a program that has ended with one has ended because of it.
        is_url = what == "quotes" and "://" in meant and bool(seen.last_exit)
        if meant in ("", value) or not (is_url or value in seen.last_error or _is_address(seen, name, meant)):
            continue
        words = f"the variable {name} has {what} around its value, which are a part of it"
        return Fault("variable-wrong", words, seen.up, f"remove the {what}: {seen.variable(name)}")
    return None


def value_wrong(seen: Evidence) -> Fault | None:
    """A declared value that the last error of its program quotes."""
    told = {match[2] for match in QUOTED.finditer(seen.last_error)}
    values = _declared_values(seen).items()
    wrong = [name for name, value in values if value in told] or [
        # The name of a database in its address.
        name
        for name, value in values
        if "://" in value and value.partition("?")[0].rpartition("/")[2] in told
    ]
    said, named = _named_by_its_program(seen, values) if not wrong else (seen.last_error, "")
    wrong = wrong or ([named] if named else [])
    # Two variables may have the same value, and the complaint names none of them. ``Missing `secret_key_base` for
    # 'production' environment`` says of something else that it is wrong.
    if len(wrong) != 1 or not seen.last_exit or NOT_THERE.search(seen.last_error):
        return None
    words = f"does not take the value of {wrong[0]}: {said}"
    part = next((one for one in told if one in dict(values)[wrong[0]]), "")
    return Fault("variable-wrong", words, seen.up, f"correct {seen.variable(wrong[0], part)}")


def _named_by_its_program(seen: Evidence, values: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """(its complaint, the variable that it names): `EVERY is 0`; empty for none."""
    names = [name for name, _ in values if len(name) > 2]
    # Docker may put a last word that was written to the other stream below the complaint.
    for line in reversed(seen.plain_log[-ENDING_LINES:]) if seen.last_exit else ():
        if ERROR_OF_ITS_OWN.search(line):
            named = [name for name in names if re.search(rf"\b{re.escape(name)}\b", line)]
            if len(named) == 1:
                return line.strip(), named[0]
    return seen.last_error, ""


def command_wrong(seen: Evidence) -> Fault | None:
    """A word of its command that the last error of its program quotes, as an option that it does not know."""
    if not seen.last_exit or not NOT_KNOWN.search(seen.last_error):
        return None
    # `-c max_connection=5`, `--max-connection`, and not the `app` of `main:app`; a script is one word of the command.
    words = re.split(r"[\s=]+", " ".join(seen.argv))
    names = {word.lstrip("-") for word in words}
    if not any(match[2].strip().lstrip("-") in names for match in QUOTED.finditer(seen.last_error)):
        return None
    again = f"invoke up {seen.name}"
    if not any(seen.declared(key) for key in ("command", "entrypoint")):
        again = seen.again
    cause = f"does not take its command: {seen.last_error}"
    return Fault("command-missing", cause, again, f"correct {where_command(seen)}")


def scheme_wrong(seen: Evidence) -> Fault | None:
    """An address whose scheme is none of those that its program says it takes."""
    taken = SCHEME.findall(seen.last_error) if seen.last_exit and "scheme" in seen.last_error.lower() else []
    values = _declared_values(seen).items()
    wrong = [(name, match[1]) for name, value in values if (match := SCHEME.match(value)) and match[1] not in taken]
    if not taken or len(wrong) != 1:
        return None
    name, scheme = wrong[0]
    words = f"does not take the value of {name}: it begins with {scheme}:// and not with {taken[0]}://"
    return Fault("variable-wrong", words, f"invoke up {seen.name}", f"correct {seen.variable(name)}")


def scheme_missing(seen: Evidence) -> Fault | None:
    """An address that is to be a URL and begins with its host."""
    if not NO_SCHEME.search(seen.text):
        return None
    bare = [name for name, value in _declared_values(seen).items() if value.partition(":")[0] in seen.hosts]
    if len(bare) != 1:
        return None
    words = f"wants a URL in {bare[0]}, whose value does not begin with a scheme such as http://"
    return Fault("variable-wrong", words, seen.up, f"write the scheme in front of it: {seen.variable(bare[0])}")


def _declared_values(seen: Evidence) -> dict[str, str]:
    declared = seen.service.definition.get("environment") or {}
    return {name: str(value) for name, value in declared.items() if value is not None} if seen.container else {}


def _is_address(seen: Evidence, name: str, meant: str) -> bool:
    is_unresolved = NOT_RESOLVED.search(seen.text) is not None
    return is_unresolved and any(one.host in seen.hosts for one in references({name: meant}, seen.hosts))


def refused_at_end(seen: Evidence) -> Fault | None:
    """A program that has ended because a server refused its user or password."""
    if seen.container is None or not LOGIN_REFUSED.search(seen.last_error):
        return None
    # One that does not get well may refuse everybody: its data was made with other users.
    named = {seen.hosts.get(one.host, "") for one in references(seen.container.environment, seen.hosts)}
    peers = [seen.peers[name] for name in named - {seen.name} if name in seen.peers]
    return refused(seen) if all(one.health in ("", "healthy") for one in peers) else None


def refused(seen: Evidence) -> Fault | None:
    """Wrong user or password: in the variable, or because the data was created with another one."""
    if not any(map(LOGIN_REFUSED.search, _refusals(seen))) or seen.container is None:
        return None
    named = [one for one in references(seen.container.environment, seen.hosts) if seen.hosts.get(one.host) != seen.name]
    secret = next((one for one in named if one.has_credentials), None)
    if secret:
        return _refused_there(seen, secret.host, secret.variable)
    if seen.last_error and (one := next((one for one in named if one.host in seen.hosts), None)):
        # `CACHE_PASSWORD` beside `CACHE_HOST`, else the only one there is.
        names = [name for name in _declared_values(seen) if SECRET_NAME.search(name)]
        beside = [name for name in names if name.partition("_")[0] == one.variable.partition("_")[0]] or names
        return _refused_there(seen, one.host, beside[0] if len(beside) == 1 else one.variable)
    # The log of a server tells of every stranger that it refused: its own health check must say it. While the data is
    # made, the user may not be there yet.
    if any(LOGIN_REFUSED.search(text) for text in seen.answers) and not (seen.is_on_its_way and seen.is_first_start):
        return _refused_itself(seen, seen.container)
    return None


def _refusals(seen: Evidence) -> Iterator[str]:
    """Where a refusal may stand: a service that runs logs each stranger whom it refuses itself, too."""
    is_over = bool(seen.last_error)
    return (text for text in seen.lines_with(LOGIN_REFUSED) if is_over or text in seen.answers or _is_by_server(text))


def _is_by_server(text: str) -> bool:
    return bool(BY_SERVER.search(text)) and not OF_STRANGER.search(text)


def _refused_there(seen: Evidence, host: str, variable: str) -> Fault:
    words = f"{seen.hosts.get(host, host)} refuses the user or the password in {variable}"
    return Fault("wrong-credentials", words, seen.up, f"correct {seen.variable(variable)}")


def _refused_itself(seen: Evidence, container: Container) -> Fault:
    # Databases read user and password from variables only while they make their data.
    secret = next((name for name in container.environment if re.search("PASS", name)), "")
    volumes = (one for one in container.mounts if one.kind == "volume" and one.is_writable)
    volume = next((one for one in volumes if not one.is_anonymous), None)
    made = f": {volume.words} was created with others" if volume else ""
    what = f": {seen.variable(secret)}" if secret else ""
    change = f"restore the user and the password that the data was created with{what}"
    return Fault("wrong-credentials", f"refuses its own user or password{made}", "invoke up", change)
