"""What is below cachedir/spirofs after a deployment, whatever became of it."""
import os
import tempfile
import unittest
from unittest import mock

from spirofs_compat import utils
from test_unpack import directory, entry, symlink, tar


class Deployments(unittest.TestCase):
    """Has no tests itself."""

    options = {}

    def setUp(self):
        area = tempfile.TemporaryDirectory()
        self.addCleanup(area.cleanup)
        self.root = os.path.join(area.name, "spirofs")
        self.utils = utils.of({"cachedir": area.name, "state_top": "top.sls", "hash_type": "sha256", "spirofs_compat": self.options})

    def deploy(self, project, deployment, *entries):
        with tar(entries) as archive:
            self.utils["spiro.from_pd"](project, deployment).deploy_new(archive)

    def files(self):
        return sorted(os.path.relpath(os.path.join(at, name), self.root) for at, _, names in os.walk(self.root) for name in names)

    def listed(self):
        return [d.saltenv for d in self.utils["spiro.list_deployments"]()]


class Hardened(Deployments):
    def test_replaces(self):
        self.deploy("shop", "prod", entry("a"), entry("spirotop.sls", text=b"prod: {'*': [a]}\n"))
        self.deploy("shop", "prod", entry("b"), entry("spirotop.sls", text=b"prod: {'*': [b]}\n"))
        self.deploy("größe & co", "prod", directory("d"), symlink("l", "d"))
        self.assertEqual(self.files(), ["shop/prod/b", "shop/prod/spirotop.sls", "shop/prod/top.sls"])
        self.assertEqual(sorted(self.listed()), ["größe & co/prod", "shop/prod"])

    def test_failure_leaves_nothing(self):
        for entries in ([entry("x"), entry("x/y")], [entry("../f")], [entry("spirotop.sls", text=b"a: [\n")]):
            with self.assertRaises(Exception):
                self.deploy("shop", "prod", *entries)
            self.assertEqual((self.files(), self.listed()), ([], []))
            self.assertFalse(os.path.exists(os.path.join(self.root, "shop")))
        self.deploy("shop", "prod", entry("a"))
        with self.assertRaises(Exception):
            self.deploy("shop", "prod", entry("x"), entry("x/y"))
        self.assertEqual((self.files(), self.listed()), (["shop/prod/a"], ["shop/prod"]))

    def test_failure_of_the_swap(self):
        self.deploy("shop", "prod", entry("a"))
        rename, target = os.rename, os.path.join(self.root, "shop", "prod")

        def fails(source, to):
            if to == target and source.endswith("new"):
                raise OSError("no room")
            rename(source, to)

        with mock.patch("os.rename", fails), self.assertRaises(OSError):
            self.deploy("shop", "prod", entry("b"))
        self.assertEqual(self.files(), ["shop/prod/a"])

    def test_never_listed_half(self):
        seen = []
        with tar([entry("a")]) as archive:
            extractall = archive.extractall

            def looks(*args, **kwargs):
                seen.extend(self.listed())
                extractall(*args, **kwargs)

            archive.extractall = looks
            self.utils["spiro.from_pd"]("shop", "prod").deploy_new(archive)
        self.assertEqual((seen, self.listed()), ([], ["shop/prod"]))

    def test_left_by_a_killed_master(self):
        os.makedirs(os.path.join(self.root, "%staging", "tmp1", "new"))
        open(os.path.join(self.root, "stray"), "w").close()
        self.assertEqual(self.listed(), [])
        self.utils["spiro.remove_leftovers"]()
        self.assertEqual(os.listdir(self.root), ["stray"])

    def test_names(self):
        os.makedirs(os.path.join(self.root, "shop", "prod"))
        for project, deployment in (("..", "x"), ("shop", ".."), ("a/b", "c"), ("shop", "../x"), ("", "x")):
            with self.assertRaises(ValueError):
                self.deploy(project, deployment, entry("a"))
        for saltenv in ("../..", "shop/..", "./shop", "/", "shop/", "../spirofs/shop/prod", "base"):
            self.assertIsNone(self.utils["spiro.from_env"](saltenv), saltenv)
        found = self.utils["spiro.from_env"]("shop/prod")
        self.assertTrue(found.exists() and found.exists("."))
        self.assertFalse(found.exists("../prod") or found.exists("/etc/passwd"))


class Published(Deployments):
    """With all of it off, SpiroFS does what it did."""

    options = {"hardening": False}

    def test_deploys(self):
        self.deploy("shop", "prod", entry("a"))
        self.deploy("shop", "prod", entry("b"))
        self.assertEqual((self.files(), self.listed()), (["shop/prod/b"], ["shop/prod"]))

    def test_leaves(self):
        self.deploy("shop/x", "y", entry("../a"))
        self.assertEqual(self.files(), ["shop/x/a"])
        with self.assertRaises(OSError):
            self.deploy("shop", "bad", entry("x"), entry("x/y"))
        self.assertEqual(len([name for name in os.listdir(os.path.join(self.root, "shop")) if name.startswith("bad")]), 2)


class Tokens(Deployments):
    def test_nonsense(self):
        for token in ("", "???", "bogus", "AAAA", "é", None):
            self.assertFalse(self.utils["spiro_auth.check_token"](token), token)


if __name__ == "__main__":
    unittest.main()
