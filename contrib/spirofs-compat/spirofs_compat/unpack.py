"""Unpacks a bundle below a directory, and nowhere else.

The filter "data" of tarfile does much of it, in those versions of Python that have
it; but it follows links on the disk to find out where a name leads, which was got
around more than once (CVE-2025-4517 and others). So the list of entries is looked
through first, without the disk, and a bundle with one bad entry is refused whole.
"""
import os
import tarfile

from spirofs_compat import names

_FOLLOWED = 40  # links on one way, as in the kernel
_LISTED = 10


class UnsafeBundle(Exception):
    """The bundle has entries that no deployment needs, and that do harm."""


def extract(tar, directory):
    """Extracts a TarFile below a directory. Raises UnsafeBundle before it writes."""
    members = tar.getmembers()
    check(members)
    if hasattr(tarfile, "data_filter"):
        tar.extractall(directory, members, filter="data")
        return
    for member in members:  # what the filter would do, beyond what has been checked
        member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
        member.uid, member.gid, member.uname, member.gname = os.geteuid(), os.getegid(), "", ""
    tar.extractall(directory, members)


def check(members):
    """Raises UnsafeBundle if one of a list of TarInfo is unsafe."""
    problems = ["%r %s" % (member.name, why) for member, why in _problems(members)]
    if problems:
        listed = "; ".join(problems[:_LISTED])
        if len(problems) > _LISTED:
            listed += "; and %d more" % (len(problems) - _LISTED)
        raise UnsafeBundle("the bundle is not safe to unpack, and was not unpacked: " + listed)


def _problems(members):
    """Yields pairs of a TarInfo and what is wrong with it."""
    links = {}  # names of symbolic links, and what they lead to
    for member in members:
        if member.issym():
            links[_clean(member.name)] = member.linkname
    files, seen = set(), set()
    for member in members:
        name = _clean(member.name)
        if names.leaves(member.name):
            yield member, "leaves the deployment"
        elif not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
            yield member, "is neither file, directory nor link"
        elif not member.isdir() and member.name.rpartition("/")[2] in ("", "."):
            yield member, "is the name of a directory, and is none"
        elif name in seen and (name in links or member.islnk()):
            yield member, "is there twice, once as a link"
        elif _below_link(name, links):
            yield member, "is below a symbolic link"
        elif member.issym() and not _stays(name, links):
            yield member, "links to %r, which leaves the deployment or leads nowhere" % member.linkname
        elif member.islnk() and (names.leaves(member.linkname) or _clean(member.linkname) not in files):
            yield member, "links to %r, which is no file before it in the bundle" % member.linkname
        seen.add(name)
        if member.isreg() or member.islnk():
            files.add(name)


def _clean(name):
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def _below_link(name, links):
    if not links:
        return False
    parts = name.split("/")
    return any("/".join(parts[:n]) in links for n in range(1, len(parts)))


def _stays(name, links):
    """Reports whether a symbolic link of the bundle leads to somewhere in it.

    Each link on the way is followed as the system will, among those of the bundle.
    """
    at, ahead, followed = name.split("/")[:-1], links[name].split("/"), 1
    if links[name].startswith("/"):
        return False
    ahead.reverse()
    while ahead:
        part = ahead.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if not at:
                return False
            at.pop()
            continue
        at.append(part)
        target = links.get("/".join(at))
        if target is None:
            continue
        followed += 1
        if followed > _FOLLOWED or target.startswith("/"):
            return False
        at.pop()
        ahead.extend(reversed(target.split("/")))
    return True
