"""Hold manifests against the API of Kubernetes minors, for the tests.

    python schemas.py ARCHIVE... <requests >answers

The requests are a JSON list of {"minor": "1.16", "manifest": {...}}, the answers a list with what is
wrong with each: a list of texts, empty where the minor takes the manifest.

The archives are versions of the Python package `kubernetes-validate`, each with the schemas of other
minors. They are read as they are: unpacked, each is 20,000 files.
"""

import functools
import json
import re
import sys
import tarfile
import zipfile

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

DEFINITIONS = "_definitions.json"


def schema_of(manifest):
    """The file that has the schema: `csidriver-storage-v1.json`."""
    version = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", manifest["apiVersion"])
    return f"{manifest['kind'].lower()}-{version}.json"


def files(archive):
    """The path of each file, and how it is read."""
    if archive.endswith(".whl"):
        with zipfile.ZipFile(archive) as package:
            for path in package.namelist():
                yield path, lambda: package.read(path)
    else:
        with tarfile.open(archive) as package:
            for file in package:
                yield file.name, lambda: package.extractfile(file).read()


def complaints(minor, manifest):
    if (minor, DEFINITIONS) not in schemas:
        return [f"there are no schemas of Kubernetes {minor}"]
    schema = schemas.get((minor, schema_of(manifest)))
    if schema is None:
        return [f"Kubernetes {minor} has no {manifest['apiVersion']} {manifest['kind']}"]
    errors = Draft202012Validator(schema, registry=registry(minor)).iter_errors(manifest)
    return [f"{error.json_path}: {error.message}" for error in errors]


@functools.cache
def registry(minor):
    definitions = DRAFT202012.create_resource(schemas[minor, DEFINITIONS])
    return Registry().with_resource(DEFINITIONS, definitions).crawl()


requests = json.load(sys.stdin)
wanted = {
    (request["minor"], name)
    for request in requests
    for name in (DEFINITIONS, schema_of(request["manifest"]))
}
schemas = {}
for archive in sys.argv[1:]:
    for path, read in files(archive):
        # A strict schema refuses fields that it does not have.
        match = re.search(r"/v(\d+\.\d+)\.\d+-local-strict/([^/]+)$", path)
        if match and match.groups() in wanted:
            schemas[match.groups()] = json.loads(read())
json.dump([complaints(**request) for request in requests], sys.stdout)
