"""What SpiroFS's code finds in __utils__.

Salt's loader takes utils of no extension but those that the setting utils_dirs names,
so each module here that Salt loads puts this in the place of its __utils__.
"""
import inspect

from spirofs_compat import deployments, tokens


def of(opts):
    """Returns the functions by Salt's names, for a master's configuration."""
    found = {}
    for name, module in (("spiro", deployments), ("spiro_auth", tokens)):
        module.__opts__ = opts
        for function, value in inspect.getmembers(module, inspect.isfunction):
            if not function.startswith("_"):
                found[name + "." + function] = value
    return found
