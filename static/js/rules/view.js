// A rule document as controls: a pure function of the document and what the page knows. Every control says by
// data-control which place of the document it is for, and by its name which condition it belongs to.
import { asNumber, button, choice, el, line, offering, several, span, whole } from "./elements.js";
import { KINDS, OPERATORS, headOf, isGroup, isHolder, kindOf, partsOf } from "./kinds.js";
import { at, renamed, written } from "./paths.js";
import { scoreFields } from "./scores.js";
import { numbered } from "./edits.js";

/** `page` is {words, texts, act}: what may be named, what is said, and act(name, path, value, how), where the value may
 * be made of the present one by a function. What a control sets must never be made of the document as it was drawn. */
export function view(document, page) {
  const numbers = new Map(numbered(document).map((one) => [written(one.path), one.number]));
  const rule = (path) => condition(document, path, numbers.get(written(path)), { ...page, rule });
  return rule([]);
}

function condition(document, path, number, page) {
  const { texts, act } = page;
  const node = at(document, path);
  const kind = kindOf(node);
  const place = written(path);
  const name = number ? texts.condition.replace("{number}", number) : texts.whole_rule;
  const kinds = KINDS.map((value) => ({ value, label: texts.kinds[value], group: texts.groups[isGroup(value) || isHolder(value) ? "several" : "one"] }));
  if (kind === "other") kinds.unshift({ value: "other", label: texts.kinds.other });
  const inList = typeof path.at(-1) === "number";
  const can = (edit) => page.can(edit, path);
  const acts = el("span", { class: "rule-acts" },
    inList ? button(`${place}|up`, texts.up.replace("{name}", name), "up", () => act("up", path), { off: !can("up") }) : null,
    inList ? button(`${place}|down`, texts.down.replace("{name}", name), "down", () => act("down", path), { off: !can("down") }) : null,
    inList ? button(`${place}|copy`, texts.copy.replace("{name}", name), "copy", () => act("duplicate", path)) : null,
    button(`${place}|wrap`, texts.wrap.replace("{name}", name), "group", () => act("wrap", path)),
    isGroup(kind) || isHolder(kind) ? button(`${place}|unwrap`, texts.unwrap.replace("{name}", name), "ungroup", () => act("unwrap", path), { off: !can("unwrap") }) : null,
    path.length ? button(`${place}|remove`, texts.remove_condition.replace("{name}", name), "x", () => act("remove", path), { off: !can("remove") }) : null);
  const parts = partsOf(node).map((step, index) => [index && isGroup(kind) ? el("span", { class: "rule-joint", "aria-hidden": "true" }, texts[kind === "all" ? "and" : "or"]) : null, page.rule([...path, ...step])]).flat();
  const adder = isGroup(kind) ? el("div", { class: "rule-add" },
    button(`${place}|add`, texts.add_to.replace("{name}", name), "plus", () => act("add", path), { text: texts.add }),
    button(`${place}|add-group`, texts.add_group_to.replace("{name}", name), "group", () => act("add_group", path), { text: texts.add_group })) : null;
  return el("fieldset", { class: `rule-node rule-${kind}`, "data-path": place },
    el("legend", { class: "unseen" }, name),
    el("div", { class: "rule-head" },
      el("span", { class: "rule-number num", "aria-hidden": "true" }, number),
      choice(`${place}|kind`, texts.kind_of.replace("{name}", name), kind, kinds, (to) => to !== "other" && act("turn", path, to, { focus: `${place}|kind` })),
      el("div", { class: "rule-fields" }, ...(FIELDS[kind] ?? (() => []))(node, path, name, page)),
      acts),
    el("p", { class: "error rule-error", "data-error": place, id: `error-${errors++}`, hidden: true }),
    parts.length || adder ? el("div", { class: "rule-parts" }, ...parts, adder) : null);
}
let errors = 0;

/** A control's setter: the value at `key` of the node at `path`. */
const setter = (page, path, ...keys) => (value, how) => page.act("set", [...path, ...keys], value, how);
const word = (text) => el("span", { class: "rule-word" }, text);
const label = (text, ...controls) => el("label", { class: "rule-label" }, el("span", {}, text), ...controls);

