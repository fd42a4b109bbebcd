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

# Refuses an architecture that the release does not know, or that an image was never built for.
refuse_gaps() { # ARCHITECTURE
    known=
    gaps=
    each_architecture note_gaps "$1"
    case "$known " in
        *" $1 "*) ;;
        *) misuse "unknown architecture: $1" "the release is built for$known" ;;
    esac
    [ -z "$gaps" ] || die "Kubernetes $kubernetes cannot be served on $1, because these images have no $1 build:$gaps" \
        "use nodes of another architecture, or another version of Kubernetes"
}

note_gaps() { # WANTED ARCHITECTURE REFERENCE...
    known="$known $2"
    [ "$1" = "$2" ] || return 0
    shift 2
    for reference; do gaps="$gaps$newline  $reference"; done
}

# Sets $sum to a file's. Where openssl is installed, and works, it is several times faster.
sha256() { # FILE
    if run openssl dgst -sha256 -r "$1" && read_sum; then return; fi
    if run sha256sum "$1" && read_sum; then return; fi
    find_cause
    die "cannot compute the SHA-256 of $1: $cause" "it takes openssl or sha256sum, a file that can be read, and room in $scratch"
}

# Nothing but a sum may pass for one: an empty text would be equal to another.
read_sum() {
    IFS=' ' read -r sum _ <"$scratch/output" || return
    sum=${sum#\\} # so sha256sum marks signs in a path
    case $sum in
        *[!0-9a-f]*) return 1 ;;
    esac
    [ ${#sum} -eq 64 ]
}

# The checksum must be there, name exactly this file, and match. Sets $problem if it does not.
check_sum() { # FILE
    problem=
    if [ ! -f "$1.sha256" ]; then
        problem="$1.sha256 is missing, so nobody knows whether the archive is whole"
        return
    fi
    sha256 "$1"
    case $(cat "$1.sha256") in
        "$sum "[\ *]"${1##*/}") ;;
        *[\ *]"${1##*/}") problem="$1 is truncated or altered: its checksum does not match" ;;
        *) problem="$1.sha256 does not speak of ${1##*/} alone" ;;
    esac
}

# What an image is, in every form that its config may be given on its way, as one word.
identity='def identity: [.architecture, .rootfs.diff_ids, (.config
    | .Entrypoint // [], .Cmd // [], .Env // [], .User // "", .WorkingDir // "")] | @base64 "\(tojson)";'

