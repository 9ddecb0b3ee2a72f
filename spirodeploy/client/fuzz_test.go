package client_test

import (
	"bytes"
	"testing"

	"github.com/spirostack/spirodeploy/internal/streams"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
)

// FuzzReadEvents: whatever comes, an error is the last thing that is yielded,
// and events have names.
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
	stream := bytes.Repeat(streams.Read("states-failed"), 100)
	b.SetBytes(int64(len(stream)))
	for b.Loop() {
		for _, err := range client.ReadEvents(bytes.NewReader(stream)) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
