// Package bundle makes, reads and compares deployment bundles: the tar archives
// of Salt states that a SpiroFS server takes.
//
// # What is in a bundle
//
// [New] makes a bundle from a project directory:
//
//	_salt/…          the project's states, at the root of the bundle
//	.gitcommit       the commit, if the project is in a git repository
//	_artifacts/NAME  what the build made: a file or a directory each
//	_source/…        the project's source, if asked for
//
// It leaves out .git at every depth, in upper or lower case, and _salt below _source. The file
// .gitcommit holds the hash of the commit, a newline, and the output of
// "git describe --all" without a newline.
//
// # Format
//
// The same tree gives the same bytes on any machine, for any user, umask, time
// zone, clone or order of directory listing. The format is uncompressed tar as
// POSIX.1-2017 describes it (pax, "ustar Interchange Format" and "pax Header
// Block"), with every freedom taken away:
//
//  1. Entries are directories, regular files and symbolic links; nothing else.
//     There are no hard links: each name of a file is a file.
//  2. Names are relative slash paths in UTF-8, of at most 4096 bytes and 256
//     directories, without NUL and without empty, "." or ".." elements. The name of
//     a directory ends with a slash. Every directory above an entry is an entry,
//     except the root.
//  3. Entries are sorted bytewise by name, the slash of directories included.
//     No two entries have the same name, and no path is both a file and a directory.
//  4. The mode is 0755 for directories and for files that their owner may
//     execute, 0644 for other files and for symbolic links.
//  5. User, group and device numbers are 0, and the names of user and group are
//     empty. All entries have the same modification time, in whole seconds from 0
//     to 8589934591 since 1970: 0, or [Options.ModTime].
//  6. A symbolic link's target is relative. Following it, through other links if
//     need be, ends at an entry of the bundle or at its root.
//  7. Each entry has a ustar header: magic "ustar", version "00"; numbers in
//     octal with leading zeros, ended by NUL (the checksum: six digits, NUL,
//     space); the size is 0 for directories and links. A name of more than 100 bytes
//     is split at the last slash that leaves at most 155 bytes for the prefix field
//     and at most 100 for the name field; the slash at the end of a directory's
//     name is not a place to split.
//  8. A pax extended header stands before the ustar header only if that cannot hold
//     a value: a name or link target that is not ASCII, too long or not to be split,
//     or a size over 8589934591 bytes. It has the records linkpath, path and size
//     that are needed, in this order, and no others. Names are then not split, so a
//     name of more than 100 bytes needs its record. The pax header's own name is that
//     of the entry with PaxHeaders.0 put behind the last slash, ASCII only, cut
//     at 100 bytes, without a slash at the end; its mode and time are 0, and its
//     fields for device numbers all NUL. The entry's ustar header keeps the ASCII
//     characters of a name or target, cut at 100 bytes (and before the slashes, if
//     the cut is behind slashes), and 0 for a size that does not fit.
//  9. Content is padded with zeros to 512 bytes. Two blocks of 512 zeros end
//     the archive; nothing follows.
//
// [Verify] tells whether a tar is in this format, and if not, why. It calls a tar
// of another format unsafe, among other reasons, if two readers could take one of
// its headers differently: archive/tar, GNU tar, libarchive, and Python's tarfile,
// which the server uses, do not agree on all headers. They all read what these
// programs write in the formats ustar, pax, gnu and v7 in the same way.
//
// The digest of a bundle is the SHA-256 of all its bytes, written as the OCI
// image specification writes digests: "sha256:" and 64 hexadecimal digits.
//
// # Guarantees
//
// A [Bundle] holds names and sizes, never the content of files. Its size is
// known before its first byte is read, and it can be read any number of times.
// If a file has changed since New walked the tree, readers fail with [ErrChanged]
// before the last byte: a bundle never holds a mixture. Readers follow no link below
// a walked directory. A file counts as changed if its device, inode, size,
// modification time or change time differs, as far as the system has these, or if it
// has more content than its size says. New itself fails with ErrChanged if [Git] has
// scanned another commit than the one in .gitcommit. New leaves out the files that a
// run is writing or has left unfinished, such as .bundle.tar.ABCDEFGH.tmp.
package bundle