# Takes files out of an archive into a folder of our own. None may be larger than so many times 512
# bytes, whatever the archive says, and small ones have 4 MiB. It ends in tar: for run, or a subshell.
small=8192
take_out() { # ARCHIVE FOLDER BLOCKS FILE...
    [ $# -gt 3 ] || exit 0
    trap '' XFSZ # so tar says what went wrong
    ulimit -f "$3"
    archive=$(absolute "$1")
    cd "$2" || exit # tar takes a backslash in the path behind its -C for more than that
    shift 3
    exec tar -xof "$archive" "$@"
}

# Lists an archive in two files: the names of its members, and what tar says of them, their kind first.
list_members() { # ARCHIVE FOLDER
    tar -tf "$1" >"$2/members" && tar -tvf "$1" >"$2/kinds"
} 2>/dev/null

# Prints the names that a JSON file seems to have under a key. It only tells which files are to be read
# with it; what it says, jq says.
guess() { # KEY <FILE
    tr '{' , | tr , '\n' | sed -n 's/^ *"'"$1"'" *: *"\([0-9A-Za-z][0-9A-Za-z:._/-]*\)".*/\1/p'
}

# What pull.sh writes of images, each with its entry in index.json and its manifest: the index.json; the
# manifest.json of docker save, which podman and docker want beside it; and the files that they consist of.
oci_layout='{"imageLayoutVersion":"1.0.0"}'
# shellcheck disable=SC2016 # variables of jq
description='
    def blob: "blobs/" + sub(":"; "/");
    def name: .entry.annotations["org.opencontainers.image.ref.name"];
    def described:
        ({schemaVersion: 2, manifests: map(name as $name | .entry
            | {mediaType, digest, size, annotations: {"org.opencontainers.image.ref.name": $name}})} | tojson),
        (map({Config: .manifest.config.digest | blob, Layers: [.manifest.layers[].digest | blob], RepoTags: [name]}) | tojson),
        (.[] | "name \(name)", "manifest \(.entry.digest | blob)", "config \(.manifest.config.digest | blob)",
            "layer \(.manifest.layers[].digest | blob)");'

# Prints each file of an archive once.
list_files() { # <DESCRIPTION
    sed -n 's|^[a-z]* blobs/|blobs/|p' | sort -u
}

# Whether all readers see the same in an object: for some, large and small letters are alike in a key.
plain='def plain: keys | all(.[]; test("^[!-~]*$")) and length == (map(ascii_downcase) | unique | length);'

# Reads an archive of pull.sh into a folder of our own, all but its layers. It may hold nothing, and say
# nothing, that pull.sh would not have written of the same images, because readers differ in what they
# make of the rest. Sets $content to a line "NAME ARCHITECTURE IDENTITY DIGEST" for each image, and
# $layers to the files that are still to be taken out; or else $problem.
read_archive() { # FILE FOLDER
    problem=
    foreign=
    if verify_archive "$1" "$2"; then return; fi
    need_room
    problem="$1 is not what pull.sh makes${foreign:+: in it is ${foreign%%"$newline"*}}"
}

verify_archive() { # FILE FOLDER
    # Compressed, it could be of any size.
    { mkdir -p "$2" && [ "$(dd if="$1" bs=10 count=1 | tr -d '\0')" = oci-layout ] && list_members "$1" "$scratch"; } || return
    foreign=$(
        grep -vxE 'oci-layout|index\.json|manifest\.json|blobs/sha256/[0-9a-f]{64}' "$scratch/members" || :
        sort "$scratch/members" | uniq -d
        grep -e '^[^-]' -e ' -> ' -e ' link to ' "$scratch/kinds" || :
    )
    [ -z "$foreign" ] && run take_out "$1" "$2" "$small" oci-layout index.json manifest.json || return
    texts=$({ guess digest <"$2/index.json" | sed 's|:|/|; s|^|blobs/|' && guess Config <"$2/manifest.json"; } |
        grep -xE 'blobs/sha256/[0-9a-f]{64}' | sort -u)
    # shellcheck disable=SC2086 # lists
    run take_out "$1" "$2" "$small" $texts && [ -z "$(find "$2" ! -type f ! -type d)" ] && (
        cd "$2" || exit
        for hash in ${texts:+$(sha256sum $texts)}; do [ "${hash%% *}" = "${hash##*/}" ] || exit; done
        # shellcheck disable=SC2016 # variables of jq
        jq -nr "$identity$description$plain"'
            [inputs | {key: input_filename, value: .}] | if length == (unique_by(.key) | length) then from_entries else error end
            | . as $files | [.["index.json"].manifests[] | {entry: ., manifest: $files[.digest | blob]}] as $images
            | if all($images[]; .config = $files[.manifest.config.digest | blob]
                | (name, .config.architecture | test("^[!-~]+$")) and (.manifest, .config | plain)
                    and .entry.mediaType == (.manifest.mediaType // .entry.mediaType) and (.manifest | has("manifests") | not)
                    and (.entry.mediaType | . == "application/vnd.oci.image.manifest.v1+json" or . == "application/vnd.docker.distribution.manifest.v2+json"))
              then $images else error end
            | described,
              (.[] | $files[.manifest.config.digest | blob] as $config
                  | "image \(name) \($config.architecture) \($config | identity) \(.entry.digest)"),
              ([.[].manifest.layers[].digest | blob] | unique - ($files | keys) | "rest \(.[])")' index.json $texts
    ) >"$scratch/read" || return
    sed -n 1p "$scratch/read" >"$scratch/index.json"
    [ "$(cat "$scratch/index.json")" = "$(cat "$2/index.json")" ] &&
        [ "$(sed -n 2p "$scratch/read")" = "$(cat "$2/manifest.json")" ] && [ "$oci_layout" = "$(cat "$2/oci-layout")" ] &&
        [ "$(grep ^blobs "$scratch/members" | sort)" = "$(list_files <"$scratch/read")" ] &&
        mv "$scratch/index.json" "$2/index.json" || return
    content=$(sed -n 's/^image //p' "$scratch/read")
    layers=$(sed -n 's/^rest //p' "$scratch/read")
} 2>/dev/null

# Takes the layers out that are still in an archive. Whoever gets them compares them with their names.
take_layers() { # FILE FOLDER
    # shellcheck disable=SC2086 # a list
    run take_out "$1" "$2" $(($(wc -c <"$1") / 512 + 1)) $layers && [ -z "$(find "$2" ! -type f ! -type d)" ]
}

# Sets $found to the vendor's archive of an image, or to nothing, and $spelling to its usual name.
find_vendor_archive() { # NAME ARCHITECTURE
    found=
    each_vendor_archive match_vendor_archive "$1" "$2"
}

match_vendor_archive() { # NAME ARCHITECTURE, then a row
    [ "$1 $2" = "$4 $3" ] || return 0
    shift 4
    spelling=$1
    for file; do
        for folder in $packages; do
            for path in "$folder/$file" "$folder/$package_folder/$file"; do
                [ -n "$found" ] || [ ! -f "$path" ] || found=$path
            done
        done
    done
}

# Sets $served to the architectures for which the package has an archive.
find_served() {
    served=
    each_vendor_archive note_served
}

note_served() { # ARCHITECTURE NAME SPELLING...
    found=
    match_vendor_archive "$2" "$1" "$@"
    [ -z "$found" ] || has "$served" "$1$newline" || served=$served$1$newline
}

# Reads what a vendor's archive says of itself into a folder, and for jq into one file, with its number
# in front: what manifest.json names, and what is a link to another layer. This is the old form of
# docker save, and that of version 25 with an OCI layout too. Nothing leads out of the archive.
read_vendor_archive() { # FILE FOLDER NUMBER
    mkdir -p "$2/tree" && list_members "$1" "$2" || exit
    name='[0-9A-Za-z_][0-9A-Za-z._-]*'
    foreign=$(
        grep -vxE "($name/)*$name/?" "$2/members" || :
        grep 'layer\.tar/' "$2/members" || :
        sort "$2/members" | uniq -d
        grep -vE -e '^[-d]' -e '^l[^>]* [0-9a-f]+/layer\.tar -> \.\./[0-9a-f]+(/layer)?\.tar$' "$2/kinds" || :
    )
    [ -z "$foreign" ] || exit
    texts=$(grep -xE 'manifest\.json|repositories|index\.json' "$2/members")
    # shellcheck disable=SC2086 # lists
    (take_out "$1" "$2/tree" "$small" $texts) && [ -f "$2/tree/manifest.json" ] && [ ! -L "$2/tree/manifest.json" ] || exit
    configs=$(guess Config <"$2/tree/manifest.json")
    # shellcheck disable=SC2086 # lists
    (take_out "$1" "$2/tree" "$small" $configs) && [ -z "$(find "$2/tree" ! -type f ! -type d)" ] || exit
    for file in $texts $configs; do
        sed "s|^|$3/$file$tab|" "$2/tree/$file" && echo
    done
    sed -n 's|^l.* \([0-9a-f]*/layer\.tar\) -> \.\./|'"$3"'/link/\1'"$tab|p" "$2/kinds"
}

# Looks into vendor's archives, side by side. Sets $content to a line "NAME ARCHITECTURE IDENTITY NUMBER"
# for each name that one gives to an image: the whole name ("-" for none), and what the image's config
# says, which is the only one to trust. A damaged archive gets no line.
read_vendor_archives() { # FILE...
    mkdir "$scratch/vendor"
    list=
    nth=0
    for file; do
        nth=$((nth + 1))
        list=$list$scratch/vendor/$nth.text$newline
        read_vendor_archive "$file" "$scratch/vendor/$nth" "$nth" >"$scratch/vendor/$nth.text" 2>/dev/null &
    done
    wait
    # shellcheck disable=SC2016,SC2086 # variables of jq, a list
    jq -nRr "$identity$plain"'
        def whole: split("/") as $part
            | if ($part | length) == 1 then "docker.io/library/" + .
              elif $part[0] == "localhost" or ($part[0] | test("[.:]")) then .
              else "docker.io/" + . end;
        def word: if test("^[!-~]+$") then . else "-" end;
        def bare: reduce (" ", "\t", "\r") as $blank (.; split($blank) | join(""));
        # Nothing is there twice, or written in another way than by its own signs.
        def exact: (fromjson | tojson | bare) as $again | if $again == bare then fromjson else error end;
        reduce (inputs | select(. != "")) as $line ({}; ($line | index("\t")) as $tab | .[$line[:$tab]] += $line[$tab + 1:])
        | . as $all | keys[] | select(endswith("/manifest.json")) | rtrimstr("/manifest.json") as $nth | try (
            def at($file): $all["\($nth)/\($file)"];
            (at("manifest.json") | exact | map({image: ., config: (at(.Config) | fromjson), names: [.RepoTags[]? | whole]}
                | if all(.image, .config; plain) then . else error end)) as $images
            | $images[0].names[0] as $first
            | [at("repositories") // empty | exact | to_entries[] | "\(.key):\(.value | keys[])" | whole] as $repositories
            | [at("index.json") // empty | exact | .manifests | (if length == 1 then .[0] else error end).annotations // {}
                | (.["io.containerd.image.name"], .["org.opencontainers.image.ref.name"]) // empty
                | if test("[/:]") then whole else ($first | sub(":[^:]*$"; ":")) + . end] as $index
            | ($images | .[0].names += $repositories + $index - .[0].names)[]
            | [.image.Layers[] | at("link/" + .) // .] as $layers
            | if all($layers[], .image.Config; test("^[0-9A-Za-z_][0-9A-Za-z._/-]*$")) then . else error end
            | "image \(.names[] // "-" | word) \(.config.architecture // "unknown" | word) \(.config | identity) \($nth)",
              "layer \($nth) \($layers | unique[])",
              "config \($nth) \(.image.Config)",
              "manifest \($nth) \([{Config: .image.Config, RepoTags: .names[:1], Layers: $layers}] | tojson)"
        ) catch empty' ${list:-/dev/null} >"$scratch/vendor/read" || :
    content=$(sed -n 's/^image //p' "$scratch/vendor/read")
    need_room
}

# Refuses a package in which an archive is missing, or is not what it must be. Sets $packaged to lines
# "NAME ARCHITECTURE IDENTITY".
packaged=
unaltered="--package wants the release's own archives, unaltered"
check_packages() { # LINES "NAME ARCHITECTURE"
    paths=
    for line in $1; do
        find_vendor_archive "${line% *}" "${line##* }"
        paths=$paths$found$newline
    done
    # shellcheck disable=SC2086 # a list
    read_vendor_archives $paths
    problems=
    advice=$unaltered
    nth=0
    for line in $1; do
        find_vendor_archive "${line% *}" "${line##* }"
        [ -z "$found" ] || nth=$((nth + 1))
        held=
        for row in $content; do
            case $row in
                *" ${found:+$nth}")
                    row=${row%" $nth"}
                    packaged=$packaged$row$newline
                    held="$held, ${row% *}"
                    ;;
            esac
        done
        case $held in
            ", $line") continue ;;
            ?*) problem="$found holds${held#,}, not $line" ;;
            *) problem="$found is damaged, or no archive of docker save" ;;
        esac
        if [ -z "$found" ]; then
            problem="$spelling is missing"
            advice=$(explain_missing "${line##* }")
        elif [ ! -r "$found" ]; then
            problem="$found cannot be read"
            advice="run as a user who may read it"
        fi
        problems="$problems$newline  $problem"
    done
    [ -z "$problems" ] || refuse_package "$advice" "$problems"
}

