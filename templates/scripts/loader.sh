# The rest of the script, which is the same for every release, is in one file for all of them. It is run
# only from there: whoever can write three folders above a copy must not have root run what is there.
kit_only() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    printf '%s\n' "this is a part of a script, for the repository alone: take it from the kit" \
        "$product-$release-k8s-$kubernetes.tar.gz, where it is whole" >&2
    exit 1
}
unset -v CDPATH body
case $0 in
    */*) body=${0%/*} ;;
    *) body=. ;;
esac
if [ -L "$0" ] || [ ! -f "$0" ]; then
    kit_only "this is a link, or is not run from its own file"
fi
body=$(cd -- "$body" && pwd -P) || exit 1
case $body in
    */"$product/$release/k8s-$kubernetes") ;;
    *) kit_only "this is a copy, in $body" ;;
esac
body=${body%/*/*}/scripts/${0##*/}
if [ -L "$body" ] || [ ! -f "$body" ]; then
    kit_only "there is no $body"
fi
# shellcheck disable=SC2012 # the third field is the owner, whatever the name
owner_of() { ls -dn -- "$1" | { read -r _ _ owner _ && echo "$owner"; }; } # PATH
# Whoever owns a folder can put another file in the place of the one that was looked at.
for part in "$body" "${body%/*}" "${body%/*/*}"; do
    [ "$(owner_of "$part")" = "$(owner_of "$0")" ] || kit_only "$part is of another owner"
done
# shellcheck source=/dev/null
. "$body"
