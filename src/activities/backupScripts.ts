/** What backups run on hosts, as the user that owns the product. Constant texts; values come as positional parameters. */
import { processesFunction } from './processLook';

/** Keeps of the paths below $home those that exist, as the script's own parameters. */
const existing = String.raw`
count=$#
while [ "$count" -gt 0 ]; do
  if product /usr/bin/test -e "$home/$1"; then set -- "$@" "$1"; fi
  shift; count=$((count - 1))
done
`;

/** Bytes that can be written below a folder that need not be there yet. */
const freeFunction = String.raw`
free_below() {
  parent=$1; while [ ! -d "$parent" ]; do parent=$(dirname "$parent"); done
  echo $(($(df -Pk "$parent" | awk 'NR==2 {print $4}') * 1024))
}
`;

/** $1 user, $2 FILEDRIVEHOME, $3 where backups go, $4 most bytes, then paths. Says how large the files are together and how much is free. Reads only. */
export const measureScript = String.raw`${freeFunction}
user=$1 home=$2 path=$3 most=$4 refused=; shift 4
product() { sudo -n -u "$user" "$@"; }
${existing}
echo "size $(product /usr/bin/tar -c -C "$home" "$@" | head -c "$((most + 1))" | wc -c)"
echo "free $(free_below "$path")"
for command in "/usr/bin/mkdir -p" "/usr/bin/chmod 700" /usr/bin/tee /usr/bin/cat /usr/bin/sha256sum "/usr/bin/rm -rf"; do
  sudo -n -u "$user" -l $command "$path/any/epoch-0" >/dev/null 2>&1 || refused="$refused, $command $path/*"
done
echo "refused $(printf '%s' "$refused" | cut -c 3-)"
`;

/**
 * $1 user, $2 FILEDRIVEHOME, $3 folder of the cluster's backups, $4 its folder of this operation, $5 name of the archive, $6 most bytes, then paths.
 * A whole archive that stands there was made by an earlier try of this operation and is kept. tar answers 1 for a file that changed while it was read: the
 * archive is whole all the same. Only the user that owns the product can read it: it holds the secret file.
 */
export const archiveScript = String.raw`
umask 077
user=$1 home=$2 root=$3 folder=$4 name=$5 most=$6; shift 6
product() { sudo -n -u "$user" "$@"; }
${existing}
file=$folder/$name
product /usr/bin/mkdir -p "$folder" && product /usr/bin/chmod 700 "$root" "$folder" || exit
if ! product /usr/bin/test -s "$file"; then
  ended=$( { { product /usr/bin/tar -c -z -C "$home" "$@"; echo "tar=$?" >&3; } | head -c "$((most + 1))" | product /usr/bin/tee "$file.unfinished" >/dev/null; echo "tee=$?" >&3; } 3>&1)
  case $ended in *tar=[01]*tee=0*) ;; *) echo "the archive was not written: $ended" >&2; exit 1 ;; esac
  product /usr/bin/chmod 600 "$file.unfinished" || exit
  product /usr/bin/cat "$file.unfinished" | gzip -t || { echo "$file.unfinished can't be read back" >&2; exit 1; }
  product /usr/bin/mv -f "$file.unfinished" "$file" || exit
fi
echo "sha256 $(product /usr/bin/sha256sum "$file" | cut -d' ' -f1)"
echo "size $(product /usr/bin/cat "$file" | wc -c)"
`;

/** Standard input to a file. $1 user, $2 folder of the cluster's backups, $3 its folder of this operation, $4 name. */
export const receiveScript = String.raw`
umask 077
user=$1 root=$2 folder=$3 file=$3/$4
product() { sudo -n -u "$user" "$@"; }
product /usr/bin/mkdir -p "$folder" && product /usr/bin/chmod 700 "$root" "$folder" &&
  product /usr/bin/tee "$file.unfinished" >/dev/null && product /usr/bin/chmod 600 "$file.unfinished"
`;

/** What was received is what was sent, or it never becomes a backup. $1 user, $2 file, $3 its SHA-256. */
export const acceptScript = String.raw`
product() { sudo -n -u "$user" "$@"; }
user=$1
found=$(product /usr/bin/sha256sum "$2.unfinished" | cut -d' ' -f1)
[ "$found" = "$3" ] || { echo "$2.unfinished has the SHA-256 $found, $3 was sent" >&2; exit 1; }
product /usr/bin/mv -f "$2.unfinished" "$2"
`;

/** Says the SHA-256 and the size of a file, nothing when it is not there. $1 user, $2 file. */
export const standingScript = String.raw`
product() { sudo -n -u "$user" "$@"; }
user=$1
product /usr/bin/test -s "$2" || exit 0
echo "sha256 $(product /usr/bin/sha256sum "$2" | cut -d' ' -f1)"
echo "size $(product /usr/bin/cat "$2" | wc -c)"
`;

