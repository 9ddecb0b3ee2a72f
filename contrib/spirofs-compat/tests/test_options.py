"""The options of a master, and names."""
import unittest

from spirofs_compat import names, options


class Options(unittest.TestCase):
    def test_all_on(self):
        for master in ({}, {"spirofs_compat": None}, {"spirofs_compat": {}}):
            found = options.Options(master)
            self.assertTrue(all(getattr(found, name) for name in options.HARDENING))

    def test_one_off(self):
        found = options.Options({"spirofs_compat": {"safe_unpack": False}})
        self.assertEqual([name for name in options.HARDENING if not getattr(found, name)], ["safe_unpack"])

    def test_all_off_but_one(self):
        found = options.Options({"spirofs_compat": {"hardening": False, "safe_unpack": True}})
        self.assertEqual([name for name in options.HARDENING if getattr(found, name)], ["safe_unpack"])

    def test_wrong(self):
        for given in (["safe_unpack"], True, {"safe_unpak": False}, {"safe_unpack": "no"}, {"hardening": 0}, {1: True}):
            with self.assertRaises(ValueError, msg=repr(given)):
                options.Options({"spirofs_compat": given})


class Names(unittest.TestCase):
    def test_names(self):
        for name in ("shop", "größe", "a b", "..a", "...", "%2e%2e", "%staging"):
            self.assertIsNone(names.problem(name), name)
        for name in ("", ".", "..", "/", "a/b", "../a", "a\nb", "a\0b", "\x7f"):
            self.assertIsNotNone(names.problem(name), name)

    def test_leaves(self):
        for path in ("a", "a/b", "..a/b", "", "a/./b"):
            self.assertFalse(names.leaves(path), path)
        for path in ("..", "../a", "a/..", "a/../b", "/a", "/"):
            self.assertTrue(names.leaves(path), path)


if __name__ == "__main__":
    unittest.main()
