"""Holds bills of materials against CycloneDX's own JSON Schema, and their package URLs against the
canonical form of the package URL's own library. Needs no network."""

import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

validator = JsonStrictValidator(SchemaVersion.V1_6)
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    error = validator.validate_str(text)
    if error is not None:
        # All of it is the whole schema.
        sys.exit(f"{path}: {str(error)[:500]}")
    for component in json.loads(text)["components"]:
        purl = component["purl"]
        if PackageURL.from_string(purl).to_string() != purl:
            sys.exit(f"{path}: {purl} is not canonical")
