"""Reads tars from standard input, each behind its size in four bytes, and prints
what Python's tarfile makes of each: a line of JSON. It opens them as SpiroFS
does, which lets tarfile find out how they are compressed."""
import io
import json
import sys
import tarfile

KINDS = {tarfile.REGTYPE: "f", tarfile.AREGTYPE: "f", tarfile.DIRTYPE: "d", tarfile.SYMTYPE: "l", tarfile.LNKTYPE: "h"}

while True:
    size = sys.stdin.buffer.read(4)
    if len(size) < 4:
        break
    data = sys.stdin.buffer.read(int.from_bytes(size, "big"))
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as tar:
            found = [[m.name, m.linkname, KINDS.get(m.type, repr(m.type)), m.size] for m in tar.getmembers()]
    except Exception as e:
        found = ["%s: %s" % (type(e).__name__, e)]
    print(json.dumps(found), flush=True)
