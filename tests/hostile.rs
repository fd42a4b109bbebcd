//! Whatever stands in a string of a spec: it is refused with its reason, or it is inert in every
//! artifact. Inert is what reads back, with a parser that is not ours, as harmless words in its
//! place do.

mod support;
#[path = "support/values.rs"]
mod values;

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use pulldown_cmark::{Event, Options, Parser};
use serde_json::{Map, Value};
use support::{fixtures, knowledge, targets};
use values::{strings, with_strings};
use xtask::plan;
use xtask::render::Renderer;
use xtask::spec::{Knowledge, Release, load};
use xtask::tree::Tree;

/// What stands behind a text and its number, so that each is found again wherever it is.
const MARK: char = '·';
/// What is read back where something hostile could stand.
const HARMLESS: &str = "word";

static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(knowledge);

/// The table that shows every feature.
static TABLE: LazyLock<String> = LazyLock::new(|| {
    std::fs::read_to_string(fixtures().join("spec/example/1.0.0.toml")).expect("the table")
});

fn check(text: &str) -> (Option<Release>, Vec<&'static str>) {
    let (release, findings) = load::check(text, "example", "1.0.0", &KNOWLEDGE);
    let errors = findings.iter().filter(|finding| finding.is_error());
    (release, errors.map(|finding| finding.rule.code).collect())
}

/// What a shell, YAML, JSON, Markdown, HTML or a template engine could take for its own; each would
/// touch a file `canary` if it ran.
const ACTIVE: &[&str] = &[
    "$(touch canary)",
    "`touch canary`",
    "'; touch canary; '",
    "\"; touch canary; \"",
    "\\'; touch canary; #",
    "\\\"; touch canary; #",
    "& touch canary & | touch canary",
    "${IFS} $HOME $1 $@ $$ ~ * ? [a-z] !! %s \\n \\",
    "-n --help -- -",
    "END",
    ": x",
    "x: y # z",
    "- x",
    "? x",
    "& x * y ! z | > % @",
    "{a: b} [c, d]",
    "null",
    "~",
    "no",
    "1.30",
    "0x1F",
    "2001-01-01",
    "---",
    "... %YAML 1.1",
    "<<: *a",
    "'",
    "\"",
    "\\u0041\\",
    "\", \"x\": \"",
    "# heading",
    "1. item",
    "1) item",
    "+ item",
    "> quote",
    "| a | b | \\| c",
    "=== ~~~ ``` :::",
    "[x](javascript:touch-canary) ![y](https://evil.example/z)",
    "[x]: https://evil.example",
    "[^1] [^1]: note",
    "**b** __b__ *i* _i_ ~~s~~ `c` ``d``",
    "$a$ $$b$$",
    "<script>touch('canary')</script></script>",
    "<img src=x onerror=alert(1)> <!-- x --> --> <![CDATA[ ]]>",
    "&lt; &#60; &amp;",
    "{{release.title}} {{{x}}} {{> x}} {{!-- x --}} \\{{x}}",
    "{% x %} {{< x >}} {{% x %}} <% x %> {{ .Values }} {{ lookup('pipe', 'touch canary') }}",
    "https://evil.example/?a=b&c=d#e user@evil.example @user #1",
    "华为“引号”（括号）：，。— é ß 👍",
];

/// What makes a text show other than it is, with the code that it is refused by.
fn refused() -> Vec<(String, &'static str)> {
    let mut texts: Vec<_> = [
        '\0',
        '\u{1}',
        '\t',
        '\n',
        '\r',
        '\u{1b}',
        '\u{7f}',
        '\u{85}',
        '\u{ad}',
        '\u{200b}',
        '\u{200e}',
        '\u{202a}',
        '\u{202e}',
        '\u{2028}',
        '\u{2029}',
        '\u{2066}',
        '\u{2069}',
        '\u{feff}',
        '\u{fffe}',
        '\u{e0001}',
    ]
    .map(|c| (format!("a{c}b"), "control-character"))
    .into();
    texts.push(("long".repeat(1 << 18), "too-long"));
    texts
}

