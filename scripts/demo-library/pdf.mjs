// A minimal PDF 1.4 writer: pages, reusable drawings ("stamps"), four of the standard fonts.
// Streams stay uncompressed on purpose: compressors differ between versions of Node, and the
// same song must give the same bytes everywhere. For the same reason no date is written.

import { FONTS, encodeText } from './fonts.mjs';

export const A4 = { width: 595, height: 842 };

/** A number as the PDF shows it: two decimals, no trailing zeros. */
export function num(value) {
  return String(Number(value.toFixed(2)));
}

export class Pdf {
  #pages = [];
  #stamps = new Map();
  #title;

  constructor(title) {
    this.#title = title;
  }

  /** Makes `operators` drawable under `name` with `Canvas.stamp`; `box` is [left, bottom, right, top]. */
  addStamp(name, box, operators) {
    this.#stamps.set(name, { box, operators });
  }

  addPage() {
    const page = new Canvas();
    this.#pages.push(page);
    return page;
  }

  /** The finished file. Only stamps that were used are in it. */
  toBytes() {
    const objects = [];
    const put = (body) => objects.push(body);
    const stream = (dictionary, content) =>
      put(`<< ${dictionary}/Length ${content.length} >>\nstream\n${content}\nendstream`);
    const used = [...this.#stamps].filter(([name]) => this.#pages.some((page) => page.uses(name)));
    const fontNames = Object.keys(FONTS);

    const firstFont = 4;
    const firstStamp = firstFont + fontNames.length;
    const firstPage = firstStamp + used.length;
    const kids = this.#pages.map((_, i) => `${firstPage + 2 * i} 0 R`);

    put('<< /Type /Catalog /Pages 2 0 R /Lang (en) >>');
    put(`<< /Type /Pages /Count ${kids.length} /Kids [${kids.join(' ')}] >>`);
    put(`<< /Title (${escapeText(encodeText(this.#title))}) /Producer (SOLEil demo library) >>`);
    for (const name of fontNames) {
      put(`<< /Type /Font /Subtype /Type1 /BaseFont /${FONTS[name].baseFont} /Encoding /WinAnsiEncoding >>`);
    }
    for (const [, { box, operators }] of used) {
      stream(`/Type /XObject /Subtype /Form /BBox [${box.map(num).join(' ')}] `, operators);
    }
    const fonts = fontNames.map((name, i) => `/${name} ${firstFont + i} 0 R`).join(' ');
    const stamps = used.map(([name], i) => `/${name} ${firstStamp + i} 0 R`).join(' ');
    this.#pages.forEach((page, i) => {
      put(
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${A4.width} ${A4.height}] /Contents ${firstPage + 2 * i + 1} 0 R ` +
          `/Resources << /Font << ${fonts} >> /XObject << ${stamps} >> >> >>`,
      );
      stream('', page.content());
    });
    return assemble(objects);
  }
}

/** One page; y grows upward from the bottom left corner, lengths are points. */
export class Canvas {
  #operators = [];
  #stampNames = new Set();

  uses(stampName) {
    return this.#stampNames.has(stampName);
  }

  content() {
    return this.#operators.join('\n');
  }

  line(x1, y1, x2, y2, width) {
    this.#operators.push(`${num(width)} w ${num(x1)} ${num(y1)} m ${num(x2)} ${num(y2)} l S`);
  }

  box(x, y, width, height) {
    this.#operators.push(`${num(x)} ${num(y)} ${num(width)} ${num(height)} re f`);
  }

  frame(x, y, width, height, lineWidth) {
    this.#operators.push(`${num(lineWidth)} w ${num(x)} ${num(y)} ${num(width)} ${num(height)} re S`);
  }

  polygon(points) {
    const [first, ...rest] = points.map(([x, y]) => `${num(x)} ${num(y)}`);
    this.#operators.push(`${first} m ${rest.map((point) => `${point} l`).join(' ')} f`);
  }

  /** A filled shape of path operators already in page coordinates. */
  shape(path) {
    this.#operators.push(`${path} f`);
  }

  stamp(name, x, y, scale, flipped = false) {
    this.#stampNames.add(name);
    this.#operators.push(`q ${num(scale)} 0 0 ${num(flipped ? -scale : scale)} ${num(x)} ${num(y)} cm /${name} Do Q`);
  }

  text(string, x, y, font, size) {
    this.#operators.push(`BT /${font} ${num(size)} Tf ${num(x)} ${num(y)} Td (${escapeText(encodeText(string))}) Tj ET`);
  }
}

function escapeText(text) {
  return text.replace(/[\\()]/g, '\\$&');
}

function assemble(objects) {
  // The bytes of the second line, the zero above all, tell git and mail programs that this is no text.
  let file = '%PDF-1.4\n%\xe2\xe3\xcf\xd3\0\n';
  const offsets = objects.map((body, i) => {
    const offset = file.length;
    file += `${i + 1} 0 obj\n${body}\nendobj\n`;
    return String(offset).padStart(10, '0');
  });
  const xref = file.length;
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.map((offset) => `${offset} 00000 n \n`).join('')}`;
  file += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R /Info 3 0 R >>\nstartxref\n${xref}\n%%EOF\n`;
  return Buffer.from(file, 'latin1');
}
