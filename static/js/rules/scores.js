// A condition about a score: which one, and the step it is compared with, chosen from those there are.
import { button, choice, el, several } from "./elements.js";
import { renamed, written } from "./paths.js";

const OPERATORS = ["gte", "lte", "is", "is_not", "in", "not_in", "gt", "lt", "exists"];

export function scoreFields(node, path, name, page) {
  const { texts, words, act } = page;
  const place = written(path);
  const stepsOf = (key) => words.scores.find((one) => one.value === key)?.steps ?? [];
  const steps = stepsOf(node.trait);
  const set = (to, how = { redraw: true }) => act("set", path, to, how);
  const used = OPERATORS.filter((one) => one in node);
  const lines = used.flatMap((operator, index) => [
    index ? el("span", { class: "rule-word" }, texts.and) : null,
    choice(`${place}|operator${index}`, `${name}: ${texts.operator}${index ? ` ${index + 1}` : ""}`, operator, OPERATORS.filter((one) => one === operator || !(one in node)).map((value) => ({ value, label: texts.operators[value] })),
      (to) => set((now) => renamed(now, operator, to, operandFor(to, now[operator], steps)))),
    operand(operator, node[operator], `${place}.${operator}`, `${name}: ${texts.operators[operator]}`, (value, how) => act("set", [...path, operator], value, how), steps, texts),
    used.length > 1 ? button(`${place}|operator${index}out`, `${texts.remove} ${texts.operators[operator]}: ${name}`, "x", () => act("set", [...path, operator], undefined, { redraw: true, focus: `${place}|also` })) : null,
  ]);
  const unused = OPERATORS.find((one) => !(one in node));
  return [
    choice(`${place}.trait`, `${name}: ${texts.score}`, String(node.trait), words.scores, (key) => set((now) => fitted({ ...now, trait: key }, stepsOf(key)))),
    ...lines,
    unused ? button(`${place}|also`, `${texts.and_also}: ${name}`, "plus", () => set((now) => ({ ...now, [unused]: operandFor(unused, undefined, steps) })), { text: texts.and_also }) : null,
  ].filter(Boolean);
}

/** What an operator begins with, made of what the one before it held. */
function operandFor(operator, old, steps) {
  const typed = (typeof old === "boolean" ? [] : Array.isArray(old) ? old : [old]).filter((one) => one !== undefined);
  if (operator === "exists") return true;
  if (operator === "in" || operator === "not_in") return typed;
  return typed[0] ?? steps.length;
}

/** The tests of another score, with no step above its highest. */
function fitted(node, steps) {
  const fit = (value) => (typeof value === "number" && steps.length ? Math.min(value, steps.length) : value);
  const all = (value) => (Array.isArray(value) ? [...new Set(value.map(fit))] : fit(value));
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, OPERATORS.includes(key) ? all(value) : value]));
}

function operand(operator, value, control, name, set, steps, texts) {
  if (operator === "exists") return choice(control, name, String(value), [{ value: "true", label: texts.yes }, { value: "false", label: texts.no }], (to) => set(to === "true"));
  const said = (step) => steps.find((one) => one.value === String(step))?.label ?? String(step);
  const read = (text) => Number(steps.find((one) => one.label === text || one.value === text)?.value ?? Number.NaN) || text;
  if (Array.isArray(value)) return several(control, name, value, steps.map((one) => ({ value: one.label })), (to, how) => set(to, how), { read, say: said }, texts);
  return choice(control, `${name}: ${texts.step}`, String(value), steps, (to) => set(Number(to)));
}
