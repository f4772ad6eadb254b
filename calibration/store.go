package calibration

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Calibration is what is kept of this machine.
type Calibration struct {
	// Machine is the processor's name: the calibration does not hold for others.
	Machine string `json:"machine"`
	// Speed of one core, in flop/s, and its Spread as a part of it.
	Speed  float64 `json:"flops_per_second"`
	Spread float64 `json:"spread"`
	// Interception is what a stop at the emulator costs a guest.
	Interception time.Duration `json:"interception_ns"`
}

// ErrNone tells that this machine has not been calibrated.
var ErrNone = errors.New("this machine has not been calibrated")

// Path is the file that holds the calibration of this machine, for the user.
func Path() (string, error) {
	folder, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(folder, "simterpose", "calibration.json"), nil
}

// Load reads the calibration of this machine; ErrNone if there is none.
func Load() (*Calibration, error) {
	path, err := Path()
	if err != nil {
		return nil, ErrNone // no place to keep one
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, err
	}
	c := new(Calibration)
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if c.Machine != Machine() || !(c.Speed > 0) {
		return nil, ErrNone
	}
	return c, nil
}

// Save keeps a calibration for later runs and returns the file's path.
func (c *Calibration) Save() (path string, err error) {
	if path, err = Path(); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return "", err
	}
	return path, os.WriteFile(path, append(text, '\n'), 0o644)
}

// Machine names the processor, as /proc/cpuinfo does.
func Machine() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
