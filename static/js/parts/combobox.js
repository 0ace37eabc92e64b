// A text field that offers what it may hold. <input data-combobox list="id"> offers the options of its <datalist> (which
// is all there is without this script); data-url="/x/?search=" asks the server for [{value, label, detail}] instead.
// An option chosen inside [data-tokens] becomes a token with a hidden field of its own.
(() => {
  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const lists = new WeakMap();
  let number = 0;

  function upgrade(field) {
    const datalist = document.getElementById(field.getAttribute("list"));
    const known = datalist ? [...datalist.options].map((one) => ({ value: one.value, label: one.label || one.value, detail: one.dataset.detail || "" })) : [];
    field.removeAttribute("list");
    const box = document.createElement("div");
    box.className = "options";
    box.id = `options-${++number}`;
    box.hidden = true;
    box.setAttribute("role", "listbox");
    box.setAttribute("aria-label", field.getAttribute("aria-label") || field.labels?.[0]?.textContent.trim() || "");
    field.closest(".combobox").append(box);
    for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": box.id, autocomplete: "off" })) field.setAttribute(name, value);
    lists.set(field, { box, known, at: -1, asking: null });
  }

  async function offered(field) {
    const { known, asking } = lists.get(field);
    if (!field.dataset.url) return known.filter((one) => fold(`${one.label} ${one.detail} ${one.value}`).includes(fold(field.value.trim())));
    asking?.abort();
    lists.get(field).asking = new AbortController();
    const answer = await fetch(field.dataset.url + encodeURIComponent(field.value), { signal: lists.get(field).asking.signal });
    return answer.ok ? answer.json() : [];
  }

  async function open(field) {
    const state = lists.get(field);
    let found;
    try { found = await offered(field); } catch { return; }
    const held = new Set([...(field.closest("[data-tokens]")?.querySelectorAll(".token input") ?? [])].map((one) => one.value));
    state.box.replaceChildren(...found.filter((one) => !held.has(one.value)).slice(0, 50).map((one, at) => {
      const option = document.createElement("div");
      option.setAttribute("role", "option");
      option.id = `${state.box.id}-${at}`;
      option.dataset.value = one.value;
      option.dataset.label = one.label;
      option.append(Object.assign(document.createElement("span"), { textContent: one.label, dir: "auto" }));
      if (one.detail) option.append(Object.assign(document.createElement("span"), { className: "muted", textContent: one.detail }));
      return option;
    }));
    const count = state.box.children.length;
    state.box.hidden = !count;
    field.setAttribute("aria-expanded", String(count > 0));
    mark(field, -1);
    window.clmSay(count ? field.dataset.saysCount.replace("0", count) : field.dataset.saysNone);
  }
  function close(field) {
    lists.get(field).box.hidden = true;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }
  function mark(field, at) {
    const state = lists.get(field);
    const all = [...state.box.children];
    state.at = all.length ? (at + all.length + 1) % (all.length + 1) : -1;
    if (state.at === all.length) state.at = -1;
    all.forEach((one, index) => one.setAttribute("aria-selected", String(index === state.at)));
    if (state.at < 0) field.removeAttribute("aria-activedescendant");
    else {
      field.setAttribute("aria-activedescendant", all[state.at].id);
      all[state.at].scrollIntoView({ block: "nearest" });
    }
  }
  function take(field, option) {
    const tokens = field.closest("[data-tokens]");
    if (tokens) {
      addToken(tokens, option.dataset.value, option.dataset.label);
      field.value = "";
    } else {
      field.value = option.dataset.label;
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
    close(field);
  }

  function addToken(tokens, value, label) {
    const made = tokens.querySelector("template").content.firstElementChild.cloneNode(true);
    made.querySelector("input").value = value;
    made.querySelector(".token-text").textContent = label;
    const remover = made.querySelector("button");
    remover.setAttribute("aria-label", `${remover.getAttribute("aria-label")} ${label}`);
    tokens.querySelector(".token-list").append(made);
    window.clmSay(`${tokens.dataset.saysAdded} ${label}`);
  }
  function removeToken(token) {
    const tokens = token.closest("[data-tokens]");
    const label = token.querySelector(".token-text").textContent;
    token.remove();
    tokens.querySelector("[data-combobox]").focus();
    window.clmSay(`${tokens.dataset.saysRemoved} ${label}`);
  }

  document.addEventListener("DOMContentLoaded", () => { for (const field of document.querySelectorAll("[data-combobox]")) upgrade(field); });
  document.addEventListener("htmx:load", (event) => { for (const field of event.target.querySelectorAll?.("[data-combobox]:not([role])") ?? []) upgrade(field); });
  document.addEventListener("partsadded", (event) => { for (const field of event.target.querySelectorAll("[data-combobox]:not([role])")) upgrade(field); });
  document.addEventListener("input", (event) => { if (lists.has(event.target)) open(event.target); });
  document.addEventListener("focusout", (event) => { if (lists.has(event.target)) setTimeout(() => close(event.target), 120); });
  document.addEventListener("pointerdown", (event) => {
    const option = event.target.closest(".options [role=option]");
    if (!option) return;
    event.preventDefault(); // the field keeps the focus
    take(option.closest(".combobox").querySelector("[data-combobox]"), option);
  });
  document.addEventListener("click", (event) => {
    const remover = event.target.closest(".token button");
    if (remover) removeToken(remover.closest(".token"));
    else if (lists.has(event.target) && event.target.getAttribute("aria-expanded") === "false") open(event.target);
  });
  document.addEventListener("keydown", (event) => {
    const field = event.target;
    if (!lists.has(field) || event.isComposing) return;
    const { box, at } = lists.get(field);
    const isOpen = !box.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen) open(field).then(() => mark(field, event.key === "ArrowDown" ? 0 : box.children.length - 1));
      else mark(field, event.key === "ArrowDown" ? at + 1 : at < 0 ? box.children.length - 1 : at - 1);
    } else if (event.key === "Enter" && isOpen && at >= 0) {
      event.preventDefault();
      take(field, box.children[at]);
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault();
      event.stopPropagation();
      close(field);
    } else if (event.key === "Backspace" && !field.value) {
      const last = field.closest("[data-tokens]")?.querySelector(".token:last-child");
      if (last) removeToken(last);
    }
  });
})();
