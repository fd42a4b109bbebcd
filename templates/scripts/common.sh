# POSIX sh: dash, bash, busybox, ksh and mksh run it alike.
set -euf +C
# What the caller's shell has set for tools changes nothing here.
unset CDPATH GREP_OPTIONS GZIP POSIXLY_CORRECT TAR_OPTIONS XZ_DEFAULTS XZ_OPT ZSTD_CLEVEL
export LC_ALL=C
umask 022
newline='
'
tab=$(printf '\t')
IFS=$newline # a list holds one entry a line, so entries may contain blanks

me=${0##*/}
total=0
count() { total=$((total + 1)); }
each_image count

# Prints texts, whoever has written them: an archive, a registry, a tool. Signs that would steer a
# terminal, or hide what is there, are left out.
hidden=$(printf 's/\302[\200-\237]//g; s/\342\200[\213-\217\252-\256]//g; s/\342\201[\240-\251]//g')
say() {
    case $* in
        *[!\ -~"$newline$tab"]*) printf '%s\n' "$@" | tr -d '\000-\010\013-\037\177' | sed "$hidden" ;;
        *) printf '%s\n' "$@" ;;
    esac
}

# Whether a list has a line that begins so.
has() { # LIST BEGINNING
    case $newline$1 in
        *"$newline$2"*) ;;
        *) return 1 ;;
    esac
}

complained=
complain() { # MESSAGE [HELP]
    complained=yes
    say "error: $1"
    [ $# -lt 2 ] || say "help: $2"
} >&2

die() {
    complain "$@"
    exit 1
}

misuse() {
    complain "$1" "${2:-$me --help lists the options}"
    exit 2
}

# An option's value is the word after it.
need_value() { [ -n "${2-}" ] || misuse "$1 needs a value"; }

# Later steps change the folder, so a path is made absolute when it is read.
absolute() {
    case $1 in
        /*) printf '%s\n' "$1" ;;
        *) printf '%s\n' "${PWD%/}/$1" ;;
    esac
}
[ -z "${TMPDIR-}" ] || TMPDIR=$(absolute "$TMPDIR")

need_tools() {
    absent=
    for tool; do
        # Not a function of that name, which this script may have.
        (unset -f "$tool" && command -v "$tool") >/dev/null 2>&1 || absent="$absent $tool"
    done
    [ -z "$absent" ] || die "not installed:$absent" "install it with this system's package manager, then run $me again"
}

need_folder() { # FOLDER OPTION
    [ -d "$1" ] || die "there is no folder $1" "$2 names it"
}

# A folder for temporary files. From here on, whatever ends the script also stops what it runs, and
# its background jobs, whose PIDs begin the lines of $queue, and removes that folder.
running=
queue=
make_scratch() { # PARENT NAME
    scratch=$(mktemp -d "$1/$2.XXXXXX") || die "cannot make a temporary folder in $1" "TMPDIR names another place"
    trap leave EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

leave() {
    status=$?
    for job in $running $queue; do kill "${job%% *}" 2>/dev/null || :; done
    wait # for who might still write there
    case $status in
        0 | 129 | 130 | 143) ;;
        *)
            status=1 # a tool's own would be taken for one of ours
            [ -n "$complained" ] || (need_room) || :
            ;;
    esac
    rm -rf "$scratch"
    exit "$status"
}

# Runs a tool to its end, or to the script's: while a shell waits for what is in the foreground, its
# traps wait too. Sets $result to the tool's status; what it printed is in the two files.
run() { # COMMAND...
    "$@" >"$scratch/output" 2>"$scratch/errors" &
    running=$!
    result=0
    wait "$running" || result=$?
    running=
    return "$result"
}

# Whether a file or a folder is this user's, or root's, and nobody else can put anything into it.
is_ours() { # PATH
    [ -n "$(find "$1" -prune ! -type l ! -perm -002 \( -user "$(id -u)" -o -user 0 \))" ]
}

# Two runs at once: the second waits. The lock ends with its process, however that ends. It is in a
# folder of its own that nobody else can enter, or anybody could hold it. It comes before make_scratch: a
# script without traps can be ended while it waits.
lock() { # FOLDER HELP
    { mkdir -m 700 "$1" 2>/dev/null || [ -d "$1" ]; } || die "cannot make the lock $1" "$2"
    folder=$PWD
    { cd "$1" 2>/dev/null && is_ours .; } || die "the lock $1 is another user's" "$2"
    exec 9>>pid
    cd "$folder"
    waited=0
    while :; do
        locked=0
        flock -n 9 9>&9 || locked=$? # ksh gives a tool no file that it is not told to
        case $locked in
            0) break ;;
            1) ;;
            *) die "cannot take the lock $1" "flock says why above; a disk of another machine may have no locks" ;;
        esac
        [ $((waited % 60)) -ne 0 ] || say "another run is at work here, process $(cat "$1/pid"): waiting for it ($1)"
        sleep 1
        waited=$((waited + 1))
    done
    echo "$$" >"$1/pid"
}

# jq reads a file of the user's home before anything else.
jq() { HOME=$scratch command jq "$@"; }

# Progress, one line an image: step begins it; say, or fail with the reason, ends it.
number=0
failed=
step() { # REFERENCE
    number=$((number + 1))
    announce "$1"
}

announce() { # REFERENCE
    current=$1
    printf '[%s/%s] %s ... ' "$number" "$total" "$1"
}

fail() { # REASON [REMEDY]
    say "FAILED: $1"
    failed="$failed$newline  $current: $1"
    advise "${2-}"
}

# What helps, each remedy once.
remedies=
advise() { # REMEDY
    [ -z "$1" ] || has "$remedies" "$1$newline" || remedies=$remedies$1$newline
}

again="run it again: what is done is not done twice"
die_if_failed() {
    [ -n "$failed" ] || return 0
    complain "not every image of Kubernetes $kubernetes is there; missing:$failed"
    for remedy in ${remedies:-fix what is said above}; do say "help: $remedy, then $again"; done >&2
    exit 1
}

# Why a tool failed: the last line that it printed, or else its status.
find_cause() {
    cause=$(sed -n '/./h; $ { x; p; }' "$scratch/errors" | undress)
    if [ -n "$cause" ]; then return; fi
    need_room
    cause="it ended with status $result"
}

# Takes skopeo's decoration off a line, and what a URL has behind its path, which may be secret.
undress() {
    sed 's/^time=.* msg="\(.*\)"$/\1/; s/\\[nt]/ /g; s/\\"/"/g; s/^Error parsing image name "[^"]*": //
        s/\(https*:[^ "?]*\)?[^ "]*[^ ":]/\1/g'
}

# On a full disk a tool fails without a word, and the best archive looks damaged.
need_room() {
    { say room >"$scratch/room"; } 2>/dev/null ||
        die "no space left on device: cannot write in $scratch" "make room, or name another place with TMPDIR; then $again"
    rm -f "$scratch/room"
}
