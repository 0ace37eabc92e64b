// The page on which a rule is built: one document, drawn anew after every edit, with its steps kept for undo. What it
// says and for how many it holds is asked of the server a moment after each edit; the text field below always holds the
// document, and is what the form sends.
import { add, duplicate, move, remove, unwrap, wrap } from "./edits.js";
import { turned } from "./kinds.js";
import { at, put, size, written } from "./paths.js";
import { view } from "./view.js";

const MOST_PARTS = 3000, MOST_DEPTH = 80, PAUSE = 250, SPEECH_PAUSE = 900;
const form = document.getElementById("rule-form");
const root = document.getElementById("builder");
const text = form.querySelector("textarea[name=rule]");
const words = JSON.parse(document.getElementById("rule-words").textContent);
const texts = JSON.parse(document.getElementById("rule-texts").textContent);
const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
const state = { document: null, past: [], future: [], typing: null };

const EDITS = {
  up: (path) => move(state.document, path, -1),
  down: (path) => move(state.document, path, 1),
  add: (path) => add(state.document, path),
  add_group: (path) => add(state.document, path, { any: [{ did: { role: "purchase" }, within: "90d" }, { did: { role: "visit" }, within: "30d" }] }),
  duplicate: (path) => duplicate(state.document, path),
  wrap: (path) => wrap(state.document, path),
  unwrap: (path) => unwrap(state.document, path),
  remove: (path) => remove(state.document, path),
};

/** `given` is the new value, or makes it of the one there is now: controls are drawn seldom and typed in often, so what
 * they were drawn from is no ground to build on. */
function act(name, path, given, how = {}) {
  if (drawing) return;
  if (name === "set") {
    const old = at(state.document, path);
    const value = typeof given === "function" ? given(old) : given;
    const key = written(path);
    if (JSON.stringify(old) === JSON.stringify(value)) {
      if (!how.typing) state.typing = null;
      if (how.redraw) draw(how.focus);
      return;
    }
    // What is typed in one go is one step back.
    if (state.typing !== key) remember();
    state.typing = how.typing ? key : null;
    change(put(state.document, path, value));
    if (how.redraw) draw(how.focus);
  } else if (name === "turn") {
    remember();
    change(put(state.document, path, turned(at(state.document, path), given, words)));
    draw(how.focus);
    say(texts.says.turned.replace("{kind}", texts.kinds[given]));
  } else {
    const done = EDITS[name](path);
    if (!done) return;
    remember();
    change(done.document);
    draw(["up", "down"].includes(name) ? `${written(done.focus)}|${name}` : `${written(done.focus)}|kind`);
    say(texts.says[name]);
  }
  if (how.say) say(how.say);
}

function remember() {
  state.past.push(state.document);
  state.future = [];
  state.typing = null;
}
function change(to) {
  state.document = to;
  text.value = JSON.stringify(to, null, 2);
  buttons();
  check();
}
function step(from, onto, said) {
  if (!from.length) return;
  onto.push(state.document);
  const to = from.pop();
  state.typing = null;
  change(to);
  draw();
  say(said);
}
function buttons() {
  form.querySelector("[data-undo]").setAttribute("aria-disabled", String(!state.past.length));
  form.querySelector("[data-redo]").setAttribute("aria-disabled", String(!state.future.length));
}

