//! The rules about one value of a spec, by code. The reader applies them where it reads the value; what
//! only a look at a whole release shows is in [`crate::rules`].

use crate::diagnostic::{Rule, Severity};

macro_rules! rules {
    ($($name:ident = $severity:ident $code:literal, $summary:literal: $explanation:literal)*) => {
        $(pub const $name: Rule = Rule {
            code: $code,
            severity: Severity::$severity,
            summary: $summary,
            explanation: $explanation,
        };)*

        /// Every rule about one value.
        pub const RULES: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    CONFLICTING_ENTRY = Error "conflicting-entry", "two entries of a product that hold at once for one thing":
        "Of some things a release has one: a package file, a switch for each component. Two entries of \
         `product.toml` about one of them hold for this release. Their `since` and `before` have to say \
         which of the two counts; there are no overrides. A chart is in a folder of the package or in a \
         repository, not in both."

    CONTROL_CHARACTER = Error "control-character", "a character that cannot be seen":
        "Texts are one line of visible characters. Line breaks, control characters, and marks that \
         change the direction of writing or take no room (https://www.unicode.org/reports/tr36/) \
         could make a page or a script show other than it is. Anywhere in the file, in a comment \
         too, they could make a review show other than the file is (https://trojansource.codes)."

    DUPLICATE_NAME = Error "duplicate-name", "a thing that is named twice":
        "An architecture, a workload or a minor is named twice in one list, or two entries of the knowledge \
         are about one registry or image: nobody could know which counts."

    EMPTY_LIST = Error "empty-list", "a list without an entry":
        "A list that has to name something names nothing. Either add an entry, or remove the key \
         where the key may be absent."

    INVALID_TOML = Error "invalid-toml", "a file that is no TOML":
        "A spec is a TOML document (https://toml.io/en/v1.0.0). The place that is shown is where a \
         TOML reader gives up, and the mistake is there or shortly before: a quote that is not \
         closed, a key without a value, a table that is opened twice. Nothing else in the file is \
         looked at before it is TOML."

    LATEST_TAG = Error "latest-tag", "the tag `latest`":
        "`latest` is whatever was pushed last. The archive of today and the registry of tomorrow \
         would hold different images under one name, and no kit could be made twice alike."

    MALFORMED_HELM_KEY = Error "malformed-helm-key", "a Helm key with other characters":
        "A Helm key is the path of a value in the chart's values: names joined by dots, each \
         starting with a letter and of letters, digits, `_` and `-`."

    MALFORMED_NAME = Error "malformed-name", "a name with other characters":
        "Names of files, folders, workloads and the like end up in paths, commands and Kubernetes \
         objects, so they are of the characters that all of those take as they are. `..` is no name, \
         nor is a name that starts with a hyphen."

    MALFORMED_PATTERN = Error "malformed-pattern", "a text with an unknown part in braces":
        "A part in braces is filled in: `{release}` in a reference, `{name}`, `{release}`, `{word}` and \
         `{word-lower}` in a name of the package's files, `{registry}`, `{path}` and `{tag}` in a part of the \
         chart's images. Another one would be left as it stands."

    MALFORMED_RANGE = Error "malformed-range", "a supported range that is open":
        "The release's own `kubernetes` is a list of closed ranges of minors, such as `[\"v1.16-v1.30\"]`. It is \
         the upper bound of every `+` in the file, so it cannot be open itself."

    MALFORMED_REFERENCE = Error "malformed-reference", "a reference that breaks the grammar":
        "An image reference follows the grammar of the distribution project \
         (https://pkg.go.dev/github.com/distribution/reference) in its strict form: a host with an \
         optional port, a path of lower-case components, and a tag of at most 128 letters, digits, \
         `_`, `.` and `-`. No engine would take this one."

    MALFORMED_REQUIREMENT = Error "malformed-requirement", "a requirement of no known form":
        "A Kubernetes requirement has one of three forms: `v1.17+` (this minor and every later one \
         that the release supports), `v1.16.x` (this minor alone), `v1.17-v1.19` (both ends and all \
         between). What only nearly has one of these is read with a warning, see `requirement-typo`; \
         this text cannot be read at all."

    MISSING_DEFAULT = Error "missing-default", "a switch whose default nobody gave":
        "A component depends on a Helm value, and `chart.defaults` does not say what the chart sets \
         it to. Without that nobody can tell whether the component runs when the values say nothing."

    MISSING_KEY = Error "missing-key", "a key that has to be there":
        "The key is required: without it some file could not be generated, or somebody would have to \
         guess. The message says what a value looks like."

    MISSING_PACKAGE = Error "missing-package", "an image of a package that is not described":
        "A component's images come in the vendor's package, and the product does not say what that package \
         or an archive in it is called for this release and each of its architectures."

    MISSING_ROW = Error "missing-row", "a component without a row in the table":
        "The product has the component in this release, and the release's table has no row of it. Every \
         component of a release needs an image, or it is not one of the release's: then its `since` or \
         `before` in `product.toml` says so."

    MISSING_TRANSLATION = Error "missing-translation", "a text in one language only":
        "Every text is there in English and in Simplified Chinese, because every page is. A blank \
         text is none."

    OTHER_LANGUAGE = Warning "other-language", "a text in the wrong language":
        "The English text has a Chinese character, or the Chinese text has none: one of the two has not been \
         translated, or they are swapped."

    PACKAGE_IMAGE_WITH_HOST = Error "package-image-with-host", "a vendor's image that names a registry":
        "The component has `source = \"package\"`, and yet the reference names a registry. It can be only one of the two: what comes from the package must never be \
         pulled."

    PLACEHOLDER = Error "placeholder", "a placeholder that nobody filled in":
        "The text still has a placeholder of a build script, such as `{{csi-version}}` or \
         `${VERSION}`. It was copied from a file that is filled in later; the table has to hold what \
         comes out."

    REFERENCE_BY_DIGEST = Error "reference-by-digest", "a reference with a digest":
        "Images are referred to by tag here. An image that is imported on a node from an archive \
         gets a manifest of its own, so that a registry's digest is not found there, and the Pod \
         would wait for a pull that cannot succeed."

    REFERENCE_WITHOUT_TAG = Error "reference-without-tag", "a reference without a tag":
        "Without a tag every engine takes `latest`, which is another image next month. A table says \
         which version was tested."

    REQUIREMENT_TYPO = Warning "requirement-typo", "a requirement with a slip":
        "The requirement is no valid one, but it is clear what was meant: a dot too many \
         (`v.1.16.x`, as several published tables have it), a `v` too few, a blank, a capital \
         letter. It is read as the message says; write it that way, since other readers of the table \
         may not be so kind."

    SHORT_NAME = Error "short-name", "a short name that would be pulled from docker.io":
        "A name without a registry is `docker.io/library/...` to every engine. An image of a \
         registry is written with its registry; only an image of the vendor's package, whose component has \
         `source = \"package\"`, has the short name that is inside its archive."

    TOO_LONG = Error "too-long", "a text or a list that is longer than any real one":
        "A text stands in a cell of a table, in a comment and in a list, once for each minor; the \
         architectures are listed with every image. What is longer than any real one is a slip, such \
         as a whole document pasted into a text, and would make every page unreadable."

    UNKNOWN_ARCHITECTURE = Error "unknown-architecture", "an architecture that no release is built for":
        "The architecture is not among the `architectures` of any release. Use the OCI names: `amd64`, \
         not `x86_64`; `arm64`, not `aarch64`."

    UNKNOWN_COMPONENT = Error "unknown-component", "a component that the product does not have":
        "The table has a row of it, or an entry of the product names it, and `product.toml` has no such \
         `[component]`, or has it only for other releases. Nobody could tell where its containers run."

    UNKNOWN_KEY = Error "unknown-key", "a key that the format does not have":
        "A key that the format does not have is refused, because a misspelt key would otherwise be \
         lost in silence, and with it an image or a setting. The message lists the keys that are \
         known in that place."

    UNKNOWN_WORKLOAD = Error "unknown-workload", "a workload that nobody declared":
        "The component runs in a workload that has no `[workload]` entry, so that the pages could \
         not say which service account needs a pull secret."

    UNSUPPORTED_SCHEMA = Error "unsupported-schema", "another version of the format":
        "`schema` is the version of the spec's format, and this tool reads version 2. Another number \
         means that the file was written for another version of the tool, which may understand its \
         keys otherwise."

    UNUSED_ENTRY = Error "unused-entry", "an entry of a product that no release uses":
        "An entry of `product.toml` holds for no release that there is, or is about an image or a minor that \
         none has. It would say something that nobody ever reads; mostly its bounds have a slip."

    UPPER_CASE_HOST = Error "upper-case-host", "a registry whose host has upper-case letters":
        "The grammar of image references admits upper-case letters in a host, but not in a path. In \
         the scoped layout of a private registry the source's host becomes part of a path, so no \
         image of this host could be pushed there. A host means the same in lower case."

    WRONG_TYPE = Error "wrong-type", "a value of another type":
        "The value has another type than the format asks for, such as a number where a text belongs. \
         Versions and tags are always texts, in quotes: as numbers 1.30 would be 1.3."
}
