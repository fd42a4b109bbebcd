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