// --- drawing ------------------------------------------------------------------------------------------------------
// While the old controls are taken away, the one with the focus may tell its change: of a document that has moved on.
let wanted = null, waiting = false, drawing = false;
function draw(focus = null) {
  wanted = focus ?? wanted;
  if (waiting) return;
  waiting = true;
  // After the event that caused it: by then the focus is where the keys took it, and is found again by its control.
  setTimeout(drawNow, 0);
}
function drawNow() {
  if (!waiting || pressed) return;
  waiting = false;
  const active = document.activeElement;
  const control = wanted ?? (root.contains(active) ? active.dataset.control : null);
  const caret = !wanted && active?.selectionStart !== undefined && active?.type === "text" ? [active.selectionStart, active.selectionEnd] : null;
  wanted = null;
  const parts = size(state.document);
  const drawn = parts.count > MOST_PARTS || parts.deepest > MOST_DEPTH
    ? Object.assign(document.createElement("p"), { className: "muted", textContent: texts.too_large })
    : view(state.document, { words, texts, act, can: (edit, path) => Boolean(EDITS[edit](path)) });
  drawing = true;
  root.replaceChildren(drawn);
  drawing = false;
  root.dispatchEvent(new CustomEvent("partsadded", { bubbles: true }));
  mark();
  if (!control) return;
  const found = root.querySelector(`[data-control="${CSS.escape(control)}"]`) ?? root.querySelector(`[data-control^="${CSS.escape(control.split("|")[0])}"]`) ?? root.querySelector("[data-control]");
  found?.focus();
  if (caret && found?.type === "text") found.setSelectionRange(...caret);
}

// Pressing a control takes the focus from a field, whose change wants drawing: not before the press has become a click,
// or the list of a select that it opens has been left, for with its control it would be lost.
let pressed = null;
function released() {
  pressed = null;
  if (waiting) setTimeout(drawNow, 0);
}
document.addEventListener("pointerdown", (event) => {
  released();
  pressed = root.contains(event.target) ? event.target.closest("button, select") : null;
}, true);
for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => { if (!pressed?.matches("select")) released(); }, true);
for (const end of ["change", "focusout"]) document.addEventListener(end, (event) => { if (event.target === pressed) released(); }, true);
document.addEventListener("keydown", released, true);

// --- what the server says -----------------------------------------------------------------------------------------
let failures = [], asking = null, pause = 0, speech = 0;
function check() {
  clearTimeout(pause);
  asking?.abort();
  shown("asking");
  pause = setTimeout(ask, PAUSE);
}
async function ask() {
  asking = new AbortController();
  const body = { rule: state.document, of: words.of ?? null };
  let answer;
  try {
    const response = await fetch(words.estimate, { method: "POST", signal: asking.signal, headers: { "Content-Type": "application/json", "X-CSRFToken": token }, body: JSON.stringify(body) });
    answer = { status: response.status, ...(await response.json()) };
  } catch (error) {
    if (error.name === "AbortError") return;
    answer = { status: 0 };
  }
  failures = answer.status === 400 ? (answer.errors ?? [{ field: "$.rule", message: answer.detail }]).map((one) => ({ path: one.field.replace(/^\$\.rule/, "$"), message: one.message })) : [];
  mark();
  shown(answer.status === 200 ? "known" : answer.status === 400 ? "wrong" : "unknown", answer);
}

const number = new Intl.NumberFormat(document.documentElement.lang || undefined);
const panel = document.getElementById("estimate");
const part = (name) => panel.querySelector(`[data-part=${name}]`);
function shown(how, answer = {}) {
  panel.dataset.state = how;
  panel.setAttribute("aria-busy", String(how === "asking"));
  clearTimeout(speech);
  if (how === "asking") { stopCounting(); return; }
  if (how === "known") {
    part("sentence").textContent = answer.sentence;
    part("count").textContent = (answer.is_exact ? "" : texts.about + " ") + number.format(answer.customers);
    part("interval").textContent = answer.is_exact ? "" : texts.between.replace("{low}", number.format(answer.low)).replace("{high}", number.format(answer.high));
    part("sample").textContent = (answer.is_exact ? texts.everybody : texts.sample).replace("{sampled}", number.format(answer.sampled)).replace("{everybody}", number.format(answer.everybody));
    part("rests-on").textContent = answer.note;
    part("exact").hidden = answer.is_exact;
    const said = texts.says.estimate.replace("{count}", part("count").textContent);
    speech = setTimeout(() => say(`${said} ${part("interval").textContent} ${answer.note}`), SPEECH_PAUSE);
    return;
  }
  part("count").textContent = "–";
  part("interval").textContent = "";
  part("rests-on").textContent = "";
  part("exact").hidden = true;
  part("sentence").textContent = how === "wrong" ? texts.not_yet : texts.no_answer;
  part("sample").textContent = how === "wrong" ? failures.map((one) => one.message).join(" ") : "";
  speech = setTimeout(() => say(`${part("sentence").textContent} ${part("sample").textContent}`), SPEECH_PAUSE);
}

