// Draws as a pen with a changing width would: from points { x, y, width } along the middle of a
// stroke to the outline of it. This is how clefs and rests get their thick and thin.

const SAMPLES = 7;

/** Path operators of a closed outline around the smooth curve through `points` ([x, y, width]). */
export function brush(points) {
  const middle = smooth(points);
  const left = [];
  const right = [];
  middle.forEach(([x, y, width], i) => {
    const [ax, ay] = middle[Math.max(0, i - 1)];
    const [bx, by] = middle[Math.min(middle.length - 1, i + 1)];
    const length = Math.sqrt((bx - ax) ** 2 + (by - ay) ** 2) || 1;
    const nx = (-(by - ay) / length) * (width / 2);
    const ny = ((bx - ax) / length) * (width / 2);
    left.push([x + nx, y + ny]);
    right.push([x - nx, y - ny]);
  });
  return outline([...left, ...right.reverse()]);
}

/** Path operators of a filled circle. */
export function disc(cx, cy, radius) {
  return ellipse(cx, cy, [radius, 0], [0, radius]);
}

/** Path operators of an ellipse whose half axes are the vectors `a` and `b`. */
export function ellipse(cx, cy, a, b) {
  const k = 0.5523;
  const at = (u, v) => `${fine(cx + u * a[0] + v * b[0])} ${fine(cy + u * a[1] + v * b[1])}`;
  return (
    `${at(1, 0)} m ${at(1, k)} ${at(k, 1)} ${at(0, 1)} c ${at(-k, 1)} ${at(-1, k)} ${at(-1, 0)} c ` +
    `${at(-1, -k)} ${at(-k, -1)} ${at(0, -1)} c ${at(k, -1)} ${at(1, -k)} ${at(1, 0)} c h`
  );
}

export function outline(points) {
  return `${points.map(([x, y], i) => `${fine(x)} ${fine(y)} ${i === 0 ? 'm' : 'l'}`).join(' ')} h`;
}

function smooth(points) {
  const curve = [];
  for (let i = 0; i < points.length - 1; i += 1) {
    const quad = [points[Math.max(0, i - 1)], points[i], points[i + 1], points[Math.min(points.length - 1, i + 2)]];
    for (let s = 0; s < SAMPLES; s += 1) curve.push([0, 1, 2].map((axis) => catmullRom(quad, axis, s / SAMPLES)));
  }
  curve.push(points.at(-1));
  return curve;
}

function catmullRom([a, b, c, d], axis, t) {
  const [p0, p1, p2, p3] = [a[axis], b[axis], c[axis], d[axis]];
  return 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t * t + (3 * p1 - p0 - 3 * p2 + p3) * t * t * t);
}

function fine(value) {
  return String(Number(value.toFixed(3)));
}
