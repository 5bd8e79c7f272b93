import type { ChartView } from '../chart/chart-view.js';
import type { PartView } from '../part/part-view.js';

/** Reading ChordPro and drawing PDF take more code than all the rest: they come after the first screen. */
export const loadChartView = async (): Promise<{ default: typeof ChartView }> => ({ default: (await import('../chart/chart-view.js')).ChartView });
export const loadPartView = async (): Promise<{ default: typeof PartView }> => ({ default: (await import('../part/part-view.js')).PartView });

/** Fetches them while there is a connection and nothing else to do, so that a file opens when the network has gone. */
export async function prepareViews(): Promise<void> {
  await Promise.all([loadChartView(), loadPartView(), import('../part/pdf.js').then(({ startPdfWorker }) => startPdfWorker())]);
}
