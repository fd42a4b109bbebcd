# Opens an archive of pull.sh, in which there may be nothing that is not in the table, into a folder of
# our own. Sets $held to lines "NAME ARCHITECTURE", and $built_for to the architecture, which is the given
# one if one is given.
open_archive() { # FILE FOLDER [ARCHITECTURE]
    check_sum "$1"
    [ -z "$problem" ] || die "$problem" "copy the archive and its .sha256 again, or make them anew with pull.sh"
    advice="take one that pull.sh has made for Kubernetes $kubernetes${3+ on $3}"
    read_archive "$1" "$2"
    [ -z "$problem" ] || die "$problem, so nothing was done" "$advice"
    held=$(say "$content" | cut -d ' ' -f 1,2)$newline
    line=${held%%"$newline"*}
    built_for=${3-${line##* }}
    refuse_gaps "$built_for"
    names=
    each_image note_name
    problems=
    for line in $held; do
        if ! has "$names" "${line% *}$newline"; then
            problems="$problems$newline  ${line% *} is no image of Kubernetes $kubernetes"
        elif [ "${line##* }" != "$built_for" ]; then
            problems="$problems$newline  ${line% *} is for ${line##* }, not for $built_for"
        fi
    done
    [ -z "$problems" ] || die "$1 is not the right archive, so nothing was done:$problems" "$advice"
    take_layers "$1" "$2" || die "cannot unpack $1 in $scratch" "if the disk is full make room, or name another place with TMPDIR; then $again"
}

note_name() { # KIND REFERENCE NAME
    names=$names$3$newline
}
