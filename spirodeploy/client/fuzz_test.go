package client_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/dev/streams"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
)

// FuzzReadEvents checks that nothing follows an error, and that all events have names.
func FuzzReadEvents(f *testing.F) {
	for _, name := range streams.All {
		f.Add(streams.Read(name))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		ended := false
		for e, err := range client.ReadEvents(bytes.NewReader(stream)) {
			if ended {
				t.Error("something comes after an error")
			}
			ended = err != nil
			if err == nil && e.Name == "" {
				t.Error("an event without a name")
			}
		}
	})
}

func BenchmarkReadEvents(b *testing.B) {
	state := `"file_|-conf_|-/etc/app/app.conf_|-managed": {"changes": {}, "comment": "File /etc/app/app.conf is in the correct state", "result": true, "__run_num__": 0}, `
	large := `event: highstate-update` + "\n" + `data: {"msg": "m", "minion": "web1", "result": {"ret": {` + strings.Repeat(state, 1<<20/len(state)) + `"a": {}}}}` + "\n\n"
	for name, stream := range map[string][]byte{
		"small":         bytes.Repeat(streams.Read("states-failed"), 100),
		"1 MiB":         []byte(strings.Repeat(large, 16)),
		"1 MiB escaped": []byte(strings.Repeat(strings.ReplaceAll(large, "File", `\u00c4\n\"File\"`), 16)),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(stream)))
			b.ReportAllocs()
			for b.Loop() {
				for _, err := range client.ReadEvents(bytes.NewReader(stream)) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
