package registry

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/opencontainers/go-digest"
	oras "oras.land/oras-go/v2/registry"

	"github.com/spirostack/spirodeploy/internal/peer"
)

// Scheme is how an address begins.
const Scheme = "oci://"

// Address is where a bundle is in a registry: oci://HOST[:PORT]/NAME[:TAG][@DIGEST].
type Address struct {
	Host   string        // with the port, if one is given
	Name   string        // of the repository, such as "team/shop"
	Tag    string        // may be empty if there is a digest
	Digest digest.Digest // of the manifest; may be empty if there is a tag
}

// maxAddress is more than any valid address has, in bytes.
const maxAddress = 1024

var (
	hostName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)
	shape    = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

// Parse reads an address. It has a tag, a digest or both: nothing is taken for
// "latest". Errors repeat nothing of it, since there may be a password in the wrong
// place.
func Parse(s string) (Address, error) {
	a, err := parse(s)
	if err != nil {
		return Address{}, errors.New("address of a bundle in a registry: " + err.Error())
	}
	return a, nil
}

func parse(s string) (a Address, err error) {
	const like = ": it should look like oci://registry.example.com/shop:1.4"
	rest, ok := strings.CutPrefix(s, Scheme)
	switch {
	case len(s) > maxAddress:
		return a, errors.New("it is too long" + like)
	case !ok && strings.Contains(s, "://"):
		return a, errors.New("it has another scheme than " + Scheme + like)
	case !ok:
		return a, errors.New("it does not begin with " + Scheme + like)
	}
	a.Host, rest, ok = strings.Cut(rest, "/")
	switch {
	case strings.Contains(a.Host, "@"):
		return a, errors.New("it has a user name or password in it: leave them out, they come from \"docker login\" or from options")
	case a.Host == "":
		return a, errors.New("it names no host" + like)
	case !ok || rest == "":
		return a, errors.New("it names no repository after the host" + like)
	}
	if err := checkHost(a.Host); err != nil {
		return a, err
	}
	rest, sum, pinned := strings.Cut(rest, "@")
	name, tag, tagged := strings.Cut(rest, ":")
	a.Name, a.Tag, a.Digest = name, tag, digest.Digest(sum)
	switch {
	case strings.ContainsAny(s, "?#"):
		return a, errors.New("it has a query or fragment (? or #), of which registries know nothing" + like)
	case strings.ToLower(name) != name:
		return a, errors.New("the name of its repository has upper case in it: write it in lower case")
	case oras.Reference{Repository: name}.ValidateRepository() != nil, len(a.Host)+1+len(name) > 255:
		return a, errors.New("the name of its repository is not one: it has lower-case letters and digits, with single . _ - between them, in parts with / between them, and 255 characters with the host at most")
	case pinned && !shape.MatchString(sum):
		return a, errors.New("its digest is not \"sha256:\" and 64 hexadecimal digits in lower case")
	case tagged && (strings.Contains(tag, ":") || oras.Reference{Reference: tag}.ValidateReferenceAsTag() != nil):
		return a, errors.New("its tag is not one: it has letters, digits, and . _ - behind the first of them, and 128 characters at most")
	case !tagged && !pinned:
		return a, errors.New("it has neither a tag nor a digest: add which one, such as :1.4 (nothing is taken for \"latest\")")
	}
	return a, nil
}

// checkHost checks HOST[:PORT].
func checkHost(s string) error {
	host, port, ok := s, "", false
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, ']') {
		host, port, ok = s[:i], s[i+1:], true
	}
	if ok && (!peer.IsPort(port) || strings.HasPrefix(port, "0")) {
		return errors.New("its port is not one of 1 to 65535")
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		ip, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		if err != nil || !ip.Is6() || ip.Zone() != "" || !strings.HasSuffix(inner, "]") {
			return errors.New("what it has in [ ] is no IPv6 address")
		}
		return nil
	}
	switch {
	case strings.Contains(host, ":"):
		return errors.New("its host has a : in it: write an IPv6 address in [ ]")
	case strings.ToLower(host) != host:
		return errors.New("its host has upper case in it: write it in lower case")
	case len(host) > 253 || !hostName.MatchString(host):
		return errors.New("its host is not the name of one, nor an IP address")
	}
	return nil
}

// String returns the address as [Parse] reads it.
func (a Address) String() string {
	s := Scheme + a.Host + "/" + a.Name
	if a.Tag != "" {
		s += ":" + a.Tag
	}
	if a.Digest != "" {
		s += "@" + a.Digest.String()
	}
	return s
}

// reference returns what a registry is asked for: the digest, if there is one.
func (a Address) reference() string {
	if a.Digest != "" {
		return a.Digest.String()
	}
	return a.Tag
}

// hostname returns the host without its port.
func (a Address) hostname() string { return (&url.URL{Host: a.Host}).Hostname() }

// isLoopback reports whether the registry is on this machine.
func (a Address) isLoopback() bool {
	ip, err := netip.ParseAddr(a.hostname())
	return a.hostname() == "localhost" || err == nil && ip.IsLoopback()
}
