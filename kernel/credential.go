package kernel

import "slices"

// credentials are what a task may do and on whose behalf, as struct cred of
// Linux: guests really run as the one user that the machine gives them, root of
// their host, and only the emulator knows who they are there. Tasks share one
// until they change it; it is never changed in place.
type credentials struct {
	uid, euid, suid, fsuid uint32
	gid, egid, sgid, fsgid uint32
	groups                 []uint32 // sorted

	inheritable, permitted, effective, bounding, ambient capabilities

	securebits uint32
	noNewPrivs bool
}

// capabilities is a set of capabilities(7), bit n for number n.
type capabilities uint64

// Numbers of linux/capability.h.
const (
	capChown          = 0
	capDacOverride    = 1
	capDacReadSearch  = 2
	capFowner         = 3
	capFsetid         = 4
	capKill           = 5
	capSetgid         = 6
	capSetuid         = 7
	capSetpcap        = 8
	capLinuxImmutable = 9
	capNetBindService = 10
	capNetRaw         = 13
	capIPCLock        = 14
	capIPCOwner       = 15
	capSysChroot      = 18
	capSysPtrace      = 19
	capSysAdmin       = 21
	capSysNice        = 23
	capSysResource    = 24
	capSysTime        = 25
	capMknod          = 27
	capSetfcap        = 31
	capMacOverride    = 32
	capLast           = 40

	allCapabilities capabilities = 1<<(capLast+1) - 1
	// fileCapabilities follow the user for file accesses (CAP_FS_SET).
	fileCapabilities = capabilities(1<<capChown | 1<<capMknod | 1<<capDacOverride | 1<<capDacReadSearch |
		1<<capFowner | 1<<capFsetid | 1<<capMacOverride | 1<<capLinuxImmutable)
)

// Bits of linux/securebits.h; each has its lock to the left.
const (
	secureNoRoot             = 1 << 0
	secureNoSetuidFixup      = 1 << 2
	secureKeepCaps           = 1 << 4
	secureNoCapAmbientRaise  = 1 << 6
	secureAllBits            = 0x55
	secureAllLocks           = secureAllBits << 1
	secureKeepCapsLock       = secureKeepCaps << 1
	noID                     = ^uint32(0) // -1: leave as it is
	maxGroups                = 65536      // NGROUPS_MAX
	modeSetUID, modeSetGID   = 0o4000, 0o2000
	modeSticky, modeGroupRun = 0o1000, 0o010
)

// rootCredentials are those of the processes that an experiment starts.
var rootCredentials = &credentials{permitted: allCapabilities, effective: allCapabilities, bounding: allCapabilities}

func (c capabilities) has(n int) bool                { return c&(1<<n) != 0 }
func (c capabilities) subsetOf(of capabilities) bool { return c&^of == 0 }
func (c *credentials) capable(n int) bool            { return c.effective.has(n) }
func (c *credentials) copy() *credentials            { n := *c; return &n }
func (c *credentials) inGroup(gid uint32) bool       { return c.fsgid == gid || c.supplementary(gid) }

func (c *credentials) supplementary(gid uint32) bool {
	_, found := slices.BinarySearch(c.groups, gid)
	return found
}

// changeUser adjusts the capabilities of new credentials to what happened to
// the user ids, as cap_emulate_setxuid does.
func (c *credentials) changeUser(old *credentials) {
	if old.securebits&secureNoSetuidFixup != 0 {
		return
	}
	wasRoot := old.uid == 0 || old.euid == 0 || old.suid == 0
	if wasRoot && c.uid != 0 && c.euid != 0 && c.suid != 0 {
		if old.securebits&secureKeepCaps == 0 {
			c.permitted, c.effective = 0, 0
		}
		c.ambient = 0
	}
	if old.euid == 0 && c.euid != 0 {
		c.effective = 0
	}
	if old.euid != 0 && c.euid == 0 {
		c.effective = c.permitted
	}
}

// changeFileUser is changeUser for the user of file accesses.
func (c *credentials) changeFileUser(old *credentials) {
	if old.securebits&secureNoSetuidFixup != 0 {
		return
	}
	if old.fsuid == 0 && c.fsuid != 0 {
		c.effective &^= fileCapabilities
	}
	if old.fsuid != 0 && c.fsuid == 0 {
		c.effective |= c.permitted & fileCapabilities
	}
}

// programFile is what a program's file gives to who executes it.
type programFile struct {
	owner                  owner
	mode                   uint32
	setID                  bool // its mount lets set-id bits and capabilities act
	permitted, inheritable capabilities
	effective, attached    bool // attached: the file has capabilities
}

// exec are the credentials after an exec, and whether the program runs with more
// than its caller had (AT_SECURE), as cap_bprm_creds_from_file computes them.
func (c *credentials) exec(f programFile) (n *credentials, secure bool) {
	n = c.copy()
	if f.setID && !c.noNewPrivs {
		if f.mode&modeSetUID != 0 {
			n.euid = f.owner.uid
		}
		if f.mode&modeSetGID != 0 && f.mode&modeGroupRun != 0 {
			n.egid = f.owner.gid
		}
	} else {
		f.attached = false
	}
	n.permitted = 0
	effective := false
	if f.attached {
		n.permitted = c.bounding&f.permitted | c.inheritable&f.inheritable
		effective = f.effective
	}
	if c.securebits&secureNoRoot == 0 && (n.euid == 0 || n.uid == 0) && !(f.attached && n.uid != 0 && n.euid == 0) {
		n.permitted = c.bounding | c.inheritable
		effective = effective || n.euid == 0
	}
	setID := n.euid != c.uid || n.egid != c.gid
	n.suid, n.fsuid = n.euid, n.euid
	n.sgid, n.fsgid = n.egid, n.egid
	if f.attached || n.euid != c.euid || n.egid != c.egid {
		n.ambient = 0
	}
	n.permitted |= n.ambient
	n.effective = n.ambient
	if effective {
		n.effective = n.permitted
	}
	n.securebits &^= secureKeepCaps
	secure = setID || n.uid != 0 && (effective || !n.permitted.subsetOf(n.ambient))
	return n, secure
}
