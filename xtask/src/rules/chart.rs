//! What `check-chart` can find wrong with a chart, by code.

use crate::diagnostic::{Rule, Severity};

macro_rules! rules {
    ($($name:ident = $code:literal, $summary:literal: $explanation:literal)*) => {
        $(#[doc = $summary] pub const $name: Rule = Rule {
            code: $code,
            severity: Severity::Error,
            summary: $summary,
            explanation: $explanation,
        };)*

        /// Every kind of finding about a chart.
        pub const RULES: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    YAML = "chart-invalid-yaml", "a chart's file that Helm cannot read":
        "The file is no YAML, has a key that is no text, or holds a second document, of which some versions \
         of Helm take the first and some the last."

    METADATA = "chart-invalid-metadata", "a `Chart.yaml` that Helm refuses":
        "Helm installs no chart without a `name` and a `version`, none whose version is no semantic version, \
         and none of the type `library`. A version without quotes is a number to YAML, which loses the last \
         zero of `1.30`."

    KUBERNETES = "chart-kubernetes-version", "a `kubeVersion` of a chart that refuses a Kubernetes version of the release":
        "Helm does not install a chart on a Kubernetes version that `kubeVersion` in `Chart.yaml` excludes. The \
         table says that the release supports it: one of the two is wrong. Each minor of the release is \
         compared, with all its patch versions."

    VENDOR_VERSION = "chart-vendor-version", "a `kubeVersion` of a chart that refuses the Kubernetes versions of a vendor":
        "Many vendors' clusters have a version with a suffix, such as `v1.28.5-gke.1`. Helm 3 takes that for a \
         pre-release, which a comparison such as `>=1.20.0` refuses and `>=1.20.0-0` admits. Helm 4 ignores the \
         suffix."

    DUPLICATE_KEY = "chart-duplicate-key", "a key that stands twice in one map of a chart's file":
        "Helm takes the last of the two and says nothing, so whoever changes the first one changes nothing."

    PLACEHOLDER = "chart-placeholder", "a placeholder in a chart that its build has not filled in":
        "The chart still has a placeholder of its build, such as `{{csi-version}}`. Helm either refuses it or \
         installs it as it stands. The rest of the chart is checked all the same; to see what an operator \
         gets, check the chart that comes out of the build."

    RELEASE = "chart-of-another-release", "a chart whose `appVersion` is not the table's release":
        "Each table is for the chart of its own release. Held against another one, everything that changed \
         between the two would show up as wrong."

    MISSING_KEY = "chart-missing-key", "a Helm key of the table that the chart's values do not have":
        "The table writes an image or a setting at this key, or decides by it whether a component runs. Helm \
         takes a value that no template asks for without a word, so a misspelt key would leave the chart's \
         own default in force. A key that the chart only has in a comment counts as missing."

    GROUP = "chart-group-for-value", "a Helm key of the table that is a group or a list in the chart":
        "The table has one value there. Written over a group it takes away all that is in the group."

    MALFORMED_REFERENCE = "chart-malformed-reference", "an image reference of the chart that breaks the grammar":
        "The chart's default at a component's Helm key is no image reference, so no engine would take it."

    UNKNOWN_IMAGE = "chart-unknown-image", "an image of the chart that the table does not have":
        "The chart names an image that no row of the table has, under any tag. If an installation pulls it, a \
         cluster without internet lacks it: nothing generated mirrors or imports it. Looked at are the values \
         at the components' Helm keys, references that name a registry, names with a version such as \
         `example:1.2.0`, values at or below keys that say `image`, and groups with `repository` and `tag`."

    OTHER_VERSION = "chart-other-version", "an image of the chart under a tag that the table does not have":
        "The table has rows of this repository, and none with this tag. One of the two is out of date."

    SWAPPED_IMAGE = "chart-swapped-image", "a component's Helm key with the image of another component":
        "The chart's default at the Helm key of one component is an image that the table has for another one \
         alone. Either the chart starts the wrong program, or two Helm keys of the table are swapped."

    UNCLAIMED_IMAGE = "chart-unclaimed-image", "an image beside those of the table, at a key that no component has":
        "The chart has an image key in a group that the table writes images into, and the table does not know \
         the key. The generated values leave the chart's own image there, which a cluster without internet \
         cannot pull."

    PART_OF_IMAGE = "chart-part-of-image", "a Helm key of the table that is one part of an image":
        "The chart splits an image into parts, such as `repository` and `tag`, and the table writes the whole \
         reference into one of them: the chart would put the rest behind it, \
         `docker.io/example/driver:v4:v4`. A component's `helm` is the group of the parts, and `parts` of \
         `[chart]` says what each of them holds."

    OTHER_DEFAULT = "chart-other-default", "a default of the chart that `chart.defaults` says otherwise":
        "From `chart.defaults` the pages tell which components run unless somebody switches them off. Only a \
         boolean is one: a template takes a text for true whatever it says, \"false\" too."

    OTHER_TYPE = "chart-other-type", "a setting of another type than the chart's default":
        "The table sets a value of one type (a boolean, a number or a text) where the chart's default has \
         another. A template that expects a boolean takes every text for true, and one that compares texts \
         does not find a number equal."

    MISSING_PATH = "chart-missing-path", "a path of the table that the chart does not have":
        "The pages tell the operator to delete this folder of the chart before the installation where its \
         component has no image. If it has moved, what must not be installed is installed."
}
