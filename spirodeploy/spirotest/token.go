package spirotest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"gopkg.in/macaroon.v2"
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
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(packets), nil
}

func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

// checkToken tells whether a token is valid now and good for a project, or at
// all if project is nil.
func (s *Server) checkToken(token string, project *string) bool {
	packets, err := macaroon.Base64Decode([]byte(token))
	if err != nil {
		return false
	}
	var m macaroon.Macaroon
	if err := m.UnmarshalBinary(packets); err != nil {
		return false
	}
	now := seconds(time.Now())
	check := func(caveat string) error { return checkCaveat(caveat, project, now) }
	return m.Verify(s.key, check, nil) == nil
}

// checkCaveat returns nil if every condition of a caveat holds. Holders of a
// token may have added caveats of their own; one that is not understood does
// not hold.
func checkCaveat(caveat string, project *string, now float64) error {
	var conditions map[string]json.RawMessage
	if err := json.Unmarshal([]byte(caveat), &conditions); err != nil {
		return fmt.Errorf("read caveat: %w", err)
	}
	for kind, value := range conditions {
		if !holds(kind, value, project, now) {
			return errors.New("caveat does not hold: " + kind)
		}
	}
	return nil
}

func holds(kind string, value json.RawMessage, project *string, now float64) bool {
	var at float64
	var projects []string
	switch kind {
	case "not_before":
		return json.Unmarshal(value, &at) == nil && now > at
	case "not_after":
		return json.Unmarshal(value, &at) == nil && now < at
	case "project_allow":
		return json.Unmarshal(value, &projects) == nil && (project == nil || slices.Contains(projects, *project))
	case "project_deny":
		return json.Unmarshal(value, &projects) == nil && (project == nil || !slices.Contains(projects, *project))
	default:
		return false
	}
}
