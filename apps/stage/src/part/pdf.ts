import { getDocument, GlobalWorkerOptions, PDFWorker, type PDFDocumentProxy } from 'pdfjs-dist/legacy/build/pdf.mjs';
import workerUrl from 'pdfjs-dist/legacy/build/pdf.worker.min.mjs?url';

GlobalWorkerOptions.workerSrc = workerUrl;

let worker: PDFWorker | null = null;

/** One worker draws for all documents. */
function pdfWorker(): PDFWorker {
  if (worker === null || worker.destroyed) worker = new PDFWorker();
  return worker;
}

/** So that its code is on the device before the first part is opened. */
export async function startPdfWorker(): Promise<void> {
  await pdfWorker().promise;
}

/** @returns the document; `destroy()` of its loading task lets go of it. @throws Error where the bytes are no PDF */
export function openPdf(bytes: Uint8Array<ArrayBuffer>): Promise<PDFDocumentProxy> {
  return getDocument({
    // The worker takes what it is given for itself.
    data: bytes.slice(),
    worker: pdfWorker(),
    isEvalSupported: false,
    standardFontDataUrl: `${__PDF_RESOURCES__}standard_fonts/`,
    cMapUrl: `${__PDF_RESOURCES__}cmaps/`,
    cMapPacked: true,
    wasmUrl: `${__PDF_RESOURCES__}wasm/`,
    iccUrl: `${__PDF_RESOURCES__}iccs/`,
  }).promise;
}
