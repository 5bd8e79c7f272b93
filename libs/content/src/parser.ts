import type { DriveFile } from '@soleil/bus';
import type { ContentSummary } from '@soleil/sync-protocol';
import { audioHeadBytes, checkAudio } from './audio.js';
import { audienceOfName, leaderAudience } from './audience.js';
import { ByteBudget } from './byte-budget.js';
import { ChartLanes } from './chart-lanes.js';
import { readChart } from './chart.js';
import type { ContentSettings } from './content-options.js';
import { readFileName, type FileName, type Format } from './file-name.js';
import { pdfHeadBytes, readPdf } from './pdf.js';
import { problems, type Problem } from './problem.js';
import { readSetlist } from './setlist.js';
import { songId } from './song-id.js';

/**
 * Raise it when the same bytes and name would now give another summary: at the next start Content says so of every file
 * that an older version read, and they are asked for again.
 */
export const parserVersion = 2;

/** Of all files that are being read. Files are many at once, and may be as large as `pdfLimitBytes`. */
const heldBytes = 64 * 1024 * 1024;

/** Fetches the first `limit` bytes of the file. */
export type ReadBytes = (limit: number) => Promise<Uint8Array>;

/** What a look into a file found out, besides what its name says. */
type Finding = Pick<ContentSummary, 'problem' | 'chart' | 'setlist' | 'pages'> & { title?: string | null; fault?: string };

/** Drive's problems that make even the name untrustworthy. */
const leaderProblems = new Set(['link_leaves_folder', 'path_invalid']);

/** From a file's name and bytes to what a screen shows of it. The same name and bytes give the same summary. */
export class Parser {
  private readonly charts: ChartLanes;
  private readonly held = new ByteBudget(heldBytes);

  /** @param onFault told of parsers that fell over; the file gets its verdict all the same */
  constructor(
    private readonly settings: ContentSettings,
    private readonly onFault: (file: DriveFile, fault: unknown) => void,
  ) {
    this.charts = new ChartLanes(settings.chartTimeLimitMs);
  }

  /** @throws only what `readBytes` throws */
  async parse(file: DriveFile, readBytes: ReadBytes): Promise<ContentSummary> {
    const name = readFileName(file.path);
    if (file.problem) return this.summary(file, name, { problem: problems.ofDrive(file.problem) });
    const known = this.knownProblem(file, name);
    if (known || !name.format) return this.summary(file, name, { problem: known });

    const { format } = name;
    const limit = this.bytesWanted(file, format);
    return this.held.run(limit, () => this.read(file, name, format, limit, readBytes));
  }

  /** Starts the chart parser's thread ahead of the first chart, which would wait some 200 ms for it. */
  async warmUp(): Promise<void> {
    await this.charts.parse('');
  }

  async close(): Promise<void> {
    await this.charts.close();
  }

  private async read(
    file: DriveFile,
    name: FileName,
    format: Format,
    limit: number,
    readBytes: ReadBytes,
  ): Promise<ContentSummary> {
    const { buffer, byteOffset, byteLength } = await readBytes(limit);
    const bytes = Buffer.from(buffer, byteOffset, byteLength);
    try {
      const finding =
        bytes.length === 0 ? { problem: problems.empty() } : await this.look(name, format, bytes, limit >= file.size);
      if (finding.fault) this.onFault(file, finding.fault);
      return this.summary(file, name, finding);
    } catch (fault) {
      this.onFault(file, fault);
      return this.summary(file, name, { problem: problems.parseFailed() });
    }
  }

  /** What is wrong with a file before anybody has looked into it. */
  private knownProblem(file: DriveFile, name: FileName): Problem | null {
    if (name.misfit === 'kind_unknown') return problems.kindUnknown();
    if (name.misfit === 'name_unknown') return problems.nameUnknown();
    if (file.size === 0) return problems.empty();
    const isText = name.format === 'chordpro' || name.format === 'setlist';
    if (isText && file.size > this.settings.textLimitBytes)
      return problems.tooLarge('The file is too large to be a text of music.');
    return null;
  }

  private bytesWanted(file: DriveFile, format: Format): number {
    if (format === 'audio') return audioHeadBytes;
    return format === 'pdf' && file.size > this.settings.pdfLimitBytes ? pdfHeadBytes : file.size;
  }

  private async look(name: FileName, format: Format, bytes: Buffer, whole: boolean): Promise<Finding> {
    switch (format) {
      case 'chordpro':
        return readChart(bytes, this.charts);
      case 'setlist':
        return readSetlist(bytes, name.title);
      case 'pdf':
        return readPdf(bytes, whole);
      case 'audio':
        return { problem: checkAudio(bytes) };
    }
  }

  private summary(file: DriveFile, name: FileName, finding: Finding): ContentSummary {
    const isLeaders = file.problem !== null && leaderProblems.has(file.problem.code);
    const isSong = name.kind !== 'setlist' && name.kind !== 'unknown';
    const summary: ContentSummary = {
      kind: name.kind,
      songId: isSong ? songId(name.title) : null,
      title: finding.title || name.title,
      pitch: name.pitch,
      audience: isLeaders ? leaderAudience : audienceOfName(name),
      readable: finding.problem === null,
      problem: finding.problem,
    };
    if (name.kind === 'chart' && finding.chart) summary.chart = finding.chart;
    if (name.kind === 'setlist' && finding.setlist) summary.setlist = finding.setlist;
    if (name.kind === 'part') summary.pages = finding.pages ?? null;
    if (name.kind === 'audio') summary.reference = name.reference;
    return summary;
  }
}
