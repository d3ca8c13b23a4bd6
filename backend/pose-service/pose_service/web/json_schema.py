"""Short ways to write JSON Schema."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def reference(name: str) -> Schema:
    """A pointer to one of SCHEMAS."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(required: Schema, optional: Schema | None = None, description: str = "") -> Schema:
    """An object with these fields and no others."""
    schema: Schema = {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
        "additionalProperties": False,
    }
    return {**schema, "description": description} if description else schema


def array(items: Schema, description: str = "", length: int | None = None) -> Schema:
    schema: Schema = {"type": "array", "items": items}
    if length is not None:
        schema.update(minItems=length, maxItems=length)
    return {**schema, "description": description} if description else schema


def mapping(values: Schema, description: str) -> Schema:
    """An object with any names."""
    return {"type": "object", "additionalProperties": values, "description": description}


def number(description: str, **limits: float) -> Schema:
    return {"type": "number", "description": description, **limits}


def text(description: str, *choices: str) -> Schema:
    schema: Schema = {"type": "string", "description": description}
    return {**schema, "enum": list(choices)} if choices else schema


def count(description: str, minimum: int = 0) -> Schema:
    return {"type": "integer", "minimum": minimum, "description": description}


SHARE = {"minimum": 0, "maximum": 1}
