package peer

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// explainCertificate says why the peer's certificate is not trusted, and what helps.
// crypto/x509 applies the rules of RFC 5280 and RFC 9525.
func (p Peer) explainCertificate(e *tls.CertificateVerificationError) (why string, help fault.Hint) {
	var (
		unknown   x509.UnknownAuthorityError
		wrongName x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	general := p.Who + "'s certificate cannot be trusted: "
	if len(e.UnverifiedCertificates) == 0 {
		return general + e.Err.Error(), ""
	}
	leaf := e.UnverifiedCertificates[0]
	switch {
	case errors.As(e.Err, &wrongName):
		return p.explainName(wrongName)
	case errors.As(e.Err, &invalid) && invalid.Reason == x509.Expired:
		which := p.Who + "'s certificate"
		if !invalid.Cert.Equal(leaf) {
			which = fmt.Sprintf("the certificate of %s, which signed %s's,", invalid.Cert.Subject, p.Who)
		}
		return explainTime(which, invalid.Cert, time.Now())
	case errors.As(e.Err, &unknown) && p.OwnTrust:
		return p.Who + "'s certificate is neither the trusted one nor signed by it: it is " + describe(leaf), p.trust()
	case errors.As(e.Err, &unknown):
		return p.Who + "'s certificate is signed by an unknown authority: it is " + describe(leaf), p.trust()
	}
	return general + strings.TrimPrefix(e.Err.Error(), "x509: "), ""
}

// trust returns the hint to trust the certificate.
func (p Peer) trust() fault.Hint {
	return "pass it or its CA as {" + fault.Hint(p.Trust) + "} if it is the right one"
}

// explainName says why the certificate does not fit the host.
func (p Peer) explainName(e x509.HostnameError) (why string, help fault.Hint) {
	if net.ParseIP(e.Host) != nil && slices.Contains(e.Certificate.DNSNames, e.Host) {
		return fmt.Sprintf("%s's certificate has the IP address %s as a DNS name, which does not count as an address", p.Who, e.Host),
			"issue one with IP:" + fault.Hint(fault.Literal(e.Host)) + " as subjectAltName"
	}
	names := slices.Clone(e.Certificate.DNSNames)
	for _, ip := range e.Certificate.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return fmt.Sprintf("%s's certificate names no host: it has no subject alternative name, and its common name, %q, does not count", p.Who, e.Certificate.Subject.CommonName),
			"issue one with " + fault.Hint(fault.Literal(e.Host)) + " as subjectAltName"
	}
	const most = 5
	if len(names) > most {
		names = append(names[:most], "…")
	}
	return fmt.Sprintf("%s's certificate is for %s, not for %s", p.Who, strings.Join(names, ", "), e.Host),
		"use one of its names in the URL, or issue a certificate for " + fault.Hint(fault.Literal(e.Host))
}

// explainTime says why the certificate is not valid now.
func explainTime(which string, cert *x509.Certificate, now time.Time) (why string, help fault.Hint) {
	clock := "this machine's clock says " + now.UTC().Format(time.RFC3339)
	if now.Before(cert.NotBefore) {
		return fmt.Sprintf("%s is not valid before %s, and %s", which, cert.NotBefore.UTC().Format(time.RFC3339), clock), "check the clock"
	}
	return fmt.Sprintf("%s expired on %s, and %s", which, cert.NotAfter.UTC().Format(time.RFC3339), clock), "renew it, or check the clock"
}

// describe names a certificate. People can compare the fingerprint with that of
// "openssl x509 -noout -fingerprint -sha256".
func describe(cert *x509.Certificate) string {
	issuer := "issued by " + cert.Issuer.String()
	if cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) == nil {
		issuer = "self-signed"
	}
	sum := sha256.Sum256(cert.Raw)
	fingerprint := strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
	return fmt.Sprintf("%s, %s, SHA-256 %s", cert.Subject, issuer, fingerprint)
}