/// The places of the strings that people write freely, and of those that have a grammar.
fn places() -> (
    Vec<std::ops::Range<usize>>,
    Vec<(String, std::ops::Range<usize>)>,
) {
    let (free, bound): (Vec<_>, Vec<_>) = strings(&TABLE).into_iter().partition(|(_, place)| {
        let changed = with_strings(&TABLE, [(place, "Any text: 3 words.".to_owned())]);
        check(&changed).0.is_some()
    });
    for (path, _) in &free {
        let ends = [".en", ".zh-CN", ".value"]
            .iter()
            .any(|end| path.ends_with(end));
        assert!(ends || path.contains(".subjects["), "{path} takes any text");
    }
    (free.into_iter().map(|(_, place)| place).collect(), bound)
}

/// The table with a text in every place where any is taken, behind it its number.
fn filled(free: &[std::ops::Range<usize>], text: &str) -> String {
    let numbered = free.iter().enumerate();
    with_strings(
        &TABLE,
        numbered.map(|(number, place)| (place, format!("{text}{MARK}{number}{MARK}"))),
    )
}

fn render(release: &Release) -> Tree {
    let targets = targets();
    let renderer = Renderer::new(&targets).expect("well-formed templates");
    renderer
        .render(&plan::plan(release), None)
        .expect("renders")
}

