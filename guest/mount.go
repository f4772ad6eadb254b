package guest

import (
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Root is the path by which the emulator sees the files of the namespace from
// which all containers begin.
func (r *Realm) Root() string { return "/proc/" + strconv.Itoa(r.root.tid) + "/root" }

// TryOverlay tells why an empty folder's file system cannot hold the upper
// layers of overlays that an ordinary user mounts; nil if it can. The folder is
// empty again afterwards.
func (r *Realm) TryOverlay(folder string) error {
	seen := filepath.Join(r.Root(), folder)
	names := []string{"lower", "upper", "work", "merged"}
	for _, name := range names {
		if err := unix.Mkdir(filepath.Join(seen, name), 0o755); err != nil {
			return err
		}
	}
	defer func() {
		unix.Rmdir(filepath.Join(seen, "work", "work"))
		for _, name := range names {
			unix.Rmdir(filepath.Join(seen, name))
		}
	}()
	if err := unix.Setxattr(filepath.Join(seen, "upper"), "user.overlay.opaque", []byte("y"), 0); err != nil {
		return err
	}
	var l list
	l.add(mustSucceed, "chdir "+folder, unix.SYS_CHDIR, l.string(folder))
	l.add(mustSucceed, "mount an overlay", unix.SYS_MOUNT, l.string("overlay"), l.string("merged"), l.string("overlay"), 0,
		l.string("userxattr,lowerdir=lower,upperdir=upper,workdir=work"))
	l.add(mustSucceed, "make a folder in an overlay", unix.SYS_MKDIR, l.string("merged/new"), 0o755)
	l.add(mustSucceed, "remove a folder of an overlay", unix.SYS_RMDIR, l.string("merged/new"))
	_, err := r.perform(&r.root, &l)
	var undo list
	undo.add(goOn, "unmount", unix.SYS_UMOUNT2, undo.string("merged"), 0)
	undo.add(mustSucceed, "chdir /", unix.SYS_CHDIR, undo.string("/"))
	if _, undoErr := r.perform(&r.root, &undo); err == nil {
		err = undoErr
	}
	return err
}

// MountTmpfs lays an empty tmpfs of this source over a folder, as all containers to
// come see it.
func (r *Realm) MountTmpfs(name, folder string) error {
	var l list
	l.add(mustSucceed, "mount a tmpfs", unix.SYS_MOUNT, l.string(name), l.string(folder), l.string("tmpfs"), 0, l.string("mode=755"))
	_, err := r.perform(&r.root, &l)
	return err
}
