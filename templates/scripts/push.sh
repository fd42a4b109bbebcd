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
