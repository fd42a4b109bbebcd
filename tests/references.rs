//! Image references: what the grammar accepts, what it refuses and why, and agreement with the same
//! grammar as a regular expression, and with skopeo, on references made by it and on what a typo makes
//! of them.

#[path = "support/grammar.rs"]
mod grammar;

use std::process::Command;

use harness::tool;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;
use xtask::image::ImageRef;

fn parts(reference: &ImageRef) -> grammar::Parts<'_> {
    (
        reference.host(),
        reference.path(),
        reference.tag(),
        reference.digest(),
    )
}

const SHA256: &str = "sha256:9b2c5d7e0f1a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4";

#[test]
fn what_the_grammar_accepts() {
    let digest = format!("a.b/c@{SHA256}");
    let both = format!("a.b/c:d@{SHA256}");
    let sha512 = format!("a.b/c@sha512:{}", "0f".repeat(64));
    let sha384 = format!("a.b/c@sha384:{}", "0f".repeat(48));
    let long_tag = format!("a.b/c:{}", "t".repeat(128));
    let long_name = format!("a.b/{}:t", "n".repeat(251));
    let long_short = format!("{}:t", "n".repeat(255 - "docker.io/library/".len()));
    let label = format!("{}.b/c:t", "h".repeat(63));
    let id_with_tag = format!("{}:t", "0".repeat(64));
    for (text, host, path) in [
        (
            "registry.k8s.io/sig-storage/csi-attacher:v3.4.0",
            Some("registry.k8s.io"),
            "sig-storage/csi-attacher",
        ),
        // Hosts.
        ("localhost/a:1", Some("localhost"), "a"),
        ("localhost:5000/a:1", Some("localhost:5000"), "a"),
        ("a:5000/b:1", Some("a:5000"), "b"),
        ("a.b:443/c:1", Some("a.b:443"), "c"),
        ("127.0.0.1:5000/a:1", Some("127.0.0.1:5000"), "a"),
        ("1.2/a:1", Some("1.2"), "a"),
        ("Registry/a:1", Some("Registry"), "a"),
        ("QUAY.io/a:1", Some("QUAY.io"), "a"),
        ("xn--7qv.cn/a:1", Some("xn--7qv.cn"), "a"),
        ("a--b.c/d:1", Some("a--b.c"), "d"),
        ("[::1]/a:1", Some("[::1]"), "a"),
        (
            "[fd00:1:2::3]:5000/a/b:1",
            Some("[fd00:1:2::3]:5000"),
            "a/b",
        ),
        ("[FD00::A]/a:1", Some("[FD00::A]"), "a"),
        ("docker.io/library/a:1", Some("docker.io"), "library/a"),
        ("docker.io/a/b:1", Some("docker.io"), "a/b"),
        (&label, Some(&label[..65]), "c"),
        // Paths.
        ("a.b/c/d/e/f/g:1", Some("a.b"), "c/d/e/f/g"),
        ("a.b/c.d_e__f-g---h:1", Some("a.b"), "c.d_e__f-g---h"),
        ("a.b/0:1", Some("a.b"), "0"),
        ("a.b/localhost:1", Some("a.b"), "localhost"),
        // Short names.
        ("huawei-csi:4.5.0", None, "huawei-csi"),
        ("a", None, "a"),
        ("a/b:1", None, "a/b"),
        ("local/a:1", None, "local/a"),
        ("foo.com:8080", None, "foo.com"),
        ("foo_bar/a:1", None, "foo_bar/a"),
        ("localhost", None, "localhost"),
        // Tags and digests.
        ("a.b/c", Some("a.b"), "c"),
        ("a.b/c:1.30", Some("a.b"), "c"),
        ("a.b/c:_.-", Some("a.b"), "c"),
        ("a.b/c:Latest", Some("a.b"), "c"),
        (&digest, Some("a.b"), "c"),
        (&both, Some("a.b"), "c"),
        (&sha384, Some("a.b"), "c"),
        (&sha512, Some("a.b"), "c"),
        // The longest.
        (&long_tag, Some("a.b"), "c"),
        (&long_name, Some("a.b"), &long_name[4..255]),
        (&long_short, None, &long_short[..237]),
        (&id_with_tag, None, &id_with_tag[..64]),
    ] {
        let reference = ImageRef::parse(text).unwrap_or_else(|error| panic!("{text:?} {error}"));
        assert_eq!((reference.host(), reference.path()), (host, path), "{text}");
        assert_eq!(reference.to_string(), text);
        assert_eq!(Some(parts(&reference)), grammar::parts(text));
    }
}

