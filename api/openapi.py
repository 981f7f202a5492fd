"""The application as it describes itself: what its routes answer, and how one signs in."""

from typing import Any

from fastapi import FastAPI

from api.principal import COOKIE
from api.schemas import Problem

_FRAMEWORK = ("HTTPValidationError", "ValidationError")
"""What the framework would answer to bad input; here that is a problem with status 400."""


class Described(FastAPI):
    """An application whose OpenAPI document says what it does."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document; made once."""
        made = self.openapi_schema
        if made is None:
            made = super().openapi()
            parts = made.setdefault("components", {})
            schemas = parts.setdefault("schemas", {})
            for name in _FRAMEWORK:
                schemas.pop(name, None)
            schemas["Problem"] = Problem.model_json_schema()
            for operations in made["paths"].values():
                for operation in operations.values():
                    _drop_framework(operation["responses"])
            parts["securitySchemes"] = {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API token, made on the page 我的.",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": COOKIE,
                    "description": "The session of a person who signed in on the pages. What changes something"
                    " needs a form token in the header x-form-token besides.",
                },
            }
            # Or nobody: then one sees what everyone sees.
            made["security"] = [{"token": []}, {"session": []}, {}]
        return made


def _drop_framework(responses: dict[str, Any]) -> None:
    content = responses.get("422", {}).get("content", {})
    if "application/json" in content:
        del responses["422"]
