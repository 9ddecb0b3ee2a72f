"""The options: the mapping spirofs_compat in the master's configuration."""

# Each is on by default. README.md and SECURITY.md of spirodeploy tell what they do.
HARDENING = (
    "refuse_foreign",
    "refuse_names",
    "safe_unpack",
    "no_leftovers",
    "one_at_a_time",
    "name_missing",
    "hide_tokens",
    "no_options_file",
    "require_certificate",
)


class Options:
    """The options of a master; each of HARDENING is an attribute."""

    def __init__(self, master):
        """Takes the master's configuration.

        Raises ValueError for what is not understood: an option that is misspelt must
        not leave a master open, or closed, that was meant to be otherwise.
        """
        given = master.get("spirofs_compat")
        given = {} if given is None else given
        if not isinstance(given, dict):
            raise ValueError("spirofs_compat: it is no mapping of options to true or false")
        given = dict(given)
        unknown = sorted(str(name) for name in given if name not in HARDENING and name != "hardening")
        if unknown:
            raise ValueError(
                "spirofs_compat: unknown: %s; there are: hardening, %s" % (", ".join(unknown), ", ".join(HARDENING))
            )
        wrong = sorted(name for name, value in given.items() if not isinstance(value, bool))
        if wrong:
            raise ValueError("spirofs_compat: neither true nor false: %s" % ", ".join(wrong))
        default = given.pop("hardening", True)
        for name in HARDENING:
            setattr(self, name, given.get(name, default))
