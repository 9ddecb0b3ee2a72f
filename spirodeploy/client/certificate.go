package client

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// explainCertificate says why the server's certificate is not trusted, and what
// helps. The rules are those of RFC 5280 and RFC 9525 as crypto/x509 has them.
func (c *Client) explainCertificate(e *tls.CertificateVerificationError) string {
	var (
		unknown   x509.UnknownAuthorityError
		wrongName x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case errors.As(e.Err, &wrongName):
		return explainName(wrongName)
	case errors.As(e.Err, &invalid) && invalid.Reason == x509.Expired:
		return explainTime(invalid.Cert, time.Now())
	case errors.As(e.Err, &unknown) && len(e.UnverifiedCertificates) > 0:
		who := describe(e.UnverifiedCertificates[0])
		if c.ownTrust {
			return "the server's certificate is not the one that --ssl-cert names, nor signed by it. The server's is " + who +
				": if that is the right one, name it, or its CA, with --ssl-cert"
		}
		return "the server's certificate is signed by nobody whom this machine trusts. It is " + who +
			": if it is the right one, name it, or its CA, with --ssl-cert"
	}
	return "the server's certificate cannot be trusted: " + strings.TrimPrefix(e.Err.Error(), "x509: ")
}

func explainName(e x509.HostnameError) string {
	names := slices.Clone(e.Certificate.DNSNames)
	for _, ip := range e.Certificate.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return fmt.Sprintf("the server's certificate names no host: it has no subject alternative name, and its common name, %q, does not count. "+
			"Make one with subjectAltName %s", e.Certificate.Subject.CommonName, e.Host)
	}
	const most = 5
	if len(names) > most {
		names = append(names[:most], "…")
	}
	return fmt.Sprintf("the server's certificate is for %s, not for %s: use a name in the server URL that it is for, or a certificate for %[2]s",
		strings.Join(names, ", "), e.Host)
}

func explainTime(cert *x509.Certificate, now time.Time) string {
	which := "the server's certificate"
	if cert.IsCA && cert.CheckSignatureFrom(cert) != nil {
		which = "the certificate of " + cert.Subject.String() + ", in the server's chain,"
	}
	clock := fmt.Sprintf(", and it is %s by this machine's clock", now.UTC().Format(time.RFC3339))
	if now.Before(cert.NotBefore) {
		return fmt.Sprintf("%s is not valid before %s%s: is that right?", which, cert.NotBefore.UTC().Format(time.RFC3339), clock)
	}
	return fmt.Sprintf("%s has expired, on %s%s: renew it", which, cert.NotAfter.UTC().Format(time.RFC3339), clock)
}

// describe names a certificate such that people can compare it with what
// "openssl x509 -noout -fingerprint -sha256" says of theirs.
func describe(cert *x509.Certificate) string {
	issuer := "issued by " + cert.Issuer.String()
	if cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) == nil {
		issuer = "self-signed"
	}
	sum := sha256.Sum256(cert.Raw)
	fingerprint := strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
	return fmt.Sprintf("%s, %s, SHA-256 %s", cert.Subject, issuer, fingerprint)
}
