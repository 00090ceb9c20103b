// Charts by ECharts, drawn as SVG; each has a description in words, and its numbers in a table below it.

const charts = new Map();
const clicks = new Map(); // what listens to clicks on each chart's drawing, beside ECharts itself
let still = matchMedia('(prefers-reduced-motion: reduce)').matches;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

// pick: {at: index => …} for a click anywhere above a place of the axis, {of: (index, series) => …} for one on a shape.
function show(id, height, label, option, table, pick = null) {
  const host = byId(id);
  let chart = charts.get(id);
  if (!chart) {
    const box = element('div', { class: 'chart', role: 'img' });
    box.style.height = `${height}px`;
    host.replaceChildren(box, element('div'));
    chart = echarts.init(box, null, { renderer: 'svg' });
    charts.set(id, chart);
  }
  chart.getDom().style.height = `${height}px`;
  chart.getDom().setAttribute('aria-label', label);
  chart.getDom().classList.toggle('pick', pick !== null);
  chart.resize();
  chart.setOption({
    animation: !still, animationDuration: 350, color: [colour('median')],
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: colour('muted') }, ...option,
  }, { notMerge: true });
  const isOpen = host.lastChild.querySelector('details')?.open;
  host.lastChild.replaceChildren(table ? behind(table, isOpen) : '');
  listen(chart, option, pick);
}

function listen(chart, option, pick) {
  chart.off('click');
  if (clicks.has(chart)) chart.getZr().off('click', clicks.get(chart));
  clicks.delete(chart);
  if (pick?.of) chart.on('click', ({ dataIndex, seriesName }) => pick.of(dataIndex, seriesName));
  if (!pick?.at) return;
  const grids = Array.isArray(option.grid) ? option.grid.length : 1;
  clicks.set(chart, ({ offsetX, offsetY }) => {
    for (let gridIndex = 0; gridIndex < grids; gridIndex++) {
      if (!chart.containPixel({ gridIndex }, [offsetX, offsetY])) continue;
      const place = chart.convertFromPixel({ gridIndex }, [offsetX, offsetY])[pick.isUpright ? 1 : 0];
      pick.at(Math.round(place));
    }
  });
  chart.getZr().on('click', clicks.get(chart));
}

function showNothing(id, text) {
  clicks.delete(charts.get(id));
  charts.get(id)?.dispose();
  charts.delete(id);
  fill(id, empty(text));
}

function behind(makeTable, isOpen) {
  const details = element('details', { open: isOpen }, element('summary', {}, 'The numbers as a table'));
  const add = () => {
    if (details.open && details.childElementCount === 1) details.append(makeTable());
  };
  details.addEventListener('toggle', add);
  add();
  return details;
}

function tooltip(trigger, describe) {
  return {
    trigger, confine: true, transitionDuration: 0, padding: 0, borderWidth: 0, backgroundColor: 'transparent',
    extraCssText: 'box-shadow:none', axisPointer: { type: trigger === 'axis' ? 'shadow' : 'none', shadowStyle: { opacity: 0.25 } },
    formatter: found => tip(...describe(Array.isArray(found) ? found[0].dataIndex : found.dataIndex)),
  };
}

function tip(title, rows) {
  return element('div', { class: 'tip' }, element('b', {}, title), rows.map(([label, value, dot]) => {
    const mark = dot ? element('span', { class: 'dot' }) : null;
    if (mark) mark.style.background = colour(dot);
    return element('div', { class: 'row' }, mark, element('span', {}, label), element('span', {}, value));
  }));
}

function categoryAxis(data, more = {}) {
  return {
    type: 'category', data, axisTick: { show: false }, axisLine: { lineStyle: { color: colour('line') } },
    axisLabel: { color: colour('muted'), hideOverlap: true }, ...more,
  };
}

function valueAxis(more = {}) {
  return {
    type: 'value', axisLabel: { color: colour('muted') }, splitLine: { lineStyle: { color: colour('line') } },
    splitNumber: 3, minInterval: 1, ...more,
  };
}

// Ticks at whole hours, half days, days or weeks.
function hoursAxis(values, more = {}) {
  const top = Math.max(0.5, ...values.filter(value => value !== null));
  const steps = [0.25, 0.5, 1, 2, 4, 6, 12, 24, 48, 72, 96, 168, 336, 672, 1344, 2688, 5376, 10752];
  const interval = steps.find(step => top / step <= 4.5) ?? top;
  const label = hours => hours === 0 ? '0' : hours % 24 === 0 && interval % 24 === 0
    ? `${plainNumber.format(hours / 24)} d` : hours % 1 ? `${hours * 60} min` : `${hours} h`;
  return valueAxis({
    min: 0, max: Math.ceil(top / interval) * interval, interval, minInterval: 0,
    axisLabel: { color: colour('muted'), formatter: label }, ...more,
  });
}

// Too narrow for labels in one line, such as on a phone.
function isNarrow(id) {
  return byId(id).clientWidth < 560;
}

function legend(names, more = {}) {
  return {
    data: names, top: 0, left: 0, itemWidth: 14, itemHeight: 10, itemGap: 16,
    textStyle: { color: colour('ink') }, inactiveColor: colour('line'), ...more,
  };
}

function bars(name, data, shade, more = {}) {
  return { type: 'bar', name, data, itemStyle: { color: colour(shade) }, barCategoryGap: '25%', emphasis: { disabled: true }, ...more };
}

// For tables: from the median to the 90th percentile, on a logarithmic scale.
function span(median, p90, longest) {
  const place = hours => 4 + 136 * Math.log1p(hours) / Math.log1p(Math.max(longest, 1));
  const svg = drawing('svg', { class: 'span', viewBox: '0 0 144 24', 'aria-hidden': 'true' },
    drawing('line', { class: 'rail', x1: 4, x2: 140, y1: 12, y2: 12 }));
  if (median === null) return svg;
  svg.append(drawing('line', { x1: place(median), x2: place(p90), y1: 12, y2: 12 }),
    drawing('circle', { cx: place(median), cy: 12, r: 4.5 }));
  return svg;
}
