"""JSON that Echo makes up: something that fits a schema, with the words and numbers it was told."""

import re

import orjson

from app.providers.base import JsonFormat
from app.providers.untrusted import Json, list_at, object_at, objects_at, parsed, text_at

MOST_VALUES = 1_000
"""Schemas may contain themselves; after so many values, or levels, they come to an end."""
DEEPEST = 8
LONGEST_NUMBER = 16
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def answer_in(wanted: JsonFormat, text: str) -> str:
    """`text` itself where it is a JSON object, else one that fits and says it."""
    if parsed(text) is not None and text.lstrip().startswith("{"):
        return text.strip()
    made_up = {"answer": text} if wanted.schema is None else example_of(wanted.schema, text)
    return orjson.dumps(made_up).decode()


def example_of(schema: Json, text: str) -> object:
    """Always the same value for the same schema and text. Nothing promises that it keeps limits and patterns."""
    return _Example(schema, text).value_for(schema, DEEPEST)


class _Example:
    """One value in the making, for the schema `root`."""

    def __init__(self, root: Json, text: str) -> None:
        self._root = root
        self._text = text
        self._values_left = MOST_VALUES

    def value_for(self, schema: Json, depth: int) -> object:
        self._values_left -= 1
        if depth < 0 or self._values_left < 0:
            return None
        schema = self._followed(schema)
        if "const" in schema:
            return schema["const"]
        if values := list_at(schema, "enum"):
            return values[0]
        if choice := _first_choice(schema):
            return self.value_for(choice, depth - 1)
        return self._of_kind(schema, depth)

    def _of_kind(self, schema: Json, depth: int) -> object:
        match _kind(schema):
            case "object":
                properties = object_at(schema, "properties")
                return {name: self.value_for(object_at(properties, name), depth - 1) for name in properties}
            case "array":
                return [self.value_for(object_at(schema, "items"), depth - 1)]
            case "boolean":
                return True
            case "integer":
                return int(_number_in(self._text))
            case "number":
                return _number_in(self._text)
            case "null":
                return None
        return self._text

    def _followed(self, schema: Json) -> Json:
        """What a reference such as `#/$defs/City` points to; anything for one that points nowhere, or in circles."""
        for _ in range(DEEPEST):
            reference = text_at(schema, "$ref")
            if not reference:
                return schema
            schema = self._root
            for step in reference.removeprefix("#").split("/")[1:]:
                schema = object_at(schema, step)
        return {}


def _first_choice(schema: Json) -> Json | None:
    choices = (objects_at(schema, word) for word in ("anyOf", "oneOf", "allOf"))
    return next((found[0] for found in choices if found), None)


def _kind(schema: Json) -> object:
    kinds = list_at(schema, "type") or [schema.get("type")]
    return kinds[0] or ("object" if "properties" in schema else "string")


def _number_in(text: str) -> float:
    """The first number that was said, if it is one that JSON can hold."""
    found = NUMBER.search(text)
    return float(found[0]) if found and len(found[0]) < LONGEST_NUMBER else 1.0
