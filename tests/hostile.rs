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
use support::spec_text::SpecText;
use support::{fixtures, knowledge, root, targets};
use values::{strings, with_strings};
use xtask::plan;
use xtask::quote::Quoting;
use xtask::render::Renderer;
use xtask::spec::{Knowledge, Release};
use xtask::target::{File, Language, Per, Target};
use xtask::tree::Form;
use xtask::tree::Tree;

/// What stands behind a text and its number, so that each is found again wherever it is.
const MARK: char = '·';
/// What is read back where something hostile could stand.
const HARMLESS: &str = "word";

static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(knowledge);

/// The table that shows every feature, with what else the format has that takes a text.
static TABLE: LazyLock<SpecText> = LazyLock::new(|| {
    let arguments = "arguments = [\"--image\"]\nvariables = [\"IMAGE\"]\n";
    let containers = "containers = [\"the-sidecar\"]\n";
    let example = SpecText::example().with(containers, &format!("{containers}{arguments}"));
    example.with_entry(
        "[[limit]]\nkubernetes = \"v1.22.x\"\nunset = [\"controller.affinity\"]\n\
         values.controller.tolerations = [{ key = \"example\", list = [\"listed\"] }]\n\
         reason = { en = \"Tolerated.\", zh-CN = \"容忍。\" }\n\n\
         [[note]]\nkubernetes = \"v1.21+\"\nabout = [\"driver\"]\n\
         text = { en = \"To know.\", zh-CN = \"说明。\" }\n\n\
         [[note]]\nkubernetes = \"v1.19.x\"\nbroken = true\n\
         text = { en = \"It does not run.\", zh-CN = \"无法运行。\" }\n",
    )
});

fn check(text: &SpecText) -> (Option<Release>, Vec<&'static str>) {
    let (release, findings) = text.check(&KNOWLEDGE);
    let errors = findings.iter().filter(|finding| finding.is_error());
    (release, errors.map(|finding| finding.rule.code).collect())
}

/// A string of one of the two files.
#[derive(Clone, PartialEq)]
struct Place {
    path: String,
    in_product: bool,
    at: Range<usize>,
}

