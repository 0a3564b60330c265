# A GPT disk in a file that boots from its own root partition, under BIOS and under UEFI: sourced by
# the bake.sh files. Needs neither root nor loop devices: every tool writes at an offset of the file.
#
#   1  BIOS boot   1 MiB    GRUB's core image, read by the boot sector
#   2  ESP         FAT      EFI/BOOT/BOOTX64.EFI, the same GRUB for UEFI
#   3  root        ext4     to the end of the disk; the last, so that it can grow with the disk

esp_start_mib=2

# partition_disk FILE SIZE_MIB ESP_MIB NAME: an empty disk; sets root_start_mib and root_mib.
partition_disk() {
  local file=$1 size_mib=$2 esp_mib=$3 name=$4
  root_start_mib=$((esp_start_mib + esp_mib))
  root_mib=$((size_mib - root_start_mib - 1))
  rm -f "$file"
  truncate -s "${size_mib}M" "$file"
  sfdisk --quiet "$file" <<END
label: gpt
start=1MiB, size=1MiB, type=21686148-6449-6E6F-744E-656564454649, name=bios
start=${esp_start_mib}MiB, size=${esp_mib}MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=esp
start=${root_start_mib}MiB, size=${root_mib}MiB, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, name=$name
END
}

# make_esp FILE ESP_MIB FOLDER: the ESP with what FOLDER holds.
make_esp() {
  local at="$1@@${esp_start_mib}M"
  mformat -i "$at" -T $(($2 * 2048)) -h 64 -s 32 -H $((esp_start_mib * 2048)) -v ESP ::
  mcopy -s -i "$at" "$3"/* ::
}

# make_root FILE FOLDER LABEL: ext4 with what FOLDER holds, written at the partition's place.
make_root() {
  mke2fs -q -F -t ext4 -b 4096 -L "$3" -d "$2" \
    -E "offset=$((root_start_mib << 20)),lazy_itable_init=0,lazy_journal_init=0,nodiscard,root_owner=0:0" \
    "$1" "${root_mib}M"
}

# GRUB finds the disk it was started from and completes the prefix `(,gpt3)` with it: a second disk
# made of the same image beside it does not confuse it.
grub_prefix='(,gpt3)/boot/grub'

# install_bios_grub FILE CONFIG MODULE…: boot sector and core image, as grub-bios-setup would write
# them (the three patched fields are those of grub's own boot.h: where the core starts, and where the
# rest of the core is).
install_bios_grub() {
  local file=$1 config=$2 core boot core_sector=2048
  shift 2
  core=$(mktemp) boot=$(mktemp)
  grub-mkimage -O i386-pc -p "$grub_prefix" -c "$config" -o "$core" biosdisk part_gpt ext2 "$@"
  cp /usr/lib/grub/i386-pc/boot.img "$boot"
  le64 $core_sector | poke "$boot" 92
  printf '\x90\x90' | poke "$boot" 102
  le64 $((core_sector + 1)) | poke "$core" 500
  dd if="$core" of="$file" bs=512 seek=$core_sector conv=notrunc status=none
  dd if="$boot" of="$file" bs=440 count=1 conv=notrunc status=none
  rm -f "$core" "$boot"
}

# make_efi_grub OUTPUT CONFIG MODULE…
make_efi_grub() {
  local output=$1 config=$2
  shift 2
  mkdir -p "$(dirname "$output")"
  grub-mkimage -O x86_64-efi -p "$grub_prefix" -c "$config" -o "$output" part_gpt ext2 fat "$@"
}

# poke FILE OFFSET: standard input over the bytes of FILE from OFFSET on.
poke() { dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

# le64 NUMBER: eight bytes, the least first.
le64() {
  local number=$1 index
  for index in 1 2 3 4 5 6 7 8; do
    printf "\\x$(printf %02x $((number & 255)))"
    number=$((number >> 8))
  done
}

# own_by_root FILE FOLDER: gives every inode to root in the file system, whoever owned it in FOLDER.
own_by_root() {
  (cd "$2" && find . -mindepth 1 -printf 'sif "/%P" uid 0\nsif "/%P" gid 0\n') >"$2.owners"
  debugfs -w -f "$2.owners" "$1?offset=$((root_start_mib << 20))" >/dev/null 2>&1
  rm -f "$2.owners"
}
