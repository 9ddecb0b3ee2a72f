package demo_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/cli"
	"github.com/spirostack/spirodeploy/internal/dev/demo"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

func TestRun(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		fail   bool
		status int
		stdout []string
	}{
		{"well", false, 0, []string{"Success: shop/prod deployed: 3 minions, 37 states, 15 changed"}},
		{"failing", true, 1, []string{
			"Failed: 3", "port 80800 is not between 1 and 65535",
			"FAILURE: shop/prod: 1 of 3 minions failed (web2)",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			path := filepath.Join(t.TempDir(), "report")
			err := demo.Run(t.Context(), demo.Options{
				Dir: filepath.Join("..", "..", "..", "examples", "shop"), Report: path, Fail: tt.fail, Stdout: &stdout, Stderr: &stderr,
			}, demo.Played)
			var with *cli.Error
			if status := 0; errors.As(err, &with) {
				status = with.ExitStatus()
				if status != tt.status {
					t.Errorf("exit status %d, want %d", status, tt.status)
				}
			} else if tt.status != 0 || err != nil {
				t.Errorf("error %v, want exit status %d", err, tt.status)
			}
			for _, want := range tt.stdout {
				if !strings.Contains(stdout.String(), want) {
					t.Errorf("the result does not have %q:\n%s", want, &stdout)
				}
			}
			content, err := os.ReadFile(path + ".json")
			if err != nil {
				t.Fatal(err)
			}
			if page, err := os.ReadFile(path + ".html"); err != nil || !bytes.Contains(page, []byte("</html>")) {
				t.Errorf("the page: %v, %.100s", err, page)
			}
			var rep report.Report
			if err := json.Unmarshal(content, &rep); err != nil {
				t.Fatal(err)
			}
			if rep.ExitStatus != tt.status || len(rep.Targets) != 1 || len(rep.Targets[0].Minions) != 3 {
				t.Errorf("the report has status %d and %d targets", rep.ExitStatus, len(rep.Targets))
			}
			digest := rep.Targets[0].Bundle.Digest.String()
			if digest == "" || strings.Count(stdout.String()+stderr.String(), digest) < 2 {
				t.Errorf("the digest %q is not shown before and after", digest)
			}
		})
	}
}