refuse_package() { # ADVICE [PROBLEMS]
    die "the vendor's package is not what it must be, so nothing was done${2:+:$2}" "$1"
}

# What is wrong with a package in which an archive is not found.
explain_missing() { # ARCHITECTURE
    places=
    for folder in $packages; do
        for place in "$folder" "$folder/$package_folder"; do
            [ ! -d "$place" ] || [ -x "$place" ] || { say "$place cannot be read: run as a user who may" && return; }
        done
        places="$places${places:+ and }$folder"
    done
    find_served
    case $served in
        '') say "nothing of $product $release is in $places: --package names its unpacked package, or the folder $package_folder in it" ;;
        *"$1$newline"*) say "$unaltered" ;;
        *) say "what is in $places is for $(printf '%s' "$served" | tr '\n' ' ')alone: give the package for $1" ;;
    esac
}

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

need_file() { # FILE OPTION
    [ -f "$1" ] || die "there is no file $1" "$2 names it"
}

# Whether a transfer broke off midway: skopeo itself does not try that again.
is_broken_off() { # CAUSE
    case $1 in
        *EOF* | *'connection reset'* | *timeout*) ;;
        *) return 1 ;;
    esac
}

# Registries: what they answered, and what to do about it. The words of an error change from one version
# of skopeo, and from one registry, to the next. They are shown, and they choose the advice; words that
# are not known here keep no image from being copied.

