"""The parts of the engine that need no running master."""
import contextvars
import os
import tempfile
import threading
import time
import unittest
from unittest import mock

from spirofs_compat.engines import spiro as engine


def made(cls):
    """Returns an instance that needs no master."""
    instance = object.__new__(cls)
    instance.event = None  # which its end looks at
    return instance


class Engine(unittest.TestCase):
    def setUp(self):
        engine.__opts__ = {"__role": "master"}

    def test_certificate(self):
        with tempfile.TemporaryDirectory() as area:
            there, absent = os.path.join(area, "there"), os.path.join(area, "absent")
            open(there, "w").close()
            for crt, key in ((None, None), ("", ""), (there, there)):
                engine._check_certificate(crt, key)
            for crt, key in ((there, None), (None, there), (there, absent), (absent, there)):
                with self.assertRaises(ValueError):
                    engine._check_certificate(crt, key)

    def test_does_not_start(self):
        for options, arguments in (({"safe_unpak": True}, {}), ({}, {"ssl_crt": "/nowhere", "ssl_key": "/nowhere"})):
            engine.__opts__ = {"__role": "master", "spirofs_compat": options}
            with mock.patch.object(engine.ioloop, "IOLoop") as loop, self.assertRaises(ValueError):
                engine.start(**arguments)
            loop.assert_not_called()

    def test_minions_one_at_a_time(self):
        busy, most, ran = set(), [], []

        def cmd_iter(self, tgt, *args):
            most.append(busy.intersection(tgt))
            busy.update(tgt)
            time.sleep(0.01)
            busy.difference_update(tgt)
            ran.append(tgt)
            yield {}

        def highstate(*tgt):
            list(made(engine.LocalClient).cmd_iter(list(tgt), "state.highstate"))

        targets = [("a", "b"), ("b", "a"), ("c", "b"), ("a", "c"), ("c",)] * 4
        with mock.patch.object(engine.LocalClient.__mro__[1], "cmd_iter", cmd_iter):
            threads = [threading.Thread(target=highstate, args=tgt, daemon=True) for tgt in targets]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        self.assertEqual(len(ran), len(targets))
        self.assertFalse(any(most), most)

    def deploy(self, options):
        """Deploys without a master. Returns the data of highstate-start."""
        engine.__opts__ = {"spirofs_compat": options}

        def published(send, *args):
            minions = made(engine.RunnerClient).cmd("spiro.query_highstate", ["a/b"])
            send("highstate-start", {"minions": minions})

        def answer(self, fun, arg):
            return {"spiro.query_highstate": ["web1"], "spiro.query_minions": {"minions": ["web1"], "missing": ["db1"]}}[fun]

        sent = []
        with mock.patch.object(engine, "_deploy", published), mock.patch.object(engine.RunnerClient.__mro__[1], "cmd", answer):
            contextvars.copy_context().run(engine.deploy_background, lambda event, data: sent.append(data))
        return sent

    def test_names_missing(self):
        self.assertEqual(self.deploy({}), [{"minions": ["web1"], "missing": ["db1"]}])
        # And no deployment has the minions of the one before it.
        self.assertEqual(self.deploy({"name_missing": False}), [{"minions": ["web1"]}])


if __name__ == "__main__":
    unittest.main()
