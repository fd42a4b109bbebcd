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
Usage: $me [--arch ARCH] [--package DIR] [--output DIR] [--authfile FILE] [--dry-run]

Run on a host that reaches the registries: puts every image that $product $release
needs on Kubernetes $kubernetes into one archive for nodes of one architecture,
  $product-$release-k8s-$kubernetes-ARCH.tar
with its SHA-256 beside it. import.sh, push.sh, podman load and docker load take it.

  --arch ARCH       architecture of the nodes (default: this machine's)
  --package DIR     the vendor's package, unpacked, or the folder of its image archives;
                    without it the archive holds only the images of registries, and a
                    later run with --package completes it. An image that the vendor has
                    issued again under the same tag is replaced
  --output DIR      where the archive goes (default: the current folder)
  --authfile FILE   credentials for the registries, as skopeo login writes them
  --dry-run         say what would be done, and do nothing
  --help            print this text

What has arrived stays in a folder beside the archive until the archive is complete, so a
run that failed or was stopped goes on where it was. Two runs for one archive: the second
waits for the first. A host that reaches the registries only through another one says so in
its own registries.conf (man containers-registries.conf); the names stay as they are.

Needs skopeo 1.9 or later, jq, tar, sha256sum, flock; and free space for twice the archive.
Exit status: 0 done, 1 an image is missing or a step failed, 2 wrong usage.
END
}

arch=
packages=
output=$PWD
authfile=
dry_run=
while [ $# -gt 0 ]; do
    case $1 in
        --*=*)
            option=$1
            shift
            set -- "${option%%=*}" "${option#*=}" "$@"
            continue
            ;;
        --arch | --package | --output | --authfile) need_value "$@" ;;
    esac
    case $1 in
        --arch) arch=$2 && shift ;;
        --package) packages=$(absolute "$2") && shift ;;
        --output) output=$2 && shift ;;
        --authfile) authfile=$(absolute "$2") && shift ;;
        --dry-run) dry_run=yes ;;
        -h | --help)
            usage
            exit
            ;;
        *) misuse "unknown argument: $1" ;;
    esac
    shift
done
output=$(absolute "$output")
[ -n "$arch" ] || arch=$(host_architecture)
refuse_gaps "$arch"
archive=$product-$release-k8s-$kubernetes-$arch.tar
work=$archive.work

lacking=
preview() { # KIND REFERENCE NAME
    step "$2"
    if [ "$1" = registry ]; then
        say "would be copied from its registry"
    elif [ -z "$packages" ]; then
        say "would be left out: it comes in the vendor's package (--package)"
    else
        find_vendor_archive "$3" "$arch"
        if [ -n "$found" ]; then
            say "would be taken from $found"
        else
            say "MISSING: there is no $spelling in the package"
            lacking=yes
        fi
    fi
}

# What the archive must hold. The vendor's images belong to it if there is a package, or if a former
# run had one.
former=
wanted=
vendor=
want() { # KIND REFERENCE NAME
    if [ "$1" = registry ] || [ -n "$packages" ] || has "$former" "$3 $arch$newline"; then
        wanted="$wanted$3 $arch$newline"
    fi
}

# Of what the archive holds, an image does not count that the package has in another issue.
note_former() { # LINES "NAME ARCHITECTURE IDENTITY DIGEST"
    for row in $1; do
        row=${row% *}
        if has "$packaged" "${row% *} " && ! has "$packaged" "$row$newline"; then continue; fi
        former=$former${row% *}$newline
    done
}

# An archive is not made anew without images that it has, or seems to have, of the vendor's.
keep_vendor() {
    mkdir "$scratch/lost"
    run take_out "$archive" "$scratch/lost" "$small" manifest.json || :
    each_image refuse_loss
}

refuse_loss() { # KIND REFERENCE NAME
    if [ "$1" = package ] && grep -qF "\"$3\"" "$scratch/lost/manifest.json" 2>/dev/null; then
        die "$problem" "to make it anew give --package too, because it has the vendor's images; or else remove it"
    fi
}

