//! Properties of what everything else is built on: requirements and minors, and quoting.

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser};
use xtask::image::ImageRef;
use xtask::kubernetes::{Minor, Requirement, Supported};
use xtask::quote;
use xtask::quote::Quoting;

fn minor() -> impl Strategy<Value = (u16, u16)> {
    (0..40u16, 0..200u16)
}

/// A free text as the spec admits it: one line without invisible characters.
fn line() -> impl Strategy<Value = String> {
    "[ -~é中文，。“”|]{0,40}"
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_version_is_its_minor_whatever_a_vendor_adds(
        (major, minor) in minor(),
        patch in 0..100u16,
        v in "v?",
        suffix in "(-(rc|alpha|beta|gke|eks|tke)\\.[1-9][0-9]{0,4})?(\\+(k3s|rke2r|vmware\\.|[a-f0-9]{7})[0-9]{1,2})?",
    ) {
        let wanted = Minor::new(major, minor);
        let whole = format!("{v}{major}.{minor}.{patch}{suffix}");
        prop_assert_eq!(Minor::of_version(&whole), Ok(wanted));
        let short = format!("{v}{major}.{minor}");
        prop_assert_eq!(Minor::of_version(&short), Ok(wanted));
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in any::<String>()) {
        let _ = Minor::of_version(&text);
        let _ = Requirement::parse(&text);
        let _ = Supported::parse_part(&text);
        let _ = ImageRef::parse(&text);
    }

    #[test]
    fn a_requirement_reads_back_as_itself((major, a) in minor(), b in 0..200u16, form in 0..3) {
        let (first, last) = (Minor::new(major, a.min(b)), Minor::new(major, a.max(b)));
        let requirement = match form {
            0 => Requirement::From(first),
            1 => Requirement::Only(first),
            _ => Requirement::Between(first, last),
        };
        prop_assert_eq!(Requirement::parse(&requirement.to_string()), Ok(requirement));
    }

    #[test]
    fn a_requirement_compares_numbers(first in 0..200u16, last in 0..200u16, asked in 0..200u16) {
        let minor = |minor| Minor::new(1, minor);
        let includes = |text: String| Requirement::parse(&text).expect("valid").includes(minor(asked));
        prop_assert_eq!(includes(format!("v1.{first}+")), asked >= first);
        prop_assert_eq!(includes(format!("v1.{first}.x")), asked == first);
        if first <= last {
            prop_assert_eq!(includes(format!("v1.{first}-v1.{last}")), (first..=last).contains(&asked));
        } else {
            let backward = Requirement::parse(&format!("v1.{first}-v1.{last}"));
            prop_assert!(backward.is_err());
        }
    }

    #[test]
    fn a_shell_word_is_one_word(text in any::<String>()) {
        prop_assume!(!text.contains('\0'));
        for word in [quote::quote(Quoting::Shell, &text), quote::shell_word(&text)] {
            prop_assert_eq!(shlex::split(&format!("run {word} end")), Some(vec!["run".into(), text.clone(), "end".into()]));
        }
    }

    #[test]
    fn a_json_string_reads_back(text in any::<String>()) {
        let quoted = quote::quote(Quoting::Json, &text);
        prop_assert_eq!(serde_json::from_str::<String>(&quoted).expect("JSON"), text);
    }

    #[test]
    fn a_yaml_scalar_and_key_read_back(text in line()) {
        let quoted = quote::quote(Quoting::Yaml, &text);
        prop_assert_eq!(serde_saphyr::from_str::<String>(&quoted).expect("YAML"), text.clone());
        let document = format!("{}: 1\n", quote::yaml_key(&text));
        let map: std::collections::BTreeMap<String, u8> = serde_saphyr::from_str(&document).expect("YAML");
        prop_assert_eq!(map.into_keys().collect::<Vec<_>>(), vec![text]);
    }

    #[test]
    fn a_comment_stays_one_line(text in any::<String>(), indent in " {0,6}") {
        for quoting in [Quoting::Yaml, Quoting::Shell, Quoting::Markdown] {
            let comment = quote::comment(quoting, &text);
            let one_line = !comment.contains(['\n', '\r', '\u{2028}']);
            prop_assert!(one_line);
            prop_assert!(quoting != Quoting::Markdown || !comment.contains("--"));
            let lines = quote::comment_lines(quoting, &text, &indent, 60);
            let start = format!("{indent}# ");
            prop_assert!(lines.lines().all(|line| line.starts_with(&start)));
        }
    }

    #[test]
    fn a_hash_comment_keeps_what_is_on_a_line(text in line()) {
        for quoting in [Quoting::Yaml, Quoting::Shell] {
            prop_assert_eq!(quote::comment(quoting, &text), text.clone());
        }
    }

    #[test]
    fn hyphens_stay_where_a_site_makes_dashes(text in "[a-z .-]{0,30}") {
        let markdown = quote::quote(Quoting::Markdown, &text);
        let mut found = String::new();
        for event in Parser::new_ext(&format!("x{markdown}x\n"), Options::ENABLE_SMART_PUNCTUATION) {
            if let Event::Text(text) = event {
                found.push_str(&text);
            }
        }
        let hyphens = |text: &str| text.matches('-').count();
        prop_assert_eq!(hyphens(&found), hyphens(&text), "{}", markdown);
    }

    #[test]
    fn markdown_text_is_text(text in line()) {
        let markdown = quote::quote(Quoting::Markdown, &text);
        let document = format!("| a |\n| --- |\n| x{markdown}x |\n");
        let mut found = String::new();
        for event in Parser::new_ext(&document, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_MATH) {
            match event {
                Event::Text(text) => found.push_str(&text),
                Event::Start(_) | Event::End(_) => {}
                other => prop_assert!(false, "{other:?} in {document}"),
            }
        }
        prop_assert_eq!(found, format!("ax{text}x"));
    }

    #[test]
    fn markdown_code_is_code(text in "[!-~中](( |[!-~中]){0,30}[!-~中])?") {
        let document = format!("| {} |\n| --- |\n| a |\n", quote::markdown_code(&text));
        let mut found = String::new();
        for event in Parser::new_ext(&document, Options::ENABLE_TABLES) {
            match event {
                Event::Code(text) | Event::Text(text) => found.push_str(&text),
                Event::InlineHtml(html) => prop_assert!(matches!(&*html, "<code>" | "</code>")),
                Event::Start(_) | Event::End(_) => {}
                other => prop_assert!(false, "{other:?}"),
            }
        }
        prop_assert_eq!(found, format!("{text}a"));
    }
}

#[test]
fn the_forms_of_real_clusters() {
    for (text, minor) in [
        ("v1.28.5-gke.1", 28),
        ("v1.28.5+k3s1", 28),
        ("v1.30.0-rc.1", 30),
        ("v1.27.6+f67aeb3", 27),
        ("v1.29.1-eks-508b6b3", 29),
        ("1.16", 16),
        ("v1.30", 30),
    ] {
        assert_eq!(Minor::of_version(text), Ok(Minor::new(1, minor)), "{text}");
    }
    for text in [
        "", "1", "v1", "1.28.", "1.28.5.6", "v.1.16.x", "latest", "1.x", "-1.28", "1.028", "١.٢٨",
    ] {
        assert!(Minor::of_version(text).is_err(), "{text}");
    }
}
