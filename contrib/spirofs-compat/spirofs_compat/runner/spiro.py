"""The runner spiro: makes tokens, and finds out who is concerned by a deployment."""
import salt.utils.minions as _minions

from spirofs_compat import published as _published
from spirofs_compat import utils as _utils

_published.into(globals(), "runner", "spiro.py")


def __init__(opts):
    """Salt's loader calls this when it has set its own __utils__."""
    globals()["__utils__"] = _utils.of(opts)


def query_minions(saltenv):
    """
    Ask all minions for their top files. Returns {"minions": those with states in the
    saltenv, "missing": those that gave no usable answer in time}, both sorted.
    """
    tops = __salt__["salt.execute"]("*", "state.show_top", kwarg={"concurrent": True})
    answered = {mid: top for mid, top in tops.items() if isinstance(top, dict)}
    asked = _minions.CkMinions(__opts__).check_minions("*", "glob")["minions"]
    return {
        "minions": sorted(mid for mid, top in answered.items() if saltenv in top),
        "missing": sorted(set(asked).union(tops).difference(answered)),
    }
