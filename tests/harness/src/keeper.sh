# shellcheck shell=sh
# Clears up what a test process left behind, however that process ended.
#
#   sh keeper.sh ROOT
#
# ROOT is the folder of the test process; ROOT/groups has one file for each
# process group that it started. Standard input is a pipe which the test process
# alone holds open: it ends when that process does.

trap '' HUP INT TERM
root=$1
cat >/dev/null

signal_groups() {
    found=1
    for group in "$root"/groups/*; do
        kill -s "$1" -- "-${group##*/}" 2>/dev/null && found=0
    done
    return "$found"
}

signal_groups TERM
tenths=50
while signal_groups 0 && [ "$tenths" -gt 0 ]; do
    sleep 0.1
    tenths=$((tenths - 1))
done
signal_groups KILL && sleep 0.5

# Before anything is removed: what is mounted is not ours to delete.
awk -v below="$root/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo |
    sort -r | while IFS= read -r target; do
    umount --lazy "$target"
done
rm -rf --one-file-system "$root"
