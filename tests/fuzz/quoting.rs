//! Any text in every string of a spec that people write freely: it is refused, or it reads back as
//! itself from each kind of file.
#![no_main]

#[path = "../support/values.rs"]
mod values;

use std::ops::Range;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pulldown_cmark::{Event, Options, Parser};
use serde_json::{Value, json};
use values::{strings, with_strings};
use xtask::diagnostic::Source;
use xtask::plan;
use xtask::quote::Quoting;
use xtask::render::Renderer;
use xtask::spec::Knowledge;
use xtask::target::{File, Language, Per, Target};
use xtask::validate;

/// The file of a product, which has all the texts, and a release.
const PRODUCT: &str = include_str!("../fixtures/spec/example/product.toml");
const RELEASE: &str = include_str!("../fixtures/spec/example/1.0.0.toml");

/// One file a kind, with every helper that quotes.
const PROBES: [(&str, Quoting, &str); 4] = [
    (
        "json",
        Quoting::Json,
        "[{{release.title.en}}, {{literal release.title.en}}, {{#each release.notes}}{{join subjects \", \"}}, {{/each}}0]",
    ),
    (
        "yaml",
        Quoting::Yaml,
        "# {{comment release.title.en}}\n{{comment-lines release.title.en \"  \"}}\
         - {{release.title.en}}\n- {{literal release.title.en}}\n- {{yaml-key release.title.en}}: 1\n",
    ),
    (
        "sh",
        Quoting::Shell,
        "# {{comment release.title.en}}\n{{comment-lines release.title.en \"  \"}}\
         {{release.title.en}} {{word release.title.en}} end\n",
    ),
    (
        "md",
        Quoting::Markdown,
        "<!-- {{comment release.title.en}} -->\n\n| a |\n| --- |\n| b{{release.title.en}}c |\n| {{code release.title.en}} |\n",
    ),
];

static TARGETS: LazyLock<Vec<Target>> = LazyLock::new(|| {
    let files = PROBES.map(|(name, quoting, _)| File {
        body: Vec::new(),
        kit_only: false,
        template: name.to_owned(),
        path: name.to_owned(),
        per: Per::Release,
        quoting,
        language: Language::En,
        executable: false,
        loose: false,
    });
    let templates = PROBES.map(|(name, _, text)| (name.to_owned(), text.to_owned()));
    vec![Target {
        texts: Vec::new(),
        loader: None,
        name: "probe".to_owned(),
        files: files.into(),
        templates: templates.into(),
    }]
});

static RENDERER: LazyLock<Renderer<'static>> =
    LazyLock::new(|| Renderer::new(&TARGETS).expect("well-formed"));

/// The places of the strings that people write freely.
static PLACES: LazyLock<Vec<Range<usize>>> = LazyLock::new(|| {
    let is_free = |path: &String| {
        let mut ends = [".en", ".zh-CN"].into_iter();
        let mut parts = [".values.", ".subjects["].into_iter();
        ends.any(|end| path.ends_with(end)) || parts.any(|part| path.contains(part))
    };
    let places = strings(PRODUCT).into_iter();
    let places = places.filter(|(path, _)| is_free(path));
    places.map(|(_, place)| place).collect()
});

fuzz_target!(|text: &str| {
    let product = with_strings(PRODUCT, PLACES.iter().map(|place| (place, text.to_owned())));
    let product = Source::new("product.toml", product);
    let release = Source::new("1.0.0.toml", RELEASE);
    let releases = [("1.0.0", &release)];
    let mut specs = validate::check(("example", &product), &releases, &Knowledge::default());
    let Some(release) = specs.remove(0).outcome else {
        return;
    };
    let tree = RENDERER
        .render(&plan::plan(&release), Some(&[]), xtask::tree::Form::Kit)
        .expect("renders");
    let file = |name: &str| tree.files[name].text.as_str();

    // A text for people is taken without the blanks around it.
    let (as_written, text) = (text, text.trim());
    let read: Vec<Value> = serde_json::from_str(file("json")).expect("JSON");
    assert_eq!(read[..2], [json!(text), json!(text)]);
    let (last, subjects) = read[2..].split_last().expect("not empty");
    assert_eq!(*last, json!(0));
    assert!(subjects.iter().all(|subject| *subject == json!(as_written)));

    let read: Value = serde_saphyr::from_str(file("yaml")).expect("YAML");
    assert_eq!(read, json!([text, text, { (text): 1 }]));

    let words = shlex::split(file("sh")).expect("shell words");
    assert_eq!(words, [text, text, "end"]);

    let mut cells = vec![String::new()];
    for event in Parser::new_ext(
        file("md"),
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH,
    ) {
        match event {
            Event::Text(text) | Event::Code(text) => cells.last_mut().expect("one").push_str(&text),
            Event::InlineHtml(html) => assert!(matches!(&*html, "<code>" | "</code>")),
            Event::Html(html) => assert!(html.starts_with("<!-- ")),
            Event::Start(_) => {}
            Event::End(_) => cells.push(String::new()),
            other => panic!("{other:?} in {}", file("md")),
        }
    }
    let cells: Vec<_> = cells.iter().filter(|cell| !cell.is_empty()).collect();
    let whole = format!("b{text}c");
    assert_eq!(cells, ["a", &whole, text]);
});
