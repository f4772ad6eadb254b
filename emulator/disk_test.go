package emulator

import (
	"testing"

	"github.com/simterpose/simterpose/platform"
)

func TestFilesAreOnTheDiskThatIsMountedAboveThem(t *testing.T) {
	mounted := func(name, at string) platform.Disk {
		return platform.Disk{Name: name, Properties: platform.Properties{{Name: "mount", Value: at}}}
	}
	disks := []platform.Disk{mounted("home", "/home/"), {Name: "system"}, {Name: "spare"}, mounted("data", "/home/data")}
	for path, want := range map[string]string{
		"/etc/passwd": "system", "/home/user": "home", "/home": "home", "/home/data/x": "data", "/home/database": "home", "/homes": "system",
	} {
		if d := diskOf(disks, path); d == nil || d.Name != want {
			t.Errorf("%s: %+v, want %s", path, d, want)
		}
	}
	if d := diskOf(disks[:1], "/etc/passwd"); d != nil {
		t.Errorf("a file below no mount: %s", d.Name)
	}
	if d := diskOf([]platform.Disk{mounted("all", "/")}, "/etc/passwd"); d == nil {
		t.Error("the root's disk is not found")
	}
}
