"""A page of the HTTP interface, drawn from /openapi.json on the server: no script, nothing from outside."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api import pages

METHODS = ("get", "put", "post", "patch", "delete")


def router() -> APIRouter:
    """The route /docs."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/docs")
    def docs(request: Request) -> HTMLResponse:
        schema = request.app.openapi()
        return pages.render(request, "openapi.html", {"schema": schema, "operations": operations(schema)})

    return routes


def operations(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Every operation of an OpenAPI document, in the order of the document, with what it takes as rows."""
    found = []
    for path, methods in schema["paths"].items():
        for method in METHODS:
            if operation := methods.get(method):
                rows = [
                    {
                        "name": p["name"],
                        "where": p["in"],
                        "required": p.get("required", False),
                        "type": type_words(p["schema"], schema),
                        "default": p["schema"].get("default"),
                        "about": p.get("description", ""),
                    }
                    for p in [*operation.get("parameters", []), *fields(operation, schema)]
                ]
                found.append(
                    {
                        "method": method.upper(),
                        "path": path,
                        "summary": operation.get("summary", ""),
                        "rows": rows,
                    }
                )
    return found


def fields(operation: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields of the JSON that an operation takes as its body, as if they were parameters."""
    taken = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    reference = next((p["$ref"] for p in [taken, *taken.get("anyOf", [])] if "$ref" in p), None)
    if reference is None:
        return []
    body = _named(reference, schema)
    return [
        {
            "name": name,
            "in": "body",
            "required": name in body.get("required", []),
            "schema": part,
            "description": part.get("description", ""),
        }
        for name, part in body["properties"].items()
    ]


def _named(reference: str, schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["components"]["schemas"][reference.rsplit("/", 1)[-1]]
    return found


def type_words(part: dict[str, Any], schema: dict[str, Any]) -> str:
    """A parameter's type in words: its alternatives, the values of an enumeration, its limits.

    >>> type_words({"type": "integer", "minimum": 1, "maximum": 9}, {})
    'integer, 1 to 9'
    >>> type_words({"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}, {})
    'date'
    """
    if "$ref" in part:
        return type_words(_named(part["$ref"], schema), schema)
    if "anyOf" in part:
        return " or ".join(type_words(p, schema) for p in part["anyOf"] if p.get("type") != "null")
    if "enum" in part:
        return ", ".join(map(str, part["enum"]))
    if part.get("type") == "object":
        names = ", ".join(part.get("properties", {}))
        return f"object of {names}" if names else "object"
    if part.get("type") == "array":
        return f"{type_words(part['items'], schema)} (may be given more than once)"
    words: str = part.get("format") or part.get("type", "any")
    low, high = part.get("minimum"), part.get("maximum")
    if high is None and "exclusiveMaximum" in part:
        high = part["exclusiveMaximum"] - 1
    return (
        words
        if low is None and high is None
        else f"{words}, {'' if low is None else low} to {'' if high is None else high}"
    )