const FIELDS = {
  did: (node, path, name, page) => [
    ...selector(node.did, [...path, "did"], name, page),
    word(page.texts.at_least),
    whole(`${written(path)}.at_least`, `${name}: ${page.texts.how_often}`, node.at_least ?? 1, (value, how) => page.act("set", [...path, "at_least"], value === 1 ? undefined : value, how)),
    word(page.texts.times),
    ...within(node, path, name, page, true),
  ],
  on_days: (node, path, name, page) => [
    ...selector(node.did, [...path, "did"], name, page),
    word(page.texts.on_at_least),
    whole(`${written(path)}.on_days`, `${name}: ${page.texts.how_many_days}`, node.on_days, setter(page, path, "on_days")),
    word(page.texts.different_days),
    ...within(node, path, name, page, true),
  ],
  spent: (node, path, name, page) => [
    ...selector(node.spent, [...path, "spent"], name, page),
    word(page.texts.worth),
    line(`${written(path)}.at_least`, `${name}: ${page.texts.amount}`, node.at_least, setter(page, path, "at_least"), { inputmode: "decimal", class: "input money" }),
    word(page.words.currency),
    ...within(node, path, name, page, true),
  ],
  grew: (node, path, name, page) => [
    ...selector(node.grew, [...path, "grew"], name, page),
    word(page.texts.grew_by),
    line(`${written(path)}.by`, `${name}: ${page.texts.factor}`, node.by, setter(page, path, "by"), { inputmode: "decimal", class: "input narrow" }),
    word(page.texts.times_before),
    ...within(node, path, name, page, false),
  ],
  since: (node, path, name, page) => [
    ...selector(node.since, [...path, "since"], name, page),
    word(page.texts.and_since_no),
    ...selector(node.until, [...path, "until"], `${name}, ${page.texts.ended_by}`, page),
  ],
  held: (node, path, name, page) => span(`${written(path)}.for`, `${name}: ${page.texts.for}`, node.for, setter(page, path, "for"), page.texts),
  lately: (node, path, name, page) => [word(page.texts.within_the_last), ...span(`${written(path)}.within`, `${name}: ${page.texts.within}`, node.within, setter(page, path, "within"), page.texts)],
  trait: (node, path, name, page) => tests(node, path, "trait", name, page),
  score: scoreFields,
  segment: (node, path, name, page) => [choice(`${written(path)}.segment`, `${name}: ${page.texts.segment}`, String(node.segment), page.words.segments, setter(page, path, "segment"))],
  stage: (node, path, name, page) => {
    const options = page.words.stages.map((one) => ({ value: `${one.model}/${one.stage}`, label: one.label, group: one.group }));
    const value = Array.isArray(node.stage) ? node.stage.join("/") : "";
    return [choice(`${written(path)}.stage`, `${name}: ${page.texts.stage}`, value, options, (to) => page.act("set", [...path, "stage"], to.split("/")))];
  },
  rule: (node, path, name, page) => [choice(`${written(path)}.rule`, `${name}: ${page.texts.named_rule}`, String(node.rule), page.words.rules, setter(page, path, "rule"))],
  other: (node, path, name, page) => [el("textarea", { class: "input rule-raw", rows: 3, spellcheck: "false", "data-control": written(path), "aria-label": `${name}: JSON`, onchange: (event) => {
    try { page.act("set", path, JSON.parse(event.target.value), { redraw: true }); } catch { page.act("set", path, event.target.value); }
  } }, typeof node === "string" ? node : JSON.stringify(node))],
};

function within(node, path, name, page, ever) {
  const controls = span(`${written(path)}.within`, `${name}: ${page.texts.within}`, node.within, setter(page, path, "within"), page.texts, { ever });
  return [...(controls.length > 1 ? [word(page.texts.within_the_last)] : []), ...controls];
}

// --- what is selected ---------------------------------------------------------------------------------------------
function selector(value, path, name, page) {
  const { texts, act } = page;
  const list = Array.isArray(value);
  const picks = (list ? value : [value]).map((one, index) => pick(one, list ? [...path, index] : path, list && value.length > 1 ? `${name}, ${texts.choice} ${index + 1}` : name, page, list && value.length > 1 ? () => act("set", path, (now) => (now.length === 2 ? now[1 - index] : now.toSpliced(index, 1)), { redraw: true, focus: `${written(path)}|or` }) : null));
  const joined = picks.flatMap((one, index) => (index ? [word(texts.or), one] : [one]));
  const or = button(`${written(path)}|or`, `${texts.or_another}: ${name}`, "plus", () => act("set", path, (now) => [...(Array.isArray(now) ? now : [now]), { role: "visit" }], { redraw: true }), { text: texts.or_another });
  return [el("div", { class: "rule-selector" }, ...joined, or)];
}

const NARROWERS = ["role", "type", "channel", "any_activity", "where"];
const listed = (value) => (Array.isArray(value) ? value : value === undefined ? [] : [value]);
const folded = (values) => (values.length === 1 ? values[0] : values);

