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

# The architecture of this machine, in the words of images.
host_architecture() {
    machine=$(uname -m)
    case $machine in
        x86_64 | amd64) say amd64 ;;
        aarch64 | arm64) say arm64 ;;
        *) misuse "cannot tell which images a $machine machine needs" "say it with --arch" ;;
    esac
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

usage() {
    cat <<END
Usage: $me [--arch ARCH] [--archive FILE] [--package DIR] [--check | --dry-run]

Run as root on a node: brings every image that $product $release needs on
Kubernetes $kubernetes into its containerd (namespace k8s.io), from the archive of pull.sh.

  --arch ARCH      architecture of the node (default: this machine's)
  --archive FILE   the archive; FILE.sha256 must be beside it. Default:
                   $product-$release-k8s-$kubernetes-ARCH.tar
                   in the current folder, else beside $me
  --package DIR    the vendor's package, unpacked, or the folder of its image archives:
                   for the vendor's images, where the archive lacks them
  --check          say which images are there, and do nothing
  --dry-run        say what would be done, and do nothing
  --help           print this text

Environment:
  CONTAINERD_ADDRESS   containerd's socket, if it is not at the usual place
                       (k3s and RKE2: /run/k3s/containerd/containerd.sock)
  CTR                  the ctr to use (default: ctr), such as "k3s ctr", "microk8s ctr" or
                       /var/lib/rancher/rke2/bin/ctr
  CONTAINERD_SNAPSHOTTER
                       the snapshotter that containerd's CRI is configured to use. Default: the
                       one that the node's containers use; before there are any, overlayfs

containerd gets what was checked, and nothing else, so what is imported is first unpacked in
TMPDIR (default: /var/tmp). If every image is there, by its name, nothing is imported: where
the vendor has issued one again under the same tag, remove the old one first
(ctr -n k8s.io images rm NAME). Every image is labelled as pinned, which keeps a recent
kubelet from collecting it as garbage, if containerd is recent too.
Two runs on a node: the second waits.

Needs ctr, jq, tar, sha256sum, awk, flock.
Exit status: 0 done, 1 an image is missing or a step failed, 2 wrong usage;
with --check 3 if images are missing or not pinned.
END
}

arch=
archive=
packages=
check=
dry_run=
while [ $# -gt 0 ]; do
    case $1 in
        --*=*)
            option=$1
            shift
            set -- "${option%%=*}" "${option#*=}" "$@"
            continue
            ;;
        --arch | --archive | --package) need_value "$@" ;;
    esac
    case $1 in
        --arch) arch=$2 && shift ;;
        --archive) archive=$(absolute "$2") && shift ;;
        --package) packages=$(absolute "$2") && shift ;;
        --check) check=yes ;;
        --dry-run) dry_run=yes ;;
        -h | --help)
            usage
            exit
            ;;
        *) misuse "unknown argument: $1" ;;
    esac
    shift
done
[ -z "$check" ] || [ -z "$dry_run" ] || misuse "--check and --dry-run are two things" "--check says what the node has, --dry-run what would be imported"
[ -n "$arch" ] || arch=$(host_architecture)
refuse_gaps "$arch"
if [ -z "$archive" ]; then
    archive=${PWD%/}/$product-$release-k8s-$kubernetes-$arch.tar
    beside=$(absolute "${0%/*}")/${archive##*/}
    [ -f "$archive" ] || [ ! -f "$beside" ] || archive=$beside
fi

preview() { # KIND REFERENCE NAME
    step "$2"
    find_vendor_archive "$3" "$arch"
    say "would be imported from the archive${found:+, or else from $found}, unless it is there"
}

# The kubelet spells the address of a socket with a scheme.
[ -z "${CONTAINERD_ADDRESS-}" ] || export CONTAINERD_ADDRESS="${CONTAINERD_ADDRESS#unix://}"

# CTR is a command, or its path, or several words as in k3s ctr. It is told the namespace by its
# environment: microk8s ctr passes the option itself, which may be there only once.
CTR=${CTR:-ctr}
command -v "$CTR" >/dev/null || CTR=$(say "$CTR" | tr ' ' '\n')
export CONTAINERD_NAMESPACE=k8s.io
run_ctr() {
    # shellcheck disable=SC2086 # a list of words
    run $CTR "$@"
}

# A CTR may insist on another namespace. Asked for a container that does not exist, ctr says where it
# has looked.
check_namespace() {
    run_ctr containers info "$product" || :
    case $(cat "$scratch/errors") in
        *'in namespace "k8s.io"'*) ;;
        *'in namespace "'*)
            find_cause
            die "CTR does not work in the namespace k8s.io, where the kubelet looks for images: $cause" \
                "let CTR name a ctr that obeys CONTAINERD_NAMESPACE, or that passes --namespace k8s.io itself"
            ;;
    esac
}

in_line() { # LIST
    printf '%s' "${1%"$newline"}" | tr '\n' ' '
}

