"""Names of projects and deployments, which become names of directories."""


def problem(name):
    """Returns what is wrong with a name of a project or deployment, or None."""
    if not name:
        return "it is empty"
    if name in (".", ".."):
        return "it is a way to another directory"
    if "/" in name:
        return "it has a slash"
    if any(ord(char) < 32 or ord(char) == 127 for char in name):
        return "it has a control character"
    return None


def leaves(path):
    """Reports whether a path below a deployment leads out of it, links aside."""
    return path.startswith("/") or ".." in path.split("/")
