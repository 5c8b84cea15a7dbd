#!/bin/sh
# Silent installation of a SecureTransport Server: setup.sh -s /absolute/path/Install_Axway_Installer_V4.10.properties
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
here=$(cd "$here" && pwd) || exit 1

if [ "$#" -ne 2 ] || [ "$1" != -s ]; then
  echo "Usage: setup.sh -s <absolute path of the installer's properties file>" >&2
  exit 1
fi

# Where the stand-in's programs are; what the environment says wins.
if [ -r "$here/standin.env" ]; then
  while IFS='=' read -r name value || [ -n "$name" ]; do
    case $name in
      NODE | STANDIN | PRODUCT_TIME_MS | LIES | SEED)
        eval "given=\${$name+yes}"
        [ -n "$given" ] || export "$name=$value"
        ;;
    esac
  done < "$here/standin.env"
fi
if [ -z "$NODE" ] || [ -z "$STANDIN" ]; then
  echo "Installation failed: $here/standin.env does not name NODE and STANDIN" >&2
  exit 1
fi
umask 027
exec "$NODE" "$STANDIN/install.js" "$2" "$here"
