// Small words for Grafana's panels: a dashboard is a list of rows, a row a list of panels of equal width.

/** The data source of `../provisioning`; a cluster's Grafana asks which one. */
const datasource = { type: 'prometheus', uid: '${source}' };
const columns = 24;
const panelHeight = 8;

/**
 * @typedef {{ title: string, describes: string, type: string, targets: { expr: string, legend: string, format?: string }[],
 *   unit: string, options?: object, custom?: object, steps?: { value: number | null, color: string }[], max?: number }} Panel
 * @typedef {{ title: string, panels: Panel[] }} Row
 */

/**
 * Lines over time.
 * @param {string} title
 * @param {string} unit one of Grafana's: s, bytes, short, ops, percentunit
 * @param {Record<string, string>} queries PromQL by the legend
 * @param {string} describes what it tells, and when to worry
 * @returns {Panel}
 */
export function lines(title, unit, queries, describes) {
  return {
    title,
    describes,
    type: 'timeseries',
    unit,
    targets: Object.entries(queries).map(([legend, expr]) => ({ expr, legend })),
    custom: { lineWidth: 1, fillOpacity: 8, showPoints: 'never', spanNulls: true },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  };
}

/**
 * Percentiles of a histogram of seconds.
 * @param {string} title
 * @param {string} metric without `_bucket`
 * @param {string} describes
 * @param {{ where?: string, by?: string, quantiles?: number[] }} [options] `by` is a label that gets a line each
 * @returns {Panel}
 */
export function percentiles(title, metric, describes, { where = '', by, quantiles = [0.5, 0.95, 0.99] } = {}) {
  const labels = by === undefined ? 'le' : `le, ${by}`;
  const queries = quantiles.map((quantile) => [
    by === undefined ? `p${quantile * 100}` : `{{${by}}} p${quantile * 100}`,
    `histogram_quantile(${quantile}, sum by (${labels}) (rate(${metric}_bucket${where}[$__rate_interval])))`,
  ]);
  return lines(title, 's', Object.fromEntries(queries), describes);
}

/**
 * How the observations of a histogram spread, over time.
 * @param {string} title
 * @param {string} metric without `_bucket`
 * @param {string} describes
 * @param {string} [unit]
 * @returns {Panel}
 */
export function heatmap(title, metric, describes, unit = 's') {
  const expr = `sum by (le) (increase(${metric}_bucket[$__rate_interval]))`;
  return {
    title,
    describes,
    type: 'heatmap',
    unit,
    targets: [{ expr, legend: '{{le}}', format: 'heatmap' }],
    options: { calculate: false, color: { scheme: 'Teal', mode: 'scheme' }, yAxis: { unit }, cellGap: 1 },
  };
}

/**
 * One number now, coloured from `warn` and `alarm` on.
 * @param {string} title
 * @param {string} unit
 * @param {string} expr
 * @param {string} describes
 * @param {{ warn?: number, alarm?: number, legend?: string }} [limits]
 * @returns {Panel}
 */
export function number(title, unit, expr, describes, { warn, alarm, legend = title } = {}) {
  const steps = [
    { value: null, color: 'green' },
    ...(warn === undefined ? [] : [{ value: warn, color: 'orange' }]),
    ...(alarm === undefined ? [] : [{ value: alarm, color: 'red' }]),
  ];
  return {
    title,
    describes,
    type: 'stat',
    unit,
    targets: [{ expr, legend }],
    steps,
    options: { colorMode: 'value', graphMode: 'area', reduceOptions: { calcs: ['lastNotNull'] } },
  };
}

/**
 * @param {string} title
 * @param {...Panel} panels
 * @returns {Row}
 */
export const row = (title, ...panels) => ({ title, panels });

/**
 * A whole dashboard, in Grafana's JSON.
 * @param {{ uid: string, title: string, describes: string, rows: Row[] }} dashboard
 */
export function dashboardJson({ uid, title, describes, rows }) {
  let id = 0;
  let y = 0;
  const panels = rows.flatMap((one) => {
    const header = {
      id: (id += 1),
      type: 'row',
      title: one.title,
      collapsed: false,
      gridPos: at(0, y, columns, 1),
      panels: [],
    };
    const width = Math.floor(columns / one.panels.length);
    const placed = one.panels.map((panel, index) =>
      panelJson(panel, (id += 1), at(index * width, y + 1, width, panelHeight)),
    );
    y += 1 + panelHeight;
    return [header, ...placed];
  });
  return {
    uid: `boardwire-${uid}`,
    title: `Boardwire: ${title}`,
    description: describes,
    tags: ['boardwire'],
    schemaVersion: 39,
    editable: false,
    graphTooltip: 1,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    links: [{ type: 'dashboards', title: 'Boardwire', tags: ['boardwire'], asDropdown: true, keepTime: true }],
    templating: {
      list: [
        { name: 'source', label: 'Data source', type: 'datasource', query: 'prometheus', current: {}, refresh: 1 },
      ],
    },
    panels,
  };
}

const at = (x, y, w, h) => ({ x, y, w, h });

function panelJson({ title, describes, type, unit, targets, options = {}, custom = {}, steps }, id, gridPos) {
  const defaults = {
    unit,
    min: 0,
    custom,
    ...(steps === undefined ? {} : { thresholds: { mode: 'absolute', steps } }),
  };
  return {
    id,
    type,
    title,
    description: describes,
    datasource,
    gridPos,
    fieldConfig: { defaults, overrides: [] },
    options,
    targets: targets.map(({ expr, legend, format }, index) => ({
      refId: String.fromCodePoint(65 + index),
      datasource,
      expr,
      legendFormat: legend,
      ...(format === undefined ? {} : { format }),
    })),
  };
}
