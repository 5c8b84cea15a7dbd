#!/bin/sh
# Becomes one host of the lab. Runs as process 1 of new mount, name, IPC and process namespaces, inside the host's network
# namespace: builds a root of its own in memory, moves into it, and ends as sshd. Nothing is created on the machine's own
# file system, and nothing of the machine is seen in the host but its programs.
# From the environment: HOST (name), FOLDER (of this host), MOUNTS (file: source, target, ro|rw, tab-separated).
set -eu
umask 022
root=$FOLDER/root
tab=$(printf '\t')

echo "$HOST" > /proc/sys/kernel/hostname
mount -t tmpfs -o mode=0755,size=512m lab-root "$root"
cd "$root"
mkdir -p usr etc dev proc sys run/sshd root home opt srv var/log var/empty var/tmp var/lib/sudo/lectured tmp .machine
chmod 0700 root
chmod 1777 tmp var/tmp
ln -s ../run var/run

mount --bind /usr usr
mount -o remount,bind,ro usr
for d in bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$d" ]; then
    cp -a "/$d" "$d"
  elif [ -d "/$d" ]; then
    mkdir "$d"
    mount --bind "/$d" "$d"
    mount -o remount,bind,ro "$d"
  fi
done

# Of the machine's /etc only what programs need to run; who there is and what they may do comes from the lab.
for f in ld.so.cache ld.so.conf localtime timezone services protocols login.defs terminfo inputrc os-release debian_version; do
  if [ -e "/etc/$f" ]; then cp -a "/etc/$f" "etc/$f"; fi
done
for d in ssl alternatives; do
  if [ -d "/etc/$d" ]; then
    mkdir "etc/$d"
    mount --bind "/etc/$d" "etc/$d"
    mount -o remount,bind,ro "etc/$d"
  fi
done
cp -a "$FOLDER/etc/." etc/

mount -t tmpfs -o mode=0755,size=64k lab-dev dev
mkdir dev/pts dev/shm
for d in null zero full random urandom tty; do
  : > "dev/$d"
  mount --bind "/dev/$d" "dev/$d"
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 lab-pts dev/pts
mount -t tmpfs -o mode=1777 lab-shm dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr

mount -t proc lab-proc proc
mount -t sysfs -o ro lab-sys sys || true

while IFS="$tab" read -r from to mode; do
  to=${to#/}
  mkdir -p "$to"
  mount --bind "$from" "$to"
  if [ "$mode" = ro ]; then mount -o remount,bind,ro "$to"; fi
done < "$MOUNTS"

pivot_root . .machine
cd /
umount -l /.machine
rmdir /.machine

# What this host starts by itself at power-on: the database and the balancer have one, Servers only when a test gives them one.
if [ -x /etc/st-lab/init ]; then
  /etc/st-lab/init < /dev/null > /var/log/init.log 2>&1 &
fi
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /usr/sbin/sshd -D -e -f /etc/ssh/sshd_config