#[test]
fn what_the_grammar_refuses_and_why() {
    let long_tag = format!("a.b/c:{}", "t".repeat(129));
    let long_name = format!("a.b/{}:t", "n".repeat(252));
    let long_short = format!("{}:t", "n".repeat(256 - "docker.io/library/".len()));
    let long_host = format!("{}/c:t", "h.".repeat(150) + "h");
    let id = "0123456789abcdef".repeat(4);
    let upper_digest = format!("a.b/c@{}", SHA256.to_uppercase().replace("SHA", "sha"));
    let short_digest = format!("a.b/c@{}", &SHA256[..70]);
    let long_digest = format!("a.b/c@{SHA256}0");
    let other_digest = format!("a.b/c@md5:{}", "0".repeat(32));
    let two_digests = format!("a.b/c@{SHA256}@{SHA256}");
    let only_digest = format!("@{SHA256}");
    let tag_behind = format!("a.b/c@{SHA256}:t");
    let digest_and_nothing = "a.b/c:t@";
    for (text, why) in [
        ("", "is empty"),
        // Hosts.
        ("-a.b/c:1", "malformed registry host"),
        ("a-.b/c:1", "malformed registry host"),
        ("a_b.c/d:1", "malformed registry host"),
        ("a..b/c:1", "malformed registry host"),
        (".a/c:1", "malformed registry host"),
        ("a./c:1", "malformed registry host"),
        ("a.b:/c:1", "malformed port"),
        ("a.b:port/c:1", "malformed port"),
        ("a.b:50:00/c:1", "malformed port"),
        (":5000/c:1", "malformed registry host"),
        ("[::1/c:1", "without its closing"),
        ("[]/c:1", "'[' in its path"),
        ("[]:5000/c:1", "malformed IPv6"),
        ("[::g]/c:1", "malformed IPv6"),
        ("[fe80::1%25eth0]/c:1", "malformed IPv6"),
        ("[::127.0.0.1]/c:1", "malformed IPv6"),
        ("[::1]5000/c:1", "behind its IPv6"),
        ("[::1]:/c:1", "malformed port"),
        ("::1/c:1", "malformed registry host"),
        ("user@a.b/c:1", "malformed registry host"),
        ("https://a.b/c:1", "write `a.b/c:1`"),
        ("docker://a.b/c:1", "write `a.b/c:1`"),
        ("docker.io/a:1", "write `docker.io/library/a:1`"),
        ("index.docker.io/a:1", "write `docker.io/library/a:1`"),
        ("index.docker.io/a/b:1", "write `docker.io/a/b:1`"),
        // Paths.
        ("a.b/", "empty element"),
        ("a.b/:1", "empty element"),
        ("/a:1", "empty element"),
        ("a.b//c:1", "empty element"),
        ("a.b/c/:1", "empty element"),
        (":1", "empty element"),
        ("a.b/C:1", "write `a.b/c:1`"),
        ("a.b/c/D-e:1", "write `a.b/c/d-e:1`"),
        ("Image:1", "write `image:1`"),
        ("a.b/.c:1", "malformed path element"),
        ("a.b/c.:1", "malformed path element"),
        ("a.b/-c:1", "malformed path element"),
        ("a.b/c-:1", "malformed path element"),
        ("a.b/_c:1", "malformed path element"),
        ("a.b/c..d:1", "malformed path element"),
        ("a.b/c___d:1", "malformed path element"),
        ("a.b/c._d:1", "malformed path element"),
        ("a.b/c-_d:1", "malformed path element"),
        ("a.b/..:1", "malformed path element"),
        ("a.b/../c:1", "malformed path element"),
        ("a.b/c d:1", "' ' in its path"),
        ("a.b/é:1", "'é' in its path"),
        ("a.b/ｃ:1", "'ｃ' in its path"),
        ("a.b/c\\d:1", "in its path"),
        ("a.b/c\u{202e}d:1", "in its path"),
        ("a.b/c\0:1", "in its path"),
        (" a.b/c:1", "malformed registry host"),
        ("{{registry}}/c:1", "in its path"),
        // Tags.
        ("a.b/c:", "without a tag"),
        ("a.b/c:-x", "starts with"),
        ("a.b/c:.x", "starts with"),
        ("a.b/c:x y", "' ' in its tag"),
        ("a.b/c:x\n", "'\\n' in its tag"),
        ("a.b/c:x ", "' ' in its tag"),
        ("a.b/c:1:2", "':' in its tag"),
        ("a.b/c:版", "in its tag"),
        ("a.b/c:{{version}}", "'{' in its tag"),
        ("a.b/c:v1+k3s1", "'+' in its tag"),
        // Digests.
        ("a.b/c@", "malformed digest"),
        (digest_and_nothing, "malformed digest"),
        ("a.b/c@sha256", "malformed digest"),
        ("a.b/c@sha256:", "64 lower-case hex digits"),
        ("a.b/c@:00", "a digest by ``"),
        (&other_digest, "a digest by `md5`"),
        (&upper_digest, "64 lower-case hex digits"),
        (&short_digest, "64 lower-case hex digits"),
        (&long_digest, "64 lower-case hex digits"),
        (&two_digests, "64 lower-case hex digits"),
        (&tag_behind, "64 lower-case hex digits"),
        (&only_digest, "empty element"),
        // Lengths, and what is taken for something else.
        (&long_tag, "a tag of 129 bytes"),
        (&long_name, "a name of 256 bytes"),
        (&long_short, "a name of 256 bytes"),
        (&long_host, "a name of 303 bytes"),
        (&id, "an image's ID"),
    ] {
        let error = ImageRef::parse(text).expect_err(text).to_string();
        assert!(error.contains(why), "{text:?} {error}");
        assert_eq!(grammar::parts(text), None, "{text:?}");
    }
}

