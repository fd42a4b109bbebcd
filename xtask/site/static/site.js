// What every page does: buttons that copy, and the search.
"use strict";

const words = JSON.parse(document.getElementById("words").textContent);
const language = document.documentElement.lang;

/** The address of a page of the site, or of a file beside it, in the page's language. */
function address(path, file = "index.html") {
  const home = document.querySelector(".brand").href.split("#")[0];
  return new URL(`${path}/${file}`, home).href;
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

/** Has a screen reader say this. The region is there from the start, or it would not be watched. */
function announce(text) {
  document.getElementById("status").textContent = text;
}

/** Puts a text into the clipboard; says whether it is there. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No permission, or a server without HTTPS, which is common inside: there is no such clipboard.
  }
  const focused = document.activeElement;
  const area = element("textarea", { value: text, className: "unseen" });
  document.body.append(area);
  area.focus({ preventScroll: true });
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  focused.focus({ preventScroll: true });
  return done;
}

/** Makes a button copy what `text` gives at that time, and say for a moment whether it has. */
function copies(button, text) {
  const name = button.textContent;
  button.addEventListener("click", async () => {
    const outcome = (await copy(text())) ? words.copied : words.notCopied;
    button.textContent = outcome;
    announce(outcome);
    setTimeout(() => {
      button.textContent = name;
      announce("");
    }, 2000);
  });
}

for (const block of document.querySelectorAll(".code")) {
  const button = element("button", { type: "button", textContent: words.copy });
  const pre = block.querySelector("pre");
  button.setAttribute("aria-describedby", (pre.id ||= `code-${document.querySelectorAll(".code button").length}`));
  copies(button, () => pre.textContent);
  block.append(button);
}

/** Every image with what it is for: `{release, reference, isPackage, components, minors}`. */
function everyImage() {
  return window.plans.flatMap((release) => {
    const images = new Map();
    for (const minor of release.minors) {
      for (const component of minor.components) {
        const { reference, name, "is-package": isPackage } = component;
        const image =
          images.get(reference) ?? { release, reference, isPackage, components: new Set(), minors: new Set() };
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
  const items = hits.map(({ release, reference, isPackage, components, minors }) => {
    const path = `${release.product}/${release.version}`;
    const links = [...minors].map((minor) =>
      element("li", {}, element("a", { href: address(`${path}/${minor}`), textContent: minor })),
    );
    const about = `${release.title[language]} ${release.version} · ${[...components].join(", ")}`;
    return element("li", {},
      element("code", { textContent: reference }),
      ...(isPackage ? [" ", element("span", { className: "mark", textContent: words.package })] : []),
      element("span", { className: "hint", textContent: about }),
      element("ul", { className: "minors" }, ...links));
  });
  found.replaceChildren(element("p", { className: "hint", textContent: count }), element("ul", {}, ...items));
  announce(part && count);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || found.hidden) return;
  if (found.contains(document.activeElement)) field.focus();
  found.hidden = true;
});
search.addEventListener("focusout", ({ relatedTarget: next }) => {
  if (next && !search.contains(next)) found.hidden = true;
});
document.addEventListener("click", (event) => {
  if (!search.contains(event.target)) found.hidden = true;
});
