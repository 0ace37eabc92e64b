// A line chart over days: {description, labels: ["2026-11-01"], lines: [{name, values, stage}]}; low, high: the ends of the scale, if it does not begin at 0; dots: values may stand alone, without neighbours; steps: labels are no days, and stand as they are. One line is filled below, several are not; a line of a stage has its colour.
window.clmCharts.kinds.lines = (data, element) => {
  const charts = window.clmCharts;
  const tokens = charts.tokens();
  // The pages write 5 May 2026; plain English is American to a browser.
  const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang || undefined;
  // As the pages name months: of all Englishes the British alone would say Sept.
  const said = (text) => language?.startsWith("en") ? text.replace("Sept ", "Sep ").replace(/Sept$/, "Sep") : text;
  const day = (text, style) => data.steps ? text : said(new Intl.DateTimeFormat(language, { ...style, timeZone: "UTC" }).format(new Date(`${text}T00:00:00Z`)));
  const long = !data.steps && (new Date(data.labels.at(-1)) - new Date(data.labels[0])) / 864e5 > 200;
  const plain = ["--accent-fill", "--stage-5", "--stage-9", "--stage-3"].map((name) => charts.colour(name));
  const colours = data.lines.map((line, index) => (line.stage ? charts.stage(line.stage) : plain[index % plain.length]));
  const several = data.lines.length > 1;
  return {
    color: colours,
    grid: { left: 4, right: several ? 8 : 16, top: several ? 34 : 12, bottom: 10, containLabel: true },
    legend: several ? { type: "scroll", top: 0, right: 0, width: "100%", pageIconColor: tokens.soft, pageIconInactiveColor: tokens.line, pageTextStyle: { color: tokens.muted }, icon: "circle", itemWidth: 8, itemHeight: 8, textStyle: { color: tokens.soft, fontSize: 12 } } : undefined,
    tooltip: { trigger: "axis", ...charts.tooltip(tokens), axisPointer: { lineStyle: { color: tokens.edge } }, valueFormatter: (value) => (value == null ? "–" : charts.number.format(value)) },
    xAxis: {
      type: "category", boundaryGap: false, data: data.labels.map((label) => day(label, { day: "numeric", month: "short", year: "numeric" })),
      axisLine: { lineStyle: { color: tokens.edge } }, axisTick: { show: false },
      axisLabel: { color: tokens.muted, fontSize: 12, hideOverlap: true, margin: 12, interval: long ? (index) => index > 0 && data.labels[index].slice(0, 7) !== data.labels[index - 1].slice(0, 7) : "auto", formatter: (_, index) => day(data.labels[index], long ? { month: "short", year: "2-digit" } : { day: "numeric", month: "short" }), alignMinLabel: "left", alignMaxLabel: "right" },
    },
    yAxis: { type: "value", min: data.low ?? 0, max: data.high, splitNumber: 4, axisLabel: { color: tokens.muted, fontSize: 12, formatter: (value) => charts.number.format(value) }, splitLine: { lineStyle: { color: tokens.line } } },
    series: data.lines.map((line, index) => ({
      name: line.name, type: "line", data: line.values, showSymbol: Boolean(data.dots) || line.values.length < 2, symbol: "circle", symbolSize: 7, lineStyle: { width: 2 }, emphasis: { disabled: true }, connectNulls: false,
      areaStyle: several ? undefined : { opacity: 1, color: { type: "linear", x: 0, y: 0, x2: 0, y2: 1, colorStops: [{ offset: 0, color: charts.fade(colours[index], 0.22) }, { offset: 1, color: charts.fade(colours[index], 0.01) }] } },
    })),
  };
};
