package engine_test

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// fake is an engine that answers the queries of this package. The SDK finds it as the
// session of the process, so tests that use it cannot run in parallel.
type fake struct {
	// answers has the value of a query's last field, by the names of all its fields.
	answers map[string]any
	// fail has the error of each query that fails.
	fail map[string]string

	mu      sync.Mutex
	queries []query
}

// query is a query that was asked: the names of its fields, and their arguments.
type query struct {
	path string
	args map[string]any // by FIELD.ARGUMENT
	text string
}

// start makes a fake engine the session of this process.
func start(t *testing.T) *fake {
	t.Helper()
	f := &fake{fail: map[string]string{}, answers: map[string]any{
		"host.directory.id":           "dir-id",
		"host.file.id":                "file-id",
		"setSecret.id":                "secret-id",
		"moduleSource.asModule.serve": nil,
		"spirodeploy.bundle.id":       "bundle-id",
		"spirodeploy.digest":          "sha256:abc",
		"node.export":                 "written",
		"spirodeploy.deployReport":    map[string]any{"exitStatus": 0, "summary": "web1:\nSuccess: shop/prod deployed"},
	}}
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DAGGER_SESSION_PORT", port)
	t.Setenv("DAGGER_SESSION_TOKEN", "session-token")
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if user, _, _ := r.BasicAuth(); user != "session-token" {
		http.Error(w, "not this session's", http.StatusUnauthorized)
		return
	}
	var request struct{ Query string }
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	doc, err := parser.ParseQuery(&ast.Source{Input: request.Query})
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	q, fields := read(doc.Operations[0].SelectionSet)
	q.text = request.Query
	f.mu.Lock()
	f.queries = append(f.queries, q)
	f.mu.Unlock()

	answer := map[string]any{}
	value, known := f.answers[q.path]
	switch words, bad := f.fail[q.path]; {
	case bad:
		answer["errors"] = []any{map[string]any{"message": words}}
	case !known:
		answer["errors"] = []any{map[string]any{"message": "the fake knows nothing of " + q.path}}
	default:
		for i := len(fields) - 1; i >= 0; i-- {
			value = map[string]any{fields[i]: value}
		}
		answer["data"] = value
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// read follows a query until it has several fields, or none.
func read(set ast.SelectionSet) (q query, fields []string) {
	q.args = map[string]any{}
	for len(set) == 1 {
		switch s := set[0].(type) {
		case *ast.InlineFragment:
			set = s.SelectionSet
		case *ast.Field:
			for _, a := range s.Arguments {
				q.args[s.Name+"."+a.Name], _ = a.Value.Value(nil)
			}
			fields, set = append(fields, s.Name), s.SelectionSet
		}
	}
	q.path = strings.Join(fields, ".")
	return q, fields
}

// asked returns the queries of a path.
func (f *fake) asked(path string) []query {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []query
	for _, q := range f.queries {
		if q.path == path {
			found = append(found, q)
		}
	}
	return found
}
