# Before the packages beyond the essential ones: what their installation reads. $1 is the new root.
#
# The initramfs carries only what finds a disk: it is unpacked at every boot.
set -eu
mkdir -p "$1/etc/initramfs-tools/conf.d"
cp "$BAKE_SHARED/files/etc/initramfs-tools/modules" "$1/etc/initramfs-tools/modules"
cp "$BAKE_SHARED/files/etc/initramfs-tools/conf.d/imago" "$1/etc/initramfs-tools/conf.d/imago"
