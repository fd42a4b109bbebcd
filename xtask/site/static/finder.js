// The finder of the start page: a release, a Kubernetes version and a registry to images, values
// and the page with the steps. What it shows was decided in the plans; the registry alone is put in
// front here, as push.sh does.
"use strict";

const finder = document.getElementById("finder");
const input = Object.fromEntries(
  ["release", "kubernetes", "registry"].map((id) => [id, document.getElementById(id)]),
);
const output = (id) => document.getElementById(id);

// A semantic version, or its first two numbers.
const IDENTIFIER = "(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)";
const VERSION = new RegExp(
  `^v?(0|[1-9]\\d*)\\.(0|[1-9]\\d*)(?:\\.(?:0|[1-9]\\d*))?` +
    `(?:-${IDENTIFIER}(?:\\.${IDENTIFIER})*)?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);

/**
 * The minor of a version, or of all that `kubectl version` prints; undefined if it is none. A field of
 * one line runs the lines together that are pasted into it.
 */
function minorOf(text) {
  const parts = /Server Version:.*?\bv(\d+)\.(\d+)/s.exec(text) ?? VERSION.exec(text);
  return parts ? `${parts[1]}.${parts[2]}` : undefined;
}

/** What is wrong with a registry's address: a word and its places; undefined if nothing is. */
function wrongWith(registry) {
  const [, host, path] = /^([^/]*)(.*)$/s.exec(registry);
  if (registry.includes("@")) return ["credentials"];
  if (registry.includes("://")) return ["scheme", { mend: registry.replace(/^.*?:\/\//, "") }];
  if (registry.endsWith("/")) return ["slash", { mend: registry.slice(0, -1) }];
  if (!/^[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+)?$/.test(host)) return ["badHost", { text: host }];
  if (!/[.:]/.test(host) && host !== "localhost") return ["dockerHub", { text: host }];
  if (/[A-Z]/.test(path)) return ["upperCase"];
  if (/[^a-z0-9._/-]|\/[/._-]|[._-]\/|[._-]$/.test(path)) return ["badPath", { text: path.slice(1) }];
}

/** What a layout cannot do with these images, as push.sh finds it; undefined if it holds them. */
function wrongWithLayout(layout, plan, images, registry) {
  const refused = layout === "scoped" && images.find((image) => image["scoped-refused"]);
  if (refused) return say("port", { text: refused.reference });
  const [collision] = plan.collisions[layout];
  if (collision) return say("collision", { layout, text: `${registry}/${collision.destination}` });
}

/** A release of a link that this site does not have. */
let lost = "";

function choice() {
  return {
    release: input.release.value || lost,
    kubernetes: input.kubernetes.value.trim(),
    registry: input.registry.value.trim(),
    layout: finder.elements.layout.value,
  };
}

function releaseOf(name) {
  return window.plans.find(({ product, version }) => `${product}/${version}` === name);
}

/** The supported versions as a text: `1.16, 1.18 to 1.27`. */
function rangesOf({ kubernetes: { ranges } }) {
  const texts = ranges.map(({ first, last }) => (first === last ? first : say("range", { first, last })));
  return texts.join(say("andRange"));
}

/** Either what is wrong, as a word and its places, or the answer. */
function answer({ release: name, kubernetes, registry, layout }) {
  const release = releaseOf(name);
  if (!release) return { wrong: ["noRelease", { text: name }] };
  if (!kubernetes) return { wrong: ["enter"] };
  const minor = minorOf(kubernetes);
  if (!minor) return { wrong: ["noVersion", { text: kubernetes }] };
  const title = `${release.title[language]} ${release.version}`;
  const plan = release.minors.find((plan) => plan.kubernetes === minor);
  if (!plan) return { wrong: ["outside", { minor, release: title, ranges: rangesOf(release) }] };
  const { images, removals, install } = plan;
  const right = { title: `${title} · Kubernetes ${minor}`, page: `${name}/${minor}`, apart: [], removals, install };
  if (!registry) {
    const [apart, online] = [true, false].map((wanted) =>
      images.filter((image) => image["is-package"] === wanted).map((image) => image.reference),
    );
    return { ...right, images: online, apart, file: "values.yaml", values: plan.values, files: ["values.yaml"] };
  }
  const wrong = wrongWith(registry);
  if (wrong) return { wrong };
  const problem = wrongWithLayout(layout, plan, images, registry);
  if (problem) {
    const other = layout === "scoped" ? "flat" : "scoped";
    const fits = !wrongWithLayout(other, plan, images, registry);
    return { wrong: [fits ? "otherLayout" : "noLayout", { problem, other }] };
  }
  // An image's place below the registry, by its whole name.
  const places = new Map(images.map((image) => [image.name, image[layout]]));
  const valueOf = ({ image, pattern }) => {
    const [path, tag] = places.get(image).split(/:(?=[^:]*$)/);
    const parts = { registry, path, tag };
    return pattern.replace(/[{](registry|path|tag)[}]/g, (_, part) => parts[part]);
  };
  const lines = plan["values-overlay"].map((line) =>
    line["is-leaf"] ? `${line.indent}${line.key}: "${valueOf(line)}"` : `${line.indent}${line.key}:`,
  );
  const head = `# The images of ${release.product} ${release.version} for Kubernetes ${minor} in ${registry}`;
  return {
    ...right,
    images: images.map((image) => `${registry}/${places.get(image.name)}`),
    file: "values-mirror.yaml",
    values: [head, ...lines, ""].join("\n"),
    // The images alone are in the second; what the version forces is in the first.
    files: ["values.yaml", "values-mirror.yaml"],
  };
}