/// The table with other strings in some places, which are in the files' order.
fn with(places: &[(&Place, String)]) -> SpecText {
    let changed = |text: &str, in_product| {
        let here = places.iter().filter(|(it, _)| it.in_product == in_product);
        with_strings(
            text,
            here.map(|(place, string)| (&place.at, string.clone())),
        )
    };
    SpecText {
        product: changed(&TABLE.product, true),
        release: changed(&TABLE.release, false),
        ..TABLE.clone()
    }
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

/// Those that are as good as any other as a tag, a key or the name of a file.
const NAMES: [&str; 6] = ["END", "null", "no", "1.30", "0x1F", "2001-01-01"];

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
fn places() -> (Vec<Place>, Vec<Place>) {
    let all = [(true, &TABLE.product), (false, &TABLE.release)];
    let all = all.into_iter().flat_map(|(in_product, text)| {
        let place = move |(path, at)| Place {
            path,
            in_product,
            at,
        };
        strings(text).into_iter().map(place)
    });
    let (free, bound): (Vec<_>, Vec<_>) = all.partition(|place| {
        check(&with(&[(place, "Any text: 3 words.".to_owned())]))
            .0
            .is_some()
    });
    for Place { path, .. } in &free {
        let ends = [".en", ".zh-CN"].iter().any(|end| path.ends_with(end));
        let inside = [".values.", ".subjects["].iter();
        let inside = inside.copied().any(|part| path.contains(part));
        assert!(ends || inside, "{path} takes any text");
    }
    (free, bound)
}

/// The table with a text in every place where any is taken, behind it or before it its number.
fn filled(free: &[Place], text: &str, last: bool) -> SpecText {
    let strings = free.iter().enumerate().map(|(number, place)| {
        let string = if last {
            format!("{MARK}{number}{MARK}{text}")
        } else {
            format!("{text}{MARK}{number}{MARK}")
        };
        (place, string)
    });
    with(&strings.collect::<Vec<_>>())
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
        texts: Vec::new(),
        loader: None,
        files: vec![File {
            body: Vec::new(),
            kit_only: false,
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
        .render(&plan::plan(release), None, Form::Kit)
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
    fn words(value: &Value) -> String {
        match value {
            Value::String(text) => text.clone(),
            Value::Array(list) => {
                let list: Vec<_> = list.iter().map(words).collect();
                list.join("\n")
            }
            Value::Object(map) => {
                let entries = map.iter();
                let entries = entries.map(|(key, value)| format!("{key}: {}", words(value)));
                entries.collect::<Vec<_>>().join("\n")
            }
            other => other.to_string(),
        }
    }
    match serde_json::from_str(text) {
        Ok(value @ (Value::String(_) | Value::Array(_) | Value::Object(_))) => {
            format!("code {}", words(&value))
        }
        _ => format!("code {text}"),
    }
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
        for place in free.iter().chain(&bound) {
            let (release, errors) = check(&with(&[(place, text.clone())]));
            assert!(release.is_none(), "{}", place.path);
            if free.contains(place) {
                assert_eq!(errors, [code], "{:?}", &text[..text.len().min(20)]);
            }
        }
    }
}

#[test]
fn a_name_takes_no_active_text() {
    let (_, bound) = places();
    for text in ACTIVE.iter().filter(|text| !NAMES.contains(text)) {
        for place in &bound {
            let (release, _) = check(&with(&[(place, (*text).to_owned())]));
            assert!(release.is_none(), "{} takes {text:?}", place.path);
        }
    }
}

/// The table with a further entry under a key.
type Entry<'e> = &'e dyn Fn(&str) -> SpecText;

/// A further entry under a key that is as good as any is taken, and under an active one it is not.
#[test]
fn a_key_takes_no_active_text() {
    let component = |key: &str| {
        format!(
            "[component.{key}]\nworkloads = []\ndescription = {{ en = \"a\", zh-CN = \"容器\" }}\n"
        )
    };
    let limit = "[[limit]]\nkubernetes = \"v1.22.x\"\nreason = { en = \"a\", zh-CN = \"原因\" }\n";
    let workload = "kind = \"Deployment\"\nservice-account = \"a\"\n";
    let entries: [(&str, Entry<'_>); 9] = [
        ("other", &|key| {
            TABLE.with(
                "{ feature.enabled = false,",
                &format!("{{ {key} = 1, feature.enabled = false,"),
            )
        }),
        ("riscv64", &|key| {
            let words = format!("words = {{ {key} = \"RISC\", amd64");
            let built = format!(
                "architectures = [{key:?}, \"amd64\"",
                key = key.trim_matches('"')
            );
            let is_plain = key == "riscv64";
            let text = TABLE.with("words = { amd64", &words);
            if is_plain {
                text.with("architectures = [\"amd64\"", &built)
            } else {
                text
            }
        }),
        ("\"quay.io/example/helper:1.30\"", &|key| {
            TABLE.with(
                "[platforms]\n",
                &format!("[platforms]\n{key} = [\"amd64\", \"arm64\"]\n"),
            )
        }),
        ("other", &|key| {
            TABLE.with_entry(&format!("[workload.{key}]\n{workload}"))
        }),
        ("other", &|key| {
            TABLE.with_entry(&format!("{limit}values.{key} = 1\n"))
        }),
        ("other", &|key| {
            TABLE.with_entry(&format!("{limit}values.other.{key} = 1\n"))
        }),
        ("tag", &|key| {
            let parts = format!("{key} = \"{{tag}}\"");
            TABLE.with(
                "[[chart.crds]]",
                &format!("[chart.parts]\n{parts}\n\n[[chart.crds]]"),
            )
        }),
        ("other", &|key| {
            let row = format!("[images]\n{key}.\"v1.19+\" = \"quay.io/example/other:1\"\n");
            TABLE.with_entry(&component(key)).with("[images]\n", &row)
        }),
        ("\"v1.19-v1.22\"", &|key| {
            TABLE.with("driver.\"v1.19+\"", &format!("driver.{key}"))
        }),
    ];
    for (plain, entry) in entries {
        let (release, errors) = check(&entry(plain));
        assert!(release.is_some(), "{plain}: {errors:?}");
        let active = ACTIVE.iter().copied().filter(|text| !NAMES.contains(text));
        for text in active.chain(["../../x", "a/b", "."]) {
            let key = format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            let (release, _) = check(&entry(&key));
            assert!(release.is_none(), "{plain}: {key}");
        }
    }
}

/// Paths give their names.
#[test]
fn a_product_and_a_release_have_names_of_files() {
    for text in ACTIVE
        .iter()
        .copied()
        .chain(["..", ".", "../../x", "a/b", "", ".files"])
    {
        if NAMES.contains(&text) {
            continue;
        }
        let product = SpecText {
            name: text.to_owned(),
            ..TABLE.clone()
        };
        let release = SpecText {
            version: text.to_owned(),
            ..TABLE.clone()
        };
        for spec in [product, release] {
            let (release, findings) = spec.check(&KNOWLEDGE);
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
    // So many blocks behind the product's file.
    let many = |block: &str| {
        let mut text = TABLE.product.clone();
        while text.len() + block.len() < 1 << 20 {
            text.push_str(block);
        }
        text
    };
    let product = |text: String| SpecText {
        product: text,
        ..TABLE.clone()
    };
    let release = |text: String| SpecText {
        release: text,
        ..TABLE.clone()
    };
    let a = "a.".repeat(79) + "a";
    let mut inline = "1".to_owned();
    for _ in 0..78 {
        inline = format!("{{ {a} = {inline} }}");
    }
    let mut rows = TABLE.release.clone();
    for minor in (0..30_000).filter(|minor| *minor != 19) {
        writeln!(rows, "driver.\"v1.{minor}+\" = \"example:1\"").expect("a String takes it");
    }
    let reason = "reason = { en = \"a\", zh-CN = \"原因\" }\n";
    let limit = format!("\n[[limit]]\nkubernetes = \"v1.19+\"\n{reason}");
    let long = "x".repeat(10 << 20);
    let cases = [
        (
            "10 MB",
            release(format!("{}\n#{long}", TABLE.release)),
            "too-long",
        ),
        (
            "10 MB of a product",
            product(format!("{}\n#{long}", TABLE.product)),
            "too-long",
        ),
        (
            "deep value",
            TABLE.with("replicas = 2\n", &format!("replicas = {inline}\n")),
            "too-long",
        ),
        (
            "deep unknown key",
            release(format!("x = {inline}\n{}", TABLE.release)),
            "too-long",
        ),
        (
            "deep table",
            product(format!("{}\n[x.{a}]\n{a} = {inline}\n", TABLE.product)),
            "too-long",
        ),
        (
            "brackets",
            release(format!("x = {}\n", "[".repeat(1 << 19))),
            "too-long",
        ),
        ("rows", release(rows), "overlap"),
        (
            "holes",
            product(many(&format!("{limit}without = [\"driver\"]\n"))),
            "needless-hole",
        ),
        (
            "settings",
            product(many(&format!("{limit}values.a = 1\n"))),
            "conflicting-setting",
        ),
        (
            "unknown keys",
            product(many("\n[[limit]]\nx = 1\n")),
            "unknown-key",
        ),
    ];
    for (name, text, code) in cases {
        let project = Project::of(&fixtures().join("spec"), &root().join("templates"));
        project.write("spec/example/product.toml", text.product);
        project.write("spec/example/1.0.0.toml", text.release);
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
