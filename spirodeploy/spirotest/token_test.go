package spirotest_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"gopkg.in/macaroon.v2"

	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

// narrowed adds a caveat to a token, as whoever holds it may.
func narrowed(tb testing.TB, token, caveat string) string {
	tb.Helper()
	m := parsed(tb, token)
	check(tb, m.AddFirstPartyCaveat([]byte(caveat)))
	packets, err := m.MarshalBinary()
	check(tb, err)
	return base64.RawURLEncoding.EncodeToString(packets)
}

func parsed(tb testing.TB, token string) *macaroon.Macaroon {
	tb.Helper()
	packets, err := base64.RawURLEncoding.DecodeString(token)
	check(tb, err)
	var m macaroon.Macaroon
	check(tb, m.UnmarshalBinary(packets))
	return &m
}

func TestToken(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{})
	other := spirotest.New(t, spirotest.Options{})
	shop := srv.Token(time.Minute, "shop", "blog")
	now := time.Now().Unix()
	add := func(format string, args ...any) string { return narrowed(t, shop, fmt.Sprintf(format, args...)) }
	padded := shop + strings.Repeat("=", (4-len(shop)%4)%4)
	tests := []struct {
		name, authorization string
		get, post           int
	}{
		{"good", "Bearer " + shop, 200, 200},
		{"for every project", "Bearer " + srv.Token(0), 200, 200},
		{"scheme in lower case", "bearer " + shop, 200, 200},
		{"two spaces", "BEARER  " + shop, 200, 200},
		{"padded", "Bearer " + padded, 200, 200},
		{"basic", "Basic " + shop, 401, 401},
		{"no scheme", shop, 401, 401},
		{"scheme alone", "Bearer", 401, 401},
		{"expired", "Bearer " + srv.Token(-time.Second, "shop"), 401, 401},
		{"other project", "Bearer " + srv.Token(time.Minute, "wiki"), 200, 403},
		{"other server", "Bearer " + other.Token(time.Minute, "shop"), 401, 401},
		{"not base64", "Bearer ?!", 401, 401},
		{"not a macaroon", "Bearer aGVsbG8gd29ybGQ", 401, 401},
		{"changed", "Bearer " + shop[:len(shop)-8] + "AAAAAAAA", 401, 401},

		{"narrowed to the project", "Bearer " + add(`{"project_allow": ["shop"]}`), 200, 200},
		{"narrowed to another", "Bearer " + add(`{"project_allow": ["blog"]}`), 200, 403},
		{"widened", "Bearer " + narrowed(t, srv.Token(0, "blog"), `{"project_allow": ["shop"]}`), 200, 403},
		{"denied", "Bearer " + add(`{"project_deny": ["shop"]}`), 200, 403},
		{"another denied", "Bearer " + add(`{"project_deny": ["blog"]}`), 200, 200},
		{"ends later", "Bearer " + add(`{"not_after": %d}`, now+60), 200, 200},
		{"has ended", "Bearer " + add(`{"not_after": %d.5}`, now-60), 401, 401},
		{"starts later", "Bearer " + add(`{"not_before": %d}`, now+60), 401, 401},
		{"one of two conditions", "Bearer " + add(`{"project_allow": ["shop"], "not_after": %d}`, now-60), 401, 401},
		{"unknown condition", "Bearer " + add(`{"deployment_allow": ["prod"]}`), 401, 401},
		{"time as text", "Bearer " + add(`{"not_after": "tomorrow"}`), 401, 401},
		{"not json", "Bearer " + add(`project = shop`), 401, 401},
		{"no condition", "Bearer " + add(`{}`), 200, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for method, want := range map[string]int{"GET": tt.get, "POST": tt.post} {
				var parts []part
				if method == "POST" {
					parts = upload("shop", "prod", oneFile(t))
				}
				req := request(t, method, srv.URL(), "", parts)
				req.Header.Set("Authorization", tt.authorization)
				if status, _ := do(t, client(t), req); status != want {
					t.Errorf("%s: status %d, want %d", method, status, want)
				}
			}
		})
	}
}

func TestTokenFormat(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{})
	tests := []struct {
		name     string
		lifetime time.Duration
		projects []string
		keys     string
	}{
		{"everything for ever", 0, nil, "not_before"},
		{"limited", time.Hour, []string{"shop", "blog"}, "not_before not_after project_allow"},
		{"expired", -time.Hour, nil, "not_before not_after"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before := time.Now()
			m := parsed(t, srv.Token(tt.lifetime, tt.projects...))
			if m.Version() != macaroon.V1 || len(m.Caveats()) != 1 || len(m.Id()) != 20 {
				t.Fatalf("macaroon %v with id %q and caveats %q", m.Version(), m.Id(), m.Caveats())
			}
			text := m.Caveats()[0].Id
			var caveat struct {
				NotBefore    float64  `json:"not_before"`
				NotAfter     float64  `json:"not_after"`
				ProjectAllow []string `json:"project_allow"`
			}
			check(t, json.Unmarshal(text, &caveat))
			at := -1
			for key := range strings.FieldsSeq(tt.keys) {
				next := strings.Index(string(text), `"`+key+`": `)
				if next < at {
					t.Errorf("caveat %s: want the keys %s in this order", text, tt.keys)
				}
				at = next
			}
			if tt.lifetime == 0 {
				return
			}
			want := float64(before.Add(tt.lifetime).Unix())
			if caveat.NotAfter < want || caveat.NotAfter > want+60 {
				t.Errorf("not_after %f, want about %f", caveat.NotAfter, want)
			}
			if fmt.Sprint(caveat.ProjectAllow) != fmt.Sprint(tt.projects) {
				t.Errorf("project_allow %q, want %q", caveat.ProjectAllow, tt.projects)
			}
		})
	}
}

// TestTokenEndsDuringUpload: the token is looked at when the body is there.
func TestTokenEndsDuringUpload(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{})
	body, contentType := encode(t, upload("shop", "prod", oneFile(t)))
	req := request(t, "POST", srv.URL(), srv.Token(300*time.Millisecond), nil)
	req.Header.Set("Content-Type", contentType)
	req.Body, req.ContentLength = &slow{body: body, pause: 500 * time.Millisecond}, int64(len(body))
	if status, _ := do(t, client(t), req); status != http.StatusUnauthorized {
		t.Errorf("status %d, want 401", status)
	}
}

// slow gives one byte, pauses, and gives the rest.
type slow struct {
	body  []byte
	pause time.Duration
	read  bool
}

func (s *slow) Read(p []byte) (int, error) {
	if !s.read {
		s.read = true
		p = p[:1]
	} else {
		time.Sleep(s.pause)
		s.pause = 0
	}
	n := copy(p, s.body)
	s.body = s.body[n:]
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (s *slow) Close() error { return nil }
