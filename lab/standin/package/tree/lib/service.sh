# What the commands in bin/ share. POSIX shell; setsid and flock come from util-linux.
# A service is described by var/run/<service>.pid, .state ("Running 2": state and sessions or tasks), .wanted (an administrator
# started it) and .retries (restarts by monitord since then: count and when the next one is due).

umask 027
FILEDRIVEHOME=$(cd "${0%/*}/.." && pwd) || exit 1
RUN=$FILEDRIVEHOME/var/run
LOGS=$FILEDRIVEHOME/var/logs
DAEMONS="ftpd httpd as2d sshd pesitd"
# A Server has a Transaction Manager; an Edge has none, but a database of its own and a proxy.
EDGE=
CORE="admin tm"
if [ -e "$FILEDRIVEHOME/bin/start_db" ]; then EDGE=yes CORE="db admin proxy"; fi

while IFS='=' read -r name value || [ -n "$name" ]; do
  case $name in
    NODE | STANDIN | PRODUCT_TIME_MS | LIES | SEED)
      eval "given=\${$name+yes}"
      [ -n "$given" ] || export "$name=$value"
      ;;
  esac
done < "$FILEDRIVEHOME/lib/standin.env"

# True when service $1 runs; sets pid. A pid file proves nothing after a power cut (numbers return), so the command line must be ours.
is_running() {
  pid=
  read -r pid 2> /dev/null < "$RUN/$1.pid" || [ -n "$pid" ] || return 1
  looks=1000
  while :; do
    line=
    read -r line 2> /dev/null < "/proc/$pid/cmdline"
    case $line in *"$FILEDRIVEHOME$1") return 0 ;; ?*) return 1 ;; esac
    # A process that is becoming another program has no command line for a moment; one that has ended has none any more.
    stat=
    read -r stat 2> /dev/null < "/proc/$pid/stat" || return 1
    case ${stat##*) } in [ZX]*) return 1 ;; esac
    looks=$((looks - 1))
    [ "$looks" -gt 0 ] || return 1
  done
}