# Sets $answer to the kind of an error: of a registry's answer skopeo prints its code, the usual words
# for that code, or its HTTP status.
classify() { # CAUSE
    case $1 in
        *'unknown flag'*) answer=old ;;
        *'trust policy'* | *policy.json*) answer=no-policy ;;
        *'rejected by policy'* | *'image rejected'*) answer=rejected ;;
        *x509*) answer=other ;;
        *'o space left on device'*) answer=disk ;;
        *[Tt]imeout* | *'deadline exceeded'*) answer=busy ;;
        *'HTTP status: 507'* | *'StatusCode: 413'* | *'too large'* | *[Qq]uota* | *exceed*) answer=full ;;
        *'HTTP status: 5'* | *'from registry 5'* | *'StatusCode: 429'* | *[Tt]'oomanyrequests'* | *[Tt]'oo many requests'*) answer=busy ;;
        *EOF* | *'connection re'* | *'no such host'* | *'no route to host'*) answer=busy ;;
        *'StatusCode: 401'* | *[Uu]nauthorized* | *[Aa]'uthentication required'*) answer=unauthorized ;;
        *'StatusCode: 403'* | *Forbidden*) answer=forbidden ;;
        *denied*) answer=denied ;;
        *'StatusCode: 404'* | *'404 (Not Found)'* | *'manifest unknown'* | *'name unknown'* | *'not known to registry'* | *'not found'*) answer=absent ;;
        *) answer=other ;;
    esac
}

# Sets $remedy to what helps whatever was to be done, or else fails.
find_remedy() { # ANSWER REGISTRY
    remedy=
    case $1 in
        busy) remedy="see that $2 is well, and can be reached from here" ;;
        disk) remedy="make room on $disk" ;;
        old) remedy="install skopeo 1.9 or later" ;;
        no-policy)
            remedy="install skopeo's own configuration (containers-common), or write /etc/containers/policy.json: \
{\"default\": [{\"type\": \"insecureAcceptAnything\"}]} accepts every image"
            ;;
        rejected) remedy="have this host's policy.json accept these images (man containers-policy.json)" ;;
        *) return 1 ;;
    esac
}

# Says why an image could not be read from where it comes from.
fail_source() { # CAUSE
    classify "$1"
    find_remedy "$answer" "the source registry" || case $answer in
        unauthorized | denied) remedy="log in to the source registry: $source_login" ;;
        forbidden) remedy="if a proxy of your own network answers so, have it admit the source registry" ;;
        absent) remedy="see that the source registry has it, or the mirror that this host's registries.conf names for it" ;;
    esac
    fail "cannot read it from its source: $1" "$remedy"
}

usage() {
    cat <<END
Usage: $me [--layout scoped|flat] [--archive FILE]... [--package DIR]...
               [--authfile FILE] [--cert-dir DIR] [--tls-verify true|false]
               [--dry-run] HOST[:PORT][/PREFIX]
       $me --print-values [--layout scoped|flat] HOST[:PORT][/PREFIX]

Copies every image that $product $release needs on Kubernetes $kubernetes into a private
registry: from the source registries, all architectures, digests unchanged; or from the
archives of pull.sh, on a host that reaches only the private registry.

  --layout scoped   HOST/PREFIX/SOURCE-HOST/PATH:TAG, as skopeo sync --scoped does (default)
  --layout flat     HOST/PREFIX/NAME:TAG, as the vendor's images are in both layouts
  --archive FILE    an archive of pull.sh, FILE.sha256 beside it; one per architecture
  --package DIR     the vendor's package, unpacked, or the folder of its image archives; one
                    per architecture, if each has a folder of its own. Archives of several
                    architectures become one image for all of them
  --authfile FILE   credentials for HOST, as skopeo login writes them
  --cert-dir DIR    certificates for HOST (*.crt, *.cert, *.key)
  --tls-verify BOOL whether HOST must have HTTPS with a known certificate (default: true)
  --print-values    print the Helm values that name the images in HOST, and do nothing else
  --dry-run         say what would be done, and do nothing
  --help            print this text

Where the registry has projects, PREFIX begins with one that is already there.
An image that HOST already has is not copied again, and what it has for other architectures
of the release stays. Credentials and certificates for the source registries, and mirrors of
them, are this host's own configuration. Archives are unpacked in TMPDIR (default: /var/tmp).
Two runs for one registry: the second waits.

Needs skopeo 1.9 or later, jq, tar, sha256sum, flock.
Exit status: 0 done, 1 an image is missing or a step failed, 2 wrong usage.
END
}