# Sets $snapshotter to the one for which the images must be unpacked: the CRI's. containerd does not
# say which that is, but the CRI's containers have their snapshots in it.
find_snapshotter() {
    run_ctr plugins ls type==io.containerd.snapshotter.v1 || give_up "containerd does not list its snapshotters"
    loaded=$(awk '$1 == "io.containerd.snapshotter.v1" && $NF == "ok" { print $2 }' "$scratch/output")$newline
    snapshotter=${CONTAINERD_SNAPSHOTTER-}
    if [ -n "$snapshotter" ]; then
        has "$loaded" "$snapshotter$newline" || die "containerd has not loaded the snapshotter $snapshotter" \
            "CONTAINERD_SNAPSHOTTER names the one of its CRI, out of these: $(in_line "$loaded")"
        return
    fi
    used=
    for name in $loaded; do
        run_ctr snapshots --snapshotter "$name" ls || continue
        # What is being unpacked is active too.
        ! awk '$NF == "Active" && $1 !~ /^extract-/ { found = 1 } END { exit !found }' "$scratch/output" ||
            used=$used$name$newline
    done
    snapshotter=${used:-$loaded}
    snapshotter=${snapshotter%"$newline"}
    case $snapshotter in
        *"$newline"*) ;;
        *) return ;;
    esac
    advice="set CONTAINERD_SNAPSHOTTER to the one in the configuration of its CRI"
    [ -z "$used" ] || die "this node's containers use several snapshotters: $(in_line "$used")" "$advice"
    has "$loaded" "overlayfs$newline" ||
        die "no container shows yet which snapshotter containerd's CRI uses, and it has several: $(in_line "$loaded")" "$advice"
    snapshotter=overlayfs
    say "no container shows yet which snapshotter containerd's CRI uses: taking its default, overlayfs"
}

# Sets $complete to what can be said of a node that has every image. From 1.6.25 and 1.7.10 on,
# containerd keeps what is labelled as pinned; the kubelet asks it from 1.25 on.
find_complete() {
    server=$(awk '$1 == "Server:" { at = 1 } at && $1 == "Version:" { print $2; exit }' "$scratch/output")
    complete="all $total images of Kubernetes $kubernetes are there, unpacked"
    if ! say "$server" | awk -F. '{ sub(/^v/, "") }
        { exit !($1 > 1 || $2 > 7 || $2 == 7 && $3 + 0 >= 10 || $2 == 6 && $3 + 0 >= 25) }'; then
        deaf="containerd${server:+ $server}"
    elif [ "${kubernetes#*.}" -lt 25 ]; then
        deaf="the kubelet of Kubernetes $kubernetes"
    else
        complete="$complete and pinned"
        return
    fi
    complete="$complete and labelled as pinned, which $deaf does not heed: \
keep the archive, and run $me again when the kubelet has deleted an image"
}

# The table as filters that let ctr speak of these images alone.
filters=
enter() { # KIND REFERENCE NAME
    filters="$filters${filters:+$newline}name==$3"
}
each_image enter

# Sets $present to a line for each image that containerd has: "NAME ready|short pinned|loose".
# Ready is an image for this platform that is unpacked, so that a container can start. Its layers need
# not be there in packed form too: a CRI with discard_unpacked_layers has them removed.
look() {
    # Of an image without its manifest check complains, and that is an image which is not there.
    # shellcheck disable=SC2086 # a list of names without blanks
    run_ctr images check --snapshotter "$snapshotter" $filters || :
    mv "$scratch/output" "$scratch/checked"
    # shellcheck disable=SC2086
    run_ctr images ls $filters || give_up "containerd does not list its images"
    present=$(awk -v platform="linux/$arch" '
        !listing { unpacked[$1] = $NF == "true"; next }
        {
            right = ("," $6 ",") ~ ("," platform "[,/]")
            pinned = ("," $7 ",") ~ /,io[.]cri-containerd[.]pinned=pinned,/
            print $1, (right && unpacked[$1] ? "ready" : "short"), (pinned ? "pinned" : "loose")
        }' "$scratch/checked" listing=1 "$scratch/output")
}

give_up() { # PROBLEM
    find_cause
    die "$1: $cause" \
        "run as root, with containerd running; CONTAINERD_ADDRESS says where its socket is (k3s, RKE2: /run/k3s/containerd/containerd.sock)"
}

short=0
check() { # KIND REFERENCE NAME
    step "$2"
    if has "$present" "$3 ready pinned"; then
        say there
        return
    fi
    short=$((short + 1))
    if has "$present" "$3 ready"; then say "not pinned"; else say missing; fi
}

absent=
archive_needed=
note_absent() { # KIND REFERENCE NAME
    if has "$present" "$3 ready"; then return; fi
    absent=yes
    if [ "$1" = registry ] || [ -z "$packages" ]; then archive_needed=yes; fi
}

# Decides where the absent images come from: the archive, the vendor's package, or nowhere.
held=
from_archive=
vendor=
nowhere=
choose() { # KIND REFERENCE NAME
    if has "$present" "$3 ready"; then
        return
    elif has "$held" "$3 "; then
        from_archive=$archive
    elif [ "$1" = package ] && [ -n "$packages" ]; then
        vendor="$vendor$3 $arch$newline"
    else
        nowhere="$nowhere$3 $newline"
    fi
}

# Brings the images of a file into containerd: an archive that is written of these files of a folder while
# containerd reads it, so that it gets what was read and understood here, and nothing else.
# Before version 1.6 ctr has no --platform; only what is for another machine needs it. From version 2
# on ctr leaves the import to containerd, which then unpacks for one snapshotter alone, unless there is
# --local.
import() { # FILE FOLDER MEMBER...
    say "importing $1"
    file=$1
    folder=$2
    shift 2
    options=--snapshotter=$snapshotter
    [ "$arch" = "$(host_architecture 2>/dev/null)" ] || options=$options$newline--platform=linux/$arch
    run_ctr images import --help || :
    case $(cat "$scratch/output") in
        *' --local '*) options=$options$newline--local ;;
    esac
    mkfifo "$scratch/archive.tar"
    (cd "$folder" && exec tar -cf - "$@") >"$scratch/archive.tar" 2>/dev/null &
    queue=$!
    set -- "$file"
    # shellcheck disable=SC2086 # a list
    if ! run_ctr images import $options "$scratch/archive.tar"; then
        find_cause
        complain "containerd did not take $1: $cause"
        case $cause in *'o space left on device'*) advise "make room on the disk of containerd" ;; esac
    fi
    kill "$queue" 2>/dev/null || : # if nobody has read it
    wait
    queue=
    rm -rf "$scratch/archive.tar" "$folder"
}

