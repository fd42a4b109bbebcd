# The architecture of this machine, in the words of images.
host_architecture() {
    machine=$(uname -m)
    case $machine in
        x86_64 | amd64) say amd64 ;;
        aarch64 | arm64) say arm64 ;;
        *) misuse "cannot tell which images a $machine machine needs" "say it with --arch" ;;
    esac
}
