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
    CONTROL_CHARACTER = Error "control-character", "a character that cannot be seen":
        "Texts are one line of visible characters. Line breaks, control characters, and marks that \
         change the direction of writing or take no room (https://www.unicode.org/reports/tr36/) \
         could make a page or a script show other than it is. Anywhere in the file, in a comment \
         too, they could make a review show other than the file is (https://trojansource.codes)."

    DUPLICATE_NAME = Error "duplicate-name", "two components or two workloads of one name, an architecture named twice, or two entries of the knowledge about one thing":
        "Two things of one kind have one name. Of a component there is one entry, and each of its \
         images is a `[[component.image]]` row of it: two entries would hide a gap or an overlap \
         between them. Of two facts about one registry or image nobody could know which counts."

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

    MALFORMED_RANGE = Error "malformed-range", "a supported range that is open":
        "The release's own `kubernetes` is a closed range of minors of one major version, such as \
         `v1.16-v1.30`. It is the upper bound of every `+` in the file, so it cannot be open itself."

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

    MISSING_PACKAGE = Error "missing-package", "an archive without a package":
        "The row has `archives`, which are files of the vendor's package, and the spec has no \
         `[package]` that says what that package is called and where in it the archives lie."

    MISSING_TRANSLATION = Error "missing-translation", "a text in one language only":
        "Every text is there in English and in Simplified Chinese, because every page is. A blank \
         text is none."

    NEEDLESS_ARCHITECTURES = Error "needless-architectures", "architectures said twice":
        "A row with `archives` is built for exactly the architectures that have an archive, so \
         `architectures` beside them can only repeat that or contradict it."

    PACKAGE_IMAGE_WITH_HOST = Error "package-image-with-host", "a vendor's image that names a registry":
        "The row has `archives`, so the image comes in the vendor's package, and yet its reference \
         names a registry. It can be only one of the two: what comes from the package must never be \
         pulled."

    PACKAGE_IMAGE_WITHOUT_ARCHIVE = Error "package-image-without-archive", "a vendor's image without archive names":
        "The image looks like one of the vendor's package: it has a short name and the release's own \
         version as its tag. Then the spec has to say what its archive is called for each \
         architecture, or the scripts cannot find it."

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
         registry is written with its registry; only an image of the vendor's package, which has \
         `archives`, has the short name that is inside its archive."

    TOO_LONG = Error "too-long", "a text or a list that is longer than any real one":
        "A text stands in a cell of a table, in a comment and in a list, once for each minor; the \
         architectures are listed with every image. What is longer than any real one is a slip, such \
         as a whole document pasted into a text, and would make every page unreadable."

    UNKNOWN_ARCHITECTURE = Error "unknown-architecture", "an architecture that the release is not built for":
        "The architecture is not among the release's `architectures`. Use the OCI names: `amd64`, \
         not `x86_64`; `arm64`, not `aarch64`."

    UNKNOWN_KEY = Error "unknown-key", "a key that the format does not have":
        "A key that the format does not have is refused, because a misspelt key would otherwise be \
         lost in silence, and with it an image or a setting. The message lists the keys that are \
         known in that place."

    UNKNOWN_WORKLOAD = Error "unknown-workload", "a workload that nobody declared":
        "The component runs in a workload that has no `[[workload]]` entry, so that the pages could \
         not say which service account needs a pull secret."

    UNSUPPORTED_SCHEMA = Error "unsupported-schema", "another version of the format":
        "`schema` is the version of the spec's format, and this tool reads version 1. Another number \
         means that the file was written for another version of the tool, which may understand its \
         keys otherwise."

    UPPER_CASE_HOST = Error "upper-case-host", "a registry whose host has upper-case letters":
        "The grammar of image references admits upper-case letters in a host, but not in a path. In \
         the scoped layout of a private registry the source's host becomes part of a path, so no \
         image of this host could be pushed there. A host means the same in lower case."

    WRONG_PLACE = Error "wrong-place", "a file that is not where its keys say":
        "A spec lies in `spec/<product>/<release>.toml`, and its keys `product` and `release` say \
         the same. The generated files are put into folders of these names, so a copied file that \
         was not changed inside would overwrite those of another release."

    WRONG_TYPE = Error "wrong-type", "a value of another type":
        "The value has another type than the format asks for, such as a number where a text belongs. \
         Versions and tags are always texts, in quotes: as numbers 1.30 would be 1.3."
}
