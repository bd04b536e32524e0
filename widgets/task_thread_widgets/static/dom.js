// Small helpers for the page. Text always enters as text, never as markup.

/**
 * Make an element.
 * @param {string} tag
 * @param {Record<string, any>} attributes "class" and the like; a function is a listener
 * @param {...(Node | string)} children
 * @returns {any}
 */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/** Set a text if it changed: most calls change nothing, and reading the DOM is what costs. */
export function setText(node, text) {
  if (node.shownText === text) return;
  node.shownText = text;
  node.textContent = text;
}

/**
 * Where a name may be cut: before the number at its end, which is what tells "SensorThread-2" from
 * "SensorThread-3".
 * @param {string} name
 * @returns {[string, string]} what gives way, and what stays
 */
export function splitName(name) {
  const [tail] = name.match(/[\W_]?\d{1,5}[^\w\s]{0,2}$/) ?? [""];
  return tail.length < name.length ? [name.slice(0, name.length - tail.length), tail] : [name, ""];
}

/** Make an element for a name; if there is too little room for it, the number at its end stays. */
export function makeName(kind) {
  return make("span", { class: `tt-cut ${kind}` },
    make("span", { class: "tt-cut-head" }), make("span", { class: "tt-cut-tail" }));
}

/** Set the name that an element of `makeName` shows. */
export function setName(node, name) {
  if (node.shownText === name) return;
  node.shownText = name;
  [node.firstChild.textContent, node.lastChild.textContent] = splitName(name);
}

/** Set an attribute if it changed; `null` takes it away. */
export function setAttribute(node, name, value) {
  const shown = (node.shownAttributes ??= {});
  const text = value == null ? null : String(value);
  if (shown[name] === text) return;
  shown[name] = text;
  if (text === null) node.removeAttribute(name);
  else node.setAttribute(name, text);
}

/** Show or hide an element. */
export function setShown(node, shown) {
  if (node.hidden === shown) node.hidden = !shown;
}

/**
 * Keep note of which part of its content an element shows. To ask it in each frame would make the
 * browser lay out the page in the middle of drawing, once for each panel.
 * @param {HTMLElement} element
 * @param {() => void} changed called when it shows another part, or more or less
 * @param {AbortSignal} signal ends it
 * @returns {{top: number, height: number}} in pixels, kept up to date
 */
export function scrollWindow(element, changed, signal) {
  const shown = { top: 0, height: 0 };
  const look = () => {
    shown.top = element.scrollTop;
    shown.height = element.clientHeight;
    changed();
  };
  const resized = new ResizeObserver(look);
  resized.observe(element);
  element.addEventListener("scroll", look, { passive: true, signal });
  signal.addEventListener("abort", () => resized.disconnect());
  return shown;
}

/**
 * Tell when the colours of the page may have changed: JupyterLab's theme, VS Code's, or the system's.
 * @param {() => void} changed
 * @param {AbortSignal} signal ends it
 */
export function watchTheme(changed, signal) {
  let again = 0;
  const tell = () => {
    changed();
    clearTimeout(again);
    again = setTimeout(changed, 1000); // its style sheet may come after its name
  };
  const themed = new MutationObserver(tell);
  themed.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name", "class"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell, { signal });
  signal.addEventListener("abort", () => {
    themed.disconnect();
    clearTimeout(again);
  });
}

/**
 * Whether a key pressed in a panel is the panel's own. JupyterLab takes plain keys for its command mode
 * wherever the focus is in the notebook: an arrow goes to another cell, "d d" deletes one. What stays
 * JupyterLab's: keys with Ctrl, Alt or Meta, such as those that save or run; Shift+Enter, which runs the
 * cell; and Escape, which leaves a text field for the cell. (What the panel has used, it has also marked as
 * such by `preventDefault`, and JupyterLab leaves it alone.)
 * @param {{key: string, ctrlKey?: boolean, altKey?: boolean, metaKey?: boolean, shiftKey?: boolean}} event
 */
export function isKeyOfPanel({ key, ctrlKey, altKey, metaKey, shiftKey }) {
  return !(ctrlKey || altKey || metaKey || key === "Escape" || (key === "Enter" && shiftKey));
}

/**
 * Keep the keys of a panel from JupyterLab, which looks at them when they have come up to the document.
 * Its `data-lm-suppress-shortcuts` would not do: on the element that has the focus it takes the keys that
 * save and run away as well, and on an element around it, only those.
 * @param {HTMLElement} root
 */
export function keepKeys(root) {
  root.addEventListener("keydown", (event) => {
    if (isKeyOfPanel(event)) event.stopPropagation();
  });
}

// A shape for each state, on 16 by 16: no state is told by colour alone.
const shapes = {
  created: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11zM8 4.5a3.5 3.5 0 1 1 0 7a3.5 3.5 0 1 1 0-7z",
  starting: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11zM8 4.5v7a3.5 3.5 0 0 1 0-7z",
  running: "M4 2.2l9.5 5.8L4 13.8z",
  waiting: "M8 3.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9z",
  stopping: "M3.5 2h9v1.5L9 8l3.5 4.5V14h-9v-1.5L7 8L3.5 3.5z",
  stopped: "M3.5 3.5h9v9h-9z",
  done: "M6.3 12.6L2.2 8.5l1.7-1.7l2.4 2.4l5.8-5.8l1.7 1.7z",
  paused: "M4 3h3v10H4zM9 3h3v10H9z",
  failed: "M3.2 4.8l1.6-1.6L8 6.4l3.2-3.2l1.6 1.6L9.6 8l3.2 3.2l-1.6 1.6L8 9.6l-3.2 3.2l-1.6-1.6L6.4 8z",
  step: "M3 2.5l7 5.5l-7 5.5zM11 3h2.5v10H11z",
};

/** Make a shape; `setShape` says which. */
export function makeShape(name = "") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("tt-shape");
  svg.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  if (name) setShape(svg, name);
  return svg;
}

export function setShape(svg, name) {
  setAttribute(svg.firstChild, "d", shapes[name] ?? shapes.created);
}
