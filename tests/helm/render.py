"""Render charts with the real Helm engine, for the tests.

One JSON request a line on stdin, one JSON answer a line on stdout:

    {"chart": "dir", "values": ["yaml text", ...], "include_crds": true}
    {"manifests": {"path": "text", ...}, "crds": ["path", ...]}
    {"error": "what Helm said"}

`values` are the files of `--values`, in that order; `include_crds` false is
`--skip-crds`. All requests are served by one process, because the engine takes
longer to load than a chart takes to render. The chart is read anew each time:
a test may have changed it in between.
"""

import json
import sys

from helm_python import Chart, HelmError, values_from_yaml


def merge(below, above):
    """Lay one values file over another, as `helm --values A --values B` does.

    Maps merge, anything else replaces. A null stays, since it is the engine
    that lets it delete the chart's default: were it dropped here, the default
    would come back. The engine offers no merge of values files, only the one
    into a chart.
    """
    both = dict(below)
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(both.get(key), dict):
            value = merge(both[key], value)
        both[key] = value
    return both


def render(request):
    values = {}
    for text in request["values"]:
        values = merge(values, values_from_yaml(text))
    with Chart.load(request["chart"]) as chart:
        manifests = chart.render(values, name="huawei-csi", namespace="huawei-csi")
        # `helm install` applies these as they are; rendering leaves them out.
        crds = [crd["filename"] for crd in chart.crds] if request["include_crds"] else []
    return {"manifests": manifests, "crds": crds}


for line in sys.stdin:
    try:
        answer = render(json.loads(line))
    except HelmError as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