want_vendor() { # KIND REFERENCE NAME
    if [ "$1" = package ]; then vendor="$vendor$3 $arch$newline"; fi
}

# What it does not hold although the nodes need it.
left=
note_left() { # KIND REFERENCE NAME
    has "$held" "$3 $arch$newline" || left="$left$newline  $2"
}

# Sets $manifest to the digest, less its sha256:, that skopeo noted when it was done with a layout.
find_manifest() { # LAYOUT
    read -r manifest <"$1/digest" || [ -n "$manifest" ] || return
    manifest=${manifest#sha256:}
}

# Removes damaged blobs. What skopeo finds under a blob's name it takes for that blob.
check_blobs() {
    [ -d archive/blobs/sha256 ] || return 0
    if ! run find archive/blobs -type f -exec sha256sum {} +; then
        find_cause
        die "cannot read what a former run has left in $PWD: $cause" "remove that folder, then $again"
    fi
    while IFS=' ' read -r hash file; do
        [ "$hash" = "${file##*/}" ] || rm -f "$file"
    done <"$scratch/output"
}

# Whether a layout is whole: skopeo was done with it, it is this image, its blobs are there, and it is
# what the package has, if that has it.
is_whole() { # LAYOUT NAME
    [ -f "$1/digest" ] && find_manifest "$1" && grep -qF "\"$2\"" "$1/index.json" &&
        blobs=$(jq -r --arg manifest "$manifest" '.config.digest, $manifest, .layers[].digest
            | "archive/blobs/sha256/" + ltrimstr("sha256:")' "archive/blobs/sha256/$manifest") &&
        for blob in $blobs; do [ -f "$blob" ] || return; done && {
        ! has "$packaged" "$2 $arch " ||
            has "$packaged" "$2 $arch $(jq -r "$identity identity" "${blobs%%"$newline"*}")$newline"
    }
} >/dev/null 2>&1

# Makes a layout of each image of the archive that was unpacked, as if it had just been copied.
take_former() {
    jq -r '.manifests[]
        | "\(.annotations["org.opencontainers.image.ref.name"]) \(.digest) \({schemaVersion: 2, manifests: [.]})"' \
        new/index.json >"$scratch/former" || return
    number=0
    each_image take_layout
}

take_layout() { # KIND REFERENCE NAME
    number=$((number + 1))
    while IFS=' ' read -r name digest index; do
        [ "$name" = "$3" ] || continue
        mkdir -p "$number" && say "$index" >"$number/index.json" && say "$digest" >"$number/digest"
    done <"$scratch/former"
}

# Images are copied eight at a time, because a skopeo often waits: for its registry, for the disk, for
# another's lock on its cache. Each gets a layout of its own, named by its number; the blobs of all
# are shared. The queue holds a line "PID SOURCE NAME REFERENCE OUTCOME" for each.
queued=0
fetch() { # KIND REFERENCE NAME
    queued=$((queued + 1))
    source=none
    outcome="already there"
    if is_whole "$queued" "$3"; then
        :
    elif [ "$1" = registry ]; then
        source=docker://$3
        outcome=copied
    elif [ -n "$packages" ]; then
        find_vendor_archive "$3" "$arch"
        ln -sf "$found" "$queued.tar" # skopeo takes no path with a colon
        source=docker-archive:$queued.tar
        outcome=copied
    else
        rm -rf "$queued"
        outcome="left out: it comes in the vendor's package (--package)"
    fi
    copy "$queued" "$source" "$3" &
    queue="$queue$! $source $3 $2 $outcome$newline"
    [ "$queued" -lt 8 ] || finish
}

# Becomes skopeo, so that who ends this job ends skopeo. It streams, so its memory stays small also when
# Go collects its garbage less often. An image keeps the form that it has, Docker's or the OCI's, or it
# could not go on to a registry that takes only the one. Of the vendor's, which are Docker's, the layers
# are compressed. What this host's configuration says of signatures is for images that are run here; no
# archive can hold one.
copy() { # NUMBER SOURCE NAME [FORM]
    [ "$2" != none ] || exit 0
    [ ! -d "$1" ] || rm -rf "$1"
    case $2 in
        docker://*) form=${4:---preserve-digests} ;;
        *) form=--format=v2s2 ;;
    esac
    GOGC=400 exec skopeo copy --quiet --retry-times 2 "$form" --remove-signatures \
        --override-os linux --override-arch "$arch" ${authfile:+"--src-authfile=$authfile"} \
        --dest-shared-blob-dir archive/blobs --digestfile "$1/digest" "$2" "oci:$1:$3" >"$scratch/$1" 2>&1
}

# Copies once more what the queue begins with.
copy_again() { # NUMBER SOURCE NAME [FORM]
    copy "$@" &
    queue="$! $queue"
    result=0
    wait "$!" || result=$?
}

# Whether a layout has layers packed with zstd, which containerd before 1.5 and Docker before 23 cannot
# read. They are removed, or skopeo would take them again.
drop_zstd() { # LAYOUT
    [ -d "$1" ] && find_manifest "$1" && grep -q 'tar+zstd"' "archive/blobs/sha256/$manifest" || return
    for blob in $(jq -r '.layers[] | select(.mediaType | endswith("tar+zstd")).digest' "archive/blobs/sha256/$manifest"); do
        rm -f "archive/blobs/sha256/${blob#sha256:}"
    done
}

# Waits for the first of the queue, so that the lines come in the order of the table.
finish() {
    IFS=' ' read -r pid source name reference outcome <<END
$queue
END
    step "$reference"
    result=0
    wait "$pid" || result=$?
    if [ "$result" -ne 0 ] && is_broken_off "$(cat "$scratch/$number")"; then
        copy_again "$number" "$source" "$name"
    fi
    if [ "$result" -eq 0 ] && drop_zstd "$number"; then
        outcome="copied, its layers packed anew with gzip, which every engine reads"
        copy_again "$number" "docker://$name" "$name" --dest-compress-format=gzip
    fi
    queue=${queue#*"$newline"}
    if [ "$result" -eq 0 ]; then
        say "$outcome"
    else
        rm -rf "$number"
        mv "$scratch/$number" "$scratch/errors"
        find_cause
        fail_source "$cause"
    fi
}

# Describes all layouts as one.
indexes=
manifests=
describe() {
    number=0
    each_image collect
    # shellcheck disable=SC2086 # lists
    jq -nr "$description"'[inputs] | (length / 2) as $count
        | [range($count) as $nth | {entry: .[$nth].manifests[0], manifest: .[$count + $nth]}] | described' \
        ${indexes:-/dev/null} $manifests
}

collect() { # KIND REFERENCE NAME
    number=$((number + 1))
    [ -d "$number" ] || return 0
    find_manifest "$number"
    indexes=$indexes$number/index.json$newline
    manifests=${manifests}archive/blobs/sha256/$manifest$newline
}

# Asked for an architecture, skopeo still copies an image that exists for another one alone; and what it
# made of a vendor's archive must be what was read of it.
check_arrived() {
    # shellcheck disable=SC2046 # a list
    arrived=$(cd archive && jq -r "$identity"'"\(.architecture) \(identity)"' $(sed -n 's/^config //p' "$scratch/plan") </dev/null)$newline
    number=0
    each_image check_image
}

check_image() { # KIND REFERENCE NAME
    number=$((number + 1))
    [ -d "$number" ] || return 0
    is=${arrived%%"$newline"*}
    arrived=${arrived#*"$newline"}
    if [ "${is% *}" != "$arch" ]; then
        cause="what came is built for ${is% *}, not for $arch"
    elif has "$packaged" "$3 $arch " && ! has "$packaged" "$3 $is$newline"; then
        cause="what came is not what was read in the vendor's package"
    else
        return 0
    fi
    rm -rf "$number"
    announce "$2"
    fail "$cause"
}

# Packs what the plan says, and no other blob; GNU tar in large pieces, which is faster.
pack() {
    # shellcheck disable=SC2046 # a list
    sed -n 1p "$scratch/plan" >archive/index.json &&
        sed -n 2p "$scratch/plan" >archive/manifest.json &&
        say "$oci_layout" >archive/oci-layout &&
        TAR_OPTIONS=--blocking-factor=128 exec tar -cf "$archive" -C archive oci-layout index.json manifest.json \
            $(list_files <"$scratch/plan")
}

cannot_write() {
    rm -f "$archive"
    die "cannot write $output/$work/$archive" "if the disk is full make room, then $again"
}

[ -z "$authfile" ] || need_file "$authfile" --authfile
[ -z "$packages" ] || need_folder "$packages" --package
if [ -n "$dry_run" ]; then
    say "would make $output/$archive"
    each_image preview
    [ -z "$lacking" ] || refuse_package "$(explain_missing "$arch")"
    exit
fi

need_tools skopeo jq tar sha256sum flock
{ mkdir -p "$output" && cd "$output"; } || die "cannot use the folder $output" "--output names another"
lock "$output/.$archive.lock" "--output names a folder of your own"
disk="the disk of $output"
source_login="give --authfile with what skopeo login wrote for it"
make_scratch "${TMPDIR:-/tmp}" "$product"
if [ -n "$packages" ]; then
    each_image want_vendor
    check_packages "$vendor"
fi

if [ -e "$archive" ]; then
    is_ours "$archive" || die "$output/$archive is another user's" "remove it, or run as that user"
    check_sum "$output/$archive"
    if [ -z "$problem" ]; then
        read_archive "$output/$archive" "$scratch/opened"
        [ -z "$problem" ] || die "$problem" "remove it, then $again"
        note_former "$content"
    else
        [ -n "$packages" ] || keep_vendor
        say "$problem: making it anew"
    fi
fi
each_image want
held=$former
if [ "$held" != "$wanted" ]; then
    # Nobody else may reach what is at work there, or have put anything there before.
    mkdir -m 700 "$work" 2>/dev/null || [ -d "$work" ] || die "cannot make $output/$work" "if the disk is full make room, then $again"
    { cd "$work" 2>/dev/null && is_ours .; } || die "$output/$work is another user's" "remove it, or run as that user"
    chmod 700 .
    if [ ! -d archive ]; then
        # A run that was stopped at its end has packed the archive already.
        packed=
        [ -z "$former" ] || packed=$output/$archive
        [ ! -f "$archive" ] || packed=$output/$work/$archive
        rm -rf new
        mkdir -p new/blobs
        if [ -n "$packed" ]; then
            read_archive "$packed" new
            [ -z "$problem" ] || die "$problem" "remove it, then $again"
            if ! { take_layers "$packed" new && take_former; }; then
                rm -rf new
                die "cannot unpack $packed in $output" "if the disk is full make room, then $again"
            fi
        fi
        mv new archive
    fi
    check_blobs
    each_image fetch
    while [ -n "$queue" ]; do finish; done
    describe >"$scratch/plan" || die "cannot describe the images in $scratch" "if the disk is full make room, or name another place with TMPDIR; then $again"
    # What takes its time is done side by side: packing and checking, then summing and clearing.
    pack 2>"$scratch/errors" &
    running=$!
    check_arrived
    die_if_failed
    held=$(sed -n "s/^name \(.*\)/\1 $arch/p" "$scratch/plan")$newline
    for line in $wanted; do
        has "$held" "$line$newline" || die "$output/$work lacks $line" "remove that folder, then $again"
    done
    wait "$running" || cannot_write
    mv archive cleared
    rm -rf cleared &
    sha256 "$archive"
    say "$sum  $archive" >"$archive.sha256" || cannot_write
    wait
    rm -f "../$archive.sha256"
    mv "$archive" "$archive.sha256" ..
    cd ..
fi
rm -rf "$work"
each_image note_left
say "$output/$archive is there, and its checksum is right"
[ -z "$left" ] || say "not in it, because they come in the vendor's package (--package, here or with import.sh):$left"
