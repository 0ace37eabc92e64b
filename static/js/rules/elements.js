// Small makers of elements, and of the fields that more than one kind of condition has. A field calls `set(value)` with
// what the document is to hold, or with a function that makes it of what the document holds now; the values are those of
// the rule language.
let made = 0;

export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const ICONS = {
  x: "M18 6l-12 12M6 6l12 12", up: "M6 15l6-6 6 6", down: "M6 9l6 6 6-6", plus: "M12 5v14M5 12h14",
  copy: "M8 8h12v12h-12zM16 8v-4h-12v12h4", group: "M4 8v-4h4M16 4h4v4M20 16v4h-4M8 20h-4v-4M9 9h6v6h-6z",
  ungroup: "M4 4h6v6h-6zM14 14h6v6h-6z",
};
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ class: "icon", viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" })) svg.setAttribute(key, value);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

export const button = (control, label, name, act, { text = "", off = false } = {}) =>
  el("button", { type: "button", class: `button small quiet${text ? "" : " square"}`, "data-control": control, "aria-label": text ? undefined : label, "aria-disabled": off ? "true" : undefined, title: text ? undefined : label, onclick: () => off || act() },
    name ? icon(name) : null, text ? document.createTextNode(text) : null, text && label !== text ? el("span", { class: "unseen" }, ` ${label}`) : null);

/** A choice of options [{value, label, group}]. A value that is none of them is kept and shown as it is. */
export function choice(control, label, value, options, set) {
  const known = options.some((one) => one.value === value);
  const groups = new Map();
  for (const one of known ? options : [{ value, label: value || "–" }, ...options]) {
    const name = one.group ?? "";
    groups.set(name, [...(groups.get(name) ?? []), el("option", { value: one.value, selected: one.value === value }, one.label)]);
  }
  const items = [...groups].flatMap(([name, all]) => (name ? [el("optgroup", { label: name }, ...all)] : all));
  return el("select", { class: "input", "data-control": control, "aria-label": label, onchange: (event) => set(event.target.value) }, ...items);
}

/** A line of text; `kept` is told while it is typed, `set` when it is done. */
export const line = (control, label, value, set, more = {}) =>
  el("input", { type: "text", class: "input", "data-control": control, "aria-label": label, autocomplete: "off", spellcheck: "false", value: value ?? "", oninput: (event) => set(event.target.value, { typing: true }), onchange: (event) => set(event.target.value), ...more });

export const whole = (control, label, value, set) =>
  line(control, label, value, (text, how) => set(/^[0-9]{1,9}$/.test(text.trim()) ? Number(text) : text, how), { type: "number", min: 1, step: 1, class: "input narrow" });

/** A number of the language, or the text as it is typed, which the server then refuses at this very field. */
export const asNumber = (text) => (/^-?[0-9]{1,15}(\.[0-9]{1,9})?$/.test(text.trim()) ? Number(text) : text);

const UNITS = { m: "minutes", h: "hours", d: "days", w: "weeks" };
/** A span of time: a number and its unit, the lapse window, or (where the rule allows it) ever. */
export function span(control, label, value, set, texts, { ever = false } = {}) {
  const halves = (text) => /^([^mhdw]*)([mhdw])$/.exec(text ?? "")?.slice(1) ?? ["", "d"];
  const [number, unit] = halves(value);
  const chosen = value === undefined ? "ever" : value === "L" ? "L" : unit;
  const options = [...Object.entries(UNITS).map(([key, name]) => ({ value: key, label: texts[name] })), { value: "L", label: texts.lapse }];
  if (ever) options.push({ value: "ever", label: texts.ever });
  const amount = whole(`${control}|number`, `${label}: ${texts.how_long}`, number, (found, how) => set((now) => (now === undefined || now === "L" ? now : `${found}${halves(now)[1]}`), how));
  const units = choice(`${control}|unit`, `${label}: ${texts.unit}`, chosen, options, (to) => set((now) => (to === "ever" ? undefined : to === "L" ? "L" : `${halves(now)[0] || 30}${to}`), { redraw: true }));
  return chosen === "ever" || chosen === "L" ? [units] : [amount, units];
}

/** A line that offers what it may hold. */
export function offering(control, label, value, offers, set, { url, placeholder } = {}, texts) {
  const id = `offer-${++made}`;
  const field = line(control, label, value, set, { "data-combobox": true, list: url ? undefined : id, "data-url": url, placeholder, "data-says-count": texts.suggestions, "data-says-none": texts.no_suggestion });
  const list = url ? null : el("datalist", { id }, ...offers.map((one) => el("option", { value: one.value, label: one.label ?? one.value, "data-detail": one.detail ?? "" })));
  return el("span", { class: "combobox" }, field, list);
}

/** Several values, each of which can be taken out, and a line that adds one. `read` turns what is typed into a value;
 * `set` is called with what makes the new list of the present one. */
export function several(control, label, values, offers, set, { read = (text) => text, say = String, url } = {}, texts) {
  const tokens = values.map((value, index) =>
    el("li", { class: "token" }, el("span", { class: "token-text", dir: "auto" }, say(value)),
      el("button", { type: "button", "data-control": `${control}|token${index}`, "aria-label": `${texts.remove} ${say(value)}: ${label}`, onclick: () => set((now) => now.toSpliced(index, 1), { redraw: true, focus: `${control}|add`, say: `${texts.removed} ${say(value)}` }) }, icon("x"))));
  const adder = offering(`${control}|add`, label, "", offers, (text, how = {}) => {
    if (how.typing || !text.trim()) return;
    const value = read(text.trim());
    if (!values.includes(value)) set((now) => [...now, value], { redraw: true, say: `${texts.added} ${say(value)}` });
  }, { url, placeholder: texts.add_value }, texts);
  return el("span", { class: "token-field" }, el("ul", { class: "token-list", "aria-label": label }, ...tokens), adder);
}