# What was wanted before the machine went down is not wanted now. The start time of process 1 tells one boot from the next.
forget_last_boot() {
  read -r stat 2> /dev/null < /proc/1/stat || return 0
  stat=${stat##*) }
  boot=$(set -- $stat; echo "${20}")
  known=
  [ ! -e "$RUN/boot" ] || read -r known < "$RUN/boot"
  [ "$known" != "$boot" ] || return 0
  rm -f "$RUN"/*.wanted "$RUN"/*.retries "$RUN"/*.state "$RUN"/*.pid
  echo "$boot" > "$RUN/boot"
}

# Starts the process of service $1 and returns before it is up. Call with the service's lock held on descriptor 9.
launch() {
  rm -f "$RUN/$1.state" "$RUN/$1.pid"
  case $1 in
    monitord) spawn monitord /bin/sh "$FILEDRIVEHOME/lib/monitord.sh" "$FILEDRIVEHOME" monitord ;;
    db) launch_database ;;
    admin | tm) launch_node "$1" "$1" ;;
    proxy) launch_node edgeproxy proxy ;;
    *)
      if [ -n "$EDGE" ]; then launch_node edgedaemon "$1"
      elif [ "$1" = sshd ] || [ "$1" = httpd ]; then launch_node frontdaemon "$1"
      else launch_node daemon "$1"; fi
      ;;
  esac
  patience=400
  until is_running "$1"; do
    patience=$((patience - 1))
    # One that came up later, unseen, would make the next start a second process.
    [ "$patience" -gt 0 ] || { kill -KILL $! 2> /dev/null; return 1; }
    [ "$patience" -gt 300 ] || sleep 0.01
  done
}

# spawn SERVICE PROGRAM...: in a session of its own. The new process keeps the lock until it has written its pid file, so that a start
# that is killed half-way leaves either nothing or a service that others recognise.
spawn() {
  log=$LOGS/$1.log pidfile=$RUN/$1.pid
  shift
  setsid /bin/sh -c 'echo $$ > "$0" && exec "$@" 9>&-' "$pidfile" "$@" < /dev/null >> "$log" 2>&1 &
}

# Small heaps: twenty Servers share one machine.
launch_node() {
  UV_THREADPOOL_SIZE=2 spawn "$2" "$NODE" --max-semi-space-size=2 --max-old-space-size=96 "$STANDIN/$1.js" "$FILEDRIVEHOME" "$2"
}

# The embedded database. Its last argument is what is_running looks for; a pid file it left is from before the power went, since nothing runs.
launch_database() {
  rm -f "$FILEDRIVEHOME/var/db/data/postmaster.pid"
  spawn db "$(cat "$FILEDRIVEHOME/lib/database.path")/postgres" -D "$FILEDRIVEHOME/var/db/data" -k "$FILEDRIVEHOME/var/db" -c "standin.service=${FILEDRIVEHOME}db"
}

lock() {
  exec 9> "$RUN/$1.lock"
  flock 9
}

unlock() {
  exec 9>&-
}

start_service() {
  lock boot
  forget_last_boot
  unlock
  lock "$1"
  : > "$RUN/$1.wanted"
  rm -f "$RUN/$1.retries"
  if is_running "$1"; then
    # A graceful stop under way is not called off: the service answers again until that stop's clock says otherwise.
    # WINCH, because a service that is just starting ignores it; USR1 would open node's debugger.
    [ "$1" = monitord ] || kill -WINCH "$pid" 2> /dev/null
    echo "$1 is already running."
  elif launch "$1"; then
    echo "$1 was started."
  else
    echo "$1 could not be started, see $LOGS/$1.log." >&2
    unlock
    return 1
  fi
  unlock
  [ "$1" = monitord ] || start_service monitord > /dev/null
}

# stop_service SERVICE [-g] [-timeout SECONDS]
stop_service() {
  service=$1
  shift
  graceful=
  timeout=86400
  [ "$service" != httpd ] || timeout=30
  while [ "$#" -gt 0 ]; do
    case $1 in
      -g) graceful=yes ;;
      -timeout)
        timeout=${2-}
        [ "$#" -lt 2 ] || shift
        ;;
      *)
        echo "Unknown argument $1" >&2
        return 2
        ;;
    esac
    shift
  done
  case $timeout in '' | *[!0-9]*)
    echo "-timeout takes a number of seconds" >&2
    return 2
    ;;
  esac
  case $service in admin | monitord | db | proxy) graceful= ;; esac

  lock "$service"
  rm -f "$RUN/$service.wanted" "$RUN/$service.retries"
  if ! is_running "$service"; then
    echo "$service is not running."
  elif [ -n "$graceful" ]; then
    kill -USR2 "$pid"
    setsid /bin/sh "$FILEDRIVEHOME/lib/stopper.sh" "$service" "$timeout" < /dev/null >> "$LOGS/$service.log" 2>&1 9>&- &
    echo "The graceful shutdown of $service was started."
  else
    end_service "$service"
    echo "$service was stopped."
  fi
  unlock
}

# Ends the process of service $1 and returns when it is gone; one that does not react within 10 s is killed.
end_service() {
  # TERM would let the database wait for its clients.
  if [ "$1" = db ]; then kill -INT "$pid" 2> /dev/null; else kill -TERM "$pid" 2> /dev/null; fi
  patience=200
  while is_running "$1"; do
    patience=$((patience - 1))
    [ "$patience" -gt 0 ] || kill -KILL "$pid" 2> /dev/null
    sleep 0.05
  done
}

# The services an administrator may have started here, the daemons first; a disabled daemon is not among them.
enabled_daemons() {
  for daemon in $DAEMONS; do
    [ ! -e "$FILEDRIVEHOME/bin/start_$daemon" ] || echo "$daemon"
  done
}
