"""Validators of what `-f json` prints."""

import jsonschema

from costcalc.report.document_schema import closed, document_schema
from costcalc.report.documents import DOCUMENTS

SCHEMA = document_schema()


def validator(*names, is_closed=True):
    """A validator of these documents; a closed one refuses names that the schema lacks."""
    schema = {**SCHEMA, "anyOf": [{"$ref": f"#/$defs/{name}_document"} for name in names]}
    return jsonschema.Draft202012Validator(closed(schema) if is_closed else schema)


ANY = validator(*DOCUMENTS)
OPEN = validator(*DOCUMENTS, is_closed=False)