layout=scoped
archives=
packages=
authfile=
cert_dir=
tls_verify=true
print_values=
dry_run=
host=
while [ $# -gt 0 ]; do
    case $1 in
        --*=*)
            option=$1
            shift
            set -- "${option%%=*}" "${option#*=}" "$@"
            continue
            ;;
        --layout | --archive | --package | --authfile | --cert-dir | --tls-verify) need_value "$@" ;;
    esac
    case $1 in
        --layout) layout=$2 && shift ;;
        --archive) archives=$archives$(absolute "$2")$newline && shift ;;
        --package) packages=$packages$(absolute "$2")$newline && shift ;;
        --authfile) authfile=$(absolute "$2") && shift ;;
        --cert-dir) cert_dir=$(absolute "$2") && shift ;;
        --tls-verify) tls_verify=$2 && shift ;;
        --print-values) print_values=yes ;;
        --dry-run) dry_run=yes ;;
        -h | --help)
            usage
            exit
            ;;
        -*) misuse "unknown option: $1" ;;
        *)
            [ -z "$host" ] || misuse "one registry at a time: $host or $1"
            host=$1
            ;;
    esac
    shift
done
case $layout in
    scoped | flat) ;;
    *) misuse "unknown layout: $layout" "the layouts are scoped and flat" ;;
esac
case $tls_verify in
    true | false) ;;
    *) misuse "--tls-verify is true or false, not $tls_verify" ;;
esac

# Whatever is wrong with HOST is said here, and not by a tool, in other words, once an image.
check_host() {
    case $host in
        '') misuse "no registry: HOST[:PORT][/PREFIX] is missing" ;;
        *@*) misuse "credentials do not belong in HOST" "give them with --authfile" ;;
        *://*) misuse "$host has a scheme" "write ${host#*://}" ;;
        */) misuse "$host ends in a slash" "write ${host%/}" ;;
    esac
    case ${host%%/*} in
        *[!A-Za-z0-9.:-]* | [!A-Za-z0-9]* | *:*[!0-9]* | *:) misuse "${host%%/*} is not HOST or HOST:PORT" ;;
        *[.:]* | localhost) ;;
        *) misuse "${host%%/*} would be taken for a name on Docker Hub" "write its domain or its port too, such as ${host%%/*}:443" ;;
    esac
    case ${host#"${host%%/*}"} in
        *[A-Z]*) misuse "the path in $host has upper-case letters, which no image name may have" "write them in lower case" ;;
        *[!a-z0-9._/-]* | */[/._-]* | *[._-]/* | *[._-]) misuse "${host#*/} is not a path of a registry" "write words of a-z and 0-9 with slashes between them" ;;
    esac
}

# The one mapping, for what is pushed and for the values that name it. Sets $destination.
locate() { each_path match_path "$1"; } # NAME
match_path() { # NAME, then a row
    if [ "$1" != "$2" ]; then return; fi
    case $layout in
        scoped) destination=$host/$3 ;;
        flat) destination=$host/$4 ;;
    esac
}

# Sets $problem to what the layout cannot do with these images, or to nothing.
check_layout() {
    problem=
    each_collision note_collision
    each_port note_port
}

note_port() { # REFERENCE
    [ "$layout" = flat ] || problem="the layout scoped cannot express the port in $1"
}

note_collision() { # LAYOUT PATH REFERENCE...
    [ "$layout" = "$1" ] || return 0
    path=$2
    shift 2
    problem="in the layout $layout these would all be $host/$path:$(printf '\n  %s' "$@")"
}

refuse_layout() {
    refusal=$problem
    case $layout in
        scoped) layout=flat ;;
        flat) layout=scoped ;;
    esac
    check_layout
    [ -n "$problem" ] || die "$refusal" "use --layout $layout"
    die "$refusal" "the layout $layout cannot hold these images either: import them on the nodes, with pull.sh and import.sh"
}

print_value() { # branch|leaf INDENTATION KEY NAME PATTERN
    if [ "$1" = branch ]; then
        say "$2$3:"
        return
    fi
    locate "$4"
    path=${destination#"$host/"}
    value=$5
    fill_in registry "$host"
    fill_in path "${path%:*}"
    fill_in tag "${path##*:}"
    say "$2$3: \"$value\""
}

# Puts a text in the places that $value has for it.
fill_in() { # PART TEXT
    while case $value in *"{$1}"*) ;; *) false ;; esac do
        value=${value%%"{$1}"*}$2${value#*"{$1}"}
    done
}

preview() { # KIND REFERENCE NAME
    step "$2"
    locate "$3"
    case $1,$archives,$packages in
        registry,,*) say "would be copied from its registry to $destination" ;;
        package,,) say "would be left out, unless there: it comes in the vendor's package (--package)" ;;
        package,,*) say "would be copied from the vendor's package to $destination" ;;
        *) say "would be copied from the archive to $destination" ;;
    esac
}

# Everything that comes from files meets in one OCI layout, and its manifests in lines "NAME
# ARCHITECTURE DIGEST".
parts=
architectures=