/** Say each failure at the control it is about: the one whose place is the longest beginning of the failure's. */
function mark() {
  for (const one of root.querySelectorAll("[aria-invalid]")) { one.removeAttribute("aria-invalid"); one.removeAttribute("aria-describedby"); }
  for (const one of root.querySelectorAll("[data-error]")) { one.hidden = true; one.textContent = ""; }
  for (const { path, message } of failures) {
    const begins = (place) => path === place || (path.startsWith(place) && /[.[]/.test(path[place.length]));
    const longest = (all, key) => [...all].filter((one) => begins(key(one))).sort((a, b) => key(b).length - key(a).length)[0];
    const control = longest(root.querySelectorAll("[data-control]:is(input, select, textarea):not([data-control$='|narrow'])"), (one) => one.dataset.control.split("|")[0]);
    const node = longest(root.querySelectorAll("[data-error]"), (one) => one.dataset.error);
    if (!node) continue;
    node.textContent = message;
    node.hidden = false;
    control?.setAttribute("aria-invalid", "true");
    control?.setAttribute("aria-describedby", node.id);
  }
}

// --- the exact count ----------------------------------------------------------------------------------------------
let counting = 0;
function stopCounting() {
  counting += 1;
  part("progress").hidden = true;
}
async function count() {
  const mine = ++counting;
  const bar = part("progress");
  bar.hidden = false;
  bar.querySelector("progress").removeAttribute("value");
  part("waits-for").textContent = "";
  say(texts.says.counting);
  const asked = { headers: { "Content-Type": "application/json", "X-CSRFToken": token } };
  try {
    let answer = await (await fetch(words.counts, { ...asked, method: "POST", body: JSON.stringify({ rule: state.document }) })).json();
    while (answer.state === "running" && mine === counting) {
      await new Promise((resolve) => setTimeout(resolve, 700));
      answer = await (await fetch(`${words.counts}${answer.id}/`)).json();
      if (mine === counting) part("waits-for").textContent = answer.note;
      if (mine === counting && answer.buckets) Object.assign(bar.querySelector("progress"), { max: answer.buckets, value: answer.done });
    }
    if (mine !== counting) return;
    if (answer.result) shown("known", answer.result);
    else { shown("unknown"); }
  } catch {
    if (mine === counting) shown("unknown");
  }
  bar.hidden = true;
}

// --- beginning ----------------------------------------------------------------------------------------------------
const say = (words_) => window.clmSay(words_);
form.querySelector("[data-undo]").addEventListener("click", () => step(state.past, state.future, texts.says.undone));
form.querySelector("[data-redo]").addEventListener("click", () => step(state.future, state.past, texts.says.redone));
panel.querySelector("[data-count]").addEventListener("click", count);
text.addEventListener("change", () => {
  try {
    const typed = JSON.parse(text.value);
    remember();
    change(typed);
    draw();
    textError("");
  } catch (error) { textError(`${texts.not_json} ${error.message}`); }
});
function textError(message) {
  const place = document.getElementById("rule-text-error");
  place.textContent = message;
  place.hidden = !message;
  text.setAttribute("aria-invalid", String(Boolean(message)));
  if (message) say(message);
}
root.addEventListener("keydown", (event) => {
  const field = event.target;
  if (event.key === "Enter" && field.matches("input") && !field.hasAttribute("aria-activedescendant")) {
    event.preventDefault();
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
});
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || event.target.matches("input, textarea")) return;
  event.preventDefault();
  if (event.shiftKey) step(state.future, state.past, texts.says.redone);
  else step(state.past, state.future, texts.says.undone);
});
const LONG_NUMBER = /(^|[\s:,[])-?[0-9]{16,}/;
function begin() {
  if (LONG_NUMBER.test(text.value)) { root.textContent = texts.too_large; return; } // it would come back as another number
  try { state.document = JSON.parse(text.value); } catch { return; }
  draw();
  check();
}
begin();
