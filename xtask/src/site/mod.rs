//! Plans and their rendered files to the source of a Hugo site, in memory.
//!
//! The pages are generated ones, staged as Hugo wants them: front matter, its folders, its
//! links. No sentence of a page is written here. The site's own theme is `xtask/site/`; nothing that is made
//! here needs it, so the content also stands in a vendor's site.

mod matrix;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag, TagEnd};
use serde_json::{Value, json};

use crate::plan::{Plan, PlannedRemoval, ReleaseFacts, ReleasePlan};
use crate::quote::Quoting;
use crate::quote::{quote, shell_word};
use crate::spec::Text;
use crate::target::Language;
use crate::text::version_order;
use crate::tree::Tree;

/// Staged files: text by path.
pub type Files = BTreeMap<String, String>;

/// A language of the site: its folder, and how the names of its generated pages end.
const LANGUAGES: [(Language, &str, &str); 2] = [
    (Language::En, "en", ".md"),
    (Language::ZhCn, "zh-cn", ".zh-CN.md"),
];

/// The generated page of a release, and that of a minor with the whole procedure. Other Markdown is for
/// whoever holds a kit.
const PAGES: [&str; 2] = ["README", "START-HERE"];

/// What Hugo calls the page of a folder.
const INDEX: &str = "_index.md";
/// The picture of the whole table, beside the page of a release.
const MATRIX: &str = "matrix.svg";
/// The copy of the chart that an install step changes, as the page of the minor has it.
const COPY: &str = "./chart";
/// The generated Helm values of a minor, which the finder shows as they are.
const VALUES: &str = "values.yaml";

/// What stands at the top of a page.
struct FrontMatter<'a> {
    spec: &'a str,
    title: &'a str,
    link_title: &'a str,
    description: &'a str,
    weight: usize,
}

/// The pages of every release, with the files that they link to, by their path below `content/`:
/// `en/huawei-csi/4.5.0/1.16/_index.md`.
///
/// A page's weight orders it among its siblings: minors ascending, releases from the newest on,
/// products by name.
#[must_use]
pub fn content(releases: &[(ReleasePlan, Tree)]) -> Files {
    let mut files = Files::new();
    for (number, of_product) in in_order(releases)
        .chunk_by(|(a, _), (b, _)| a.release.product == b.release.product)
        .enumerate()
    {
        for (language, folder, ending) in LANGUAGES {
            let facts = &of_product[0].0.release;
            let title = text(&facts.title, language);
            let top = FrontMatter {
                spec: &facts.spec,
                title,
                link_title: title,
                description: title,
                weight: number + 1,
            };
            let product = format!("{folder}/{}", facts.product);
            files.insert(format!("{product}/{INDEX}"), top.to_string());
            for (place, (plan, tree)) in of_product.iter().enumerate() {
                let below = format!("{product}/{}", plan.release.version);
                let picture = matrix::svg(plan, language);
                files.insert(format!("{below}/{MATRIX}"), picture);
                for (path, artifact) in &tree.files {
                    let staged = staged(path);
                    let (parent, name) = staged.rsplit_once('/').unwrap_or(("", staged));
                    let [of_release, of_minor] = PAGES;
                    let own = if parent.is_empty() {
                        of_release
                    } else {
                        of_minor
                    };
                    let own = own.to_owned() + ending;
                    let is_page = name == own;
                    if !is_page && name.ends_with(".md") {
                        continue;
                    }
                    let text = if is_page {
                        staged_page(&artifact.text, plan, parent, place + 1)
                    } else {
                        artifact.text.clone()
                    };
                    let name = if is_page { INDEX } else { name };
                    let parent = if parent.is_empty() {
                        below.clone()
                    } else {
                        format!("{below}/{parent}")
                    };
                    files.insert(format!("{parent}/{name}"), text);
                }
            }
        }
    }
    files
}

/// The files of the site that Hugo makes of staged ones, with their text where Hugo copies it.
#[must_use]
pub fn published(content: &Files) -> BTreeMap<String, Option<&str>> {
    let starts = LANGUAGES.map(|(_, folder, _)| format!("{folder}/{INDEX}"));
    let starts = starts.iter().map(|path| (path.as_str(), None));
    let staged = content
        .iter()
        .map(|(path, text)| (path.as_str(), Some(text.as_str())));
    starts
        .chain(staged)
        .map(|(path, text)| {
            // The pages of the default language are at the top.
            let path = path.strip_prefix("en/").unwrap_or(path);
            match path.strip_suffix(INDEX) {
                Some(folder) => (format!("{folder}index.html"), None),
                None => (path.to_owned(), text),
            }
        })
        .collect()
}

