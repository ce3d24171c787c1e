# Runs a server for a test process, and does not outlive it: standard input is a pipe from that process, which ends
# when it ends, however it does. A shell can do this and needs nothing of the system that Rust calls unsafe.
#
#   sh -c "$this" NAME FOLDER LAST AFTER PROGRAM ARGUMENTS..
#
# Standard output is the server's, both its streams. Standard error answers: first with the process of the server,
# then with a line for each order. An order is a line: STOP, CONT, KILL are signals, LEAVE ends only this shell. At
# the end of the input, the server gets the signal LAST, and then AFTER is done and FOLDER removed.
folder=$1 last=$2 after=$3
shift 3

"$@" </dev/null 2>&1 &
server=$!
# The log ends with the server, and neither a key nor a test process that is gone ends this shell: if the server
# stands still then, the system takes the whole group for forgotten and sends it HUP.
exec >/dev/null
trap '' HUP INT TERM PIPE

# Sets `family` to the server and the processes which it started. It is stopped first, or it could start another.
find_family() {
    kill -s STOP "$server"
    family=$server
    for stat in /proc/[0-9]*/stat; do
        read -r line <"$stat" || continue
        set -- ${line##*) }
        child=${stat%/stat}
        [ "$2" = "$server" ] && family="$family ${child#/proc/}"
    done
} 2>/dev/null

# Waits until no thread of the family is in one of the states $1, for a signal takes effect only somewhat later.
wait_while() {
    for process in $family; do
        for thread in "/proc/$process"/task/*; do
            while :; do
                line=
                read -r line <"$thread/stat"
                set -- "$1" ${line##*) }
                case ${2:-gone} in
                [$1]) ;;
                *) break ;;
                esac
            done
        done
    done
} 2>/dev/null

end_with() {
    [ -n "$server" ] || return
    find_family
    kill -s "$1" $family
    kill -s CONT $family
    wait "$server"
    wait_while RSDT
    server=
} 2>/dev/null

echo "$server" >&2
while read -r order; do
    case $order in
    STOP)
        find_family
        kill -s STOP $family
        wait_while RSD
        ;;
    CONT)
        find_family
        kill -s CONT $family
        ;;
    KILL) end_with KILL ;;
    LEAVE) exit ;;
    esac
    echo done >&2
done

end_with "$last"
cd /
eval "$after"
rm -rf "$folder"
