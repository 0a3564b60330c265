#!/bin/bash
# Bakes `debian-12`: Debian 12 with systemd, cloud-init and OpenSSH, as mmdebstrap installs it.
#
#   bake.sh OUTPUT WORK     writes the raw disk OUTPUT, with WORK as a scratch folder
#   bake.sh --check         says what has to be installed first
#
# Root installs in a chroot; an ordinary user does in a user namespace of his own (which needs his
# ranges in /etc/subuid and /etc/subgid). mke2fs runs where the owners are right: inside that namespace.
set -euo pipefail
umask 022
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../common/tools.sh"
. "$here/../common/apt.sh"
. "$here/../common/disk.sh"

tools=(mmdebstrap=mmdebstrap sfdisk=fdisk mke2fs=e2fsprogs mformat=mtools mcopy=mtools
  grub-mkimage=grub-common /usr/lib/grub/i386-pc/boot.img=grub-pc-bin
  /usr/lib/grub/x86_64-efi/fat.mod=grub-efi-amd64-bin
  /usr/share/keyrings/debian-archive-keyring.gpg=debian-archive-keyring)
[ "$(id -u)" = 0 ] || tools+=(newuidmap=uidmap)
need "${tools[@]}"
if [ "$(id -u)" != 0 ] && ! grep -qE "^($(id -un)|$(id -u)):" /etc/subuid 2>/dev/null; then
  echo "Give this user a range of ids, as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $(id -un)" >&2
  exit 1
fi
if [ "$1" = --check ]; then exit 0; fi

output=$1 work=$2
size_mib=2048 esp_mib=16
rm -rf "$work"
mkdir -p "$work/esp"
work=$(cd "$work" && pwd)

distribution_sources bookworm >"$work/sources.list"
if [ ! -s "$work/sources.list" ]; then
  echo "No apt source of this host serves Debian 12: set IMAGO_DEBIAN_MIRROR to a Debian mirror's URL" >&2
  exit 1
fi
apt_options=()
while read -r option; do apt_options+=("--aptopt=$option"); done < <(host_acquire_options)

# What runs inside the user's namespace does so with foreign ids: disk and scripts lie in a folder
# that these can reach, under a name that nobody can guess, until the image is done.
shared=$(mktemp -d "${TMPDIR:-/tmp}/imago-bake-XXXXXXXXXX")
trap 'rm -rf "$shared"' EXIT
chmod 711 "$shared"
cp -R "$here/files" "$here"/*.sh "$here/../common/disk.sh" "$shared/"
chmod -R a+rX "$shared"/*
disk=$shared/disk.raw
partition_disk "$disk" $size_mib $esp_mib debian-root
export BAKE_SHARED=$shared BAKE_DISK=$disk BAKE_ROOT_START_MIB=$root_start_mib BAKE_ROOT_MIB=$root_mib
mode=root
if [ "$(id -u)" != 0 ]; then
  mode=unshare
  chmod 666 "$disk"
fi

echo "installing packages"
mmdebstrap --mode=$mode --variant=minbase --architectures=amd64 --format=null \
  --components=main --skip=check/qemu,output/dev --aptopt='APT::Install-Recommends "false"' "${apt_options[@]}" \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
  --include="$(sed 's/#.*//' "$here/packages" | xargs | tr ' ' ,)" \
  --essential-hook='. "$BAKE_SHARED/before-packages.sh"' \
  --customize-hook='. "$BAKE_SHARED/customize.sh"' \
  --customize-hook='. "$BAKE_SHARED/write-root.sh"' \
  bookworm /dev/null "$work/sources.list"

echo "writing the boot loader"
install_bios_grub "$disk" "$here/files/grub-early.cfg" linux normal configfile echo test
make_efi_grub "$work/esp/EFI/BOOT/BOOTX64.EFI" "$here/files/grub-early.cfg" linux normal configfile echo test efi_gop
make_esp "$disk" $esp_mib "$work/esp"
chmod 644 "$disk"
mv "$disk" "$output"
echo "baked $(du -m "$output" | cut -f1) MiB of data on a disk of $size_mib MiB"
