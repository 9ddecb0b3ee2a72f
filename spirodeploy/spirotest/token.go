package spirotest

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"time"

	"gopkg.in/macaroon.v2"

	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// Token issues a token as SpiroFS does: a macaroon with one caveat, in
// libmacaroons' v1 packets and URL-safe base64. Its lifetime counts from now:
// 0 never expires, a negative one has expired already. It is good for the named
// projects, or for every one if none is named. Other servers do not accept
// it.
func (s *Server) Token(lifetime time.Duration, projects ...string) string {
	now := time.Now()
	// The rule is "after not_before", and a clock may stand still for a while.
	caveat := object{{"not_before", seconds(now.Add(-time.Second))}}
	if lifetime != 0 {
		caveat = append(caveat, member{"not_after", seconds(now.Add(lifetime))})
	}
	if len(projects) > 0 {
		caveat = append(caveat, member{"project_allow", projects})
	}
	token, err := s.mint(caveat)
	if err != nil {
		panic(fmt.Errorf("issue token: %w", err)) // names of over 64 KiB
	}
	return token
}

func (s *Server) mint(caveat object) (string, error) {
	text, err := pythonJSON(caveat)
	if err != nil {
		return "", err
	}
	m, err := macaroon.New(s.key, []byte(rand.Text()[:20]), "", macaroon.V1)
	if err != nil {
		return "", err
	}
	if err := m.AddFirstPartyCaveat([]byte(text)); err != nil {
		return "", err
	}
	packets, err := m.MarshalBinary()
	return base64.RawURLEncoding.EncodeToString(packets), err
}

func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

// rights returns what a token allows, and false if it is not valid now. Holders of a
// token may have added caveats of their own; one that is not understood does not hold.
func (s *Server) rights(text string) (token.Rights, bool) {
	packets, err := macaroon.Base64Decode([]byte(text))
	var m macaroon.Macaroon
	if err != nil || m.UnmarshalBinary(packets) != nil || m.Verify(s.key, func(string) error { return nil }, nil) != nil {
		return token.Rights{}, false
	}
	t, _ := token.Parse(text) // Rights refuses what this does
	r, err := t.Rights()
	now := time.Now()
	return r, err == nil && now.After(r.NotBefore) && (r.NotAfter.IsZero() || now.Before(r.NotAfter))
}