#[test]
fn the_name_under_which_an_engine_stores_it() {
    for (text, whole) in [
        ("huawei-csi:4.5.0", "docker.io/library/huawei-csi:4.5.0"),
        ("a/b:1", "docker.io/a/b:1"),
        ("docker.io/library/a:1", "docker.io/library/a:1"),
        ("quay.io/a:1", "quay.io/a:1"),
    ] {
        assert_eq!(ImageRef::parse(text).expect(text).whole_name(), whole);
    }
}

/// References of every form that the grammar has.
fn reference() -> impl Strategy<Value = String> {
    let host = "((([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]{0,6}[a-zA-Z0-9])\\.){1,3}[a-zA-Z]{2,5}|localhost|\\[[0-9a-fA-F]{0,4}::[0-9a-f]{1,4}\\])(:[0-9]{1,5})?";
    let path = "[a-z0-9]{1,8}(([.]|_|__|-{1,3})[a-z0-9]{1,4}){0,2}(/[a-z0-9]{1,8}(([.]|_|__|-{1,3})[a-z0-9]{1,4}){0,2}){0,3}";
    let tag = "(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,30})?";
    let digest = "(@(sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}))?";
    // A dot in the first of several elements would make it a host.
    let short = "[a-z0-9]{1,8}((_|__|-{1,3})[a-z0-9]{1,4}){0,2}(/[a-z0-9]{1,8}){0,2}";
    let text = format!("({host}/{path}|{short}){tag}{digest}");
    proptest::string::string_regex(&text).expect("a regular expression")
}

/// What a typo makes of a text: some places each lose, gain or change a character.
fn mistyped(text: &str, typos: &[(Index, u8, char)]) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for (place, kind, c) in typos {
        let at = place.index(text.len() + 1);
        match kind {
            0 => text.insert(at, *c),
            1 if at < text.len() => text[at] = *c,
            _ if at < text.len() => drop(text.remove(at)),
            _ => {}
        }
    }
    text.into_iter().collect()
}

