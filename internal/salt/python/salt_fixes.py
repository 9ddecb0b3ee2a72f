"""What SpiroFS 0.3 needs to run in Salt 3005.5, and to run beside other things.

salt_fixes.pth has Python import this module whenever it starts in the environment.
It is not called sitecustomize, since some systems have one of their own (Debian's
Python does), which comes first.
"""
import builtins
import contextvars
import multiprocessing.pool
import os
import socket

# Since Salt 3003 __utils__ and __opts__ are context variables, and SpiroFS works
# in a ThreadPool, whose threads see none of them: each deployment would end with
# "'NoneType' object is not subscriptable".
_apply_async = multiprocessing.pool.ThreadPool.apply_async


def apply_async(self, func, args=(), kwds={}, *rest, **named):
    context = contextvars.copy_context()

    def inside(*a, **k):
        return context.run(func, *a, **k)

    return _apply_async(self, inside, args, kwds, *rest, **named)


multiprocessing.pool.ThreadPool.apply_async = apply_async

# The engine writes all of Salt's options to a file of one fixed name, which stays
# behind, and which the next user's engine could not open.
_open = builtins.open


def open_but_opts(file, *args, **kwargs):
    return _open(os.devnull if file == "/tmp/opts" else file, *args, **kwargs)


builtins.open = open_but_opts

# The engine listens on all interfaces and cannot be told not to. Nothing here is
# for other machines.
socket.has_ipv6 = False
_bind = socket.socket.bind


def bind(self, address):
    if isinstance(address, tuple) and address[0] in ("", "0.0.0.0"):
        address = ("127.0.0.1",) + address[1:]
    return _bind(self, address)


socket.socket.bind = bind
