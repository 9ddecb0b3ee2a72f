package pulse_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/spirostack/spirodeploy/internal/pulse"
)

func TestStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		beats := 0
		stop := pulse.Start(10*time.Second, func() { beats++ })
		time.Sleep(35 * time.Second)
		stop()
		if beats != 3 {
			t.Errorf("%d beats in 35 seconds", beats)
		}
		time.Sleep(time.Minute)
		if beats != 3 {
			t.Errorf("%d beats after the end", beats)
		}
	})
}
