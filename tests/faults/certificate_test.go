package faults_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"time"
)

// certificate is a certificate with its key, and the chain that a server shows.
type certificate struct {
	leaf  *x509.Certificate
	key   *ecdsa.PrivateKey
	pem   []byte // of the leaf
	chain [][]byte
}

func (c certificate) config() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: c.chain, PrivateKey: c.key}}}
}

// selfSigned makes a self-signed certificate for a server.
func selfSigned(name string, change ...func(*x509.Certificate)) certificate {
	return signed(nil, name, change...)
}

// authority makes the certificate of a CA.
func authority(name string, change ...func(*x509.Certificate)) certificate {
	return signed(nil, name, append(change, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.DNSNames, c.ExtKeyUsage = true, true, nil, nil
		c.KeyUsage = x509.KeyUsageCertSign
	})...)
}

// signed makes a certificate that ca signs; without ca it is self-signed.
func signed(ca *certificate, name string, change ...func(*x509.Certificate)) certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		DNSNames:     []string{name},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, f := range change {
		f(template)
	}
	parent, signer := template, key
	if ca != nil {
		parent, signer = ca.leaf, ca.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	c := certificate{leaf: leaf, key: key, chain: [][]byte{der}, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
	if ca != nil {
		c.chain = append(c.chain, ca.chain...)
	}
	return c
}

// certificates are the faults of a server's certificate.
var certificates = []fault{
	{name: "self-signed, named with `--ssl-cert`", over: "https", breaks: func(*scene) {}},
	{name: "of a CA that `--ssl-cert` names", over: "https", breaks: func(s *scene) {
		ca := authority("Example CA")
		s.shows(signed(&ca, serverName))
		s.opts.Server.Certificate = ca.pem
	}},
	{name: "any, with `--insecure`", over: "https", breaks: func(s *scene) {
		s.shows(selfSigned("elsewhere", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }))
		s.opts.Server.Certificate, s.opts.Server.Insecure = nil, true
	}},
	{name: "self-signed", over: "https", breaks: func(s *scene) { s.opts.Server.Certificate = nil }},
	{name: "of an unknown CA", over: "https", breaks: func(s *scene) {
		ca := authority("Example CA")
		s.shows(signed(&ca, serverName))
		s.opts.Server.Certificate = nil
	}},
	{name: "another than the one that `--ssl-cert` names", over: "https", breaks: func(s *scene) {
		s.opts.Server.Certificate = selfSigned(serverName).pem
	}},
	{name: "for another host", over: "https", breaks: func(s *scene) { s.shows(selfSigned("salt.example.com")) }},
	{name: "for no host (no subject alternative name)", over: "https", breaks: func(s *scene) {
		s.shows(selfSigned(serverName, func(c *x509.Certificate) { c.DNSNames = nil }))
	}},
	{name: "expired", over: "https", breaks: func(s *scene) {
		s.shows(selfSigned(serverName, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }))
	}},
	{name: "not valid yet", over: "https", breaks: func(s *scene) {
		s.shows(selfSigned(serverName, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }))
	}},
	{name: "of a CA that has expired", over: "https", breaks: func(s *scene) {
		ca := authority("Example CA", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
		s.shows(signed(&ca, serverName))
		s.opts.Server.Certificate = ca.pem
	}},
	{name: "not for servers", over: "https", breaks: func(s *scene) {
		s.shows(selfSigned(serverName, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }))
	}},
	{name: "none: the port is one of plain HTTP", over: "https", breaks: func(s *scene) { s.opts.Server.Address = hostOf(s.server.URL()) }},
	{name: "but the server URL says plain HTTP", over: "http", breaks: func(s *scene) {
		s.opts.Server.Address = front(s.t, selfSigned(serverName).config(), hostOf(s.server.URL()))
	}},
	{name: "the server wants one of the client's", over: "https", breaks: func(s *scene) {
		config := s.cert.config()
		config.ClientAuth = tls.RequireAnyClientCert
		s.opts.Server.Address = front(s.t, config, hostOf(s.server.URL()))
	}},
	{name: "the server knows no TLS but 1.1", over: "https", breaks: func(s *scene) {
		config := s.cert.config()
		config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		s.opts.Server.Address = front(s.t, config, hostOf(s.server.URL()))
	}},
}

// shows makes the scene's server show a certificate, which the client trusts.
func (s *scene) shows(cert certificate) {
	s.t.Helper()
	s.show(cert, hostOf(s.server.URL()))
}
