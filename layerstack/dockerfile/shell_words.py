"""Words of a Dockerfile as BuildKit's shell lexer reads them: quotes, escapes and variables.

After frontend/dockerfile/shell/lex.go of BuildKit 0.25. `docker compose` has a lexer of its own with other rules.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# Parameters that a shell would know and a build does not: BuildKit reads them as variables that are not set.
_SPECIAL = "@*#?-$!0"
# Both characters that a file can choose for escaping are excluded.
_PLAIN = re.compile(r"[^$'\"\\`<]*")
_NAME = re.compile(r"\$\{?([^\W\d]\w*)")


@dataclass(frozen=True)
class Filled:
    """A word without its quotes; `missing` are the variables that were looked up and are not set."""

    text: str
    missing: frozenset[str] = frozenset()


def fill(word: str, values: Mapping[str, str], escape: str = "\\") -> Filled:
    """One word with its variables filled in. Raises ValueError with BuildKit's own reason."""
    if _PLAIN.fullmatch(word):
        return Filled(word)
    lexer = _Lexer(word, values, escape)
    text = lexer.read()
    return Filled(text, frozenset(lexer.missing))


def variables(text: str) -> set[str]:
    """Names of all variables in a text, those inside defaults included."""
    return set(_NAME.findall(text))


class _Lexer:
    def __init__(self, text: str, values: Mapping[str, str], escape: str) -> None:
        self._text = text
        self._position = 0
        self._values = values
        self._escape = escape
        # In a pattern the escapes are needed later: in `${NAME#\*}` the star stands for itself.
        self._keeps_escapes = False
        self.missing: set[str] = set()

    def read(self, stop: str = "", keeps_escapes: bool = False) -> str:
        """Everything up to `stop`, which is consumed, or to the end."""
        before, self._keeps_escapes = self._keeps_escapes, keeps_escapes
        parts = []
        while self._peek() != stop:
            if not self._peek():
                raise ValueError(f"syntax error: missing '{stop}'")
            parts.append(self._part())
        self._next()
        self._keeps_escapes = before
        return "".join(parts)

    def _peek(self) -> str:
        return self._text[self._position : self._position + 1]

    def _next(self) -> str:
        self._position += 1
        return self._text[self._position - 1 : self._position]

    def _part(self) -> str:
        character = self._next()
        if character == "'":
            return self._single_quoted()
        if character == '"':
            return self._double_quoted()
        if character == "$":
            return self._variable()
        if character == self._escape:
            return (character if self._keeps_escapes else "") + self._next()
        return character

    def _single_quoted(self) -> str:
        end = self._text.find("'", self._position)
        if end < 0:
            raise ValueError("unexpected end of statement while looking for matching single-quote")
        start, self._position = self._position, end + 1
        return self._text[start:end]

    def _double_quoted(self) -> str:
        parts = []
        while (character := self._next()) != '"':
            if not character:
                raise ValueError("unexpected end of statement while looking for matching double-quote")
            if character == "$":
                parts.append(self._variable())
            elif character == self._escape:
                parts.append(self._escaped_in_quotes())
            else:
                parts.append(character)
        return "".join(parts)

    def _escaped_in_quotes(self) -> str:
        """In double quotes only a quote, a dollar and the escape itself can be escaped."""
        kept = self._escape if self._keeps_escapes else ""
        if not self._peek():
            return kept
        is_special = self._peek() in ('"', "$", self._escape)
        return kept + (self._next() if is_special else self._escape)

    def _variable(self) -> str:
        if self._peek() != "{":
            name = self._name()
            return self._value(name) or "" if name else "$"
        self._next()
        if self._peek() in ("", "{", "}", ":"):
            raise ValueError("syntax error: bad substitution")
        name = self._name()
        operator = self._next()
        if operator == "}":
            return self._value(name) or ""
        if operator == "/":
            return self._replaced(name)
        if operator in ("#", "%"):
            return self._trimmed(name, operator)
        return self._chosen(name, operator + self._next() if operator == ":" else operator)

    def _name(self) -> str:
        """A name of letters, digits and `_`; a number or special character is a name, too."""
        first = self._peek()
        if first.isdigit():
            return self._while(str.isdigit)
        if first and first in _SPECIAL:
            return self._next()
        return self._while(lambda one: one.isalnum() or one == "_")

    def _while(self, belongs: Callable[[str], bool]) -> str:
        start = self._position
        while (character := self._peek()) and belongs(character):
            self._position += 1
        return self._text[start : self._position]

    def _value(self, name: str) -> str | None:
        value = self._values.get(name)
        if value is None:
            self.missing.add(name)
        return value

    def _chosen(self, name: str, operator: str) -> str:
        """`${NAME-word}`, `${NAME+word}`, `${NAME?word}`; with a colon an empty value counts as none."""
        if operator.removeprefix(":") not in ("-", "+", "?"):
            raise ValueError(f"unsupported modifier ({operator}) in substitution")
        # What the word lacks counts only if the word is taken.
        before = set(self.missing)
        word = self.read("}")
        of_word, self.missing = self.missing, before
        value = self._value(name)
        is_set = bool(value) if operator.startswith(":") else value is not None
        if operator.endswith("?"):
            if not is_set:
                raise ValueError(f"{name}: {word or 'is not allowed to be unset or empty'}")
            return value or ""
        if is_set is operator.endswith("-"):
            return value or "" if is_set else ""
        self.missing |= of_word
        return word

    def _trimmed(self, name: str, operator: str) -> str:
        """`${NAME#pattern}` from the front, `${NAME%pattern}` from the back; doubled the longest match."""
        word = self.read("}", keeps_escapes=True)
        is_greedy = word.startswith(operator)
        pattern, value = word[1:] if is_greedy else word, self._value(name) or ""
        if operator == "#":
            return _without_start(pattern, value, is_greedy)
        # A pattern can be tried at the start of a text only, so both are reversed.
        return _without_start(_backwards(pattern), value[::-1], is_greedy)[::-1]

    def _replaced(self, name: str) -> str:
        replaces_all = self._peek() == "/"
        if replaces_all:
            self._next()
        pattern, replacement = self.read("/", keeps_escapes=True), self.read("}", keeps_escapes=True)
        expression = re.compile(_expression(pattern, is_greedy=True))
        # A function, because backslashes in a replacement text would be read as escapes.
        return expression.sub(lambda _: replacement, self._value(name) or "", count=0 if replaces_all else 1)


def _without_start(pattern: str, value: str, is_greedy: bool) -> str:
    match = re.match(_expression(pattern, is_greedy), value)
    return value[match.end() :] if match else value


def _backwards(pattern: str) -> str:
    """A pattern reversed, with each escape still before the character it escapes."""
    return "".join(reversed(re.findall(r"\\.|.", pattern, re.DOTALL)))


def _expression(pattern: str, is_greedy: bool) -> str:
    parts = []
    for token in re.findall(r"\\.|.|\\", pattern, re.DOTALL):
        if token == "*":
            parts.append(".*" if is_greedy else ".*?")
        elif token == "?":
            parts.append(".")
        elif token in ("\\}", "\\/"):
            parts.append(re.escape(token[1]))
        elif token.startswith("\\") and token[1:] not in ("*", "?", "\\"):
            raise ValueError(f"invalid escape '{token}'")
        else:
            parts.append(re.escape(token[-1]))
    return "".join(parts)
