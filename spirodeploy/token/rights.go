package token

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gopkg.in/macaroon.v2"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// ErrOpaque means that this package cannot tell what a token allows: the token is not a
// macaroon, or has unknown conditions. The server may understand it.
var ErrOpaque = errors.New("what the token allows cannot be read")

// Rights are what a token allows, as far as its holder can read it. A SpiroFS
// token is a macaroon whose caveats are JSON in clear (spirofs 0.3,
// utils/spiro_auth.py): anybody who has it can read them, and only the server
// can tell whether it is genuine.
type Rights struct {
	NotBefore time.Time // not valid until then; zero: at once
	NotAfter  time.Time // not valid from then on; zero: for ever
	Any       bool      // all projects but Deny
	Allow     []string  // these projects only, unless Any; may be empty
	Deny      []string  // not these projects
}

// caveat is a condition of a token. Each member may be missing.
type caveat struct {
	NotBefore    *float64  `json:"not_before,omitempty"` // seconds since 1970
	NotAfter     *float64  `json:"not_after,omitempty"`
	ProjectAllow *[]string `json:"project_allow,omitempty"`
	ProjectDeny  *[]string `json:"project_deny,omitempty"`
}

// Narrow returns the token narrowed to some projects, if any are named, and to the time
// before end, unless that is zero. It adds a caveat: any holder of a macaroon may add
// one, the server checks it like its own, and nobody can remove it. The server judges
// the end by its own clock.
//
// The error wraps [ErrOpaque] if [Token.Rights] cannot read the token. It is then better
// sent as it is.
func (t Token) Narrow(end time.Time, projects ...string) (Token, error) {
	m, _, err := t.read()
	if err != nil {
		return t, err
	}
	var added caveat
	if len(projects) > 0 {
		added.ProjectAllow = &projects
	}
	if !end.IsZero() {
		at := float64(end.Unix())
		added.NotAfter = &at
	}
	condition, err := json.Marshal(added)
	if err != nil {
		return t, err
	}
	err = m.AddFirstPartyCaveat(condition)
	raw, encodeErr := m.MarshalBinary()
	if err = errors.Join(err, encodeErr); err != nil {
		return t, fmt.Errorf("narrow the token: %w", err)
	}
	// The original token must not be shown, either.
	return Token{newSecrets(append([]string{base64.RawURLEncoding.EncodeToString(raw)}, t.secrets.list()...)...)}, nil
}

// Rights returns what all caveats of the token allow together. The error wraps
// [ErrOpaque], and repeats nothing of the token.
func (t Token) Rights() (Rights, error) {
	_, r, err := t.read()
	return r, err
}

// read returns the macaroon that the token is, and its rights.
func (t Token) read() (*macaroon.Macaroon, Rights, error) {
	// The server, which reads with Python, takes both alphabets of base64.
	raw, err := base64.RawURLEncoding.DecodeString(urlSafe.Replace(strings.TrimRight(t.Reveal(), "=")))
	if err != nil {
		return nil, Rights{}, fmt.Errorf("%w: it is not base64", ErrOpaque)
	}
	m := new(macaroon.Macaroon)
	if err := m.UnmarshalBinary(raw); err != nil {
		return nil, Rights{}, fmt.Errorf("%w: it is not a macaroon", ErrOpaque)
	}
	r := Rights{Any: true}
	for _, c := range m.Caveats() {
		if err := r.narrow(c); err != nil {
			return nil, Rights{}, err
		}
	}
	return m, r, nil
}

var urlSafe = strings.NewReplacer("+", "-", "/", "_")

func (r *Rights) narrow(c macaroon.Caveat) error {
	if len(c.VerificationId) > 0 {
		return fmt.Errorf("%w: it has a third-party caveat", ErrOpaque)
	}
	var cav caveat
	if json.Unmarshal(c.Id, &cav) != nil || !isKnown(c.Id) {
		return fmt.Errorf("%w: it has a caveat of an unknown kind", ErrOpaque)
	}
	if at := cav.NotBefore; at != nil && seconds(*at).After(r.NotBefore) {
		r.NotBefore = seconds(*at)
	}
	if at := cav.NotAfter; at != nil && (r.NotAfter.IsZero() || seconds(*at).Before(r.NotAfter)) {
		r.NotAfter = seconds(*at)
	}
	if allow := cav.ProjectAllow; allow != nil && r.Any {
		r.Any, r.Allow = false, slices.Clone(*allow)
	} else if allow != nil {
		r.Allow = slices.DeleteFunc(r.Allow, func(p string) bool { return !slices.Contains(*allow, p) })
	}
	if cav.ProjectDeny != nil {
		r.Deny = append(r.Deny, *cav.ProjectDeny...)
	}
	return nil
}

// isKnown reports whether the server knows each member of a caveat. To package json,
// "Not_After" is one of them, and null a missing one.
func isKnown(caveat []byte) bool {
	var members map[string]json.RawMessage
	known := json.Unmarshal(caveat, &members) == nil && members != nil
	for name, value := range members {
		known = known && slices.Contains(conditions, name) && string(value) != "null"
	}
	return known
}

// conditions are the members of a caveat that the server knows.
var conditions = []string{"not_before", "not_after", "project_allow", "project_deny"}

func seconds(s float64) time.Time {
	const most = 1e11 // some three thousand years, more than which time.Time need not hold
	whole, fraction := math.Modf(max(-most, min(s, most)))
	return time.Unix(int64(whole), int64(fraction*1e9))
}

// ClockSlack is the largest difference between the clocks of this machine and the server.
const ClockSlack = 5 * time.Minute

// Check returns why the server would refuse the token for a project now, or nil. Clocks
// may differ by [ClockSlack].
func (r Rights) Check(project string, now time.Time) error {
	switch {
	case !r.Allows(project):
		return fmt.Errorf("the token is not for the project %s but %s", project, r)
	case r.Expired(now.Add(-ClockSlack)) != nil:
		return r.Expired(now)
	case now.Before(r.NotBefore.Add(-ClockSlack)):
		return fmt.Errorf("the token is not valid yet, but from %s", r.NotBefore.UTC().Format(time.RFC3339))
	}
	return nil
}

// Expired returns when the token expired, and how long ago, or nil if it has not expired
// by this machine's clock.
func (r Rights) Expired(now time.Time) error {
	if r.NotAfter.IsZero() || !now.After(r.NotAfter) {
		return nil
	}
	return fmt.Errorf("the token has expired, on %s, %s", r.NotAfter.UTC().Format(time.RFC3339), human.Ago(now.Sub(r.NotAfter)))
}

// Allows reports whether the token is for a project, whatever the time.
func (r Rights) Allows(project string) bool {
	return !slices.Contains(r.Deny, project) && (r.Any || slices.Contains(r.Allow, project))
}

// String tells the rights in a line. Holders of a token can put any text into its projects.
func (r Rights) String() string {
	projects := "for every project"
	switch {
	case !r.Any && len(r.Allow) == 0:
		projects = "for no project"
	case !r.Any:
		projects = "for " + strings.Join(r.Allow, ", ")
	}
	if len(r.Deny) > 0 {
		projects += ", not for " + strings.Join(r.Deny, ", ")
	}
	when := ", never expires"
	if !r.NotAfter.IsZero() {
		when = ", expires " + r.NotAfter.UTC().Format(time.RFC3339)
	}
	if !r.NotBefore.IsZero() {
		when = ", valid from " + r.NotBefore.UTC().Format(time.RFC3339) + when
	}
	return sanitize.Line(projects) + when
}
