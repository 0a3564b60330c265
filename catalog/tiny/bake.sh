#!/bin/bash
# Bakes `tiny`: the distribution's own kernel, busybox and dropbear on a disk that boots in seconds.
#
#   bake.sh OUTPUT WORK     writes the raw disk OUTPUT, with WORK as a scratch folder
#   bake.sh --check         says what has to be installed first
#
# Runs as root and as an ordinary user alike: packages are unpacked, never installed, and no file
# system is mounted. On Debian the kernel is the cloud one, on Ubuntu the virtual one.
set -euo pipefail
umask 022
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../common/tools.sh"
. "$here/../common/apt.sh"
. "$here/../common/disk.sh"

need apt-get=apt apt-config=apt dpkg-deb=dpkg sfdisk=fdisk mke2fs=e2fsprogs debugfs=e2fsprogs \
  mformat=mtools mcopy=mtools grub-mkimage=grub-common \
  /usr/lib/grub/i386-pc/boot.img=grub-pc-bin /usr/lib/grub/x86_64-efi/fat.mod=grub-efi-amd64-bin
if [ "$1" = --check ]; then exit 0; fi

output=$1 work=$2
size_mib=1024 esp_mib=4
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1700000000}
export E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH
rm -rf "$work"
mkdir -p "$work"/{debs,unpacked,root,initramfs,esp}
work=$(cd "$work" && pwd)

echo "reading the package lists"
. /etc/os-release
open_apt "$work" "$VERSION_CODENAME"

echo "fetching packages"
case $ID in
  ubuntu) kernel_package=$(first_dependency linux-image-virtual) ;;
  *) kernel_package=$(first_dependency linux-image-cloud-amd64) ;;
esac
[ -n "$kernel_package" ] || { echo "The mirror has no kernel for virtual machines: linux-image-cloud-amd64 (Debian) or linux-image-virtual (Ubuntu)" >&2; exit 1; }
kernel_version=${kernel_package#linux-image-}
# An empty status file makes apt name every library too; only what the programs link to is kept.
packages=$(private_apt get install --simulate busybox-static dropbear-bin openssh-client \
  openssh-sftp-server e2fsprogs fdisk util-linux | sed -nE 's/^Inst ([^ ]+).*/\1/p')
# Ubuntu keeps the modules in a package of their own.
if private_apt cache show "linux-modules-$kernel_version" >/dev/null 2>&1; then
  kernel_package="$kernel_package linux-modules-$kernel_version"
fi
(cd "$work/debs" && private_apt get -qq download $packages $kernel_package)

echo "unpacking packages"
for deb in "$work"/debs/*.deb; do
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work/unpacked" --keep-directory-symlink --no-same-owner \
    --exclude='./usr/share/*' --exclude='./lib/modules/*/kernel/sound' 2>/dev/null || {
    echo "Cannot unpack ${deb##*/}" >&2; exit 1; }
done
unpacked=$work/unpacked root=$work/root

# find_unpacked NAME: where the packages put a program or library (releases differ: /bin or /usr/bin).
find_unpacked() { find "$unpacked" -name "$1" \( -type f -o -type l \) ! -path '*/lib/modules/*' | sort | head -n 1; }
busybox=$(find_unpacked busybox)
loader=$(find_unpacked ld-linux-x86-64.so.2)
library_path=$(find "$unpacked" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)

echo "building the root file system"
mkdir -p "$root"/{boot,dev,proc,sys,run,tmp,mnt,root,etc,usr/bin,usr/lib,usr/lib64,var/log,var/lib/imago,var/tmp}
chmod 700 "$root/root"; chmod 1777 "$root/tmp" "$root/var/tmp"
ln -s usr/bin "$root/bin"; ln -s usr/bin "$root/sbin"; ln -s bin "$root/usr/sbin"
ln -s usr/lib "$root/lib"; ln -s usr/lib64 "$root/lib64"; ln -s ../run "$root/var/run"
cp "$busybox" "$root/usr/bin/busybox"
for applet in $("$busybox" --list); do
  [ "$applet" = busybox ] || ln -s busybox "$root/usr/bin/$applet"
done
cp -L "$loader" "$root/usr/lib64/"