/// Products by name, of each the newest release first: the one order of pages and data.
fn in_order(releases: &[(ReleasePlan, Tree)]) -> Vec<&(ReleasePlan, Tree)> {
    let mut ordered: Vec<_> = releases.iter().collect();
    ordered.sort_by_key(|(plan, _)| {
        let release = &plan.release;
        (&release.product, Reverse(version_order(&release.version)))
    });
    ordered
}

/// A generated page as a page of the site. The theme shows the title and switches languages, so
/// the heading and the line of languages go.
fn staged_page(markdown: &str, plan: &ReleasePlan, minor: &str, place: usize) -> String {
    let (heading, rest) = parts(markdown);
    let description = first_sentence(rest.lines().next().unwrap_or_default());
    let mut minors = plan.plans.iter().map(|plan| &plan.kubernetes);
    let (link_title, weight) = match minors.position(|known| known == minor) {
        Some(position) => (format!("Kubernetes {minor}"), position + 1),
        None => (plan.release.version.clone(), place),
    };
    let top = FrontMatter {
        spec: &plan.release.spec,
        title: &unescaped(heading),
        link_title: &link_title,
        description: &unescaped(description),
        weight,
    };
    let mut out = top.to_string();
    let mut picture = minor.is_empty();
    for line in adapted(rest).lines() {
        out.push_str(line);
        out.push('\n');
        // Above the table, under its heading.
        if picture && let Some(heading) = line.strip_prefix("## ") {
            out.push_str(&format!("\n![{heading}]({MATRIX})\n"));
            picture = false;
        }
    }
    out
}

/// A generated page's heading, and what is behind it and the line of languages.
fn parts(markdown: &str) -> (&str, &str) {
    let heading = markdown
        .split_once("\n# ")
        .and_then(|(_, rest)| rest.split_once("\n\n"));
    let (heading, rest) = heading.unwrap_or(("", markdown));
    match rest.split_once("\n\n") {
        Some((languages, rest))
            if PAGES
                .iter()
                .any(|page| languages.contains(&format!("]({page}."))) =>
        {
            (heading, rest)
        }
        _ => (heading, rest),
    }
}

impl std::fmt::Display for FrontMatter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |text| quote(Quoting::Yaml, text);
        writeln!(f, "---")?;
        writeln!(
            f,
            "# Generated by `cargo xtask docs` from {}. Do not edit.",
            self.spec
        )?;
        writeln!(f, "title: {}", text(self.title))?;
        writeln!(f, "linkTitle: {}", text(self.link_title))?;
        writeln!(f, "description: {}", text(self.description))?;
        writeln!(f, "weight: {}", self.weight)?;
        writeln!(f, "---\n")
    }
}

/// Where a generated file stands below its release: the minor's folder has no `k8s-` in a URL.
fn staged(path: &str) -> &str {
    path.strip_prefix("k8s-").unwrap_or(path)
}

/// Markdown whose links lead to pages of the site, without HTML, which Hugo leaves out unless it is
/// told otherwise, and without what Hugo would take for a shortcode. A parser finds them, because a
/// text of the spec may look like any of them.
fn adapted(markdown: &str) -> String {
    let mut out = String::new();
    let mut rest = 0;
    let mut replace = |place: Range<usize>, text: &str| {
        out.push_str(&markdown[rest..place.start]);
        out.push_str(text);
        rest = place.end;
    };
    let mut is_table = false;
    let mut code: Option<(usize, String)> = None;
    for (event, place) in Parser::new_ext(markdown, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::Link {
                link_type: LinkType::Inline,
                ..
            }) => {
                if let Some((text, target)) = markdown[place.clone()].rsplit_once("](") {
                    let mut target = staged(target.trim_end_matches(')'));
                    for (_, _, ending) in LANGUAGES {
                        for page in PAGES {
                            let name = page.to_owned() + ending;
                            target = target.strip_suffix(name.as_str()).unwrap_or(target);
                        }
                    }
                    replace(place, &format!("{text}]({target})"));
                }
            }
            Event::Start(Tag::Table(_)) => is_table = true,
            Event::End(TagEnd::Table) => is_table = false,
            Event::InlineHtml(tag) if &*tag == "<code>" => {
                code = Some((place.start, String::new()));
            }
            Event::Code(text) if has_shortcode(&text) => {
                replace(place, &code_span(&text, is_table));
            }
            Event::Text(text) => {
                if let Some((_, code)) = &mut code {
                    code.push_str(&text);
                }
            }
            Event::InlineHtml(_) => {
                if let Some((start, code)) = code.take() {
                    replace(start..place.end, &code_span(&code, is_table));
                }
            }
            _ => {}
        }
    }
    out + &markdown[rest..]
}

