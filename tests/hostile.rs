//! Whatever stands in a string of a spec: it is refused with its reason, or it is inert in every
//! artifact. Inert is what reads back, with a parser that is not ours, as harmless words in its
//! place do.

mod support;
#[path = "support/values.rs"]
mod values;

use std::fmt::Write;
use std::ops::Range;
use std::process::Command;
use std::sync::LazyLock;

use pulldown_cmark::{Event, Options, Parser};
use serde_json::{Map, Value};
use support::project::Project;
use support::{fixtures, knowledge, root, targets};
use values::{strings, with_strings};
use xtask::plan;
use xtask::quote::Quoting;
use xtask::render::Renderer;
use xtask::spec::{Knowledge, Release};
use xtask::target::{File, Language, Per, Target};
use xtask::tree::Tree;
use xtask::validate;

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
    let (release, findings) = validate::check(text, "example", "1.0.0", &KNOWLEDGE);
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
    "$IFS $((1)) $HOME $1 $@ $$ ~ * ? [a-z] !! %s \\n \\",
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
    "{{release.title {{{x {{> x {{!-- x \\{{x {{% x {{< x",
    "{% x %} <% x %> #{x} %{x} {x}",
    "x\\",
    "x`",
    "x -->",
    "x --->",
    "x*",
    "x #",
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
        '\u{200f}',
        '\u{61c}',
        '\u{202a}',
        '\u{202b}',
        '\u{202c}',
        '\u{202d}',
        '\u{202e}',
        '\u{2028}',
        '\u{2029}',
        '\u{2060}',
        '\u{2066}',
        '\u{2067}',
        '\u{2068}',
        '\u{2069}',
        '\u{fe0f}',
        '\u{feff}',
        '\u{fffe}',
        '\u{e0001}',
    ]
    .map(|c| (format!("a{c}b"), "control-character"))
    .into();
    texts.push(("long".repeat(1 << 18), "too-long"));
    texts.push(("the {{csi-version}}".to_owned(), "placeholder"));
    texts.push(("the ${VERSION}".to_owned(), "placeholder"));
    texts
}

