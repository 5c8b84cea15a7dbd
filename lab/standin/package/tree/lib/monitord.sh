# The Monitor server: restarts what an administrator started and what died. monitord.sh FILEDRIVEHOME monitord
. "${0%/*}/service.sh"
trap 'exit 0' TERM INT

say() {
  echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $*"
}

# setting SERVICE retryCount|retryDelay DEFAULT
setting() {
  found=$3
  key=$(echo "$1" | tr '[:lower:]' '[:upper:]')
  while IFS='=' read -r name value || [ -n "$name" ]; do
    [ "$name" != "Monitor.$key.$2" ] || found=$value
  done < "$FILEDRIVEHOME/conf/monitor.schedule.properties"
  echo "$found"
}

# Restarts service $1 when it is still wanted: a stop may have come between the look and the lock.
restart() {
  count=0 due=0
  [ ! -e "$RUN/$1.retries" ] || read -r count due < "$RUN/$1.retries"
  limit=$(setting "$1" retryCount 3)
  [ "$count" -lt "$limit" ] && [ "$tick" -ge "$due" ] || return 0
  lock "$1"
  if [ -e "$RUN/$1.wanted" ] && ! is_running "$1"; then
    count=$((count + 1))
    say "$1 does not run: start $count of at most $limit."
    launch "$1"
    echo "$count $((tick + $(setting "$1" retryDelay 1)))" > "$RUN/$1.retries"
    [ "$count" -lt "$limit" ] || say "$1 is not started again before an administrator starts it."
  fi
  unlock
}

say "The Monitor server runs."
tick=0
while :; do
  for service in $CORE $DAEMONS; do
    [ -e "$RUN/$service.wanted" ] || continue
    if ! is_running "$service"; then
      restart "$service"
    elif [ -e "$RUN/$service.retries" ]; then
      # It came up: the count starts anew when it dies again.
      state=
      read -r state busy 2> /dev/null < "$RUN/$service.state"
      [ "$state" != Running ] || rm -f "$RUN/$service.retries"
    fi
  done
  sleep 1 &
  wait $!
  tick=$((tick + 1))
done
