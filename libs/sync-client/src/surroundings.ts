/** What the device says about itself. Replaceable, for devices that are no browser and for tests. */
export interface Surroundings {
  /** False only where the device is sure to have no network. */
  isOnline(): boolean;
  /** Whether somebody may be looking. */
  isVisible(): boolean;
  /** @returns what ends it */
  watch(change: (what: 'online' | 'offline' | 'visible') => void): () => void;
}

interface EventSource {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

/** Of the browser's globals what is used here, each of them absent elsewhere. Typed by hand: Node compiles this file too. */
interface BrowserGlobals extends Partial<EventSource> {
  navigator?: { onLine?: boolean };
  document?: EventSource & { visibilityState: string };
}

const globals = globalThis as unknown as BrowserGlobals;

/** A browser's window; elsewhere always online and visible. */
export const systemSurroundings: Surroundings = {
  isOnline: () => globals.navigator?.onLine !== false,
  isVisible: () => globals.document === undefined || globals.document.visibilityState === 'visible',
  watch(change) {
    const { document } = globals;
    if (document === undefined) return () => undefined;
    const online = () => change('online');
    const offline = () => change('offline');
    const shown = () => {
      if (document.visibilityState === 'visible') change('visible');
    };
    globals.addEventListener?.('online', online);
    globals.addEventListener?.('offline', offline);
    document.addEventListener('visibilitychange', shown);
    return () => {
      globals.removeEventListener?.('online', online);
      globals.removeEventListener?.('offline', offline);
      document.removeEventListener('visibilitychange', shown);
    };
  },
};
