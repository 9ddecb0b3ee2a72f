"""keeper.py: starts programs, and ends them and removes a directory when its own
standard input says so or ends, however the process at the other end of it went away.

The first line of standard input is JSON: {"dir": DIRECTORY, "programs": [{"name":
NAME, "args": [...], "output": FILE}, ...]}. Standard output gets a line of JSON
for each that has started, {"name", "pid"}, and for each that has ended by itself,
{"name", "status"}. Each program leads a session of its own.
"""
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time


def tell(**what):
    try:
        os.write(1, (json.dumps(what) + "\n").encode())
    except OSError:
        pass  # nobody listens any more, which standard input is going to tell


def reap(names):
    """Collects what has ended. Programs' own orphans come here, too."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return True
        if pid in names:
            tell(name=names[pid], status=status)


def kill(groups):
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass


def main():
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    try:
        # PR_SET_CHILD_SUBREAPER: so that orphans can be waited for. Linux only.
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    except (AttributeError, OSError):
        pass
    spec = json.loads(sys.stdin.buffer.raw.readline())
    names = {}
    asked = b""
    try:
        for program in spec["programs"]:
            with open(program["output"], "ab") as output:
                started = subprocess.Popen(
                    program["args"], stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
                    # Python itself ignores nothing that the programs should not.
                    preexec_fn=lambda: [signal.signal(s, signal.SIG_DFL) for s in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)],
                )
            names[started.pid] = program["name"]
            tell(name=program["name"], pid=started.pid)
        while True:
            readable, _, _ = select.select([0], [], [], 0.2)
            if readable:
                asked = os.read(0, 4096)
                break
            reap(names)
    finally:
        # Again and again, for what was starting something just then.
        end = time.monotonic() + 10
        kill(names)
        while reap({}) and time.monotonic() < end:
            time.sleep(0.02)
            kill(names)
        shutil.rmtree(spec["dir"], ignore_errors=True)
        if not asked:
            # Whoever went away may have had commands of Salt under way, which write.
            time.sleep(2)
            shutil.rmtree(spec["dir"], ignore_errors=True)


main()
