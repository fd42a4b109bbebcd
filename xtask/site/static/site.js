// What every page does: buttons that copy, and the search.
"use strict";

const words = JSON.parse(document.getElementById("words").textContent);
const language = document.documentElement.lang;

/** The address of a page of the site, in the page's language. */
function address(path) {
  const home = document.querySelector(".brand").href.split("#")[0];
  return new URL(`${path}/index.html`, home).href;
}

/** The rows of a plan's list, which releases keep once for all minors. */
function rows(release, numbers) {
  return numbers.map((number) => release.rows[number]);
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** A word with its places filled in. */
function say(key, places = {}) {
  return words[key].replace(/\{(\w+)\}/g, (_, name) => places[name]);
}

async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // A server without HTTPS, which is common inside: browsers keep the clipboard from it.
  const area = element("textarea", { value: text });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** Makes a button copy what `text` gives at that time, and say so for a moment. */
function copies(button, text) {
  const name = button.textContent;
  button.addEventListener("click", async () => {
    await copy(text());
    button.textContent = words.copied;
    setTimeout(() => (button.textContent = name), 2000);
  });
}

for (const block of document.querySelectorAll(".code")) {
  const button = element("button", { type: "button", textContent: words.copy });
  const pre = block.querySelector("pre");
  button.setAttribute("aria-describedby", (pre.id ||= `code-${document.querySelectorAll(".code button").length}`));
  copies(button, () => pre.textContent);
  block.append(button);
}

/** Every image with what it is for: `{release, reference, components, minors}`. */
function everyImage() {
  return window.plans.flatMap((release) => {
    const images = new Map();
    for (const minor of release.minors) {
      for (const component of rows(release, minor.components)) {
        const { reference, name } = component;
        const image = images.get(reference) ?? { release, reference, components: new Set(), minors: new Set() };
        images.set(reference, image);
        image.components.add(name);
        image.minors.add(minor.kubernetes);
      }
    }
    return [...images.values()];
  });
}

const search = document.querySelector(".search");
const field = document.getElementById("search");
const found = document.getElementById("found");
search.hidden = false;
search.addEventListener("submit", (event) => event.preventDefault());
field.addEventListener("input", () => {
  const part = field.value.trim().toLowerCase();
  found.hidden = !part;
  const hits = everyImage().filter(({ reference, components }) =>
    [reference, ...components].some((name) => name.toLowerCase().includes(part)),
  );
  const count = hits.length ? say("found", { n: hits.length }) : words.noneFound;
  const items = hits.map(({ release, reference, components, minors }) => {
    const path = `${release.product}/${release.version}`;
    const links = [...minors].map((minor) =>
      element("li", {}, element("a", { href: address(`${path}/${minor}`), textContent: minor })),
    );
    const about = `${release.title[language]} ${release.version} · ${[...components].join(", ")}`;
    return element("li", {},
      element("code", { textContent: reference }),
      element("span", { className: "hint", textContent: about }),
      element("ul", { className: "minors" }, ...links));
  });
  found.replaceChildren(
    element("p", { className: "hint", role: "status", textContent: count }),
    element("ul", {}, ...items));
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") found.hidden = true;
});
document.addEventListener("click", (event) => {
  if (!search.contains(event.target)) found.hidden = true;
});