function pick(value, path, name, page, drop) {
  const { texts, words, act } = page;
  const place = written(path);
  if (typeof value !== "object" || value === null) return FIELDS.other(value, path, name, page)[0];
  const offers = { role: words.roles, type: words.types, channel: words.channels };
  const said = (key) => (one) => offers[key].find((offer) => offer.value === one)?.label ?? String(one);
  const read = (key) => (text) => offers[key].find((offer) => offer.label === text || offer.value === text)?.value ?? text;
  const takeOut = (key) => button(`${place}.${key}|out`, `${texts.remove} ${texts[key]}: ${name}`, "x", () => act("set", [...path, key], undefined, { redraw: true, focus: `${place}|narrow` }));
  const rows = NARROWERS.filter((key) => key in value).map((key) => {
    if (key === "any_activity") return el("div", { class: "rule-row" }, word(texts.any_activity), takeOut(key));
    if (key === "where") return where(value.where, [...path, "where"], name, page, value, path);
    return el("div", { class: "rule-row" }, word(texts[key]), several(`${place}.${key}`, `${name}: ${texts[key]}`, listed(value[key]), offers[key], (change, how) => act("set", [...path, key], (now) => folded(change(listed(now))), how), { read: read(key), say: said(key) }, texts), takeOut(key));
  });
  const left = NARROWERS.filter((key) => !(key in value));
  const begin = { role: [], type: [], channel: [], any_activity: true, where: [{ property: "", is: "" }] };
  const narrow = left.length ? choice(`${place}|narrow`, `${texts.narrow}: ${name}`, "", [{ value: "", label: rows.length ? texts.narrow_more : texts.narrow_first }, ...left.map((key) => ({ value: key, label: texts.narrowers[key] }))],
    (key) => key && act("set", [...path, key], begin[key], { redraw: true, focus: key === "any_activity" ? `${place}|narrow` : key === "where" ? `${place}.where[0].property` : `${place}.${key}|add` })) : null;
  return el("div", { class: "rule-pick", "data-path": place },
    rows.length ? null : word(texts.any_touchpoint), ...rows, el("div", { class: "rule-row" }, narrow, drop ? button(`${place}|drop`, `${texts.remove} ${texts.choice}: ${name}`, "x", drop) : null));
}

function where(list, path, name, page, owner, ownerPath) {
  const { texts, act } = page;
  const place = written(path);
  const items = Array.isArray(list) ? list : [];
  const rows = items.map((test, index) => el("div", { class: "rule-row rule-test", "data-path": `${place}[${index}]` },
    word(index ? texts.and : texts.where), ...tests(test ?? {}, [...path, index], "property", `${name}, ${texts.test} ${index + 1}`, page),
    button(`${place}[${index}]|out`, `${texts.remove} ${texts.test} ${index + 1}: ${name}`, "x", () => act("set", path, (now) => (now.length > 1 ? now.toSpliced(index, 1) : undefined), { redraw: true, focus: items.length > 1 ? `${place}|more` : `${written(ownerPath)}|narrow` }))));
  return el("div", { class: "rule-where" }, ...rows, button(`${place}|more`, `${texts.another_test}: ${name}`, "plus", () => act("set", path, (now) => [...(Array.isArray(now) ? now : []), { property: "", is: "" }], { redraw: true, focus: `${place}[${items.length}].property` }), { text: texts.another_test }));
}

// --- tests of a property or a trait -------------------------------------------------------------------------------
function tests(node, path, head, name, page) {
  const { texts, words, act } = page;
  const place = written(path);
  const set = (to, how) => act("set", path, to, how);
  const of = head === "trait" ? ["traits", "trait_values"] : ["properties", "property_values"];
  const usually = (key) => words[of[0]].find((one) => one.value === key)?.kind;
  const usual = usually(node[head]);
  const key = offering(`${place}.${head}`, `${name}: ${texts[head]}`, String(node[head] ?? ""), words[of[0]], (value, how = {}) => set((now) => (how.typing ? { ...now, [head]: value } : fitting({ ...now, [head]: value }, usually(value))), how.typing ? how : { redraw: true }), { placeholder: texts[head] }, texts);
  const operators = OPERATORS.filter((one) => one in node);
  const lines = operators.flatMap((operator, index) => [
    index ? word(texts.and) : null,
    choice(`${place}|operator${index}`, `${name}: ${texts.operator}${index ? ` ${index + 1}` : ""}`, operator, OPERATORS.filter((one) => one === operator || !(one in node)).map((value) => ({ value, label: texts.operators[value] })),
      (to) => set((now) => {
        const made = renamed(now, operator, to, operandFor(to, operator, now[operator]));
        return EXACT.includes(operator) ? made : fitting(made, usually(now[head]), [to]); // a kind that was chosen stays chosen
      }, { redraw: true })),
    ...operand(operator, node[operator], `${place}.${operator}`, `${name}: ${texts.operators[operator]}`, (value, how) => act("set", [...path, operator], (now) => (now === undefined ? now : typeof value === "function" ? value(now) : value), how), `${words.url}?what=${of[1]}&key=${encodeURIComponent(node[head] ?? "")}&search=`, page, usual),
    operators.length > 1 ? button(`${place}|operator${index}out`, `${texts.remove} ${texts.operators[operator]}: ${name}`, "x", () => act("set", [...path, operator], undefined, { redraw: true, focus: `${place}|also` })) : null,
  ]);
  const unused = OPERATORS.find((one) => !(one in node));
  const also = button(`${place}|also`, `${texts.and_also}: ${name}`, "plus", () => set((now) => ({ ...now, [unused]: operandFor(unused, unused, "") }), { redraw: true }), { text: texts.and_also });
  return [key, ...lines, operators.length ? also : button(`${place}|also`, `${texts.and_also}: ${name}`, "plus", () => set((now) => ({ ...now, is: "" }), { redraw: true }), { text: texts.and_also })].filter(Boolean);
}

