"use strict";
// Draws the charts whose data the page holds. Colours are variables of the style sheet, so that the dark scheme and
// paper change them without a script; what is told under the pointer is SVG too, for no HTML may bring its own styles.
(() => {
  const KINDS = {
    bars: { option: bars, height: ({ rows }) => 30 * rows.length + 8 },
    history: { option: history, height: () => 230 },
  };
  const SOFT = { color: "var(--soft)" };
  const GRID = { top: 8, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" };
  const TOOLTIP = {
    trigger: "axis", renderMode: "richText", confine: true, transitionDuration: 0, shadowBlur: 0, padding: 8,
    backgroundColor: "var(--card)", borderColor: "var(--base)", borderWidth: 1,
    textStyle: { color: "var(--ink)", fontSize: 13 },
  };
  const drawn = new Set();
  const widths = new ResizeObserver((seen) => seen.forEach(({ target }) => fit(target)));

  const colour = (tier) => `var(--t${tier.step})`;
  const share = (part, whole) => (whole ? `${((100 * part) / whole).toFixed(1)}%` : "—");

  function bars({ rows, tiers }, chart) {
    const wholes = rows.map((_, row) => tiers.reduce((sum, tier) => sum + tier.values[row], 0));
    const longest = Math.max(...wholes);
    const hasRoom = (name, value) => (chart.getWidth() * value) / longest > 24 + 10 * name.length;
    const line = (part) =>
      `${part.seriesName}  ${part.value.toLocaleString("en")}  ${share(part.value, wholes[part.dataIndex])}`;
    return {
      grid: { ...GRID, top: 4, left: 0, right: 1 },
      xAxis: { type: "value", max: "dataMax", show: false },
      yAxis: {
        type: "category", inverse: true, data: rows, axisLabel: SOFT,
        axisLine: { show: false }, axisTick: { show: false },
      },
      tooltip: {
        ...TOOLTIP, axisPointer: { type: "none" },
        formatter: (parts) => [parts[0].name, ...parts.map(line)].join("\n"),
      },
      series: tiers.map((tier) => ({
        type: "bar", stack: "tiers", name: tier.name, data: tier.values, barWidth: "68%",
        itemStyle: { color: colour(tier), borderColor: "var(--card)", borderWidth: 1 },
        label: {
          show: true, color: "var(--bar-ink)", fontWeight: "bold",
          formatter: ({ value }) => (hasRoom(tier.name, value) ? tier.name : ""),
        },
        cursor: "default", emphasis: { disabled: true },
      })),
    };
  }

  function history({ highest, tiers, points, until }) {
    const end = points.slice(-1).map(([, ...last]) => ({ value: [until, ...last], symbol: "none" }));
    const days = [...new Set(points.map(([day]) => day))];
    const edges = [highest, ...tiers.map((tier) => tier.lowest)];
    const band = (tier, place) => [
      {
        yAxis: edges[place], itemStyle: { color: colour(tier), opacity: 0.14 },
        label: { formatter: tier.name, color: colour(tier), fontWeight: "bold", position: "insideRight" },
      },
      { yAxis: tier.lowest },
    ];
    return {
      grid: { ...GRID, left: 4, right: 4 },
      xAxis: {
        type: "time", boundaryGap: ["6%", "12%"], axisLine: { lineStyle: { color: "var(--hair)" } },
        axisTick: { customValues: days },
        axisLabel: { ...SOFT, customValues: days, formatter: "{yyyy}-{MM}-{dd}", hideOverlap: true },
      },
      yAxis: {
        type: "value", min: edges.at(-1), max: highest, splitLine: { show: false },
        axisLabel: { ...SOFT, customValues: edges },
      },
      tooltip: {
        ...TOOLTIP, axisPointer: { lineStyle: SOFT },
        formatter: (seen) =>
          [seen[0].value[0], ...seen.map(({ value }) => `${value[1]}  ${value[2]}`)].join("\n"),
      },
      series: {
        type: "line", step: "end", data: [...points, ...end], symbol: "circle", symbolSize: 9,
        lineStyle: { color: "var(--ink)", width: 2.5 }, itemStyle: { color: "var(--ink)" },
        markArea: { silent: true, data: tiers.map(band) },
        cursor: "default", emphasis: { disabled: true },
      },
    };
  }

  function draw(element) {
    const data = JSON.parse(element.dataset.values), kind = KINDS[element.dataset.chart];
    const chart = echarts.init(element, null, { renderer: "svg", height: kind.height(data) });
    const { fontFamily } = getComputedStyle(element);
    chart.setOption({ animation: false, textStyle: { fontFamily }, ...kind.option(data, chart) });
    drawn.add(element);
    widths.observe(element);
  }

  function fit(element) {
    const chart = echarts.getInstanceByDom(element);
    chart.resize();
    // On paper, which is as wide as it is, the style sheet scales the drawing.
    element.querySelector("svg").setAttribute("viewBox", `0 0 ${chart.getWidth()} ${chart.getHeight()}`);
  }

  function forget(element) {
    widths.unobserve(element);
    echarts.getInstanceByDom(element).dispose();
    drawn.delete(element);
  }

  function refresh() {
    [...drawn].filter((element) => !element.isConnected).forEach(forget);
    [...document.querySelectorAll("[data-chart]")].filter((element) => !drawn.has(element)).forEach(draw);
  }

  document.addEventListener("htmx:after:swap", refresh);
  refresh();
})();