/// A parsed document with the text in the place of the harmless words.
fn with_text(document: Value, text: &str) -> Value {
    match document {
        Value::String(string) => Value::String(put(&string, text)),
        Value::Array(list) => list
            .into_iter()
            .map(|value| with_text(value, text))
            .collect(),
        Value::Object(map) => {
            let entries = map
                .into_iter()
                .map(|(key, value)| (put(&key, text), with_text(value, text)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        other => other,
    }
}

fn put(string: &str, text: &str) -> String {
    string.replace(&format!("{HARMLESS}{MARK}"), &format!("{text}{MARK}"))
}

/// What a page says: its elements, and between them its words.
fn page(markdown: &str) -> Vec<String> {
    let mut said: Vec<String> = vec![String::new()];
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_MATH
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_TASKLISTS;
    for event in Parser::new_ext(markdown, options) {
        // There are two ways to write code.
        match event {
            Event::Text(text) => said.last_mut().expect("never empty").push_str(&text),
            Event::Code(text) => said.extend([code(&text), String::new()]),
            Event::InlineHtml(html) if &*html == "<code>" => said.push(String::new()),
            Event::InlineHtml(html) if &*html == "</code>" => {
                let text = said.pop().expect("never empty");
                said.extend([code(&text), String::new()]);
            }
            Event::Html(html) => {
                assert!(html.starts_with("<!-- Generated by"), "{html}");
                said.extend(["a comment".to_owned(), String::new()]);
            }
            other => said.extend([format!("{other:?}"), String::new()]),
        }
    }
    said
}

/// Code as words: a value in it is written as JSON.
fn code(text: &str) -> String {
    let value = serde_json::from_str::<String>(text);
    format!("code {}", value.as_deref().unwrap_or(text))
}

/// The first element in which two pages differ.
fn first_difference(one: &[String], other: &[String]) -> Option<(String, String)> {
    let longer = one.len().max(other.len());
    let at = |page: &[String], place| page.get(place).cloned().unwrap_or_default();
    (0..longer)
        .map(|place| (at(one, place), at(other, place)))
        .find(|(one, other)| one != other)
}

/// What a script prints, run by a shell in a folder in which it must leave nothing.
fn run(shell: &str, script: &str, arguments: &[&str]) -> String {
    let kept = tempfile::tempdir().expect("a folder");
    let work = tempfile::tempdir().expect("a folder");
    let file = kept.path().join("script.sh");
    std::fs::write(&file, script).expect("written");
    let output = Command::new(shell)
        .arg(&file)
        .args(arguments)
        .current_dir(work.path())
        .output()
        .expect("there is a shell");
    let left = std::fs::read_dir(work.path()).expect("readable").count();
    assert_eq!(left, 0, "{arguments:?} left something");
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    printed.replace(work.path().to_str().expect("UTF-8"), "")
}

fn printed(path: &str, script: &str) -> String {
    let runs: &[&[&str]] = match Path::new(path).file_stem().and_then(|stem| stem.to_str()) {
        Some("push") => &[
            &["--help"],
            &["--layout", "flat", "--print-values", "mirror.example"],
            &["--layout", "flat", "--dry-run", "mirror.example"],
        ],
        _ => &[&["--help"], &["--arch", "amd64", "--dry-run"]],
    };
    let mut printed = String::new();
    for shell in ["sh", "bash"] {
        runs.iter()
            .for_each(|arguments| printed.push_str(&run(shell, script, arguments)));
    }
    printed
}

#[test]
fn an_active_text_is_inert() {
    let (free, _) = places();
    let harmless = render(&check(&filled(&free, HARMLESS)).0.expect("harmless"));
    for text in ACTIVE {
        let (release, errors) = check(&filled(&free, text));
        let release = release.unwrap_or_else(|| panic!("{text:?} is refused: {errors:?}"));
        let hostile = render(&release);
        assert_eq!(
            hostile.files.keys().collect::<Vec<_>>(),
            harmless.files.keys().collect::<Vec<_>>()
        );
        for (path, file) in &hostile.files {
            let (found, wanted) = (&file.text, &harmless.files[path].text);
            let ending = path.rsplit('.').next().expect("an ending");
            let context = format!("{text:?} in {path}");
            match ending {
                "json" => {
                    let json = |text: &str| serde_json::from_str::<Value>(text);
                    let wanted = with_text(json(wanted).expect("JSON"), text);
                    assert_eq!(json(found).expect(&context), wanted, "{context}");
                }
                "yaml" => {
                    let yaml = |text: &str| serde_saphyr::from_str::<Value>(text);
                    let wanted = with_text(yaml(wanted).expect("YAML"), text);
                    assert_eq!(yaml(found).expect(&context), wanted, "{context}");
                }
                "md" => {
                    let wanted: Vec<_> = page(wanted).iter().map(|said| put(said, text)).collect();
                    assert_eq!(first_difference(&page(found), &wanted), None, "{context}");
                }
                "txt" => assert_eq!(*found, put(wanted, text), "{context}"),
                // The scripts of one minor are run; those of the others have the same lines.
                "sh" if path.starts_with("k8s-1.19/") => {
                    assert_eq!(
                        printed(path, found),
                        put(&printed(path, wanted), text),
                        "{context}"
                    );
                }
                "sh" => assert_eq!(found.lines().count(), wanted.lines().count(), "{context}"),
                other => panic!("nobody reads back a .{other}"),
            }
        }
    }
}

#[test]
fn a_text_that_shows_other_than_it_is_is_refused() {
    let (free, bound) = places();
    for (text, code) in refused() {
        for place in free.iter().chain(bound.iter().map(|(_, place)| place)) {
            let (release, errors) = check(&with_strings(&TABLE, [(place, text.clone())]));
            assert!(release.is_none());
            if free.contains(place) {
                assert_eq!(errors, [code], "{:?}", &text[..text.len().min(20)]);
            }
        }
    }
}

#[test]
fn a_name_takes_no_active_text() {
    let (_, bound) = places();
    // As a tag or a file name, these words are as good as any other.
    let names = ["END", "null", "no", "1.30", "0x1F", "2001-01-01"];
    for text in ACTIVE.iter().filter(|text| !names.contains(text)) {
        for (path, place) in &bound {
            let (release, _) = check(&with_strings(&TABLE, [(place, (*text).to_owned())]));
            assert!(release.is_none(), "{path} takes {text:?}");
        }
    }
}