fn has_shortcode(text: &str) -> bool {
    text.contains("{{<") || text.contains("{{%")
}

/// A text as a code span of Markdown; as running text where Hugo would look into the span.
fn code_span(text: &str, is_table: bool) -> String {
    if has_shortcode(text) {
        return quote(Quoting::Markdown, text);
    }
    let runs = text.split(|c| c != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or(0) + 1);
    let ends = |edge: char| text.starts_with(edge) || text.ends_with(edge);
    let space = if ends('`') || ends(' ') { " " } else { "" };
    let text = if is_table {
        text.replace('|', "\\|")
    } else {
        text.to_owned()
    };
    format!("{fence}{space}{text}{space}{fence}")
}

/// The first sentence of a paragraph, in either language.
fn first_sentence(paragraph: &str) -> &str {
    let english = paragraph.find(". ").map(|dot| dot + 1);
    let chinese = paragraph.find('。').map(|stop| stop + '。'.len_utf8());
    let end = english.into_iter().chain(chinese).min();
    &paragraph[..end.unwrap_or(paragraph.len())]
}

/// Running text of Markdown without its backslashes.
fn unescaped(markdown: &str) -> String {
    let mut out = String::new();
    let mut rest = markdown.chars().peekable();
    while let Some(c) = rest.next() {
        match rest.peek() {
            Some(next) if c == '\\' && next.is_ascii_punctuation() => out.extend(rest.next()),
            _ => out.push(c),
        }
    }
    out
}

fn text(text: &Text, language: Language) -> &str {
    match language {
        Language::En => &text.en,
        Language::ZhCn => &text.zh_cn,
    }
}

/// What the finder and the search know, as a script that a page can load from a disk too: of every
/// release the parts of its plans that they show, by the names that templates see.
#[must_use]
pub fn plans_script(releases: &[(ReleasePlan, Tree)]) -> String {
    let releases: Vec<_> = in_order(releases).into_iter().map(of_release).collect();
    format!(
        "// Generated by `cargo xtask docs`: the plans, for the finder and the search.\n\
         window.plans = {};\n",
        Value::from(releases)
    )
}

fn of_release((plan, tree): &(ReleasePlan, Tree)) -> Value {
    let minors: Vec<_> = plan
        .plans
        .iter()
        .map(|minor| {
            let values = tree.files.iter().find(|(path, _)| {
                let place = staged(path).split_once('/');
                place == Some((&minor.kubernetes, VALUES))
            });
            json!({
                "kubernetes": minor.kubernetes,
                "components": minor.components,
                "images": minor.images,
                "values": values.map_or("", |(_, artifact)| &artifact.text),
                "values-overlay": minor.values_overlay,
                "collisions": minor.collisions,
                "removals": minor.removals,
                "install": install(&plan.release, minor),
            })
        })
        .collect();
    let facts = &plan.release;
    json!({
        "product": facts.product,
        "version": facts.version,
        "title": facts.title,
        "kubernetes": facts.kubernetes,
        "minors": minors,
    })
}

/// The commands that install the chart, as the page of the minor has them, up to the values.
fn install(release: &ReleaseFacts, minor: &Plan) -> String {
    let chart = &release.chart;
    let own = shell_word(&chart.folder);
    let remove = |removal: &PlannedRemoval| format!("rm -r {COPY}/{}\n", shell_word(&removal.path));
    let removed: String = minor.removals.iter().map(remove).collect();
    let (copied, folder) = if removed.is_empty() {
        (String::new(), format!("\"$PACKAGE\"/{own}"))
    } else {
        let copied = format!("cp -RL \"${{PACKAGE:?}}\"/{own}/. {COPY}\n");
        (copied, COPY.to_owned())
    };
    format!(
        "{copied}{removed}helm install {} {folder} --namespace {} --create-namespace",
        shell_word(&chart.release_name),
        shell_word(&chart.namespace)
    )
}
