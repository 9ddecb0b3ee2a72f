"""Makes and checks tokens."""
from spirofs_compat import published as _published

_published.into(globals(), "utils", "spiro_auth.py")

_check_token = check_token


def check_token(token, project=None):
    """
    Check if a token is valid, for a project if one is given. What is no token at all
    is not valid; the published function falls over some of it.
    """
    try:
        return _check_token(token, project)
    except Exception as err:
        log.info("Invalid token (%s)", type(err).__name__)
        return False
