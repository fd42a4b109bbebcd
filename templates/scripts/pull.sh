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