const NUMBERS = ["gt", "gte", "lt", "lte"];
const EXACT = ["is", "is_not", "in", "not_in"];
/** What an operator begins with, made of what the one before it held: what was typed is kept, even where it does not fit,
 * and is then told there. */
function operandFor(to, from, old) {
  const typed = (from === "exists" ? [] : Array.isArray(old) ? old : [old]).filter((one) => one !== "" && one !== undefined);
  const [first = ""] = typed;
  if (to === "in" || to === "not_in") return typed;
  if (to === "exists") return true;
  if (NUMBERS.includes(to)) return first === "" || typeof first === "boolean" ? 1 : asNumber(String(first));
  if (["contains", "starts_with", "before", "after"].includes(to)) return ["string", "number"].includes(typeof first) ? String(first) : "";
  return first;
}

/** The test with the values it compares with, of the kind that the property or trait usually has: 5 and “5” are two
 * values, and only one of them is ever sent. What cannot be read as that kind stays as it was typed. */
function fitting(node, usual, operators = EXACT) {
  const fit = (value) => {
    if (usual === "string") return typeof value === "number" ? String(value) : typeof value === "boolean" ? "" : value;
    if (usual === "number") return typeof value === "string" ? asNumber(value) : typeof value === "boolean" ? "" : value;
    return value;
  };
  const all = (value) => (Array.isArray(value) ? value.map(fit).filter((one) => one !== "") : fit(value));
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, EXACT.includes(key) && operators.includes(key) ? all(value) : value]));
}

/** `usual` is the kind of value that is mostly sent there. */
function operand(operator, value, control, name, set, url, page, usual) {
  const { texts } = page;
  if (operator === "exists") return [choice(control, name, String(value), [{ value: "true", label: texts.yes }, { value: "false", label: texts.no }], (to) => set(to === "true"))];
  if (NUMBERS.includes(operator)) return [line(control, name, typeof value === "number" ? value : String(value ?? ""), (text, how) => set(asNumber(text), how), { inputmode: "decimal", class: "input money" })];
  if (operator === "before" || operator === "after") return [line(control, name, String(value ?? ""), set, { placeholder: "2026-01-31" })];
  if (operator === "contains" || operator === "starts_with") return [line(control, name, String(value ?? ""), set)];
  const many = Array.isArray(value);
  const first = many ? value[0] : value;
  const open = first === undefined || first === "";
  const kind = open && ["number", "boolean"].includes(usual) ? usual : open || typeof first === "object" ? "string" : typeof first;
  const kinds = choice(`${control}|kind`, `${name}: ${texts.kind_of_value}`, kind, ["string", "number", "boolean"].map((one) => ({ value: one, label: texts.value_kinds[one] })), (to) => set((now) => (Array.isArray(now) ? now.map((one) => cast(one, to)) : cast(now, to)), { redraw: true }));
  if (many) return [several(control, name, value, [], set, { read: (text) => cast(text, kind), say: (one) => (typeof one === "object" ? JSON.stringify(one) : String(one)), url }, texts), kinds];
  if (kind === "boolean") return [choice(control, name, String(value), [{ value: "true", label: texts.yes }, { value: "false", label: texts.no }], (to) => set(to === "true")), kinds];
  const shown = typeof value === "object" ? JSON.stringify(value) : String(value ?? "");
  return [offering(control, name, shown, [], (text, how) => set(kind === "number" ? asNumber(text) : text, how), { url }, texts), kinds];
}

function cast(value, kind) {
  if (kind === "boolean") return value === true || value === "true";
  if (kind === "number") return typeof value === "number" ? value : asNumber(String(value));
  return String(value);
}
