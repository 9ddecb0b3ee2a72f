package salt

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"gopkg.in/macaroon.v2"

	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// RootToken returns a token for all projects that never expires, as the runner
// spiro.issue_root_token makes it.
func (m *Master) RootToken() token.Token { return m.issue(map[string]any{}) }

// Token returns a token for projects, as the runner spiro.issue_token makes it. With
// a negative lifespan it has expired.
func (m *Master) Token(lifespan time.Duration, projects ...string) token.Token {
	return m.issue(map[string]any{
		"project_allow": projects, "not_after": seconds(time.Now().Add(lifespan)),
	})
}

// issue does what spiro_auth.generate_token does, with its key.
func (m *Master) issue(caveat map[string]any) token.Token {
	caveat["not_before"] = seconds(time.Now()) - 1 // both read one clock, but not to the microsecond
	made, err := macaroon.New(m.key, []byte(rand.Text()), "", macaroon.V1)
	if err != nil {
		panic(fmt.Sprintf("make a token: %v", err)) // nothing in it can be wrong
	}
	return add(made, caveat)
}

// Narrow adds a caveat to a token, as everybody who has the token can.
func Narrow(t token.Token, caveat map[string]any) (token.Token, error) {
	raw, err := base64.RawURLEncoding.DecodeString(t.Reveal())
	var m macaroon.Macaroon
	if err == nil {
		err = m.UnmarshalBinary(raw)
	}
	if err != nil {
		return token.Token{}, fmt.Errorf("narrow a token: %w", err)
	}
	return add(&m, caveat), nil
}

// add adds a caveat, and returns the token as SpiroFS writes it.
func add(m *macaroon.Macaroon, caveat map[string]any) token.Token {
	text, err := json.Marshal(caveat)
	if err == nil {
		err = m.AddFirstPartyCaveat(text)
	}
	raw, marshalErr := m.MarshalBinary()
	t, parseErr := token.Parse(base64.RawURLEncoding.EncodeToString(raw))
	for _, err := range []error{err, marshalErr, parseErr} {
		if err != nil {
			panic(fmt.Sprintf("add a caveat to a token: %v", err)) // caveats here are short and JSON
		}
	}
	return t
}

func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }
