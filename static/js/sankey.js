// Who moved where: stages at the start on the left, at the end on the right, names outside the ribbons so that nothing lies on them.
// {description, before: [{name, stage}], after: [{name, stage}], moves: [[before, after, customers]]}
window.clmCharts.kinds.sankey = (data, element) => {
  const charts = window.clmCharts;
  const tokens = charts.tokens();
  const total = (side, index) => data.moves.filter((move) => move[side] === index).reduce((sum, move) => sum + move[2], 0);
  const label = (node, count) => `${node.name}  ${charts.number.format(count)}`;
  const font = `500 13px ${charts.font()}`;
  const sides = [data.before, data.after].map((nodes, side) => nodes.map((node, index) => ({ ...node, count: total(side, index), side, index })).filter((node) => node.count));
  const room = sides.map((nodes) => Math.ceil(charts.measure(nodes.map((node) => label(node, node.count)), font)) + 14);
  const id = (side, index) => `${side ? "after" : "before"}:${index}`;
  const node = (at) => sides.flat().find((one) => id(one.side, one.index) === at);
  return {
    tooltip: {
      ...charts.tooltip(tokens),
      formatter: ({ dataType, data: shown }) => {
        const safe = (text) => { const holder = document.createElement("i"); holder.textContent = text; return holder.innerHTML; };
        if (dataType === "node") return `${safe(node(shown.name).name)}: <b>${charts.number.format(node(shown.name).count)}</b>`;
        return `${safe(node(shown.source).name)} → ${safe(node(shown.target).name)}: <b>${charts.number.format(shown.value)}</b>`;
      },
    },
    series: [{
      type: "sankey", animation: false, left: room[0], right: room[1], top: 8, bottom: 12, nodeWidth: 10, nodeGap: 16, draggable: false, layoutIterations: 0, emphasis: { focus: "adjacency", lineStyle: { opacity: 0.75 } },
      labelLayout: { moveOverlap: "shiftY" },
      data: sides.flat().map((one) => ({
        name: id(one.side, one.index), depth: one.side, itemStyle: { color: charts.stage(one.stage), borderWidth: 0, borderRadius: 2 },
        label: { position: one.side ? "right" : "left", distance: 8, formatter: () => `{n|${one.name}}  {c|${charts.number.format(one.count)}}`, rich: { n: { color: tokens.ink, fontSize: 13, fontWeight: 500 }, c: { color: tokens.muted, fontSize: 13 } } },
      })),
      links: data.moves.map((move) => ({ source: id(0, move[0]), target: id(1, move[1]), value: move[2], lineStyle: { color: charts.stage(data.after[move[1]].stage), opacity: 0.42, curveness: 0.5 } })),
    }],
  };
};
