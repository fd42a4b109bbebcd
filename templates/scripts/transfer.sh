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