take_archive() { # FILE
    open_archive "$1" layout
    arch=$built_for
    if has "$architectures" "$arch$newline"; then die "$1 is a second archive for $arch" "give one archive an architecture"; fi
    architectures=$architectures$arch$newline
    parts=$parts$(say "$content" | cut -d ' ' -f 1,2,4)$newline
}

vendor=
want_vendor() { # KIND REFERENCE NAME
    [ "$1" = package ] || return 0
    for arch in $architectures; do
        has "$parts" "$3 $arch " || vendor="$vendor$3 $arch$newline"
    done
}

# Brings a vendor's archives into the layout.
take_vendor_archives() { # NAME
    for arch in $architectures; do
        if has "$parts" "$1 $arch "; then continue; fi
        find_vendor_archive "$1" "$arch"
        ln -sf "$found" vendor.tar # skopeo cannot take a path with a colon
        run skopeo copy --quiet --format=v2s2 --remove-signatures --dest-shared-blob-dir layout/blobs \
            --digestfile digest docker-archive:vendor.tar "oci:vendor:$1" || return
        part=$(cat digest)
        is=$(jq -r "$identity identity" "$(blobs "$(jq -r .config.digest "$(blobs "$part")")")")
        if ! has "$packaged" "$1 $arch $is$newline"; then
            say "$found is not what it was when it was read" >"$scratch/errors"
            return 1
        fi
        parts="$parts$1 $arch $part$newline"
    done
}

# Has skopeo ask the registry for something.
registry() { # COMMAND ARGUMENT...
    command=$1
    shift
    run skopeo "$command" --tls-verify="$tls_verify" ${authfile:+"--authfile=$authfile"} \
        ${cert_dir:+"--cert-dir=$cert_dir"} "$@"
}

# Asks the registry for a manifest, or its config, and leaves it in a file; fails with the $cause.
inspect() { # FILE DESTINATION [--config]
    file=$1
    place=docker://$2
    shift 2
    if registry inspect --raw "$@" "$place"; then
        mv output "$file"
        return
    fi
    find_cause
    classify "$cause"
    return 1
}

# Whether there is a registry at all, which is to be said at once, and not once an image. For the
# answer any name will do.
reach() {
    inspect there "$host/$product:$release" || case $cause in
        *'pinging '*' registry '*) die "$host does not answer as a registry: $cause" \
            "see that it runs and can be reached by this name and port; --cert-dir names the folder with its authority's certificate (*.crt), --tls-verify false is for a registry without HTTPS" ;;
    esac
}

# Asks the registry for a name: sets $digest, to nothing if there is no such name, and leaves the
# manifest in the file there. Fails if the registry does not say, with the $cause, and with the $answer
# "hidden" for a name that it lists.
ask() { # DESTINATION
    digest=
    present=
    why=
    if inspect there "$1"; then
        present=yes
        sha256 there
        digest=sha256:$sum
        return
    fi
    # From version 1.11 on, skopeo says by its status that there is none.
    [ "$result" -ne 2 ] || return 0
    [ "$answer" != absent ] || return 0
    why=$cause
    if registry list-tags "docker://${1%:*}"; then
        jq -e --arg tag "${1##*:}" '.Tags | index($tag)' output >/dev/null || return 0
        answer=hidden
    fi
    cause=$why
    return 1
}

