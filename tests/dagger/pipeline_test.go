package dagger_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pipeline is the directory of the example that has this module as a dependency.
const pipeline = "../../examples/pipeline"

// TestPipeline runs the example, which starts a server of its own.
func TestPipeline(t *testing.T) {
	needEngine(t)
	out, err := run(t, nil, "call", "-m", pipeline, "rehearse")
	if err != nil || !strings.Contains(out, "Success: shop/prod deployed: 3 minions") {
		t.Errorf("rehearse prints %q, %v", out, err)
	}
}

// TestPipelineRelease: there is a report even if there is no server.
func TestPipelineRelease(t *testing.T) {
	needEngine(t)
	srv := server(t, nil) // for its token
	dir := filepath.Join(t.TempDir(), "report")
	_, err := run(t, []string{"SPIRO_TOKEN=" + srv.Token(time.Hour, "shop")}, "call", "-m", pipeline,
		"release", "--server=https://127.0.0.1:1/", "--token=env:SPIRO_TOKEN", "export", "--path="+dir)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil || !strings.Contains(string(content), `"exitStatus": 5`) {
		t.Errorf("the report says %v\n%s", err, content)
	}
}
