package emulator

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/kernel"
)

// processorFolder tells programs such as lscpu, nproc and hwloc of a machine's
// processors: of a host it shows the cores that its platform says.
const processorFolder = "/sys/devices/system/cpu"

// processorMounts lay the folder of a host with so many cores over the machine's.
// Their source is relative to a host's layer.
func (l *layers) processorMounts(cores int) ([]guest.Mount, error) {
	name := fmt.Sprintf("processors-%d", cores)
	folder := filepath.Join(l.seen, workFolder, name)
	if _, err := os.Stat(folder); err != nil {
		if err := writeProcessors(folder, cores); err != nil {
			return nil, err
		}
	}
	return []guest.Mount{
		{Source: filepath.Join("..", filepath.Base(workFolder), name), Target: processorFolder, Flags: unix.MS_BIND, Optional: true},
		{Source: "none", Target: processorFolder, Flags: unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY | inert, Optional: true},
	}, nil
}

// writeProcessors makes the folder: one package of cores without siblings, and the
// caches of the machine's first processor.
func writeProcessors(folder string, cores int) error {
	every, all := processorText(0, cores)
	files := map[string]string{
		"online": all, "possible": all, "present": all, "offline": "\n", "isolated": "\n", "kernel_max": "8191\n",
		"smt/active": "0\n", "smt/control": "notsupported\n",
	}
	caches := machineCaches()
	for i := range cores {
		mask, one := processorText(i, i+1)
		at := fmt.Sprintf("cpu%d/", i)
		files[at+"topology/physical_package_id"] = "0\n"
		files[at+"topology/die_id"] = "0\n"
		files[at+"topology/core_id"] = one
		for _, group := range []string{"thread_siblings", "core_cpus"} {
			files[at+"topology/"+group], files[at+"topology/"+group+"_list"] = mask, one
		}
		for _, group := range []string{"core_siblings", "package_cpus", "die_cpus"} {
			files[at+"topology/"+group], files[at+"topology/"+group+"_list"] = every, all
		}
		for _, c := range caches {
			at := at + "cache/" + c.name + "/"
			for file, content := range c.files {
				files[at+file] = content
			}
			files[at+"shared_cpu_map"], files[at+"shared_cpu_list"] = mask, one
			if c.shared {
				files[at+"shared_cpu_map"], files[at+"shared_cpu_list"] = every, all
			}
		}
	}
	// In this order, as programs see the one in which a folder's files were made.
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(files[name]), 0o444); err != nil {
			return err
		}
	}
	return nil
}

// cache is one of a processor's.
type cache struct {
	name   string
	shared bool // by several processors
	files  map[string]string
}

func machineCaches() []cache {
	folders, _ := filepath.Glob(processorFolder + "/cpu0/cache/index*")
	var list []cache
	for _, folder := range folders {
		c := cache{name: filepath.Base(folder), files: map[string]string{}}
		for _, file := range []string{
			"coherency_line_size", "level", "number_of_sets", "physical_line_partition", "size", "type", "ways_of_associativity",
		} {
			if text, err := os.ReadFile(filepath.Join(folder, file)); err == nil {
				c.files[file] = string(text)
			}
		}
		if text, err := os.ReadFile(filepath.Join(folder, "shared_cpu_list")); err == nil {
			c.shared = strings.ContainsAny(string(text), ",-")
		}
		list = append(list, c)
	}
	return list
}

// processorText is the processors from one to before another, as a mask and as a
// list.
func processorText(from, to int) (mask, list string) {
	set := kernel.ProcessorMask(from, to)
	return kernel.MaskText(set, to) + "\n", kernel.MaskList(set) + "\n"
}
