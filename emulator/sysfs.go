package emulator

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/simterpose/simterpose/guest"
	"github.com/simterpose/simterpose/kernel"
)

// A host's /sys is one of a machine without devices: it tells of the cores that the
// platform says, of the memory and of the host's network interfaces, and has the same
// in each run and on each machine. The machine's own tells of its hardware and of all
// that happens on it.

// systemFolder is where, for each number of cores, the /sys of hosts with so many lies,
// in a tmpfs.
const systemFolder = workFolder + "/sys"

// machineProcessor is where the machine tells of its first processor.
const machineProcessor = "/sys/devices/system/cpu/cpu0"

// makeSystem makes the place for each /sys.
func (l *layers) makeSystem(realm *guest.Realm) error {
	if err := os.MkdirAll(filepath.Join(l.seen, systemFolder), 0o755); err != nil {
		return err
	}
	l.system = filepath.Join(realm.Root(), l.output, systemFolder)
	return realm.MountTmpfs(kernel.MountOfRun, filepath.Join(l.output, systemFolder))
}

// systemMounts make the /sys of a host with so many cores. A source is relative to a
// host's layer. The kernel's own, which knows the host's network interfaces, is mounted
// where devices covers it.
func (l *layers) systemMounts(cores int) ([]guest.Mount, error) {
	name := strconv.Itoa(cores)
	folder := filepath.Join(l.system, name)
	if _, err := os.Stat(folder); err != nil {
		if err := writeSystem(folder, cores); err != nil {
			return nil, err
		}
	}
	const interfaces = "/devices/virtual/net"
	return []guest.Mount{
		{Source: filepath.Join("..", filepath.Base(workFolder), filepath.Base(systemFolder), name), Target: "/sys", Flags: unix.MS_BIND},
		{Source: "none", Target: "/sys", Flags: unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY | inert},
		{Source: "sysfs", Target: deviceStage, Type: "sysfs", Flags: inert | unix.MS_RDONLY, Make: 'd', Optional: true},
		{Source: deviceStage + interfaces, Target: "/sys" + interfaces, Flags: unix.MS_BIND, Optional: true},
	}, nil
}

// writeSystem makes a /sys.
func writeSystem(folder string, cores int) error {
	files := map[string]string{
		"kernel/address_bits": "64\n", "kernel/cpu_byteorder": "little\n",
		"devices/system/clocksource/clocksource0/available_clocksource": "tsc\n",
		"devices/system/clocksource/clocksource0/current_clocksource":   "tsc\n",
		"module/ipv6/parameters/autoconf":                               "1\n",
		"module/ipv6/parameters/disable":                                "0\n",
		"module/ipv6/parameters/disable_ipv6":                           "0\n",
	}
	pages(files)
	memoryNode(files, cores)
	processors(files, cores)
	links := map[string]string{
		"class/net/eth0": "../../devices/virtual/net/eth0",
		"class/net/lo":   "../../devices/virtual/net/lo",
	}
	for i := range cores {
		cpu := fmt.Sprintf("cpu%d", i)
		links["devices/system/node/node0/"+cpu] = "../../cpu/" + cpu
		links["devices/system/cpu/"+cpu+"/node0"] = "../../node/node0"
	}
	// In this order, as programs see the one in which a folder's files were made.
	for _, name := range []string{
		"block", "bus", "class/block", "class/net", "dev/block", "dev/char", "devices/virtual/net", "firmware",
		"fs/cgroup", "kernel/debug", "kernel/security", "kernel/tracing", "module", "power",
	} {
		if err := os.MkdirAll(filepath.Join(folder, name), 0o755); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(files[name]), 0o444); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(links)) {
		if err := os.Symlink(links[name], filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	return os.Chmod(folder, 0o555)
}

// pages tells of large pages: a program may ask for them as on a Debian, and none are
// set aside.
func pages(files map[string]string) {
	const transparent = "kernel/mm/transparent_hugepage/"
	files[transparent+"enabled"] = "always [madvise] never\n"
	files[transparent+"defrag"] = "always defer defer+madvise [madvise] never\n"
	files[transparent+"shmem_enabled"] = "always within_size advise [never] deny force\n"
	files[transparent+"hpage_pmd_size"] = "2097152\n"
	files[transparent+"use_zero_page"] = "1\n"
	for _, file := range []string{"nr_hugepages", "nr_hugepages_mempolicy", "nr_overcommit_hugepages", "free_hugepages", "resv_hugepages", "surplus_hugepages"} {
		files["kernel/mm/hugepages/hugepages-2048kB/"+file] = "0\n"
	}
	for _, file := range []string{"nr_hugepages", "free_hugepages", "surplus_hugepages"} {
		files["devices/system/node/node0/hugepages/hugepages-2048kB/"+file] = "0\n"
	}
}

// memoryNode tells of the host's memory: one node, near to all cores.
func memoryNode(files map[string]string, cores int) {
	for _, file := range []string{"online", "possible", "has_cpu", "has_memory", "has_normal_memory"} {
		files["devices/system/node/"+file] = "0\n"
	}
	const node, kb, page = "devices/system/node/node0/", memory >> 10, 4096
	const free = kb / 4 * 3 // as /proc/meminfo tells
	files[node+"cpumap"], files[node+"cpulist"] = processorText(0, cores)
	files[node+"distance"] = "10\n"
	files[node+"meminfo"] = fmt.Sprintf("Node 0 MemTotal:       %8d kB\nNode 0 MemFree:        %8d kB\nNode 0 MemUsed:        %8d kB\n", kb, free, kb-free)
	files[node+"numastat"] = "numa_hit 0\nnuma_miss 0\nnuma_foreign 0\ninterleave_hit 0\nlocal_node 0\nother_node 0\n"
	files[node+"vmstat"] = fmt.Sprintf("nr_free_pages %d\n", free*1024/page)
}

// processors tells of the cores: one package of cores without siblings, with the
// caches of the machine's first processor.
func processors(files map[string]string, cores int) {
	const folder = "devices/system/cpu/"
	every, all := processorText(0, cores)
	for _, file := range []string{"online", "possible", "present"} {
		files[folder+file] = all
	}
	files[folder+"offline"], files[folder+"isolated"], files[folder+"kernel_max"] = "\n", "\n", "8191\n"
	files[folder+"smt/active"], files[folder+"smt/control"] = "0\n", "notsupported\n"
	caches := machineCaches()
	for i := range cores {
		mask, one := processorText(i, i+1)
		at := fmt.Sprintf("%scpu%d/", folder, i)
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
}

// cache is one of a processor's.
type cache struct {
	name   string
	shared bool // by several processors
	files  map[string]string
}

func machineCaches() []cache {
	folders, _ := filepath.Glob(machineProcessor + "/cache/index*")
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
