"""The engine spiro: SpiroFS's HTTP server.

Its options are those of SpiroFS, and address, which it listens on; default: all
addresses of this machine.
"""
import contextlib as _contextlib
import contextvars as _contextvars
import os as _os
import pprint as _pprint
import tarfile as _tarfile
import threading as _threading
import warnings as _warnings

from spirofs_compat import names as _names
from spirofs_compat import options as _options
from spirofs_compat import published as _published
from spirofs_compat import unpack as _unpack
from spirofs_compat import utils as _utils

_published.into(globals(), "engines", "spiro.py")
from salt.ext.tornado import locks as _locks  # noqa: E402  published.into has made that name


def __init__(opts):
    """Salt's loader calls this when it has set its own __utils__."""
    globals()["__utils__"] = _utils.of(opts)


def _on(name):
    return getattr(_options.Options(__opts__), name)


def _in_context(apply_async):
    """Makes a pool's apply_async run functions in the context of whoever calls it.

    Since Salt 3003, __opts__ and __utils__ are context variables, which threads of a
    pool do not see: without this, each deployment ends with an exception.
    """

    def inside(func, args=(), kwds=None):
        return apply_async(_contextvars.copy_context().run, (func,) + tuple(args), kwds or {})

    return inside


SpiroBuildHandler.pool.apply_async = _in_context(SpiroBuildHandler.pool.apply_async)

# The minions that were asked in this deployment, and of which nothing is known.
_missing = _contextvars.ContextVar("missing", default=None)


class RunnerClient(RunnerClient):
    """Asks which minions are concerned, and keeps which did not say."""

    def cmd(self, fun, arg=None, *args, **kwargs):
        if fun != "spiro.query_highstate" or not _on("name_missing"):
            return super().cmd(fun, arg, *args, **kwargs)
        answer = super().cmd("spiro.query_minions", arg, *args, **kwargs)
        _missing.set(answer["missing"])
        return answer["minions"]


class LocalClient(LocalClient):
    """Lets a minion be highstated for one deployment at a time.

    Salt's minions put the second aside. Current patches of 3006 to 3008 do so where
    saltutil.find_job does not look, and the master then takes a minion for one that
    does not answer. To ask
    them to wait in a process, with a number for queue, lets two wait for each other.
    """

    _lock = _threading.Lock()
    _minions = {}  # id → lock

    def cmd_iter(self, tgt, *args, **kwargs):
        if not _on("one_at_a_time"):
            yield from super().cmd_iter(tgt, *args, **kwargs)
            return
        with self._lock:
            locks = [self._minions.setdefault(minion, _threading.Lock()) for minion in sorted(tgt)]
        with _contextlib.ExitStack() as held:
            for lock in locks:  # in one order, so that no two wait for each other
                held.enter_context(lock)
            yield from super().cmd_iter(tgt, *args, **kwargs)


_deploy = deploy_background


def deploy_background(sendmsg, *args, **kwargs):
    def send(event, data):
        if event == "highstate-start" and _missing.get() is not None:
            data = dict(data, missing=_missing.get())
        sendmsg(event, data)

    _deploy(send, *args, **kwargs)


class _Turn:
    """The deployments of one saltenv that are under way or wait."""

    def __init__(self):
        self.lock, self.users = _locks.Lock(), 0


class Handler(SpiroBuildHandler):
    _turns = {}  # project and deployment → _Turn

    def prepare(self):
        self._authorization = self.request.headers.get("Authorization", "")
        if _on("hide_tokens") and "Authorization" in self.request.headers:
            # Tornado writes the headers of a request to the log when it fails.
            del self.request.headers["Authorization"]
        super().prepare()

    def get_current_user(self):
        kind, _, token = self._authorization.partition(" ")
        return token.strip() if kind.strip().lower() == "bearer" else None

    @gen.coroutine
    def sse_start(self):
        if not self._headers_written:  # whoever had to wait has them already
            yield super().sse_start()

    @gen.coroutine
    def post(self):
        project, deployment = self.get_argument("project"), self.get_argument("deployment")
        if self._refused(project, deployment):
            return
        if not _on("one_at_a_time"):
            yield super().post()
            return
        key = (project, deployment)
        turn = self._turns.setdefault(key, _Turn())
        turn.users += 1
        try:
            if turn.users > 1:
                yield self.sse_start()
                yield self.sse_push({"msg": "Waiting for the deployment of %s/%s before this one" % key}, "deploy-wait")
            with (yield turn.lock.acquire()):
                yield super().post()
        finally:
            turn.users -= 1
            if not turn.users:
                del self._turns[key]

    def _refused(self, project, deployment):
        """Answers a request that must not deploy, and reports whether it was one.

        SpiroFS itself answers most of these as well, but then goes on.
        """
        bundles = self.request.files.get("bundle", [])
        if _on("refuse_foreign"):
            if not __utils__["spiro_auth.check_token"](self.get_current_user(), project):
                self.send_error(403)
                return True
            if len(bundles) > 1:
                self.send_error(400)
                return True
        if _on("refuse_names"):
            for what, name in (("project", project), ("deployment", deployment)):
                problem = _names.problem(name)
                if problem:
                    return self._refuse("the name of the %s is not possible: %s" % (what, problem))
        if _on("safe_unpack") and bundles:
            try:
                with _tarfile.open(fileobj=six.BytesIO(bundles[0].body)) as tar:
                    _unpack.check(tar.getmembers())
            except _unpack.UnsafeBundle as err:
                return self._refuse(str(err))
            except Exception:  # tarfile raises many for what is none
                self.send_error(400)
                return True
        return False

    def _refuse(self, why):
        self.set_status(400)
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish(why + "\n")
        return True


def make_app():
    return web.Application([("/", Handler)])


def start(port=4510, ssl_crt=None, ssl_key=None, address=""):
    """Starts the server that bundles are sent to. It returns when Salt ends."""
    if __opts__["__role"] != "master":
        return
    if _on("require_certificate"):
        _check_certificate(ssl_crt, ssl_key)
    if not _on("no_options_file"):
        with open("/tmp/opts", "wt") as file:
            _pprint.pprint(__opts__, stream=file)
    if _on("no_leftovers"):
        __utils__["spiro.remove_leftovers"]()
    # A loop of this process's own: the one that there is may be the parent's, and have
    # come along with the fork. Both would then wait at one epoll and one pipe, and
    # events of a deployment lie there until something else happens.
    loop = ioloop.IOLoop()
    with _warnings.catch_warnings():
        _warnings.simplefilter("ignore", DeprecationWarning)  # of Tornado 6; 4.5 has no other way
        loop.make_current()
    make_server(make_app(), ssl_crt, ssl_key).listen(port, address)
    log.info("SpiroFS listens on port %s of %s", port, address or "all addresses")
    loop.start()


def _check_certificate(crt, key):
    """Raises ValueError if only half of what TLS needs is there.

    SpiroFS itself would speak plain HTTP then, on the port that tokens are sent to.
    """
    if not crt and not key:
        return
    for name, path in (("ssl_crt", crt), ("ssl_key", key)):
        if not path:
            raise ValueError("spiro: ssl_crt and ssl_key belong together, and there is no %s" % name)
        if not _os.path.exists(path):
            raise ValueError("spiro: %s: there is no file %s" % (name, path))
