import fc from 'fast-check';
import { readPdf } from './pdf.js';

const pdf = (body: string) => Buffer.from(`%PDF-1.4\n${body}\ntrailer << /Root 1 0 R >>\n%%EOF\n`, 'latin1');
const catalog = '1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n';

describe('a PDF', () => {
  it('has as many pages as the root of its page tree counts', () => {
    const tree =
      '2 0 obj << /Type /Pages /Kids [3 0 R 4 0 R] /Count 7 >> endobj\n3 0 obj << /Count 3 /Type/Pages /Parent 2 0 R >> endobj\n4 0 obj << /Type /Pages /Count 4 /Parent 2 0 R >> endobj';
    expect(readPdf(pdf(catalog + tree), true)).toEqual({ problem: null, pages: 7 });
  });

  it('counts the pages of its last edition', () => {
    const editions = '2 0 obj << /Type /Pages /Count 9 >> endobj\n2 0 obj << /Type /Pages /Count 2 >> endobj';
    expect(readPdf(pdf(catalog + editions), true).pages).toBe(2);
  });

  it('is readable where its pages cannot be counted', () => {
    expect(readPdf(pdf('5 0 obj << /Type /ObjStm >> stream endstream endobj'), true)).toEqual({
      problem: null,
      pages: null,
    });
  });

  it('is broken without its header, and without its end', () => {
    expect(readPdf(Buffer.from('<html>'), true).problem?.code).toBe('pdf_broken');
    const whole = pdf(catalog + ' '.repeat(10_000));
    expect(readPdf(whole.subarray(0, -8), true).problem?.reason).toMatch(/cut off/);
  });

  it('needs only its header where only the head was read', () => {
    expect(readPdf(Buffer.from('%PDF-1.7 and so on'), false).problem).toBeNull();
  });

  it('never takes long, whatever it repeats', () => {
    for (const piece of ['/Type/Pages ', '/Pages', ' obj /Type /Pages', '/Type /Pages /Count']) {
      const started = performance.now();
      readPdf(pdf(piece.repeat(10_000_000 / piece.length)), true);
      expect(performance.now() - started).toBeLessThan(2000);
    }
  });

  it('never fails to be judged', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.boolean(), (bytes, whole) => {
        readPdf(Buffer.from(bytes), whole);
        readPdf(pdf(Buffer.from(bytes).toString('latin1')), whole);
      }),
    );
  });
});
