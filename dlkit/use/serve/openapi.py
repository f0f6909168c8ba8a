"""What can be asked, as OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Mapping

from dlkit.use.serve.frames import Told
from dlkit.use.serve.limits import Limits


def document(title: str, hello: Mapping[str, object], limits: Limits) -> Told:
    """``hello`` is what a worker says of its model."""
    schema, listed = hello["schema"], hello["options"]
    assert isinstance(schema, dict) and isinstance(listed, list)
    options = {one["name"]: {**one["schema"], "description": one["description"]} for one in listed}
    question, answer = schema["question"], _answer(schema["answer"])
    single = _object({"question": question, "options": {"$ref": "#/components/schemas/Options"}}, ["question"])
    several = _object(
        {
            "questions": {"type": "array", "items": question, "maxItems": limits.questions},
            "options": {"$ref": "#/components/schemas/Options"},
        },
        ["questions"],
    )
    form = _object({"file": {"type": "string", "contentMediaType": "application/octet-stream"}}, ["file"])
    body = {
        "application/json": {"schema": {"oneOf": [single, several]}, "example": {"question": schema["example"]}},
        "multipart/form-data": {"schema": form},
    }
    found = {"type": "object", "properties": {"answers": {"type": "array", "items": answer}}}
    answers = {
        "application/json": {"schema": {"oneOf": [answer, found]}},
        "text/event-stream": {"schema": {"type": "string"}},
    }
    statuses = {
        "200": {"description": "the answer, or one a question", "content": answers},
        **{status: {"description": about, "content": _ERROR} for status, about in _ERRORS.items()},
    }
    predict = {"summary": f"Ask {title}", "requestBody": {"required": True, "content": body}, "responses": statuses}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": str(hello.get("step", 0)), "description": str(hello.get("usage", ""))},
        "paths": {"/predict": {"post": predict}},
        "components": {
            "schemas": {"Options": {"type": "object", "properties": options, "additionalProperties": False}}
        },
    }


_ERRORS = {
    "400": "the body is not what its type says",
    "401": "a token is needed",
    "403": "the Host or Origin is another",
    "408": "the body did not come in time",
    "413": "too large, or too many questions",
    "415": "a type of body that is not understood",
    "422": "the question cannot be answered, and why",
    "500": "the model failed",
    "503": "too many questions wait, or the model is being started again",
}
_ERROR: Told = {
    "application/json": {
        "schema": {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
    }
}


def _answer(schema: object) -> Told:
    notes = {"type": "array", "items": {"type": "string"}}
    return _object({"answer": schema, "notes": notes}, ["answer"])


def _object(properties: Mapping[str, object], required: list[str]) -> Told:
    return {"type": "object", "properties": dict(properties), "required": required}