/// Whether skopeo takes a text for a reference: its parser is the package's. It has no network here, and
/// says so of what it would ask a registry for.
fn skopeo_takes(text: &str) -> bool {
    let skopeo = Command::new("unshare")
        .arg("--net")
        .arg(tool("skopeo"))
        .args(["inspect", "--raw"])
        .arg(format!("docker://{text}"))
        .output()
        .expect("runs");
    let said = String::from_utf8_lossy(&skopeo.stderr);
    let takes = ["pinging container registry", "both a tag and digest"];
    let refuses = [
        "invalid reference format",
        "invalid repository name",
        "repository name must",
        "digest algorithm",
        "invalid checksum digest",
    ];
    let says = |signs: &[&str]| signs.iter().any(|sign| said.contains(sign));
    assert!(says(&takes) != says(&refuses), "{text}: {said}");
    says(&takes)
}

/// Forms that the package of skopeo's age does not know yet: an IPv6 address, and a host by nothing but
/// its upper-case letters.
fn is_newer(text: &str) -> bool {
    let first = text.split('/').next().unwrap_or_default();
    let bare = !first.contains(['.', ':']) && first != "localhost";
    text.contains('[') || (bare && first != first.to_lowercase())
}

proptest! {
    // The same cases in every run: skopeo's messages are not ours to promise.
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, rng_seed: RngSeed::Fixed(4), ..ProptestConfig::default() })]

    #[test]
    #[ignore = "needs skopeo; tests/run brings it and runs this"]
    fn skopeo_judges_alike(
        text in reference(),
        typos in prop::collection::vec((any::<Index>(), 0..3u8, prop_oneof![
            "[-._:/@]".prop_map(|text| text.chars().next().unwrap_or('/')),
            "[a-zA-Z0-9 \u{e9}]".prop_map(|text| text.chars().next().unwrap_or('a')),
        ]), 0..3),
    ) {
        let text = mistyped(&text, &typos);
        prop_assume!(!text.is_empty() && !is_newer(&text));
        let ours = ImageRef::parse(&text);
        let says = |what| matches!(&ours, Err(error) if error.to_string().contains(what));
        // What stands where a host does and is none, skopeo may take for a part of the path.
        prop_assume!(!says("malformed registry host"));
        // It also takes what is not the one way to write it.
        let is_strict = says("; write `docker.io/");
        prop_assert_eq!(ours.is_ok() || is_strict, skopeo_takes(&text), "{}: {:?}", text, ours);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_reference_reads_back_as_itself(text in reference()) {
        // `docker.io/a` and the like are of the grammar, and not the one way to write it.
        prop_assume!(!text.starts_with("docker.io/"));
        let reference = ImageRef::parse(&text)
            .map_err(|error| TestCaseError::fail(format!("{text} {error}")))?;
        prop_assert_eq!(reference.to_string(), text.clone());
        prop_assert_eq!(Some(parts(&reference)), grammar::parts(&text));
    }

    #[test]
    fn a_typo_is_judged_as_the_regular_expression_judges_it(
        text in reference(),
        typos in prop::collection::vec((any::<Index>(), 0..3u8, prop_oneof![
            "[-._:/@\\[\\]]".prop_map(|text| text.chars().next().unwrap_or('/')),
            "[a-zA-Z0-9 \u{e9}]".prop_map(|text| text.chars().next().unwrap_or('a')),
        ]), 1..4),
    ) {
        let text = mistyped(&text, &typos);
        let read = ImageRef::parse(&text);
        prop_assert_eq!(read.as_ref().ok().map(parts), grammar::parts(&text), "{}", text);
    }

    #[test]
    fn any_text_is_judged_as_the_regular_expression_judges_it(text in "[a-zA-Z0-9._:/@\\[\\]-]{0,24}") {
        let read = ImageRef::parse(&text);
        prop_assert_eq!(read.as_ref().ok().map(parts), grammar::parts(&text), "{}", text);
    }
}
