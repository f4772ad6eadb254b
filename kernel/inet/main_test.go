package inet

import (
	"testing"

	"github.com/simterpose/simterpose/internal/repeatable"
)

func TestMain(m *testing.M) { repeatable.Main(m) }
