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
