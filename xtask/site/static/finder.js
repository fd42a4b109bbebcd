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

/** The minor of a version, or of all that `kubectl version` prints; undefined if it is none. */
function minorOf(text) {
  const printed = /Server Version: .*?(v\d[\w.+-]*)/.exec(text);
  const parts = VERSION.exec(printed ? printed[1] : text);
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

function choice() {
  return {
    release: input.release.value,
    kubernetes: input.kubernetes.value.trim(),
    registry: input.registry.value.trim(),
    layout: finder.elements.layout.value,
  };
}

/** Either what is wrong, as a word and its places, or the answer. */
function answer({ release: name, kubernetes, registry, layout }) {
  const release = window.plans.find(({ product, version }) => `${product}/${version}` === name);
  if (!kubernetes) return { wrong: ["enter"] };
  const minor = minorOf(kubernetes);
  if (!minor) return { wrong: ["noVersion", { text: kubernetes }] };
  const title = `${release.title[language]} ${release.version}`;
  const plan = release.minors.find((plan) => plan.kubernetes === minor);
  if (!plan) return { wrong: ["outside", { minor, release: title, ...release.kubernetes }] };
  const images = rows(release, plan.images);
  if (registry) {
    const wrong = wrongWith(registry);
    if (wrong) return { wrong };
    const [collision] = plan.collisions[layout];
    if (collision) return { wrong: ["collision", { text: `${registry}/${collision.destination}` }] };
    const refused = layout === "scoped" && images.find((image) => image["scoped-refused"]);
    if (refused) return { wrong: ["port", { text: refused.reference }] };
  }
  // An image's place, by its whole name.
  const places = new Map(
    images.map((image) => [image.name, registry ? `${registry}/${image[layout]}` : image.reference]),
  );
  const lines = rows(release, plan["values-overlay"]).map((line) =>
    line["is-leaf"] ? `${line.indent}${line.key}: "${places.get(line.name)}"` : `${line.indent}${line.key}:`,
  );
  const head = `# The images of ${release.product} ${release.version} for Kubernetes ${minor}`;
  return {
    title: `${title} · Kubernetes ${minor}`,
    page: `${name}/${minor}`,
    images: images.map((image) => places.get(image.name)),
    values: [registry ? `${head} in ${registry}` : head, ...lines, ""].join("\n"),
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
  output("images").textContent = right.images.join("\n") + "\n";
  output("values").textContent = right.values;
  output("values-source").hidden = Boolean(chosen.registry);
}

/** The choice as the end of the page's address, so that a link leads to the same answer. */
function keep() {
  const parts = Object.entries(choice()).filter(([, value]) => value);
  history.replaceState(null, "", `#${new URLSearchParams(parts)}`);
  followLanguage();
}

/** The language switch leads to the same answer too. */
function followLanguage() {
  for (const link of document.querySelectorAll(".languages a")) link.hash = location.hash;
}

function restore() {
  const kept = new URLSearchParams(location.hash.slice(1));
  for (const [name, field] of Object.entries(input)) {
    if (kept.has(name)) field.value = kept.get(name);
  }
  if (!input.release.value) input.release.selectedIndex = 0;
  if (kept.get("layout") === "flat") finder.elements.layout.value = "flat";
  list();
  followLanguage();
  show();
}

/** The versions that the chosen release supports, to pick from. */
function list() {
  const release = window.plans.find(({ product, version }) => `${product}/${version}` === input.release.value);
  output("known").replaceChildren(
    ...release.minors.map(({ kubernetes }) => element("option", { value: kubernetes })),
  );
}

for (const { product, version, title } of window.plans) {
  input.release.append(
    element("option", { value: `${product}/${version}`, textContent: `${title[language]} ${version}` }),
  );
}
finder.hidden = false;
finder.addEventListener("submit", (event) => event.preventDefault());
finder.addEventListener("input", () => {
  list();
  show();
  keep();
});
window.addEventListener("hashchange", restore);
copies(output("share"), () => location.href);
restore();
