package client

import (
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// text is a bundle in memory.
type text string

func (s text) Size() int64                  { return int64(len(s)) }
func (s text) Open() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(string(s))), nil }

// FuzzName checks that a name that CheckName accepts arrives unchanged, and that the
// error for any other name is harmless to show.
func FuzzName(f *testing.F) {
	for _, seed := range []string{"shop", "", ".", "..", "a/b", " a", "größe", "\xff", "a\"b", "a\r\nContent-Type: x", "--", "\u202e", "a\u0085", "%00", "\u2028"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, project, deployment string) {
		for _, name := range []string{project, deployment} {
			if err := CheckName("project", name); err != nil {
				if sanitize.Line(err.Error()) != err.Error() {
					t.Errorf("%q: %q is not harmless", name, err)
				}
				return
			}
		}
		b, err := newBody(Deployment{Project: project, Deployment: deployment, Highstate: true, Bundle: text("a tar")})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		b.patience, b.giveUp = time.Hour, func(error) {}
		defer b.seal()
		_, params, err := mime.ParseMediaType(b.contentType)
		if err != nil {
			t.Fatal(err)
		}
		form, err := multipart.NewReader(b, params["boundary"]).ReadForm(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		defer form.RemoveAll()
		for field, want := range map[string]string{"project": project, "deployment": deployment, "highstate": "true"} {
			if got := form.Value[field]; len(got) != 1 || got[0] != want {
				t.Errorf("%s is %q, want %q", field, got, want)
			}
		}
		if len(form.Value) != 3 || len(form.File) != 1 {
			t.Errorf("the form has %v, %v", form.Value, form.File)
		}
	})
}