/// The places of the strings that people write freely, and of those that have a grammar.
fn places() -> (Vec<Range<usize>>, Vec<(String, Range<usize>)>) {
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

/// The table with a text in every place where any is taken, behind it or before it its number.
fn filled(free: &[Range<usize>], text: &str, last: bool) -> String {
    let strings = free.iter().enumerate().map(|(number, place)| {
        let string = if last {
            format!("{MARK}{number}{MARK}{text}")
        } else {
            format!("{text}{MARK}{number}{MARK}")
        };
        (place, string)
    });
    with_strings(&TABLE, strings)
}

/// The templates of the repository, and one that writes a text in each way that a script can.
fn all_targets() -> Vec<Target> {
    let script = "{{#each release.notes}}\n\
        # {{comment reason.en}}\n\
        {{comment-lines reason.zh-CN \"  \"}}\
        printf '%s\\n' {{reason.en}} {{word reason.zh-CN}} {{join subjects \" \"}}\n\
        {{/each}}\n\
        printf '%s\\n' {{release.title.en}}\n";
    let probe = Target {
        name: "probe".to_owned(),
        files: vec![File {
            template: "probe.sh".to_owned(),
            path: "probe.sh".to_owned(),
            per: Per::Release,
            quoting: Quoting::Shell,
            language: Language::En,
            executable: true,
            loose: false,
        }],
        templates: vec![("probe.sh".to_owned(), script.to_owned())],
    };
    let mut all = targets();
    all.push(probe);
    all
}

fn render(release: &Release) -> Tree {
    let targets = all_targets();
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
    let string = string.replace(&format!("{HARMLESS}{MARK}"), &format!("{text}{MARK}"));
    string.replace(&format!("{MARK}{HARMLESS}"), &format!("{MARK}{text}"))
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

/// What a script prints, run by two shells in a folder in which it must leave nothing.
fn printed(script: &str) -> String {
    let kept = tempfile::tempdir().expect("a folder");
    let file = kept.path().join("script.sh");
    std::fs::write(&file, script).expect("written");
    let mut printed = String::new();
    for shell in ["sh", "bash"] {
        let work = tempfile::tempdir().expect("a folder");
        let run = Command::new(shell)
            .arg(&file)
            .current_dir(work.path())
            .output();
        let output = run.expect("there is a shell");
        let left = std::fs::read_dir(work.path()).expect("readable").count();
        assert_eq!(left, 0, "{shell} left something");
        assert!(output.status.success(), "{output:?}");
        printed.push_str(&String::from_utf8(output.stdout).expect("UTF-8"));
    }
    printed
}

#[test]
fn an_active_text_is_inert() {
    let (free, _) = places();
    for last in [false, true] {
        let harmless = render(&check(&filled(&free, HARMLESS, last)).0.expect("harmless"));
        for text in ACTIVE {
            let (release, errors) = check(&filled(&free, text, last));
            let release = release.unwrap_or_else(|| panic!("{text:?} is refused: {errors:?}"));
            expect_inert(text, &render(&release), &harmless);
        }
    }
}

/// Requires that a rendered release says what another one does, with a text in the place of harmless
/// words.
fn expect_inert(text: &str, hostile: &Tree, harmless: &Tree) {
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
            // It has such a text in its comments alone.
            "conf" => {
                let conf = |text: &str| text.parse::<toml::Table>();
                assert_eq!(conf(found).expect(&context), conf(wanted).expect("TOML"));
            }
            "sh" if path == "probe.sh" => {
                assert_eq!(printed(found), put(&printed(wanted), text), "{context}");
            }
            // No text is in what operators run; where one is wanted, the probe shows that it can be.
            "sh" => assert_eq!(found, wanted, "{context}"),
            other => panic!("nobody reads back a .{other}"),
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

#[test]
fn a_key_takes_no_active_text() {
    for text in ACTIVE.iter().copied().chain(["../../x", "a/b", "."]) {
        let key = toml::Value::from(text).to_string();
        for (from, to) in [
            ("{ \"feature.enabled\" =", format!("{{ {key} =")),
            ("file.arm64 =", format!("file.{key} =")),
            ("archives.arm64 =", format!("archives.{key} =")),
        ] {
            assert_eq!(TABLE.matches(from).count(), 1, "{from}");
            let (release, _) = check(&TABLE.replace(from, &to));
            assert!(release.is_none(), "{to}");
        }
    }
}

/// The name of the file says the same, so that nothing else is wrong with it.
#[test]
fn a_product_and_a_release_have_names_of_files() {
    let place = |path: &str| {
        let found = strings(&TABLE).into_iter().find(|(found, _)| found == path);
        found.expect("a key").1
    };
    for text in ACTIVE
        .iter()
        .copied()
        .chain(["..", ".", "../../x", "a/b", "", ".files"])
    {
        // As a file's name these are as good as any other.
        if ["END", "null", "no", "1.30", "0x1F", "2001-01-01"].contains(&text) {
            continue;
        }
        let product = with_strings(&TABLE, [(&place(".product"), text.to_owned())]);
        let release = with_strings(&TABLE, [(&place(".release"), text.to_owned())]);
        for (release, findings) in [
            validate::check(&product, text, "1.0.0", &KNOWLEDGE),
            validate::check(&release, "example", text, &KNOWLEDGE),
        ] {
            assert!(release.is_none(), "{text:?}");
            let mut codes = findings.iter().map(|finding| finding.rule.code);
            assert!(
                codes.any(|code| code == "malformed-name"),
                "{text:?}: {findings:?}"
            );
        }
    }
}

/// A spec that would take all memory, all stack or all day is refused before it does.
#[test]
fn a_huge_spec_and_a_deep_one_are_refused_in_bounded_memory() {
    let many = |block: &str| {
        let mut text = TABLE.clone();
        while text.len() + block.len() < 1 << 20 {
            text.push_str(block);
        }
        text
    };
    let a = "a.".repeat(79) + "a";
    let mut inline = "1".to_owned();
    for _ in 0..78 {
        inline = format!("{{ {a} = {inline} }}");
    }
    let mut cases = vec![
        (
            "10 MB",
            format!("{}\n#{}", *TABLE, "x".repeat(10 << 20)),
            "too-long",
        ),
        (
            "deep value",
            TABLE.replace("value = 2\n", &format!("value = {inline}\n")),
            "too-long",
        ),
        (
            "deep unknown key",
            format!("x = {inline}\n{}", *TABLE),
            "too-long",
        ),
        (
            "deep table",
            format!("{}\n[x.{a}]\n{a} = {inline}\n", *TABLE),
            "too-long",
        ),
        (
            "brackets",
            format!("x = {}\n", "[".repeat(1 << 19)),
            "too-long",
        ),
    ];
    for (name, block, code) in [
        (
            "rows",
            "\n[[component.image]]\nreference = \"a.b/c:1\"\nkubernetes = \"v1.19+\"\n",
            "overlap",
        ),
        (
            "holes",
            "\n[[component.hole]]\nkubernetes = \"v1.19+\"\nreason = { en = \"a\", zh-CN = \"b\" }\n",
            "needless-hole",
        ),
        (
            "settings",
            "\n[[setting]]\nkey = \"a\"\nvalue = 1\nkubernetes = \"v1.19+\"\nreason = { en = \"a\", zh-CN = \"b\" }\n",
            "conflicting-setting",
        ),
        ("unknown keys", "\n[[setting]]\nx = 1\n", "unknown-key"),
    ] {
        // Rows and holes belong to the component that is last.
        let base = TABLE
            .split("# A setting of each type")
            .next()
            .expect("the start");
        let text = if name == "rows" || name == "holes" {
            many(block).replace(TABLE.as_str(), base)
        } else {
            many(block)
        };
        cases.push((name, text, code));
    }
    for (name, text, code) in cases {
        let project = Project::of(&fixtures().join("spec"), &root().join("templates"));
        project.write("spec/example/1.0.0.toml", text);
        let mut shell = Command::new("sh");
        let limited = "ulimit -v 4000000; exec timeout 100 \"$@\"";
        shell.args([
            "-c",
            limited,
            "sh",
            env!("CARGO_BIN_EXE_xtask"),
            "check",
            "--spec",
            "spec",
        ]);
        let output = shell.current_dir(project.root()).output().expect("runs");
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        let start: String = said.chars().take(1000).collect();
        assert_eq!(output.status.code(), Some(1), "{name}: {start}");
        let mut found = String::new();
        write!(found, "error[{code}]").expect("a String takes it");
        assert!(said.contains(&found), "{name}: {start}");
    }
}