function show() {
  const chosen = choice();
  const { wrong, ...right } = answer(chosen);
  output("message").textContent = wrong ? say(...wrong) : "";
  output("answer").hidden = Boolean(wrong);
  if (wrong) return;
  output("answer-title").textContent = right.title;
  output("steps").href = address(right.page);
  showList("images", right.images);
  showList("apart", right.apart);
  output("values-title").textContent = say("values", { file: right.file });
  output("values").textContent = right.values;
  output("values-source").hidden = Boolean(chosen.registry);
  output("values-first").hidden = !chosen.registry;
  output("values-file").href = address(right.page, "values.yaml");
  showRemoved(right.removals);
  output("install").textContent = right.install + right.files.map((file) => ` --values ${file}`).join("") + "\n";
}

function showList(id, references) {
  output(id).textContent = references.map((reference) => `${reference}\n`).join("");
  output(`${id}-part`).hidden = !references.length;
}

/** What the commands remove from the copy of the chart, and why. */
function showRemoved(removals) {
  const line = ({ path, reason }) => [
    element("dt", {}, element("code", { textContent: path })),
    element("dd", { textContent: reason[language] }),
  ];
  output("removed").replaceChildren(...removals.flatMap(line));
  output("removed-part").hidden = !removals.length;
}

/** The choice as the end of an address, so that a link leads to the same answer. */
function kept() {
  return `#${new URLSearchParams(Object.entries(choice()).filter(([, value]) => value))}`;
}

/** The language switch leads to the same answer too. */
function followLanguage() {
  for (const link of document.querySelectorAll(".languages a")) link.hash = kept();
}

/** Takes the choice from the page's address, and the defaults for what is not in it. */
function restore() {
  const asked = new URLSearchParams(location.hash.slice(1));
  // The address of a place in the page, which the skip link leads to, says nothing of a choice.
  if (location.hash && !location.hash.includes("=")) return;
  lost = asked.get("release") ?? "";
  input.release.value = lost;
  if (!lost) input.release.selectedIndex = 0;
  input.kubernetes.value = asked.get("kubernetes") ?? "";
  input.registry.value = asked.get("registry") ?? "";
  finder.elements.layout.value = asked.get("layout") === "flat" ? "flat" : "scoped";
}

/** Everything that follows from the choice. */
function refresh() {
  list();
  show();
  followLanguage();
}

/** The versions that the chosen release supports, to pick from. */
function list() {
  const minors = releaseOf(choice().release)?.minors ?? [];
  output("known").replaceChildren(...minors.map(({ kubernetes }) => element("option", { value: kubernetes })));
}

for (const { product, version, title } of window.plans) {
  input.release.append(
    element("option", { value: `${product}/${version}`, textContent: `${title[language]} ${version}` }),
  );
}
finder.hidden = false;
finder.addEventListener("submit", (event) => event.preventDefault());
finder.addEventListener("input", () => {
  refresh();
  history.replaceState(null, "", kept());
});
window.addEventListener("hashchange", () => {
  restore();
  refresh();
});
copies(output("share"), () => new URL(kept(), location.href).href);
restore();
refresh();
