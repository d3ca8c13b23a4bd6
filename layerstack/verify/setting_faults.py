"""Faults of settings that a service reports: a missing variable, refused credentials."""

import re

from layerstack.engine.container import Container
from layerstack.project.addresses import Reference, references
from layerstack.project.declaration import find_declaration, how_to_change
from layerstack.run.fault import Fault
from layerstack.verify.evidence import Evidence

VARIABLE = r"[A-Z][A-Z0-9]*_[A-Z0-9_]+"
NAME = r"[A-Z][A-Z0-9_]{2,}"
VARIABLE_MISSING = (
    re.compile(rf"(?:KeyError|missing|required|undefined|unset)\W+(?:\w+\W+){{0,4}}?({VARIABLE})"),
    re.compile(rf"\b({VARIABLE})\W+(?:\w+\W+){{0,2}}?(?:is not set|not set|missing|required|undefined|empty|unset)"),
    re.compile(rf"\b({VARIABLE})\W+(?:\w+\W+){{0,2}}?(?:must be (?:set|provided|defined|given)|is mandatory)"),
    # A name of one word is a variable only where it is called one.
    re.compile(rf"KeyError: '({NAME})'$"),
    re.compile(rf"(?:provide|set|missing|required?|undefined|need|needs)\b.*?\b({NAME})\W+env(?:ironment)?\b"),
    re.compile(rf"(?:provide|set|missing|required?|undefined|need|needs)\b.*?\benv(?:ironment)? var\w*\W+({NAME})\b"),
    re.compile(rf"\benv(?:ironment)? var\w*\W+({NAME})\b.*(?:not set|missing|required|undefined|empty|unset|must be)"),
    re.compile(rf"\b({VARIABLE}): (?:parameter null or not set|unbound variable)"),
)
REFUSED = re.compile(
    r"authentication failed|auth(?:entication)? (?:is )?required|requires authentication|not authorized|unauthorized"
    r"|access denied for user|WRONGPASS|NOAUTH|invalid (?:credentials|password|username)|bad auth",
    re.IGNORECASE,
)


def variable_missing(seen: Evidence) -> Fault | None:
    environment = seen.container.environment if seen.container else {}
    for text in seen.last_words:
        for pattern in VARIABLE_MISSING:
            match = pattern.search(text)
            if match and not environment.get(match[1]):
                return _missing(seen, match[1])
    return None


def _missing(seen: Evidence, variable: str) -> Fault:
    declared = find_declaration(seen.project, seen.name, "environment", variable)
    if declared and declared.bare_variables:
        change = f"set {' and '.join(declared.bare_variables)} in .env ({declared.place})"
    elif declared:
        change = f"give {variable} a value in {declared.place}"
    else:
        service = find_declaration(seen.project, seen.name)
        change = f"add {variable} to the environment of {seen.name}{f' in {service.place}' if service else ''}"
    return Fault("variable-missing", f"the variable {variable} is missing", f"invoke up {seen.name}", change)


def refused(seen: Evidence) -> Fault | None:
    """Wrong user or password: in the variable, or because the data was created with another one."""
    if not seen.line_with(REFUSED) or seen.container is None:
        return None
    named = [one for one in references(seen.container.environment, seen.hosts) if one.has_credentials]
    named = [one for one in named if seen.hosts.get(one.host) != seen.name]
    if named:
        return _refused_there(seen, named[0])
    # The log of a server tells of every stranger that it refused: its own health check must say it. While the data is
    # made, the user may not be there yet.
    if any(REFUSED.search(text) for text in seen.answers) and not (seen.is_on_its_way and seen.is_first_start):
        return _refused_itself(seen, seen.container)
    return None


def _refused_there(seen: Evidence, one: Reference) -> Fault:
    words = f"{seen.hosts.get(one.host, one.host)} refuses the user or the password in {one.variable}"
    declared = find_declaration(seen.project, seen.name, "environment", one.variable)
    change = f"correct {how_to_change(one.variable, declared)}"
    return Fault("wrong-credentials", words, f"invoke up {seen.name}", change)


def _refused_itself(seen: Evidence, container: Container) -> Fault:
    secret = next((name for name in container.environment if re.search("PASS", name)), "")
    volumes = (one for one in container.mounts if one.kind == "volume" and one.is_writable)
    volume = next((one for one in volumes if not one.is_anonymous), None)
    made = f": {volume.words} was created with others" if volume else ""
    what = how_to_change(secret, find_declaration(seen.project, seen.name, "environment", secret)) if secret else ""
    change = f"restore the user and the password that the data was created with{f': {what}' if what else ''}"
    return Fault("wrong-credentials", f"refuses its own user or password{made}", "invoke up", change)
