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
