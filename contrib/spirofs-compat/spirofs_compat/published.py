"""Runs the modules of SpiroFS as they were published."""
import importlib
import importlib.util
import os
import sys

import spirofs


def alias():
    """Gives the packages six and tornado the names that they had in Salt.

    SpiroFS imports salt.ext.six, which Salt has no more since 3006, and
    salt.ext.tornado, which it has no more since 3007. A name that is there stays
    what it is: Salt 3006 leads "import tornado" to its own salt.ext.tornado.
    """
    for name in ("six", "tornado"):
        full = "salt.ext." + name
        if importlib.util.find_spec(full) is None:
            module = importlib.import_module(name)
            sys.modules[full] = module
            setattr(sys.modules["salt.ext"], name, module)


def into(namespace, *path):
    """Runs a module of SpiroFS in a namespace, that of the module that calls.

    Its functions then see what Salt's loader puts there, such as __opts__, and
    whatever the calling module defines afterwards under a name that they use.
    """
    alias()
    file = os.path.join(os.path.dirname(os.path.abspath(spirofs.__file__)), *path)
    with open(file, encoding="utf-8") as source:
        code = compile(source.read(), file, "exec", dont_inherit=True)
    exec(code, namespace)
