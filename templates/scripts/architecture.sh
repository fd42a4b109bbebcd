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
