"""The fileserver backend spiro, as it was published."""
from spirofs_compat import published as _published
from spirofs_compat import utils as _utils

_published.into(globals(), "fileserver", "spiro.py")


def __init__(opts):
    """Salt's loader calls this when it has set its own __utils__."""
    globals()["__utils__"] = _utils.of(opts)