# add_program NAME [PATH]: the program with every library it links to.
add_program() {
  local source library
  source=$(find_unpacked "$1")
  [ -n "$source" ] || { echo "The packages have no program '$1'" >&2; return 1; }
  rm -f "$root/${2:-usr/bin/$1}"
  cp -L "$source" "$root/${2:-usr/bin/$1}"
  "$loader" --library-path "$library_path" --list "$source" |
    sed -nE 's|.*=> (/[^ ]+) .*|\1|p' | while read -r library; do
      [ -e "$root/usr/lib/${library##*/}" ] || cp -L "$library" "$root/usr/lib/"
    done
}
add_program dropbear
add_program dropbearkey
add_program scp
add_program sftp-server usr/lib/sftp-server
add_program sfdisk; add_program partx
add_program blkid
add_program resize2fs
add_program mke2fs; ln -s mke2fs "$root/usr/bin/mkfs.ext4"
add_program e2fsck; ln -s e2fsck "$root/usr/bin/fsck.ext4"
cp -R "$here/files/root/." "$root/"
chmod 755 "$root"/etc/init.d/* "$root"/usr/bin/* "$root/etc/dhcp-lease" "$root/etc/disk-links"
ln -sf /proc/mounts "$root/etc/mtab"
echo "$kernel_version" >"$root/etc/imago-kernel"

echo "choosing kernel modules"
modules=$unpacked/lib/modules/$kernel_version
[ -d "$modules" ] || modules=$unpacked/usr/lib/modules/$kernel_version
target=usr/lib/modules/$kernel_version
mkdir -p "$root/$target"
cp "$modules"/modules.{builtin,order} "$root/$target/"
# Names are matched with _ and - alike; what the kernel has built in is simply not found.
wanted="virtio_pci virtio_blk virtio_net virtio_rng virtio_scsi virtio_balloon evdev button nvme ahci sd_mod vfat nls_cp437 nls_ascii nls_utf8 nls_iso8859-1 ext4 af_packet"
base=${modules%/lib/modules/*}
"$busybox" depmod -b "$base" -o "$work/modules.dep" "$kernel_version" 2>/dev/null ||
  "$busybox" depmod -b "$base" "$kernel_version"
[ -e "$work/modules.dep" ] || cp "$modules/modules.dep" "$work/modules.dep"

# module_files NAME…: paths of the modules and of all they depend on, in the order to load them.
module_files() {
  local name
  for name in "$@"; do
    awk -F: -v name="${name//-/_}" '
      { file = $1; sub(/.*\//, "", file); sub(/\.ko.*/, "", file); gsub(/-/, "_", file) }
      file == name { n = split($2, needs, " "); for (i = n; i >= 1; i--) print needs[i]; print $1 }
    ' "$work/modules.dep"
  done | awk '!seen[$0]++'
}
# put_module PATH FOLDER: a plain .ko, however the distribution packs it.
put_module() {
  local plain
  mkdir -p "$2/$(dirname "$1")"
  plain=$2/${1%.ko*}.ko
  case $1 in
    *.ko) cp "$modules/$1" "$plain" ;;
    *.ko.xz) "$busybox" xzcat "$modules/$1" >"$plain" ;;
    *.ko.zst) zstd -dqf "$modules/$1" -o "$plain" ;;
  esac
}
for file in $(module_files $wanted); do put_module "$file" "$root/$target"; done
"$busybox" depmod -b "$root" "$kernel_version"

echo "building the initramfs"
# Only what finds the root disk. Not compressed: unpacking costs more than reading.
initramfs=$work/initramfs
mkdir -p "$initramfs"/{bin,dev,proc,sys,run,root,modules}
cp "$busybox" "$initramfs/bin/busybox"
cp "$here/files/initramfs/init" "$initramfs/init"
chmod 755 "$initramfs/init"
for file in $(module_files virtio_pci virtio_blk ext4); do
  put_module "$file" "$work/early"
  plain=${file%.ko*}.ko
  cp "$work/early/$plain" "$initramfs/modules/"
  echo "${plain##*/}" >>"$initramfs/modules/order"
done
touch "$initramfs/modules/order"
find "$initramfs" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
(cd "$initramfs" && find . | sort | "$busybox" cpio -o -H newc -R 0:0 2>/dev/null) >"$root/boot/initrd.img"
cp "$unpacked/boot/vmlinuz-$kernel_version" "$root/boot/vmlinuz"

echo "writing the disk"
temporary=$work/disk.raw
partition_disk "$temporary" $size_mib $esp_mib tiny-root
# What grow-root compares with: an unchanged disk has nothing to grow.
echo $((root_mib * 2048)) >"$root/var/lib/imago/root-sectors"
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
make_root "$temporary" "$root" tiny-root
[ "$(id -u)" = 0 ] || own_by_root "$temporary" "$root"
# The kernel is told no_timer_check: an emulated machine on a busy host gets its ticks late, which is
# no broken timer. (grub.cfg is read by GRUB's smallest parser, which knows no comments.)
install_bios_grub "$temporary" "$here/files/grub.cfg" linux
make_efi_grub "$work/esp/EFI/BOOT/BOOTX64.EFI" "$here/files/grub.cfg" linux efi_gop
make_esp "$temporary" $esp_mib "$work/esp"
mv "$temporary" "$output"
echo "baked $(du -m "$output" | cut -f1) MiB of data on a disk of $size_mib MiB"