/** Removes the oldest operations' backups of this cluster. $1 user, $2 folder of the cluster's backups, $3 how many are kept. Says what it removed. */
export const pruneScript = String.raw`
user=$1 root=$2 keep=$3
product() { sudo -n -u "$user" "$@"; }
listed=$(product /usr/bin/ls -la "$root") || exit
printf '%s\n' "$listed" | sed -n 's/^d.* \(epoch-[0-9][0-9]*\)$/\1/p' | sort -t- -k2 -n -r | tail -n "+$((keep + 1))" | while read -r old; do
  product /usr/bin/rm -rf "$root/$old" && echo "removed $old"
done
`;

/**
 * $1 user, $2 FILEDRIVEHOME, $3 where backups go. Whether a product is installed, runs (`no` only where that can be seen) and can be exported; what sudo refuses. Reads only.
 * To be run at a terminal: a host that gives none is found out by it.
 */
export const edgeReadyScript = String.raw`${processesFunction}
user=$1 home=$2 path=$3 refused=
product() { sudo -n -u "$user" "$@"; }
yes_if() { if "$@"; then echo yes; else echo no; fi; }
echo "installed $(yes_if product /usr/bin/test -e "$home/bin/start_all")"
echo "program $(yes_if product /usr/bin/test -x "$home/bin/system_export")"
if running=$(product_processes "$user" "$home"); then echo "runs $(yes_if [ -n "$running" ])"; else echo "runs unknown"; fi
for command in "/usr/bin/mkdir -p" "/usr/bin/chmod 700" /usr/bin/cat /usr/bin/sha256sum "/usr/bin/rm -rf"; do
  sudo -n -u "$user" -l $command "$path/any/epoch-0" >/dev/null 2>&1 || refused="$refused, $command $path/*"
done
if product /usr/bin/test -x "$home/bin/system_export"; then
  sudo -n -u "$user" -l "$home/bin/system_export" "-exf=$path/any/epoch-0/any" >/dev/null 2>&1 || refused="$refused, $home/bin/system_export"
fi
echo "refused $(printf '%s' "$refused" | cut -c 3-)"
`;

/** Exit codes of `exportScript` that its caller tells by itself. */
export const exportExit = { tooLarge: 45 } as const;

/**
 * $1 user, $2 FILEDRIVEHOME, $3 folder of the cluster's backups, $4 its folder of this operation, $5 name of the file, $6 most bytes. To be run at a terminal.
 * A whole export that stands there was made by an earlier try of this operation and is kept; who tries while another export runs waits for its end, since both would write
 * the same file. What an export that failed left is removed: it may have filled the disk.
 */
export const exportScript = String.raw`
umask 077
user=$1 home=$2 root=$3 folder=$4 name=$5 most=$6
product() { sudo -n -u "$user" "$@"; }
file=$folder/$name
fail() { product /usr/bin/rm -rf "$file.unfinished"; [ -z "$2" ] || echo "$2"; exit "$1"; }
exec 7<"$HOME/.st-orchestrator" && flock -w 60 7 || { echo "another export still runs on this host"; exit 1; }
product /usr/bin/mkdir -p "$folder" && product /usr/bin/chmod 700 "$root" "$folder" || exit
if ! product /usr/bin/test -s "$file"; then
  product /usr/bin/rm -rf "$file.unfinished" || exit
  product "$home/bin/system_export" "-exf=$file.unfinished" 7<&- || fail 1 "system_export ended with exit code $?"
  product /usr/bin/test -s "$file.unfinished" || fail 1 "system_export ended well and wrote nothing to $file.unfinished"
  product /usr/bin/chmod 600 "$file.unfinished" || fail 1 ""
  size=$(product /usr/bin/cat "$file.unfinished" | wc -c)
  if [ "$size" -gt "$most" ]; then echo; echo "size $size"; fail ${exportExit.tooLarge} ""; fi
  product /usr/bin/mv -f "$file.unfinished" "$file" || fail 1 ""
fi
echo
echo "sha256 $(product /usr/bin/sha256sum "$file" | cut -d' ' -f1)"
echo "size $(product /usr/bin/cat "$file" | wc -c)"
`;

/** Of a map file on a balancer's host, into the login's own folder. $1 map, $2 cluster, $3 epoch, $4 how many are kept. */
export const mapScript = String.raw`
umask 077
root=$HOME/.st-orchestrator/clusters/$2/backups folder=$HOME/.st-orchestrator/clusters/$2/backups/epoch-$3
file=$folder/$(basename "$1")
mkdir -p "$folder" || exit
if [ ! -s "$file" ]; then cp "$1" "$file.unfinished" && sync "$file.unfinished" && mv -f "$file.unfinished" "$file" || exit; fi
ls "$root" | grep '^epoch-[0-9]*$' | sort -t- -k2 -n -r | tail -n "+$(($4 + 1))" | while read -r old; do rm -rf "$root/$old"; done
echo "path $file"
echo "sha256 $(sha256sum "$file" | cut -d' ' -f1)"
echo "size $(wc -c <"$file")"
`;

/** `word value` lines. */
export function readWords(stdout: string): Map<string, string> {
  return new Map(stdout.split('\n').filter((line) => line.includes(' ')).map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1).trim()]));
}
