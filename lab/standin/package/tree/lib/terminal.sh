# What is asked for at a terminal. POSIX shell.

needs_terminal() {
  ( : < /dev/tty ) 2> /dev/null || { echo "The password is asked for at a terminal, and there is none." >&2; exit 1; }
}

needs_running() {
  for service in "$@"; do
    is_running "$service" || { echo "$service does not run: the database and the Administration Tool must." >&2; exit 1; }
  done
}

# Asks with $1 and sets answer; what is typed is not shown, and the terminal is afterwards as it was.
ask() {
  kept=$(stty -g < /dev/tty)
  trap 'stty "$kept" < /dev/tty; exit 130' HUP INT TERM
  stty -echo < /dev/tty
  printf '%s' "$1" > /dev/tty
  answer=
  IFS= read -r answer < /dev/tty || answer=
  stty "$kept" < /dev/tty
  trap - HUP INT TERM
  printf '\n' > /dev/tty
}
