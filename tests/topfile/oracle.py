"""Reads cases, one JSON object a line, and prints the ones on which the server's
own code (Salt's YAML loader and dumper, used as SpiroFS 0.3 uses them) differs
from what the case says.

A case has "source" (base64), "deployment", and what the Go package made of it:
"top" (base64, or null for no top.sls) or "error".
"""

import base64
import io
import json
import sys

import salt.utils.yamldumper
import salt.utils.yamlloader
from salt.utils.odict import OrderedDict

LOADER = salt.utils.yamlloader.SaltYamlSafeLoader
SALTENV = "shop/x"


def ordered(*args):
    """The loader of Salt's YAML renderer."""
    return LOADER(*args, dictclass=OrderedDict)


def tree(value):
    """The value with its types, so that True, 1 and 1.0 differ."""
    if isinstance(value, dict):
        return ["map"] + [[tree(k), tree(v)] for k, v in value.items()]
    if isinstance(value, (list, tuple)):
        return ["list"] + [tree(v) for v in value]
    if isinstance(value, set):
        return ["set"] + sorted(repr(v) for v in value)
    return [type(value).__name__, repr(value)]


def server(source, deployment):
    """What the server's top.sls says, or None for no top.sls."""
    text = io.TextIOWrapper(io.BytesIO(source), encoding="utf-8")
    content = salt.utils.yamlloader.load(text, Loader=LOADER)
    if not content:
        return None
    envs = {SALTENV: content.get(deployment, {})}
    out = io.StringIO()
    salt.utils.yamldumper.safe_dump(envs, out)
    return tree(salt.utils.yamlloader.load(out.getvalue(), Loader=ordered))


def main():
    sys.setrecursionlimit(3000)
    for line in sys.stdin:
        case = json.loads(line)
        source = base64.b64decode(case["source"])
        try:
            theirs = server(source, case["deployment"])
        except Exception as exc:  # whatever it is, the deployment ends with it
            theirs = "error: %s: %s" % (type(exc).__name__, " ".join(str(exc).split()))
        if case.get("error"):
            ours = "error: " + case["error"]
        elif case.get("top") is None:
            ours = None
        else:
            top = base64.b64decode(case["top"]).decode()
            try:
                ours = tree(salt.utils.yamlloader.load(top, Loader=ordered))
            except Exception as exc:
                ours = ["what we made of it is unreadable", str(exc), top]
        failed = [isinstance(x, str) for x in (theirs, ours)]
        same = all(failed) if any(failed) else theirs == ours
        print(json.dumps({"same": same, "source": repr(source), "theirs": str(theirs), "ours": str(ours)}), flush=True)


main()
