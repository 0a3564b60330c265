# Last of all: the finished root, straight into its partition. It runs where mmdebstrap does, in the
# one place where files of an ordinary user's bake have their true owners. $1 is the new root.
set -eu
PATH=$PATH:/usr/sbin:/sbin
. "$BAKE_SHARED/disk.sh"
root_start_mib=$BAKE_ROOT_START_MIB root_mib=$BAKE_ROOT_MIB
# A second view of it, without the mounts on top.
view=$(mktemp -d)
mount --bind "$1" "$view"
make_root "$BAKE_DISK" "$view" debian-root
umount "$view"
rmdir "$view"
