package hostile_test

import (
	"testing"

	"github.com/spirostack/spirodeploy/tests/program"
)

func TestMain(m *testing.M) { program.Main(m) }
