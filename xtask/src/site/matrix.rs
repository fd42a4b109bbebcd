//! The whole table as a picture: a row for each component, a column for each minor, a bar for each
//! image over the minors that it is for, and a dashed box where there is none.
//!
//! The picture stands by itself or inside a page, and follows the reader's dark mode in both.

use crate::plan::ReleasePlan;
use crate::target::Language;

const ROW: usize = 32;
const HEAD: usize = 36;
const LEGEND: usize = 40;
/// About the width of a character.
const CHARACTER: usize = 7;
/// How many colours the images of one component take turns with.
const COLOURS: usize = 4;

const STYLE: &str = "\
.matrix{color-scheme:light dark;--t:#1d2733;--l:#d8dee6;--a:#cfe3fb;--b:#fbe3bd;--c:#d5efd6;--d:#ecdcf7}
.matrix text{font:13px system-ui,sans-serif;fill:var(--t)}
.matrix .head{font-weight:600}
.matrix .middle{text-anchor:middle}
.matrix line{stroke:var(--l)}
.matrix .a{fill:var(--a)}.matrix .b{fill:var(--b)}.matrix .c{fill:var(--c)}.matrix .d{fill:var(--d)}
.matrix .hole{fill:none;stroke:var(--t);stroke-dasharray:4 3}
@media screen and (prefers-color-scheme:dark){
.matrix{--t:#e4eaf1;--l:#39434f;--a:#1f4976;--b:#6b4a12;--c:#23552b;--d:#573a70}}
";

/// The picture in one language.
pub fn svg(plan: &ReleasePlan, language: Language) -> String {
    let longest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0) * CHARACTER;
    let label = longest(&mut plan.table.iter().map(|entry| entry.name.len())) + 20;
    let cells = plan.table.iter().flat_map(|entry| &entry.cells);
    let column = longest(&mut cells.map(String::len)) + 16;
    let width = label + column * plan.plans.len();
    let bottom = HEAD + ROW * plan.table.len();
    let height = bottom + LEGEND;
    let words = Words::of(plan, language);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"matrix\" role=\"img\" \
         aria-labelledby=\"matrix-title matrix-description\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\">\n\
         <title id=\"matrix-title\">{}</title>\n\
         <desc id=\"matrix-description\">{}</desc>\n\
         <style>\n{STYLE}</style>\n",
        escaped(&words.title),
        escaped(&words.description)
    );
    for (place, minor) in plan.plans.iter().enumerate() {
        let middle = label + column * place + column / 2;
        let minor = escaped(&minor.kubernetes);
        out.push_str(&format!(
            "<text class=\"head middle\" x=\"{middle}\" y=\"{}\">{minor}</text>\n",
            HEAD - 13
        ));
    }
    for (row, entry) in plan.table.iter().enumerate() {
        let top = HEAD + ROW * row;
        out.push_str(&format!(
            "<line x1=\"0\" x2=\"{width}\" y1=\"{top}\" y2=\"{top}\"/>\n\
             <text x=\"2\" y=\"{}\">{}</text>\n",
            top + 21,
            escaped(&entry.name)
        ));
        // The component's image on each minor; none in a hole.
        let images: Vec<_> = plan
            .plans
            .iter()
            .map(|plan| {
                let mut components = plan.components.iter();
                let component = components.find(|component| component.name == entry.name);
                component.map(|component| component.reference.as_str())
            })
            .collect();
        let mut first = 0;
        for run in images.chunk_by(|a, b| a == b) {
            let last = first + run.len() - 1;
            let x = label + column * first + 2;
            let size = column * run.len() - 4;
            let ends = [first, last].map(|place| plan.plans[place].kubernetes.as_str());
            let from_to = if first == last {
                ends[0].to_owned()
            } else {
                ends.join("–")
            };
            let colour = run[0].and_then(|reference| {
                let mut rows = entry.rows.iter();
                rows.position(|row| row.reference == reference)
            });
            let class = match colour {
                Some(place) => ["a", "b", "c", "d"][place % COLOURS],
                None => "hole",
            };
            let name = run[0].unwrap_or(words.hole);
            out.push_str(&format!(
                "<g><title>{}</title>\
                 <rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"{size}\" height=\"{}\" rx=\"5\"/>\
                 <text class=\"middle\" x=\"{}\" y=\"{}\">{}</text></g>\n",
                escaped(&format!("{} {from_to}: {name}", entry.name)),
                top + 4,
                ROW - 8,
                x + size / 2,
                top + 21,
                escaped(&entry.cells[first])
            ));
            first = last + 1;
        }
    }
    out.push_str(&format!(
        "<rect class=\"hole\" x=\"2\" y=\"{}\" width=\"34\" height=\"20\" rx=\"5\"/>\
         <text class=\"middle\" x=\"19\" y=\"{}\">—</text>\
         <text x=\"46\" y=\"{}\">{}</text>\n</svg>\n",
        bottom + 12,
        bottom + 27,
        bottom + 27,
        words.hole
    ));
    out
}

/// What the picture says in words.
struct Words {
    title: String,
    description: String,
    hole: &'static str,
}

impl Words {
    fn of(plan: &ReleasePlan, language: Language) -> Self {
        let facts = &plan.release;
        let (version, ends) = (&facts.version, &facts.kubernetes);
        let (first, last) = (&ends.first, &ends.last);
        match language {
            Language::En => Self {
                title: format!(
                    "Images of {} {version} by Kubernetes version",
                    facts.title.en
                ),
                description: format!(
                    "A row for each component, a column for each Kubernetes version from {first} to \
                     {last}. A bar is one image, with its tag; a dashed box is a version without an \
                     image. The table beside the picture says the same."
                ),
                hole: "no image on this version",
            },
            Language::ZhCn => Self {
                title: format!("{} {version}在各Kubernetes版本上的镜像", facts.title.zh_cn),
                description: format!(
                    "每行为一个组件，每列为一个Kubernetes版本（{first}至{last}）。色条表示一个镜像并标有其\
                     版本号，虚线框表示该版本没有镜像。图旁的表格包含相同的内容。"
                ),
                hole: "该版本没有镜像",
            },
        }
    }
}

/// Text of XML.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}
