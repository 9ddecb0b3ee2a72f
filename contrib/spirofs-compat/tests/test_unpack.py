"""What is unpacked, and what is refused."""
import io
import os
import random
import tarfile
import tempfile
import unittest
from unittest import mock

from spirofs_compat import unpack


def entry(name, kind=tarfile.REGTYPE, link="", text=b"", mode=0o644):
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.size, member.mode = kind, link, len(text), mode
    member.uid = member.gid = 12345
    return member, text


def directory(name):
    return entry(name, tarfile.DIRTYPE)


def symlink(name, link):
    return entry(name, tarfile.SYMTYPE, link)


def hardlink(name, link):
    return entry(name, tarfile.LNKTYPE, link)


def tar(entries):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for member, text in entries:
            archive.addfile(member, io.BytesIO(text))
    file.seek(0)
    return tarfile.open(fileobj=file)


GOOD = {
    "plain": [entry("a.sls", text=b"a"), directory("d"), entry("d/b", text=b"b")],
    "no directories": [entry("d/e/b", text=b"b")],
    "the root": [directory("./"), entry("./a")],
    "dots of the first-party client": [entry("_source/./x")],
    "links": [entry("d/f"), symlink("d/l", "f"), symlink("l", "d/l"), symlink("up", "d/../d/f"), symlink("d/up", "..")],
    "a link to nothing": [symlink("l", "none")],
    "a hard link": [entry("f", text=b"f"), hardlink("h", "f"), hardlink("i", "./h")],
    "a file twice": [entry("f", text=b"1"), entry("f", text=b"2")],
    "names with dots": [entry("..f"), entry("f.."), entry("d/...")],
}

BAD = {
    "up": [entry("../f")],
    "up within": [entry("d/../f")],
    "up at the end": [directory("d/..")],
    "absolute": [entry("/f")],
    "absolute directory": [directory("/d")],
    "link absolute": [symlink("l", "/etc/shadow")],
    "link up": [symlink("l", "../f")],
    "link up from below": [symlink("d/l", "../../f")],
    "link to itself": [symlink("l", "l")],
    "links in a ring": [symlink("a", "b"), symlink("b", "a")],
    "link by a link": [directory("a/b/c"), symlink("deep", "a/b/c"), symlink("l", "a/b/c/up/../.."), symlink("a/b/c/up", "../../..")],
    "link by a short cut": [directory("x"), symlink("a/b/c", "../../x"), symlink("out", "a/b/c/../../f")],
    "below a link": [symlink("l", "d"), entry("l/f")],
    "below a link that comes later": [entry("l/f"), symlink("l", "d")],
    "through a link": [symlink("l", "f"), entry("l")],
    "a link in place of a file": [entry("f"), symlink("f", "g")],
    "a link in place of everything": [symlink(".", "d")],
    "a file in place of everything": [entry("./")],
    "hard link up": [hardlink("h", "../f")],
    "hard link absolute": [hardlink("h", "/etc/shadow")],
    "hard link to what comes later": [hardlink("h", "f"), entry("f")],
    "hard link to a link": [symlink("l", "f"), hardlink("h", "l")],
    "hard link to itself": [entry("f"), hardlink("f", "f")],
    "pipe": [entry("p", tarfile.FIFOTYPE)],
    "device": [entry("d", tarfile.CHRTYPE)],
    "unknown type": [entry("u", b"Z")],
}


class Unpack(unittest.TestCase):
    def setUp(self):
        area = tempfile.TemporaryDirectory()
        self.addCleanup(area.cleanup)
        self.root = os.path.join(area.name, "a", "b", "c", "root")
        self.area = area.name
        os.makedirs(self.root)

    def extract(self, entries):
        with tar(entries) as archive:
            unpack.extract(archive, self.root)

    def test_good(self):
        for name, entries in GOOD.items():
            with self.subTest(name):
                self.setUp()
                self.extract(entries)
                for member, _ in entries:
                    self.assertTrue(os.path.lexists(os.path.join(self.root, member.name)), member.name)

    def test_bad(self):
        for name, entries in BAD.items():
            with self.subTest(name):
                self.setUp()
                with self.assertRaises(unpack.UnsafeBundle) as caught:
                    self.extract([entry("fine")] + entries)
                self.assertIn("was not unpacked", str(caught.exception))
                self.assertEqual(os.listdir(self.root), [])

    def test_many_problems(self):
        with self.assertRaises(unpack.UnsafeBundle) as caught:
            self.extract([entry("../%d" % n) for n in range(100)])
        self.assertIn("'../9' leaves", str(caught.exception))
        self.assertIn("and 90 more", str(caught.exception))

    def attributes(self):
        self.extract([entry("f", mode=0o4777, text=b"f"), entry("g", mode=0o606), directory("d")])
        info = os.stat(os.path.join(self.root, "f"))
        self.assertEqual((info.st_mode & 0o7777, info.st_uid, info.st_gid), (0o755, os.geteuid(), os.getegid()))
        self.assertEqual(os.stat(os.path.join(self.root, "g")).st_mode & 0o7133, 0)

    @unittest.skipUnless(hasattr(tarfile, "data_filter"), "this Python has no filters")
    def test_attributes(self):
        self.attributes()

    def test_attributes_without_filters(self):
        filters = mock.patch.object(tarfile, "data_filter", create=True)
        filters.start()
        self.addCleanup(filters.stop)
        del tarfile.data_filter
        self.attributes()

    def test_any(self):
        """Whatever passes, unpacked without any filter, stays below the root."""
        chance = random.Random(14)
        parts = ["a", "b", "c", "..", ".", ""]

        def path():
            return "/".join(chance.choice(parts) for _ in range(chance.randint(1, 5)))

        passed = 0
        for _ in range(4000):
            made = []
            for _ in range(chance.randint(1, 5)):
                kind = chance.choice([entry, directory, lambda name: symlink(name, path()), lambda name: hardlink(name, path())])
                made.append(kind(path() or "a"))
            with tar(made) as archive:
                try:
                    unpack.check(archive.getmembers())
                except unpack.UnsafeBundle:
                    continue
                passed += 1
                self.setUp()
                before = self.outside()
                try:
                    archive.extractall(self.root, **({"filter": "fully_trusted"} if hasattr(tarfile, "data_filter") else {}))
                except OSError:
                    pass  # a file and a directory of one name
                self.assertEqual(self.outside(), before, [(m.name, m.linkname) for m, _ in made])
                for at, directories, files in os.walk(self.root):
                    for name in directories + files:
                        real = os.path.realpath(os.path.join(at, name))
                        self.assertTrue((real + "/").startswith(os.path.realpath(self.root) + "/"), [(m.name, m.linkname) for m, _ in made])
        self.assertGreater(passed, 200)

    def outside(self):
        return sorted(at for at, _, _ in os.walk(self.area) if not at.startswith(self.root + "/")), sorted(
            os.path.join(at, name) for at, _, files in os.walk(self.area) if not at.startswith(self.root) for name in files
        )


if __name__ == "__main__":
    unittest.main()
