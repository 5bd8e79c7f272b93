/** Where pdf.js finds its fonts and decoders; set by vite.config.ts. */
declare const __PDF_RESOURCES__: string;
