# A graceful stop, after the command that asked for it has gone: stopper.sh SERVICE SECONDS
# It keeps its own clock. Whatever runs under the service's name when the work is done or the time is up is stopped, also one started since.
. "${0%/*}/service.sh"
service=$1
left=$(($2 * 5))
while is_running "$service" && [ "$left" -gt 0 ]; do
  sleep 0.2
  left=$((left - 1))
  state= busy=
  read -r state busy 2> /dev/null < "$RUN/$service.state"
  [ "${busy:-0}" -gt 0 ] || break
done
lock "$service"
rm -f "$RUN/$service.wanted" "$RUN/$service.retries"
if is_running "$service"; then end_service "$service"; fi
