"""Keeps deployments: directories PROJECT/DEPLOYMENT below cachedir/spirofs."""
import os as _os
import shutil as _shutil
import tempfile as _tempfile

from spirofs_compat import names as _names
from spirofs_compat import options as _options
from spirofs_compat import published as _published
from spirofs_compat import unpack as _unpack

_published.into(globals(), "utils", "spiro.py")

# The directory beside those of the projects in which bundles are unpacked. No project
# has it: SpiroFS writes % in a name as %25.
_STAGING = "%staging"


def _on(name):
    return getattr(_options.Options(__opts__), name)


class Deployment(Deployment):
    @classmethod
    def from_env(cls, saltenv):
        """
        Factory: From a saltenv, which may be one that a minion has made up
        """
        if _on("refuse_names") and any(_names.problem(name) for name in saltenv.rsplit("/", 1)):
            return None
        return super().from_env(saltenv)

    @classmethod
    def iterdeployments(cls):
        """
        Yield all Deployments
        """
        for project in _quoted(_fsdir()):
            for deployment in _quoted(_fsdir(project)):
                yield cls(unquote(project), unquote(deployment))

    def exists(self, fn=None):
        """
        Check that this deployment, or a file in it, exists
        """
        if fn is not None and _on("refuse_names") and _names.leaves(fn):
            return False
        return super().exists(fn)

    def deploy_new(self, tarfile):
        """
        Deploy the given TarFile as a new version of this deployment
        """
        if _on("refuse_names"):
            for name in (self.project, self.deployment):
                if _names.problem(name):
                    raise ValueError("the name %r is not possible: %s" % (name, _names.problem(name)))
        if not _on("no_leftovers"):
            super().deploy_new(tarfile)
            return
        _os.makedirs(_fsdir(_STAGING), exist_ok=True)
        self._area = _tempfile.mkdtemp(dir=_fsdir(_STAGING))
        try:
            super().deploy_new(tarfile)
        finally:
            _shutil.rmtree(self._area, ignore_errors=True)

    def _mkbufferdir(self):
        if not _on("no_leftovers"):
            return super()._mkbufferdir()
        new = _os.path.join(self._area, "new")
        _os.mkdir(new, 0o700)
        return new

    def _extract(self, tarfile, dir):
        if _on("safe_unpack"):
            _unpack.extract(tarfile, dir)
        else:
            super()._extract(tarfile, dir)

    def _replace_directory(self, stagingdir):
        if not _on("no_leftovers"):
            super()._replace_directory(stagingdir)
            return
        old = _os.path.join(self._area, "old")
        _os.makedirs(_os.path.dirname(self.root), exist_ok=True)
        had = self.exists()
        if had:
            _os.rename(self.root, old)
        try:
            _os.rename(stagingdir, self.root)
        except OSError:
            if had:
                _os.rename(old, self.root)
            raise


def _quoted(directory):
    """
    Lists the directories in a directory that have names of SpiroFS's writing
    """
    try:
        found = sorted(_os.listdir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [name for name in found if quote(unquote(name)) == name and _os.path.isdir(_os.path.join(directory, name))]


def remove_leftovers():
    """
    Remove what a master that was killed has left of a bundle
    """
    _shutil.rmtree(_fsdir(_STAGING), ignore_errors=True)
