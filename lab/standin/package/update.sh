#!/bin/sh
# What an operator's own program that updates one node may look like, for the practice estate: product.update.command: [/opt/install/SecureTransport_5.5/update.sh].
# It hears of ST_VERSION (the new build), ST_NODE, ST_ROLE, ST_USER and FILEDRIVEHOME, and runs while nothing of the product does.
# UPDATE_SECONDS, UPDATE_FAILS and UPDATE_WRONG in the file update.env of the login user's home folder make it slow, fail, or install another build on the node of that name;
# UPDATE_BESIDE_OLDER=yes makes it an update whose notes allow both builds on one schema.
here=$(cd "${0%/*}" && pwd) || exit 1
UPDATE_SECONDS=0 UPDATE_FAILS= UPDATE_WRONG= UPDATE_BESIDE_OLDER=no
[ ! -r "$HOME/update.env" ] || . "$HOME/update.env"
product() { sudo -n -u "$ST_USER" "$@"; }
echo "Updating $ST_ROLE $ST_NODE in $FILEDRIVEHOME to $ST_VERSION with $here."
sleep "$UPDATE_SECONDS"
[ "$UPDATE_FAILS" != "$ST_NODE" ] || { echo "The update of $ST_NODE failed, as it was told to." >&2; exit 3; }
build=$ST_VERSION
[ "$UPDATE_WRONG" != "$ST_NODE" ] || build=5.5-20990101
file="$FILEDRIVEHOME/lib/version.properties"
content=$(product /usr/bin/cat "$file") || exit 1
{
  printf '%s\n' "$content" | sed -e '/^BesideOlder=/d' -e "s/^\(Build *= *\).*/\1$build/"
  [ "$UPDATE_BESIDE_OLDER" != yes ] || echo BesideOlder=yes
} | product /usr/bin/tee "$file" >/dev/null || exit 1
echo "The update of $ST_NODE is complete."
