"""The names that SpiroFS imports, and what of Salt's stays as it is."""
import os
import subprocess
import sys
import tempfile
import unittest


class Alias(unittest.TestCase):
    def said(self, has, program):
        """Runs a program beside a Salt whose salt.ext has some modules."""
        with tempfile.TemporaryDirectory() as area:
            ext = os.path.join(area, "salt", "ext")
            os.makedirs(ext)
            for package in (os.path.dirname(ext), ext):
                open(os.path.join(package, "__init__.py"), "w").close()
            for name in has:
                with open(os.path.join(ext, name + ".py"), "w") as file:
                    file.write("mine = True\n")
            program = "import sys; sys.path.insert(0, %r)\nfrom spirofs_compat import published\npublished.alias()\n%s" % (area, program)
            return subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE).stdout.decode().split()

    def test_missing(self):
        # As in Salt 3007 and 3008.
        program = "from salt.ext import six\nfrom salt.ext.tornado import ioloop, web\nimport salt.ext.tornado\nprint(six.__name__, web.__name__, salt.ext.tornado.__name__)"
        self.assertEqual(self.said([], program), ["six", "tornado.web", "tornado"])

    def test_there(self):
        # As in Salt 3005: nothing is touched, and nothing else imported.
        program = "from salt.ext import six, tornado\nprint(six.mine, tornado.mine, 'six' in sys.modules, 'tornado' in sys.modules)"
        self.assertEqual(self.said(["six", "tornado"], program), ["True", "True", "False", "False"])

    def test_one_there(self):
        # As in Salt 3006.
        program = "from salt.ext import six, tornado\nprint(six.__name__, tornado.mine, 'tornado' in sys.modules)"
        self.assertEqual(self.said(["tornado"], program), ["six", "True", "False"])

    def test_twice(self):
        program = "from salt.ext import six\npublished.alias()\nfrom salt.ext import six as again\nprint(six is again)"
        self.assertEqual(self.said([], program), ["True"])


class Loader(unittest.TestCase):
    def test_entry_points(self):
        program = """
import importlib.metadata, os, types
points = importlib.metadata.distribution("spirofs-compat").entry_points
for point in points:
    found = point.load()
    assert isinstance(found, types.FunctionType), point
    for directory in found():
        assert os.path.exists(os.path.join(directory, "spiro.py")), directory
    print(point.name)
for point in importlib.metadata.distribution("spirofs").entry_points:
    found = point.load()
    assert isinstance(found, types.FunctionType) and found() == [], point
"""
        said = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE).stdout.decode().split()
        self.assertEqual(sorted(said), ["engines_dirs", "fileserver_dirs", "runner_dirs"])


if __name__ == "__main__":
    unittest.main()
