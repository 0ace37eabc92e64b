// Draws every [data-chart]: the kind names a builder in clmCharts, the data lies in the JSON block named by data-from.
// Colours come from the style sheet, so a change of theme draws the chart anew.
window.clmCharts = {
  kinds: {},
  colour(name, element = document.body) {
    const probe = document.createElement("i");
    probe.style.color = name.startsWith("--") ? `var(${name})` : name;
    element.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  },
  tokens() {
    const of = (name) => this.colour(name);
    return { ink: of("--ink"), soft: of("--ink-soft"), muted: of("--muted"), line: of("--line"), surface: of("--surface"), raised: of("--raised"), accent: of("--accent-fill"), edge: of("--line-strong") };
  },
  fade(colour, alpha) { return colour.replace("rgb(", "rgba(").replace(")", `, ${alpha})`); },
  stage(stage) { return this.colour(`--stage-${stage}`); },
  font() { return getComputedStyle(document.body).fontFamily; },
  measure(texts, font) {
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = font;
    return Math.max(0, ...texts.map((text) => pen.measureText(text).width));
  },
  number: new Intl.NumberFormat(document.documentElement.lang || undefined),
  tooltip(tokens) {
    return {
      confine: true, backgroundColor: tokens.raised, borderColor: tokens.edge, padding: [8, 12],
      textStyle: { color: tokens.ink, fontSize: 13, fontFamily: this.font() }, extraCssText: "border-radius:8px;box-shadow:0 8px 32px rgb(0 0 0 / 0.18)",
    };
  },
};

(() => {
  const still = () => document.documentElement.classList.contains("still") || matchMedia("(prefers-reduced-motion: reduce)").matches;

  function draw(element, isStill = still()) {
    const data = JSON.parse(document.getElementById(element.dataset.from).textContent);
    const build = window.clmCharts.kinds[element.dataset.chart];
    window.echarts.getInstanceByDom(element)?.dispose();
    const chart = window.echarts.init(element, null, { renderer: "svg" });
    chart.setOption({
      animation: !isStill, animationDuration: 300,
      textStyle: { fontFamily: window.clmCharts.font() },
      aria: { enabled: true, label: { description: data.description } },
      ...build(data, element),
    });
    element.dataset.drawn = "yes";
    return chart;
  }

  const all = () => document.querySelectorAll("[data-chart]");
  const visible = (element) => element.clientWidth > 0;
  const drawAll = () => { for (const element of all()) if (element.dataset.drawn && visible(element)) draw(element); };

  // The library is fetched once, when the first chart is about to be seen or the browser has nothing else to do.
  const address = document.currentScript.dataset.library;
  let library = null;
  const loaded = () => (library ??= new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: address, onload: resolve, onerror: reject });
    document.head.append(script);
  }));
  const near = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) show(target);
  }, { rootMargin: "400px" });
  async function show(element) {
    near.unobserve(element);
    await Promise.all([loaded(), document.fonts.ready]);
    if (!visible(element) || element.dataset.drawn) return;
    element.dataset.width = element.clientWidth;
    draw(element);
    sizes.observe(element);
  }
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) if (visible(target) && Number(target.dataset.width) !== target.clientWidth) {
      target.dataset.width = target.clientWidth;
      draw(target);
    }
  });

  // A sheet of paper is light, and as wide as it is: charts are drawn for it, and again for the screen.
  const SHEET = "688px"; // not in rem: letters are smaller on paper
  let theme = null;
  addEventListener("beforeprint", () => {
    theme = document.documentElement.dataset.theme ?? "";
    document.documentElement.dataset.theme = "light";
    sizes.disconnect();
    for (const element of all()) if (element.dataset.drawn && visible(element)) {
      element.style.inlineSize = SHEET;
      draw(element, true).getZr().flush();
    }
  });
  addEventListener("afterprint", () => {
    if (theme === null) return;
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    theme = null;
    for (const element of all()) if (element.dataset.drawn) {
      element.style.inlineSize = "";
      if (visible(element)) draw(element, true);
      sizes.observe(element);
    }
  });

  document.addEventListener("DOMContentLoaded", () => {
    document.addEventListener("themechange", drawAll);
    for (const element of all()) near.observe(element);
    const idle = window.requestIdleCallback ?? ((act) => setTimeout(act, 500));
    addEventListener("load", () => idle(() => { for (const element of all()) show(element); }, { timeout: 2000 }));
  });

  // What a part of the page brings with it when it is swapped in.
  document.addEventListener("htmx:load", (event) => { for (const element of event.target.querySelectorAll?.("[data-chart]:not([data-drawn])") ?? []) near.observe(element); });

  // "View as table" and back; without this script both are on the page.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-shows-table]");
    if (!button) return;
    const frame = document.getElementById(button.dataset.showsTable);
    const table = frame.dataset.shows === "chart";
    frame.dataset.shows = table ? "table" : "chart";
    button.setAttribute("aria-pressed", String(table));
    if (!table) for (const element of frame.querySelectorAll("[data-chart]")) element.dataset.drawn ? draw(element) : show(element);
  });
})();