# Brings in what was read of a vendor's archive. Its layers are compared by containerd with its config.
import_vendor() { # NAME NUMBER
    find_vendor_archive "$1" "$arch"
    layers=$(find_vendor_files layer "$2")
    tree=$scratch/vendor/$2/tree
    find_vendor_files manifest "$2" >"$tree/manifest.json"
    if ! take_layers "$found" "$tree"; then
        find_cause
        complain "cannot unpack $found in $scratch: $cause"
        return
    fi
    # shellcheck disable=SC2046,SC2086 # lists
    import "$found" "$tree" manifest.json $(find_vendor_files config "$2") $layers
}

find_vendor_files() { # KIND NUMBER
    sed -n "s/^$1 $2 //p" "$scratch/vendor/read"
}

# Labels images so that the kubelet does not collect them. An import may take the labels
# off, also from images that were there before.
pin() { # KIND REFERENCE NAME
    if [ -z "$absent" ] && has "$before" "$3 ready pinned"; then return; fi
    if has "$nowhere" "$3 "; then return; fi
    changed=yes
    run_ctr images label "$3" io.cri-containerd.pinned=pinned || :
}

report() { # KIND REFERENCE NAME
    step "$2"
    if has "$present" "$3 ready pinned"; then
        if has "$before" "$3 ready"; then say "already there"; else say imported; fi
    elif has "$present" "$3 ready"; then
        fail "it is there, but containerd did not take the label that pins it"
    elif ! has "$nowhere" "$3 "; then
        fail "containerd has not unpacked it"
    elif [ "$1" = package ]; then
        fail "it is not in the archive, but in the vendor's package: give --package"
    else
        fail "it is not in the archive"
    fi
}

[ -z "$packages" ] || need_folder "$packages" --package
if [ -n "$dry_run" ]; then
    say "would import into containerd, for $arch, what it lacks; from $archive"
    [ -f "$archive" ] || say "which is not there"
    each_image preview
    exit
fi

need_tools jq tar sha256sum awk flock
command -v "${CTR%%"$newline"*}" >/dev/null ||
    die "not installed: ${CTR%%"$newline"*}" "it comes with containerd; CTR names another, such as CTR='k3s ctr'"
[ -n "$check" ] || lock "/run/$product-import.lock" "run as root"
make_scratch "${TMPDIR:-/var/tmp}" "$product"
run_ctr version || give_up "containerd does not answer"
find_complete
check_namespace
find_snapshotter
if [ -n "$check" ]; then
    look
    each_image check
    if [ "$short" -gt 0 ]; then
        say "$short of $total images of Kubernetes $kubernetes are missing or not pinned"
        rm -rf "$scratch"
        trap - EXIT # which lets no 3 pass
        exit 3
    fi
    say "$complete"
    exit
fi

look
before=$present
each_image note_absent
if [ -n "$absent" ]; then
    if [ -n "$archive_needed" ]; then
        [ -f "$archive" ] || die "there is no file $archive" "make it with pull.sh on a host that reaches the registries; --archive says where it is"
        open_archive "$archive" "$scratch/layout" "$arch"
    fi
    each_image choose
    check_packages "$vendor"
    # shellcheck disable=SC2046 # a list
    [ -z "$from_archive" ] || import "$archive" "$scratch/layout" oci-layout index.json $(list_files <"$scratch/read")
    nth=0
    for line in $vendor; do
        nth=$((nth + 1))
        import_vendor "${line% *}" "$nth"
    done
fi
changed=
each_image pin
[ -z "$changed" ] || look
each_image report
die_if_failed
say "$complete"