# Sets $cause to why skopeo failed, and $request to the last request that it made. Where it has logged
# its requests (--debug), the cause is the first failure behind the last one: in the end skopeo may speak
# of another way that it then tried without asking the registry.
find_answer() {
    request=$(sed -n 's/.* msg="\([A-Z]* https*:[^ "]*\)".*/\1/p' "$scratch/errors" | tail -n 1)
    cause=$(sed -n '
        / msg="[A-Z]* https*:/ { s/.*//; h; d; }
        / failed: / { x; /./x; }
        $ { g; p; }' "$scratch/errors" | undress)
    [ -n "$cause" ] || find_cause
}

copy() { # SOURCE
    copy_once "$1" || { is_broken_off "$cause" && copy_once "$1"; }
}

# What the host's configuration says of signatures is for images that are run here: none is asked of the
# source, or left with the registry.
copy_once() { # SOURCE
    if run skopeo --debug copy --quiet --all --preserve-digests --remove-signatures --retry-times 2 \
        --dest-tls-verify="$tls_verify" ${authfile:+"--dest-authfile=$authfile"} \
        ${cert_dir:+"--dest-cert-dir=$cert_dir"} "$1" "docker://$destination"; then return; fi
    find_answer
    return 1
}

# Says why the registry has not taken an image, whose manifest is in a file.
fail_copy() { # FILE
    # What answers a HEAD has no words; asked for the name before, the registry has had some.
    case $request in 'HEAD '*) cause=${why:-$cause} ;; esac
    classify "$cause"
    if ! find_remedy "$answer" "$host"; then
        case $answer,$present,$request in
            full,*) remedy="make room in $host, or raise its limit" ;;
            *,yes,'PUT '*/manifests/*)
                remedy="if $host lets no tag be overwritten, delete this one there, and give the archives or packages of all architectures in one run"
                ;;
            *,,'PUT '*/manifests/*)
                ! grep -q 'vnd[.]oci[.]image' "$1" ||
                    remedy="have $host admit the manifests of the OCI, or import on the nodes, with pull.sh and import.sh"
                ;;
            unauthorized,* | forbidden,* | denied,* | absent,*) explain_denial ;;
        esac
    fi
    deed=create
    [ -z "$present" ] || deed=overwrite
    fail "cannot $deed it in $host: $cause" "$remedy"
}

# Whether a login is right, skopeo login says by its status: it tries the one that is there. For another
# it would ask, but nobody is there to type it. It is tried once a run.
admitted=
explain_denial() {
    if [ -z "$admitted" ]; then
        admitted=no
        ! registry login "$host" </dev/null || admitted=yes
    fi
    if [ "$admitted" = no ]; then
        remedy="log in with skopeo login --authfile ${authfile:-FILE} ${host%%/*}, and give --authfile ${authfile:-FILE}"
        return
    fi
    remedy="the login is right: let its account write to these names, which may have to be made in the registry beforehand"
    case $present,$host,$layout in
        ,*/*,scoped) remedy="$remedy; or give --layout flat, if names of more than two levels are refused" ;;
        ,*/*) ;;
        ,*) remedy="$remedy; or give HOST/PROJECT, with a project that is there" ;;
    esac
}

# What was copied: lines "NAME DIGEST".
copied=
put_from_registry() { # NAME
    if ! run skopeo inspect --raw --retry-times 2 "docker://$1"; then
        find_cause
        unread=$cause
        if ask "$destination" && [ -n "$digest" ]; then
            say "already there (not compared: $unread)"
        else
            fail_source "$unread"
        fi
        return
    fi
    mv output source
    sha256 source
    wanted=sha256:$sum
    if ask "$destination" && [ "$digest" = "$wanted" ]; then
        say "already there"
    elif copy "docker://$1"; then
        say copied
        copied="$copied$1 $wanted$newline"
    elif is_windows "$cause"; then
        fail "the registry refuses its Windows variant, which has a foreign layer: $cause" \
            "let the registry admit foreign layers (docker-registry: validation.manifests.urls.allow), or push the archives of pull.sh, which are for Linux alone"
    elif is_readable "$1"; then
        fail_copy source
    else
        fail_source "$cause"
    fi
}

# Whether it was not the source that failed: it has given its manifest, and now is to give a config too.
is_readable() { # NAME
    refusal=$cause
    first=$(jq -r '.manifests[0].digest // empty' source)
    if run skopeo inspect --raw --config "docker://${first:+${1%:*}@}${first:-$1}"; then
        cause=$refusal
        return
    fi
    find_cause
    return 1
}

# Whether the manifest that a registry refused is a Windows variant of the image.
is_windows() { # CAUSE
    for manifest in $(jq -r '.manifests[]? | select(.platform.os == "windows").digest' source); do
        case $1 in *"$manifest"*) return 0 ;; esac
    done
    return 1
}

# One manifest stands for itself; those of several architectures get an index over them.
put_from_files() { # NAME
    if ! find_held; then
        fail_held "cannot tell what $host has under this name"
        return
    fi
    join_parts "$1"
    if is_served; then
        say "already there, for $served nodes"
        return
    elif ! keep_others "$1"; then
        fail_held "cannot keep what $host has for other architectures"
        return
    fi
    join_parts "$1"
    write_manifest
    sha256 "$pool/manifest.json"
    if copy "dir:$pool"; then
        say "copied, for $served nodes"
        copied="$copied$1 sha256:$sum$newline"
    else
        fail_copy "$pool/manifest.json"
    fi
}

fail_held() { # PROBLEM
    find_remedy "$answer" "$host" || remedy="let the account of the login read it in $host"
    fail "$1: $cause" "$remedy"
}

join_parts() { # NAME
    served=
    digests=
    entries=
    each_architecture join_part "$1"
}

join_part() { # NAME ARCHITECTURE
    has "$parts" "$1 $2 " || return 0
    part=$newline$parts
    part=${part#*"$newline$1 $2 "}
    part=${part%%"$newline"*}
    served="$served${served:+ and }$2"
    digests=$digests$part$newline
    entries="$entries${entries:+,}$(describe "$part" "$2")"
}

# Prints where blobs of the layout are.
pool=layout/blobs/sha256
blobs() { # DIGEST...
    for blob; do say "$pool/${blob#sha256:}"; done
}

# Has all blobs be the folder of one image, as skopeo reads it with every digest kept: its manifest is
# manifest.json, and those that are listed there are DIGEST.manifest.json. The JSON of a list is of words
# that need no quoting; jq would be slow to start. What is of Docker alone gets a list of Docker's.
write_manifest() {
    case $digests in
        *"$newline"?*) ;;
        *)
            cp "$(blobs "${digests%"$newline"}")" "$pool/manifest.json"
            return
            ;;
    esac
    # shellcheck disable=SC2086 # a list
    for part in $(blobs $digests); do cp "$part" "$part.manifest.json"; done
    case $entries in
        *vnd.oci.*) type=application/vnd.oci.image.index.v1+json ;;
        *) type=application/vnd.docker.distribution.manifest.list.v2+json ;;
    esac
    say "{\"schemaVersion\":2,\"mediaType\":\"$type\",\"manifests\":[$entries]}" >"$pool/manifest.json"
}

describe() { # DIGEST ARCHITECTURE
    manifest=$(blobs "$1")
    type=application/vnd.oci.image.manifest.v1+json
    ! grep -q docker.distribution.manifest.v2 "$manifest" || type=application/vnd.docker.distribution.manifest.v2+json
    printf '{"mediaType":"%s","digest":"%s","size":%d,"platform":{"architecture":"%s","os":"linux"}}' \
        "$type" "$1" "$(wc -c <"$manifest")" "$2"
}

# Sets $held to the digests of what the registry has under the name for Linux, and leaves their configs
# in the file held. What a registry says of a name that it does not have is its own affair.
find_held() {
    held=
    : >held
    ask "$destination" || case $answer in busy | hidden) return 1 ;; esac
    [ -n "$digest" ] || return 0
    for manifest in $(jq -r --arg digest "$digest" '.manifests // [{$digest, platform: {os: "linux"} }]
        | .[] | select(.platform.os == "linux").digest' there); do
        inspect config "${destination%:*}@$manifest" --config || return
        cat config >>held
        held=$held$manifest$newline
    done
}

# Whether the registry has these images already, be it among more architectures. A manifest, and a
# config too, may have been converted on its way.
is_served() {
    # shellcheck disable=SC2016,SC2046,SC2086 # a variable of jq, lists
    jq -en --slurpfile held held "$identity"' [inputs | identity] - ($held | map(identity)) == []' \
        $(blobs $(jq -r .config.digest $(blobs $digests))) >/dev/null
}

# What the registry has under the name for other architectures becomes a part too, or it would be lost.
# Its layers are not needed for that: they stay where they are.
keep_others() { # NAME
    for arch in $(jq -r .architecture held); do
        digest=${held%%"$newline"*}
        held=${held#*"$newline"}
        if has "$architectures" "$arch$newline"; then continue; fi
        manifest=$(blobs "$digest")
        inspect "$manifest" "${destination%:*}@$digest" || return
        inspect "$(blobs "$(jq -r .config.digest "$manifest")")" "${destination%:*}@$digest" --config || return
        parts="$parts$1 $arch $digest$newline"
    done
}

put() { # KIND REFERENCE NAME
    step "$2"
    locate "$3"
    if [ "$1" = registry ] && [ -z "$archives" ]; then
        put_from_registry "$3"
        return
    fi
    lacking=
    for arch in $architectures; do
        has "$parts" "$3 $arch " || lacking="$lacking $arch"
    done
    if [ "$1" = registry ] && [ -n "$lacking" ]; then
        fail "no --archive holds it for$lacking"
    elif [ -n "$packages" ] && ! take_vendor_archives "$3"; then
        find_cause
        fail_source "$cause"
    elif [ -n "$packages" ] || { [ -n "$archives" ] && [ -z "$lacking" ]; }; then
        put_from_files "$3"
    elif ! ask "$destination"; then
        fail "it comes in the vendor's package (--package), and $host does not say whether it is there: $cause"
    elif [ -n "$digest" ]; then
        say "already there (not compared, for want of --package)"
    else
        fail "it comes in the vendor's package: give --package"
    fi
}

# When all is done, the registry is asked for each image that was copied.
confirm() { # KIND REFERENCE NAME
    number=$((number + 1))
    has "$copied" "$3 " || return 0
    locate "$3"
    if ask "$destination"; then
        if has "$copied" "$3 $digest$newline"; then return; fi
        cause="$destination is not what was put there"
    else
        cause="$host has taken it, but does not show it: $cause"
    fi
    announce "$2"
    fail "$cause"
}

check_host
check_layout
[ -z "$problem" ] || refuse_layout
if [ -n "$print_values" ]; then
    say "# The images of $product $release for Kubernetes $kubernetes in $host"
    each_value print_value
    exit
fi
[ -z "$authfile" ] || need_file "$authfile" --authfile
[ -z "$cert_dir" ] || need_folder "$cert_dir" --cert-dir
for folder in $packages; do need_folder "$folder" --package; done
for file in $archives; do need_file "$file" --archive; done
if [ -n "$packages" ]; then
    find_served
    [ -n "$served" ] || refuse_package "$(explain_missing -)"
fi
if [ -n "$dry_run" ]; then
    each_image preview
    exit
fi

need_tools skopeo jq tar sha256sum flock
task=$product-push-$(say "$host" | tr '/:' '__')
case $(id -u) in
    0) lock "/run/$task.lock" "make /run a folder that root may write in" ;;
    *) lock "${HOME-}/.$task.lock" "set HOME to a folder that you may write in" ;;
esac
# What a run that was killed has left.
parent=${TMPDIR:-/var/tmp}
disk="the disk of $parent"
source_login="run skopeo login for it, as this user"
find "$parent" -maxdepth 1 -type d -user "$(id -u)" -name "$task.??????" -exec rm -rf {} + 2>/dev/null || :
make_scratch "$parent" "$task"
cd "$scratch"
reach
mkdir -p "$pool"
for archive in $archives; do take_archive "$archive"; done
if [ -n "$packages" ]; then
    # Without an archive, the vendor's images are for the architectures that the packages serve.
    [ -n "$archives" ] || architectures=$served
    # Beside those of another architecture, what serves no node does no harm.
    case $architectures in
        *"$newline"?*) ;;
        *) refuse_gaps "${architectures%"$newline"}" ;;
    esac
    each_image want_vendor
    check_packages "$vendor"
fi
each_image put
number=0
each_image confirm
die_if_failed
say "all $total images of Kubernetes $kubernetes are in $host" \
    "the Helm values that name them: $me --print-values --layout $layout $host"
