/** Bars side by side for each group, or a line through the groups for each series. */
export interface Plot {
  kind: 'bars' | 'lines';
  title: string;
  unit: string;
  groups: string[];
  series: { name: string; values: number[] }[];
}

const width = 760;
const height = 380;
const area = { left: 70, right: 20, top: 64, bottom: 48 };
const colours = ['#d9480f', '#495057', '#1971c2', '#2f9e44'];
const innerWidth = width - area.left - area.right;
const innerHeight = height - area.top - area.bottom;

/** An SVG that stands alone. @param source where the figures are from: machine and commit */
export function svgOf({ kind, title, unit, groups, series }: Plot, source: string): string {
  const most = ceiling(Math.max(...series.flatMap(({ values }) => values)));
  const y = (value: number): number => area.top + innerHeight * (1 - value / most);
  const slot = innerWidth / groups.length;
  const centre = (group: number): number => area.left + slot * (group + 0.5);
  const parts = [
    text(area.left, 22, title, 'font-size="15" font-weight="600"'),
    text(area.left, 40, source, 'fill="#868e96" font-size="11"'),
    ...[0, 0.25, 0.5, 0.75, 1].map((share) => gridLine(y(most * share), shown(most * share))),
    text(area.left - 62, area.top - 8, unit, 'fill="#868e96"'),
    ...groups.map((group, nth) => text(centre(nth), height - 28, group, 'text-anchor="middle"')),
    ...series.map(({ name }, nth) => legend(name, nth)),
    ...series.flatMap(({ values }, nth) =>
      kind === 'bars'
        ? values.map((value, group) => bar(centre(group), slot, nth, series.length, value, y))
        : [line(values, nth, centre, y)],
    ),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">
<rect width="${width}" height="${height}" fill="#fff"/>
${parts.join('\n')}
</svg>
`;
}

function bar(centre: number, slot: number, nth: number, many: number, value: number, y: (value: number) => number): string {
  const wide = Math.min((slot * 0.8) / many, 60);
  const left = centre + (nth - many / 2) * wide;
  const rect = `<rect x="${at(left)}" y="${at(y(value))}" width="${at(wide - 3)}" height="${at(y(0) - y(value))}" fill="${colours[nth % colours.length]}"/>`;
  return rect + text(left + wide / 2 - 1.5, y(value) - 4, shown(value), 'text-anchor="middle" font-size="11"');
}

function line(
  values: readonly number[],
  nth: number,
  centre: (group: number) => number,
  y: (value: number) => number,
): string {
  const colour = colours[nth % colours.length];
  const points = values.map((value, group) => `${at(centre(group))},${at(y(value))}`);
  const dots = points.map(
    (point) => `<circle cx="${point.split(',')[0]}" cy="${point.split(',')[1]}" r="3" fill="${colour}"/>`,
  );
  const path = `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`;
  const labels = values.map((value, group) =>
    text(centre(group), y(value) - 7, shown(value), `text-anchor="middle" font-size="11" fill="${colour}"`),
  );
  return [path, ...dots, ...labels].join('');
}

function legend(name: string, nth: number): string {
  const x = area.left + nth * 170;
  return `<rect x="${x}" y="${height - 16}" width="10" height="10" fill="${colours[nth % colours.length]}"/>${text(x + 15, height - 7, name, '')}`;
}

function gridLine(y: number, label: string): string {
  const rule = `<line x1="${area.left}" x2="${width - area.right}" y1="${at(y)}" y2="${at(y)}" stroke="#e9ecef"/>`;
  return rule + text(area.left - 8, y + 4, label, 'text-anchor="end" fill="#868e96"');
}

function text(x: number, y: number, content: string, attributes: string): string {
  const safe = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${at(x)}" y="${at(y)}" ${attributes}>${safe}</text>`;
}

const at = (value: number): string => value.toFixed(1);

function shown(value: number): string {
  if (value >= 1_000_000) return `${Number((value / 1_000_000).toPrecision(3))} M`;
  if (value >= 10_000) return `${Number((value / 1_000).toPrecision(3))} k`;
  return String(Number(value.toPrecision(3)));
}

/** The next of 1, 2, 2.5, 5, 10, 20 … */
function ceiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return power * [1, 2, 2.5, 5, 10].find((step) => step * power >= value)!;
}
