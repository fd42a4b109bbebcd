# Registries: what they answered, and what to do about it. The words of an error change from one version
# of skopeo, and from one registry, to the next. They are shown, and they choose the advice; words that
# are not known here keep no image from being copied.

# Sets $answer to the kind of an error: of a registry's answer skopeo prints its code, the usual words
# for that code, or its HTTP status.
classify() { # CAUSE
    case $1 in
        *'unknown flag'*) answer=old ;;
        *'trust policy'* | *policy.json*) answer=no-policy ;;
        *'rejected by policy'* | *'image rejected'*) answer=rejected ;;
        *x509*) answer=other ;;
        *'o space left on device'*) answer=disk ;;
        *[Tt]imeout* | *'deadline exceeded'*) answer=busy ;;
        *'HTTP status: 507'* | *'StatusCode: 413'* | *'too large'* | *[Qq]uota* | *exceed*) answer=full ;;
        *'HTTP status: 5'* | *'from registry 5'* | *'StatusCode: 429'* | *[Tt]'oomanyrequests'* | *[Tt]'oo many requests'*) answer=busy ;;
        *EOF* | *'connection re'* | *'no such host'* | *'no route to host'*) answer=busy ;;
        *'StatusCode: 401'* | *[Uu]nauthorized* | *[Aa]'uthentication required'*) answer=unauthorized ;;
        *'StatusCode: 403'* | *Forbidden*) answer=forbidden ;;
        *denied*) answer=denied ;;
        *'StatusCode: 404'* | *'404 (Not Found)'* | *'manifest unknown'* | *'name unknown'* | *'not known to registry'* | *'not found'*) answer=absent ;;
        *) answer=other ;;
    esac
}

# Sets $remedy to what helps whatever was to be done, or else fails.
find_remedy() { # ANSWER REGISTRY
    remedy=
    case $1 in
        busy) remedy="see that $2 is well, and can be reached from here" ;;
        disk) remedy="make room on $disk" ;;
        old) remedy="install skopeo 1.9 or later" ;;
        no-policy)
            remedy="install skopeo's own configuration (containers-common), or write /etc/containers/policy.json: \
{\"default\": [{\"type\": \"insecureAcceptAnything\"}]} accepts every image"
            ;;
        rejected) remedy="have this host's policy.json accept these images (man containers-policy.json)" ;;
        *) return 1 ;;
    esac
}

# Says why an image could not be read from where it comes from.
fail_source() { # CAUSE
    classify "$1"
    find_remedy "$answer" "the source registry" || case $answer in
        unauthorized | denied) remedy="log in to the source registry: $source_login" ;;
        forbidden) remedy="if a proxy of your own network answers so, have it admit the source registry" ;;
        absent) remedy="see that the source registry has it, or the mirror that this host's registries.conf names for it" ;;
    esac
    fail "cannot read it from its source: $1" "$remedy"
}
