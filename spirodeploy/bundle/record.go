package bundle

import (
	"bytes"
	"cmp"
	"strconv"
	"strings"
)

// paxKeys are keys of pax records that mean the same to every reader.
var paxKeys = map[string]bool{
	"path": true, "linkpath": true, "size": true,
	"mtime": true, "atime": true, "ctime": true,
	"uid": true, "gid": true, "uname": true, "gname": true,
	"comment": true,
	// Keys of star and libarchive, which no reader heeds in unpacking a name.
	"SCHILY.fflags": true, "SCHILY.dev": true, "SCHILY.ino": true, "SCHILY.nlink": true, "SCHILY.devmajor": true, "SCHILY.devminor": true,
	"LIBARCHIVE.creationtime": true, "LIBARCHIVE.symlinktype": true,
	"RHT.security.selinux": true,
}

// paxPrefixes are the beginnings of further such keys.
var paxPrefixes = []string{"SCHILY.xattr.", "SCHILY.acl.", "LIBARCHIVE.xattr."}

// records reads the records of a pax header: "LENGTH KEY=VALUE\n" each (POSIX.1-2017,
// pax, "pax Extended Header"). Each must be written in the one canonical way, no key may
// come twice, and all keys must be known, since readers differ on which keys they heed.
func records(data []byte) (map[string]string, error) {
	if bytes.Contains(data, []byte("hdrcharset=")) {
		// Python's tarfile finds it anywhere, in the value of another key too.
		return nil, odd("its pax header has hdrcharset in it")
	}
	found := map[string]string{}
	for len(data) > 0 {
		length, _, _ := bytes.Cut(data[:min(len(data), len("1048576 "))], []byte(" "))
		n, err := strconv.Atoi(string(length))
		if err != nil || strconv.Itoa(n) != string(length) || n <= len(length) || n > len(data) {
			return nil, odd("a record of its pax header has a wrong length")
		}
		record, ended := bytes.CutSuffix(data[len(length)+1:n], []byte("\n"))
		key, value, ok := strings.Cut(string(record), "=")
		if !ended || !ok {
			return nil, odd("a record of its pax header is not KEY=VALUE with a newline behind it")
		}
		if _, twice := found[key]; twice {
			return nil, odd("its pax header has %s twice", printable(key))
		}
		if strings.HasPrefix(key, "GNU.sparse.") {
			_, name, _ := bytes.Cut(data, []byte("GNU.sparse.name="))
			name, _, _ = bytes.Cut(name, []byte("\n"))
			return nil, sparse(cmp.Or(string(name), "an entry"))
		}
		if err := checkRecord(key, value); err != nil {
			return nil, err
		}
		found[key] = value
		data = data[n:]
	}
	return found, nil
}

func checkRecord(key, value string) error {
	for _, p := range paxPrefixes {
		if strings.HasPrefix(key, p) && !strings.ContainsAny(key, "\x00\n") {
			return nil // the value may be anything
		}
	}
	switch {
	case !paxKeys[key]:
		return odd("its pax header has the key %s, which is not known", printable(key))
	case value == "" && key != "comment":
		// To POSIX that takes back a record of before; to Python it is a value.
		return odd("its pax header has %s without a value", key)
	case strings.ContainsRune(value, 0):
		return odd("its pax header has %s with a NUL character", key)
	case (key == "size" || key == "uid" || key == "gid") && (!isDecimal(value) || len(value) > 1 && value[0] == '0' || len(value) > len("9223372036854775807")):
		return odd("its pax header has the %s %s, which is not a number", key, printable(value))
	}
	if key == "mtime" || key == "atime" || key == "ctime" {
		_, err := paxTime(value)
		return err
	}
	return nil
}
