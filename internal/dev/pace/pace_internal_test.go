package pace

import (
	"testing"
	"time"
)

func TestScale(t *testing.T) {
	t.Parallel()
	for start, want := range map[time.Duration]time.Duration{0: least, 10 * time.Millisecond: least, 100 * time.Millisecond: 5 * time.Second, time.Hour: most} {
		if got := scale(start); got != want {
			t.Errorf("scale(%s) = %s, want %s", start, got, want)
		}
	}
	if soon := Soon(); soon < least || soon > most {
		t.Errorf("Soon is %s", soon)
	}
}
