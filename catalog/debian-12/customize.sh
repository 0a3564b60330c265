# After the packages: this recipe's own files, and nothing that two instances must not share.
# $1 is the new root.
set -eu
cp -R "$BAKE_SHARED/files/etc/." "$1/etc/"
mkdir -p "$1/boot/grub"
cp "$BAKE_SHARED/files/boot/grub/grub.cfg" "$1/boot/grub/grub.cfg"
chroot "$1" chown -R root:root /etc/systemd/system/cloud-init.service.d /etc/systemd/system/systemd-networkd-wait-online.service.d /etc/cloud /etc/systemd/network /etc/initramfs-tools /boot/grub /etc/fstab

# The guest trusts the mirror by Debian's own keyring, wherever the host has it.
cat "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*.list 2>/dev/null |
  sed -nE 's#^deb (\[[^]]*\] )?#deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] #p' >"$1/sources"
rm -f "$1"/etc/apt/sources.list.d/*
mv "$1/sources" "$1/etc/apt/sources.list"

chroot "$1" systemctl --quiet enable systemd-networkd systemd-resolved serial-getty@ttyS0 ssh
# Work that nobody asked for on a machine which may live for minutes.
chroot "$1" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service
# Metadata is only there once the network is, so the stage before it would find nothing (see
# files/etc/systemd/system/cloud-init.service.d).
chroot "$1" systemctl --quiet mask cloud-init-local.service
chroot "$1" passwd --quiet --lock root
echo localhost >"$1/etc/hostname"
printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n' >"$1/etc/hosts"
ln -sf ../run/systemd/resolve/stub-resolv.conf "$1/etc/resolv.conf"

# Identity, traces of the baking, and what can be fetched again.
: >"$1/etc/machine-id"
rm -f "$1"/etc/ssh/ssh_host_* "$1/var/lib/dbus/machine-id" "$1/var/lib/systemd/random-seed" \
  "$1/var/lib/systemd/credential.secret" "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap"
find "$1/var/log" -type f -delete
rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/var/cache/debconf/*-old "$1"/var/lib/dpkg/*-old
mkdir -p "$1/var/lib/apt/lists/partial" "$1/var/cache/apt/archives/partial"
